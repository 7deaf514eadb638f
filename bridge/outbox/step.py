"""Taking a step: an entry's new state, and the copy of its text where people expect it.

Every step of the outbox goes through here, so that no state is ever shown in the wrong mailbox:
what never left is not in ``Sent``, which says "sent" to whoever shows no keywords, but in
``Unsent``; it comes back when it is to leave after all. The alarm of a restored store ends here
with its last ``restored`` entry. Pieces of works, no commits of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bridge.alarms import AlarmKind, clear_alarm
from bridge.mailbox import MailboxTransaction
from bridge.model import NEVER_LEFT, AccountId, ContentId, SubmissionState
from bridge.store.events import EventKind, NewEvent
from bridge.store.outbox import Step, SubmissionRow

EVENTS: Mapping[SubmissionState, EventKind] = {
    SubmissionState.QUEUED: EventKind.QUEUED,
    SubmissionState.SUBMITTED: EventKind.SUBMITTED,
    SubmissionState.REFUSED: EventKind.REFUSED,
    SubmissionState.HELD: EventKind.HELD,
    SubmissionState.CANCELLED: EventKind.CANCELLED,
    SubmissionState.DROPPED: EventKind.DROPPED,
    SubmissionState.UNCERTAIN: EventKind.UNCERTAIN,
    SubmissionState.RESTORED: EventKind.UNCERTAIN,
}
"""What an entry that comes into a state is told as; a request that begins is no event."""


async def take_step(mtx: MailboxTransaction, row: SubmissionRow, step: Step) -> bool:
    """Take a step of one entry; False, and nothing happened, if it is not in ``step.old``."""
    return bool(await take_steps(mtx, [(row, step)]))


async def take_steps(
    mtx: MailboxTransaction, steps: Iterable[tuple[SubmissionRow, Step]]
) -> list[SubmissionRow]:
    """Take steps of many entries, and move their copies together; returns whose were taken."""
    taken = []
    released: dict[AccountId, Step] = {}
    crossing: dict[AccountId, dict[ContentId, SubmissionRow]] = {}
    for row, step in steps:
        if await mtx.tx.step_submission(row.id, step):
            taken.append(row)
            if step.new in EVENTS:
                kind = EVENTS[step.new]
                await mtx.tx.add_event(
                    NewEvent(step.at, row.account, kind, row.id, detail=step.reason)
                )
            if step.old is SubmissionState.RESTORED:
                released[row.account] = step
            if _may_cross(step):
                crossing.setdefault(row.account, {})[row.content] = row
    for account, rows in crossing.items():
        await _place(mtx, account, rows.values())
    for account, step in released.items():
        if not await mtx.tx.submissions(account=account, state=SubmissionState.RESTORED, limit=1):
            await clear_alarm(mtx, account, AlarmKind.RESTORED, "", step.at)
    return taken


def _may_cross(step: Step) -> bool:
    """Tell whether the copy may belong elsewhere after a step.

    A try of what is held moves nothing before its outcome is known: most end as they began, and
    clients would download the message again each time.
    """
    if step.new is SubmissionState.DISPATCHING:
        return False
    was_tried = step.old is SubmissionState.DISPATCHING
    return was_tried or (step.old in NEVER_LEFT) is not (step.new in NEVER_LEFT)


async def _place(
    mtx: MailboxTransaction, account: AccountId, rows: Iterable[SubmissionRow]
) -> None:
    """Move copies between ``Sent`` and ``Unsent``.

    Several entries may share a text (one for each hidden recipient, or the same bytes submitted
    again): it is in ``Sent`` as soon as one of them may have left.
    """
    left: list[tuple[ContentId, str]] = []
    unsent: list[tuple[ContentId, str]] = []
    for row in rows:
        entries = await mtx.tx.submissions_of_content(account, row.content)
        never_left = all(one.state in NEVER_LEFT for one in entries)
        (unsent if never_left else left).append((row.content, row.message_id))
    await mtx.place_sent(account, left, in_sent=True)
    await mtx.place_sent(account, unsent, in_sent=False)
