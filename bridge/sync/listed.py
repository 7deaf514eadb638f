"""A listed row, and the digest that names it: the API's ids name nothing (Q11). Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC

from bridge.api.schema import InboxRow, UnreadableRow


def fingerprint(row: InboxRow | UnreadableRow) -> bytes:
    """Return the digest that names a row's (sender, recipient, date, object).

    A date that can be read counts as the moment it names, so that another spelling of it is no
    other row; a row that cannot be read at all is named by its JSON.
    """
    if isinstance(row, UnreadableRow):
        return hashlib.sha256(b"unreadable\0" + row.raw.encode()).digest()
    date = row.date.astimezone(UTC).isoformat() if row.date is not None else row.date_text.strip()
    fields = [row.sender.strip(), row.recipient.strip(), date, row.subject.strip()]
    return hashlib.sha256(json.dumps(fields).encode()).digest()


@dataclass(frozen=True, slots=True)
class Listed:
    """One listed row; ``api_id`` is "" for one that names none."""

    fingerprint: bytes
    api_id: str
    row: InboxRow | UnreadableRow


def listed(row: InboxRow | UnreadableRow) -> Listed:
    """Return a row of a page as it is matched."""
    api_id = row.api_id if isinstance(row, InboxRow) else ""
    return Listed(fingerprint(row), api_id, row)
