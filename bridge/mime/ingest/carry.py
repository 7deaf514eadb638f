"""What another process worked out of a message, as values of JSON: all but the message itself."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import date
from typing import Any

from bridge.mime.grammar.held import Held
from bridge.mime.ingest.message import Ingested, SearchText, SortKeys

_OCTETS = frozenset(one.name for one in fields(Ingested) if one.type == "bytes")


def packed_message(message: Ingested) -> dict[str, Any]:
    """Return all of a message but its bytes."""
    values = {one.name: getattr(message, one.name) for one in fields(Ingested)}
    del values["raw"]
    for name in _OCTETS:
        values[name] = values[name].decode("latin-1")
    values["sent_on"] = message.sent_on.isoformat() if message.sent_on else None
    return {**values, "sort": asdict(message.sort), "search": asdict(message.search)}


def unpacked_message(values: dict[str, Any], raw: bytes | Held) -> Ingested:
    """Return the message whose bytes are ``raw``."""
    values = dict(values)
    for name in _OCTETS:
        values[name] = values[name].encode("latin-1")
    values["references"] = tuple(values["references"])
    values["sent_on"] = date.fromisoformat(values["sent_on"]) if values["sent_on"] else None
    values["sort"] = SortKeys(**values["sort"])
    values["search"] = SearchText(**values["search"])
    return Ingested(raw=raw, **values)
