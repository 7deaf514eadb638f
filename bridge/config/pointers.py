"""What settings point to outside their file, found also where other settings are wrong.

So that whoever mends a configuration hears of a missing key file in the same breath as of a
misspelt name, not one start later. What is itself wrong is left out: it was told already.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bridge.config.lines import Key
from bridge.config.values import SecretSource, Tls

SECRETS = (
    *("token", "admin_token", "api_key", "proxy_login", "password", "local_password"),
    *("secret", "old_secret", "url"),
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pointers:
    """Secrets' sources by the key that names them, and the certificate's files."""

    sources: tuple[tuple[Key, SecretSource], ...]
    tls: Tls


def pointers(document: Mapping[str, Any]) -> Pointers:
    """Return what can be read of ``document``, which may be wrong in any way."""
    return Pointers(tuple(_sources(document)), _one(Tls, document.get("tls")) or Tls())


def _sources(document: Mapping[str, Any]) -> Iterator[tuple[Key, SecretSource]]:
    alarms = document.get("alarms")
    alarms = alarms if isinstance(alarms, dict) else {}
    tables: list[tuple[Key, Any]] = [
        (("api",), document.get("api")),
        (("store",), document.get("store")),
        (("alarms", "smtp"), alarms.get("smtp")),
        *_each(document, "webhook"),
        *_each(alarms, "webhook", "alarms"),
    ]
    for key, account in _each(document, "account"):
        tables += ((key, account), *_each(account, "webhook", *key))
    for key, table in tables:
        for name in SECRETS if isinstance(table, dict) else ():
            source = _one(SecretSource, table.get(name))
            if source is not None:
                yield (*key, name), source


def _each(table: Any, name: str, *key: str | int) -> Iterator[tuple[Key, Any]]:
    """Yield each table of an array, with its key."""
    items = table.get(name) if isinstance(table, dict) else None
    for index, one in enumerate(items if isinstance(items, list) else ()):
        yield (*key, name, index), one


def _one(rules: type[T], table: Any) -> T | None:
    try:
        return TypeAdapter(rules).validate_json(json.dumps(table))
    except (TypeError, ValidationError):  # a TypeError is a TOML date
        return None
