"""Holding an account's queue and letting it go: pieces of works, no commits of their own.

Two causes hold entries: the account's (401 or 402: a ``HoldRow`` says when to probe) and the
plan's (used up until the next period). Held entries keep their place: order is by sequence, not
by state.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm
from bridge.mailbox import MailboxTransaction
from bridge.model import AccountId, SubmissionState
from bridge.outbox import notice
from bridge.outbox.backoff import FIRST_PROBE_S, next_probe
from bridge.outbox.plan import Plan
from bridge.outbox.states import Event, following
from bridge.outbox.step import take_steps
from bridge.store.outbox import HoldCause, HoldRow, Step

ALARMS = {
    HoldCause.CREDENTIALS: AlarmKind.CREDENTIALS,
    HoldCause.PAYMENT: AlarmKind.PAYMENT,
}


async def hold_account(
    mtx: MailboxTransaction,
    account: AccountId,
    cause: HoldCause,
    reason: str,
    words: Notice,
    now: datetime,
) -> None:
    """Hold the account's queue, or probe more rarely if it is held for this already.

    Args:
        mtx: the commit that this joins.
        account: whose queue.
        cause: what the API wants first.
        reason: a sentence for the queue's list.
        words: the alarm's.
        now: the time, aware.
    """
    old = await mtx.tx.hold(account)
    if old is not None and old.cause is cause:
        await mtx.tx.hold_queue(next_probe(old, now))
        return
    if old is not None:
        await clear_alarm(mtx, account, ALARMS[old.cause], "", now)
    probe_at = now + timedelta(seconds=FIRST_PROBE_S)
    await mtx.tx.hold_queue(HoldRow(account, cause, reason, now, probe_at, 0))
    await raise_alarm(mtx, Alarm(account, ALARMS[cause], "", words), now)


async def release_account(mtx: MailboxTransaction, account: AccountId, now: datetime) -> None:
    """End the account's hold, if there is one: the API judged a message on its merits."""
    hold = await mtx.tx.hold(account)
    if hold is None:
        return
    await mtx.tx.release_queue(account)
    await release_entries(mtx, account, now)
    await clear_alarm(mtx, account, ALARMS[hold.cause], "", now)


async def probe_later(mtx: MailboxTransaction, account: AccountId, now: datetime) -> None:
    """Put off the next probe: this one told nothing."""
    hold = await mtx.tx.hold(account)
    if hold is not None:
        await mtx.tx.hold_queue(next_probe(hold, now))


async def hold_entries(
    mtx: MailboxTransaction,
    account: AccountId,
    reason: str,
    now: datetime,
    until: datetime | None = None,
) -> int:
    """Hold the account's queued entries but those a person forced; returns how many.

    Args:
        mtx: the commit that this joins.
        account: whose queue.
        reason: a sentence for the queue's list.
        now: the time, aware.
        until: when they may go, aware; None: when something else says so.
    """
    steps = [
        (
            row,
            Step(row.state, following(row.state, Event.STOP), now, reason=reason, not_before=until),
        )
        for row in await mtx.tx.submissions(account=account, state=SubmissionState.QUEUED)
        if not row.forced
    ]
    return len(await take_steps(mtx, steps))


async def hold_for_plan(
    mtx: MailboxTransaction, account: AccountId, plan: Plan, now: datetime
) -> None:
    """Hold the account's queued entries until the plan's next period, and say so once.

    Args:
        mtx: the commit that this joins.
        account: whose queue.
        plan: the one that is used up.
        now: the time, aware.
    """
    until = plan.next_period(now)
    held = await hold_entries(mtx, account, notice.plan_reason(plan, until), now, until)
    if held:
        words = notice.plan_used_up(plan, until)
        await raise_alarm(mtx, Alarm(account, AlarmKind.PLAN, "", words), now)


async def release_entries(mtx: MailboxTransaction, account: AccountId, now: datetime) -> int:
    """Queue the account's held entries again, each in its old place; returns how many."""
    steps = [
        (row, Step(row.state, following(row.state, Event.RELEASE), now))
        for row in await mtx.tx.submissions(account=account, state=SubmissionState.HELD)
    ]
    return len(await take_steps(mtx, steps))
