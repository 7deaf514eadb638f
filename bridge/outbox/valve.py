"""What a person can decide about an account's whole queue: pause, resume, flush.

A pause is in the store, so it outlives restarts. Nothing of a paused account leaves but what a
person forces (``queue retry``); what waits for long is an alarm as ever, for whoever forgot.
A flush ends the waits between tries, and nothing else: not the plan's, not the window's.

Failure: ``StoreFailed`` passes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bridge.clock import Clock
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId, SubmissionState
from bridge.outbox.states import Event, following
from bridge.outbox.step import take_steps
from bridge.store.outbox import Step
from bridge.wake import Wake

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Flow:
    """An account's queue after a decision.

    ``waiting`` entries are ``queued`` or ``held``; of these ``flushed`` are tried now instead of
    later. ``paused_since`` is None where the queue is not paused.
    """

    waiting: int
    flushed: int
    paused_since: datetime | None


class Valve:
    """Carries out decisions about whole queues.

    Args:
        mailboxes: the single writer.
        clock: stamps.
        wake: is called after each decision; None where no dispatcher runs.
    """

    def __init__(self, mailboxes: Mailboxes, clock: Clock, wake: Wake | None = None) -> None:
        self._mailboxes = mailboxes
        self._clock = clock
        self._wake = wake

    async def pause(self, accounts: Collection[AccountId]) -> dict[AccountId, Flow]:
        """Let nothing of these accounts leave from now on; what is on its way goes on."""
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> dict[AccountId, Flow]:
            for id in accounts:
                await mtx.tx.pause_queue(id, now)
            return {id: await _flow(mtx, id) for id in accounts}

        return await self._decided("pause", work)

    async def resume(self, accounts: Collection[AccountId]) -> dict[AccountId, Flow]:
        """Let messages of these accounts leave again."""

        async def work(mtx: MailboxTransaction) -> dict[AccountId, Flow]:
            for id in accounts:
                await mtx.tx.resume_queue(id)
            return {id: await _flow(mtx, id) for id in accounts}

        return await self._decided("resume", work)

    async def flush(self, accounts: Collection[AccountId]) -> dict[AccountId, Flow]:
        """Try now what waits for its next try, and whether a refused token or credit still is.

        Paused queues stay as they are.
        """
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> dict[AccountId, Flow]:
            return {id: await _flow(mtx, id, await _flush(mtx, id, now)) for id in accounts}

        return await self._decided("flush", work)

    async def _decided(
        self, what: str, work: Callable[[MailboxTransaction], Awaitable[dict[AccountId, Flow]]]
    ) -> dict[AccountId, Flow]:
        flows = await self._mailboxes.write(work)
        for id, flow in flows.items():
            log.info("queue_decided", account=id, decision=what, waiting=flow.waiting)
        if self._wake is not None:
            self._wake.call()
        return flows


async def _flow(mtx: MailboxTransaction, account: AccountId, flushed: int = 0) -> Flow:
    return Flow(await mtx.tx.waiting_count(account), flushed, await mtx.tx.paused_since(account))


async def _flush(mtx: MailboxTransaction, account: AccountId, now: datetime) -> int:
    """End the waits of an account between tries; returns how many entries that concerns."""
    if await mtx.tx.paused_since(account) is not None:
        return 0
    hold = await mtx.tx.hold(account)
    if hold is not None:
        await mtx.tx.hold_queue(replace(hold, probe_at=now))
        return int(await mtx.tx.waiting_count(account) > 0)  # one tells for all
    steps = [
        (
            row,
            Step(
                row.state,
                following(row.state, Event.RELEASE),
                now,
                reason=row.reason,
                retrying_since=row.retrying_since,
                forced=row.forced,
            ),
        )
        for row in await mtx.tx.submissions(account=account, state=SubmissionState.QUEUED)
        if row.not_before is not None and row.not_before > now
    ]
    return len(await take_steps(mtx, steps))
