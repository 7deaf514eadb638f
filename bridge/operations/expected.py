"""When each entry that waits for its turn is expected to leave, if nothing hinders it."""

from __future__ import annotations

from datetime import datetime

from bridge.model import QueueId, SubmissionState
from bridge.outbox.window import SendingPace, expected
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow


async def expectations(
    tx: ReadTransaction, pace: SendingPace, now: datetime
) -> dict[QueueId, datetime]:
    """Return when entries are expected to leave; those that wait for a person are not among them.

    Accounts share the rate, turn by turn: as long as several have something to send, each goes so
    many times slower.

    Args:
        tx: what is so.
        pace: how messages leave.
        now: the time.
    """
    queues: dict[int, list[SubmissionRow]] = {}
    for row in await tx.submissions(state=SubmissionState.QUEUED):
        queues.setdefault(row.account, []).append(row)
    shared = SendingPace(pace.interval_s * max(len(queues), 1), pace.plan, pace.window)
    found: dict[QueueId, datetime] = {}
    for rows in queues.values():
        account = rows[0].account
        if await tx.hold(account) or await tx.paused_since(account):
            continue
        rows.sort(key=lambda row: (not row.forced, not row.urgent, row.sequence))
        begin = max(now, rows[0].not_before or now)
        counted = await tx.counted(account, *pace.plan.bounds(begin))
        times = expected([len(row.recipients) for row in rows], shared, begin, counted)
        found |= {row.id: at for row, at in zip(rows, times, strict=True)}
    return found
