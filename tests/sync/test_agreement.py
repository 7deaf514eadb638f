"""Whether the message behind an id is the one that was listed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.api.date import parse_date
from bridge.api.schema import InboxMessage, InboxRow
from bridge.model import AccountId
from bridge.store.remote import RemoteId, RemoteRow
from bridge.sync.agreement import agrees, agrees_exactly

DATE = "Thu, 15 Jan 2026 12:00:00 +0100"


def row(sender: str, date_text: str, subject: str) -> RemoteRow:
    return RemoteRow(
        id=RemoteId(1),
        account=AccountId(1),
        fingerprint=b"",
        api_id="1",
        sender=sender,
        recipient="",
        date_text=date_text,
        subject=subject,
        received_at=parse_date(date_text),
        first_seen=datetime(2026, 1, 15, tzinfo=UTC),
        body_sha256=None,
        content=None,
        gone_at=None,
        kind="",
        code=None,
        submission=None,
    )


def message(sender: str, date_text: str, subject: str) -> InboxMessage:
    return InboxMessage(
        InboxRow(
            "1",
            sender=sender,
            recipient="",
            date_text=date_text,
            subject=subject,
            raw="{}",
            date=None,
        ),
        "body",
    )


CASES = [
    (("a", DATE, "Oggetto"), True, True),
    ((" a ", DATE, "Oggetto "), True, True),
    (("a", "2026-01-15 12:00:00", "Oggetto"), True, True),
    (("b", DATE, "Oggetto"), False, False),
    (("a", "Thu, 15 Jan 2026 12:00:01 +0100", "Oggetto"), False, False),
    (("a", DATE, "Altro"), False, False),
    (("a", DATE, "Oggett\ufffd"), True, False),
    (("a", DATE, "Ogget\ufffd"), False, False),
    (("", DATE, "Oggetto"), True, False),
    (("a", "", "Oggetto"), True, False),
]


@pytest.mark.parametrize(("shown", "can_be", "surely_is"), CASES, ids=str)
def test_a_fetched_message_beside_its_row(
    shown: tuple[str, str, str], can_be: bool, surely_is: bool
) -> None:
    listed = row("a", DATE, "Oggetto")
    assert agrees(listed, message(*shown)) is can_be
    assert agrees_exactly(listed, message(*shown)) is surely_is
