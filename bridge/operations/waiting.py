"""What of an account waits to be sent, as facts: how many, why, since when and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bridge.clock import rfc3339
from bridge.language import say
from bridge.model import AccountId, SubmissionState
from bridge.outbox.backoff import due_at, probe_due_at
from bridge.outbox.waiting import WAITING, AccountQueue, paused
from bridge.outbox.window import Window
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow


async def waiting_facts(
    tx: ReadTransaction, queue: AccountQueue, first: SubmissionRow, now: datetime, window: Window
) -> dict[str, Any]:
    """Return the facts of a queue that waits.

    Args:
        tx: what is so.
        queue: the account's.
        first: the entry that waits longest, see ``first_waiting``.
        now: aware.
        window: the hours in which messages leave.
    """
    is_held = first.state is SubmissionState.HELD
    until: datetime | None
    if queue.paused_since is not None and not first.forced:
        reason, until = paused(queue.paused_since), None
    elif is_held and queue.hold is not None:
        reason, until = queue.hold.reason, probe_due_at(queue.hold, now)
    elif not is_held and not first.forced and not window.is_open(now):
        reason = say("Messages leave within the window {window}.", window=window)
        until = window.next_open(now)
    else:
        reason, until = first.reason, first.not_before if is_held else due_at(first, now)
    return {
        "count": await tx.waiting_count(first.account),
        "state": first.state.value,
        "since": rfc3339(first.created_at),
        "reason": reason,
        "until": rfc3339(until),
    }


async def first_waiting(
    tx: ReadTransaction, queue: AccountQueue, account: AccountId
) -> SubmissionRow | None:
    """Return the entry whose turn is next, or else the first that is held; None for neither."""
    return queue.head or await tx.first_submission(account, WAITING)
