"""The simulator's state in a file, so that a demo goes on after it was stopped or killed.

One JSON file, written whole and put in place by a rename after every change, before the answer
that tells of it; readable by its owner only. Attachments are saved as digests. A file that can't
be read as such raises ``ValueError`` with a sentence.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.simulator.inbox import RawRow, Row
from bridge.simulator.network import NetworkEvent, Pec
from bridge.simulator.submission import ReceivedAttachment, Sent
from bridge.simulator.wording import NetworkKind, Recipient
from bridge.simulator.world import ServiceMailbox, World

_VERSION = 1


def keep(world: World, path: Path) -> bool:
    """Take up the state in ``path`` if there is one, and write every later change to it.

    Returns whether there was one.

    Raises:
        ValueError: the file is not such a state; nothing was changed.
        OSError: it can't be read or written.
    """
    found = path.exists()
    if found:
        try:
            _restore(world, json.loads(path.read_bytes()))
        except (ValueError, KeyError, TypeError) as problem:
            raise ValueError(f"{path} is not a simulator's state; remove it") from problem
    world.changed = _writer(world, path)
    return found


def _writer(world: World, path: Path) -> Callable[[], None]:
    unfinished = path.with_name(path.name + ".new")

    def write() -> None:
        text = json.dumps(_saved(world), default=_plain)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        unfinished.replace(path)

    return write


def _saved(world: World) -> dict[str, object]:
    return {
        "version": _VERSION,
        "sent": [dataclasses.asdict(sent) for sent in world.sent],
        "due": [dataclasses.asdict(event) for event in world.network.events],
        "accounts": [
            {
                "address": account.address,
                "username": account.username,
                "password": account.password,
                "limit_bytes": account.limit_bytes,
                "other_bytes": account.other_bytes,
                "rows": [_saved_row(row) for row in account.inbox.rows],
            }
            for account in world.accounts.values()
        ],
    }


def _saved_row(row: Row) -> dict[str, object]:
    values = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    raw = None if row.raw is None else dataclasses.asdict(row.raw)
    return {**values, "body": row.text, "raw": raw}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, NetworkKind):
        return value.value
    if isinstance(value, bytes):
        return ""
    raise TypeError(f"{type(value).__name__} can't be saved")


def _restore(world: World, saved: dict[str, Any]) -> None:
    if saved["version"] != _VERSION:
        raise ValueError("another version")
    sent = [_sent(fields) for fields in saved["sent"]]
    events = [_event(fields) for fields in saved["due"]]
    for fields in saved["accounts"]:
        rows = [_row(row) for row in fields.pop("rows")]
        limit_bytes, other_bytes = fields.pop("limit_bytes"), fields.pop("other_bytes")
        account: ServiceMailbox = world.add_account(**fields)
        account.limit_bytes, account.other_bytes = limit_bytes, other_bytes
        account.inbox.restore(rows)
    world.sent.extend(sent)
    world.network.restore(events)


def _row(fields: dict[str, Any]) -> Row:
    raw = None if fields["raw"] is None else RawRow(**fields["raw"])
    return Row(**{**fields, "at": datetime.fromisoformat(fields["at"]), "raw": raw})


def _event(fields: dict[str, Any]) -> NetworkEvent:
    pec = fields["pec"]
    return NetworkEvent(
        pec=Pec(
            **{
                **pec,
                "recipients": _recipients(pec["recipients"]),
                "at": datetime.fromisoformat(pec["at"]),
            }
        ),
        kind=NetworkKind(fields["kind"]),
        recipients=_recipients(fields["recipients"]),
        at=datetime.fromisoformat(fields["at"]),
        error=fields["error"],
    )


def _recipients(values: list[dict[str, Any]]) -> tuple[Recipient, ...]:
    return tuple(Recipient(**value) for value in values)


def _sent(fields: dict[str, Any]) -> Sent:
    attachments = (ReceivedAttachment(**{**one, "content": b""}) for one in fields["attachments"])
    return Sent(
        **{
            **fields,
            "received_at": datetime.fromisoformat(fields["received_at"]),
            "recipients": tuple(fields["recipients"]),
            "attachments": tuple(attachments),
        }
    )
