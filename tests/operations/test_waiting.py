"""What ``status`` says of a queue that waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from bridge.clock import rfc3339
from bridge.model import AccountId, SubmissionState
from bridge.operations.waiting import waiting_facts
from bridge.outbox.waiting import AccountQueue
from bridge.outbox.window import ALL_DAY, Window
from bridge.store.base import ReadTransaction
from bridge.store.outbox import HoldCause, HoldRow
from tests.outbox.made import NOW, row_of

LATER = NOW + timedelta(minutes=10)
HOLD = HoldRow(AccountId(1), HoldCause.CREDENTIALS, "Refused.", NOW, LATER, 1)
SHUT = Window.parse("03:00-04:00")


class Counted:
    """A transaction that knows how many wait."""

    async def waiting_count(self, _account: AccountId) -> int:
        return 7


@pytest.mark.parametrize(
    ("state", "reason", "not_before", "hold", "window", "said", "until"),
    [
        ("queued", "Slow.", LATER, None, ALL_DAY, "Slow.", LATER),
        ("queued", "", None, None, ALL_DAY, "", None),
        ("queued", "Slow.", LATER, None, SHUT, f"within the window {SHUT}.", SHUT.next_open(NOW)),
        ("held", "The plan.", LATER + timedelta(days=20), None, SHUT, "The plan.", "itself"),
        ("held", "Old.", None, HOLD, ALL_DAY, "Refused.", LATER),
    ],
    ids=["after an error", "in turn", "outside the window", "plan", "refused"],
)
async def test_why_and_until_when(
    state: str,
    reason: str,
    not_before: datetime | None,
    hold: HoldRow | None,
    window: Window,
    said: str,
    until: datetime | str | None,
) -> None:
    row = row_of(reason=reason, not_before=not_before, updated_at=NOW, created_at=NOW)
    first = replace(row, state=SubmissionState(state))
    queue = AccountQueue(first if state == "queued" else None, hold)
    tx = cast("ReadTransaction", Counted())
    facts = await waiting_facts(tx, queue, first, NOW, window)
    assert facts["reason"].endswith(said)
    due = not_before if until == "itself" else until
    assert facts["until"] == rfc3339(cast("datetime | None", due))
    assert (facts["count"], facts["state"], facts["since"]) == (7, state, rfc3339(NOW))
