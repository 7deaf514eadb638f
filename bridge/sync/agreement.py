"""Whether the message behind an id is the one that was listed. Pure.

An id may name another message a moment after it was listed (Q11), so nothing is believed of a
body, and nothing deleted, before its row agrees with the listed one.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.api.date import parse_date
from bridge.api.schema import InboxMessage
from bridge.store.remote import RemoteRow

REPLACEMENT = "\ufffd"


def agrees(row: RemoteRow, message: InboxMessage) -> bool:
    """Tell whether a fetched message can be the listed row.

    Sender, date and subject must be equal; letters that the API lost (Q7) equal any other, and
    where one side leaves a field out, the others decide.
    """
    pairs = (
        (row.sender, message.row.sender),
        (row.date_text, message.row.date_text),
        (row.subject, message.row.subject),
    )
    return all(_same(one, other) for one, other in pairs)


def agrees_exactly(row: RemoteRow, message: InboxMessage) -> bool:
    """Tell whether a fetched message surely is the listed row, for a deletion."""
    return (
        row.sender.strip() == message.row.sender.strip()
        and row.subject.strip() == message.row.subject.strip()
        and _moment(row.date_text) == _moment(message.row.date_text)
    )


def _same(one: str, other: str) -> bool:
    one, other = " ".join(one.split()), " ".join(other.split())
    if not one or not other or one == other or _moment(one) == _moment(other):
        return True
    if REPLACEMENT not in one + other or len(one) != len(other):
        return False
    return all(a == b or REPLACEMENT in a + b for a, b in zip(one, other, strict=True))


def _moment(text: str) -> datetime | str:
    date = parse_date(text)
    return text.strip() if date is None else date.astimezone(UTC)
