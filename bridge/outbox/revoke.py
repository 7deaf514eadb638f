"""Taking a claim back: a send that was said to be known is uncertain again.

State, code, receipts, keywords and alarms all go back in the commit that this joins, and what was
taken for the send's is free for whom it belongs to.
"""

from __future__ import annotations

from datetime import datetime

from bridge.alarms import AlarmKind, clear_alarm
from bridge.mailbox import MailboxTransaction
from bridge.model import PEC_ACCEPTED, PEC_DELIVERED, PEC_FAILED, PEC_UNCERTAIN
from bridge.outbox.states import Event, following
from bridge.outbox.step import take_step
from bridge.receipts import claim
from bridge.receipts.record import refresh
from bridge.store.outbox import Step, SubmissionRow

_CLAIMED = frozenset({PEC_ACCEPTED, PEC_DELIVERED, PEC_FAILED})
_ENDED = (
    AlarmKind.NOT_ACCEPTED,
    AlarmKind.OPEN_12H,
    AlarmKind.OPEN_26H,
)


async def take_back(
    mtx: MailboxTransaction, row: SubmissionRow, event: Event, reason: str, now: datetime
) -> bool:
    """Make an entry uncertain again; False if it is not where its caller saw it.

    Args:
        mtx: the commit to join.
        row: the entry.
        event: why: a revocation, or a person who reopens it.
        reason: the same as a sentence.
        now: when.
    """
    step = Step(row.state, following(row.state, event), now, reason=reason)
    if not await take_step(mtx, row, step):
        return False
    await mtx.tx.forget_code(row.id)
    await mtx.tx.release_receipts(row.id)
    await mtx.flag_sent(
        row.account, row.content, row.message_id, frozenset({PEC_UNCERTAIN}), _CLAIMED
    )
    await refresh(mtx, row.id, now)
    for kind in _ENDED:
        await clear_alarm(mtx, row.account, kind, row.id, now)
    if row.code is not None:
        others = await mtx.tx.submissions_by_code(row.account, row.code)
        for other in others:
            await claim(mtx, row.account, other.id, row.code)
        if len(others) < 2:
            await clear_alarm(mtx, row.account, AlarmKind.CODE_TWICE, row.code, now)
    return True
