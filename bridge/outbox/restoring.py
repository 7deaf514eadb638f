"""A store that is not the one that ran last: what waits in it becomes ``restored``.

And no UID and no event's number comes to mean two things. Failure: ``StoreFailed`` passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.alarms import Alarm, AlarmKind, clear_alarm, raise_alarm
from bridge.mailbox import MailboxTransaction
from bridge.model import PEC_UNCERTAIN, AccountId, SubmissionState
from bridge.outbox.restored import put_back, restored
from bridge.outbox.states import Event, following
from bridge.outbox.step import take_steps
from bridge.store.outbox import Step, SubmissionRow


async def restore(mtx: MailboxTransaction, fault: str, now: datetime, *, is_old: bool) -> None:
    """Make ``restored`` all that waits, and let no UID and no event's number mean two things.

    It is said in each account.

    Args:
        mtx: the commit.
        fault: what tells, as a sentence.
        now: aware.
        is_old: that is only how long ago it was used.
    """
    await mtx.tx.renew_uid_validities(int(now.timestamp()))
    await mtx.tx.leave_out_numbers()
    steps = [
        (row, Step(row.state, following(row.state, Event.RESTORATION), now, reason=fault))
        for state in (SubmissionState.QUEUED, SubmissionState.HELD)
        for row in await mtx.tx.submissions(state=state)
    ]
    by_account: dict[AccountId, list[SubmissionRow]] = {}
    for row in await take_steps(mtx, steps):
        await mtx.flag_sent(
            row.account, row.content, row.message_id, frozenset({PEC_UNCERTAIN}), frozenset()
        )
        by_account.setdefault(row.account, []).append(row)
    # After a rest of days nothing is missing where nothing waits.
    concerned = list(by_account) if is_old else await mtx.tx.accounts()
    for account in concerned:
        await _tell(mtx, account, by_account.get(account, []), fault, now)


async def _tell(
    mtx: MailboxTransaction,
    account: AccountId,
    rows: Sequence[SubmissionRow],
    fault: str,
    now: datetime,
) -> None:
    """Put a notice into INBOX; where nothing waits for a decision, the alarm ends with it.

    A store may lack all that waited: its ``-wal`` held it, or the backup is older than that.
    """
    words = restored(rows, fault) if rows else put_back(fault)
    is_new = await raise_alarm(mtx, Alarm(account, AlarmKind.RESTORED, "", words), now)
    if is_new and not rows:
        await clear_alarm(mtx, account, AlarmKind.RESTORED, "", now)
