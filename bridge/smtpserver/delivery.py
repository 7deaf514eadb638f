"""From a whole message to the reply: check it, queue it, say what came of it.

Every way this can end is one reply with an enhanced status code; ``250`` only after the commit.
Large messages are checked on a thread, and only a few at a time (``turn``), so that many of them
at once cost time and not memory.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import format_datetime
from random import Random

import structlog

from bridge.clock import ROME, Clock
from bridge.mime.strict.submission import (
    Additions,
    Envelope,
    Submission,
    SubmissionFault,
    SubmissionRules,
    check_submission,
)
from bridge.model import AccountId
from bridge.outbox.queue import Outbox, PlanUsedUp, SameMessageId
from bridge.store.base import StoreFailed, StoreFull

log = structlog.get_logger()

OFF_LOOP_BYTES = 64 * 1024
LARGE_AT_ONCE = 1


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as the client sent it: ``raw`` after dot-unstuffing, ``digest`` its SHA-256."""

    account: AccountId
    envelope: Envelope
    raw: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An SMTP reply."""

    code: int
    status: str
    text: str


DISK_FULL = Answer(452, "4.3.1", "The bridge's disk is full. Nothing was queued; try later.")
_STORE_FAILED = Answer(
    451, "4.3.0", "The bridge cannot write to its store. Nothing was queued; try later."
)


class Delivery:
    """Takes whole messages.

    Args:
        outbox: where they go.
        rules: what they must meet.
        clock: for a missing Date.
        random: for a missing Message-ID.
    """

    def __init__(
        self, outbox: Outbox, rules: SubmissionRules, clock: Clock, random: Random
    ) -> None:
        self._outbox = outbox
        self._rules = rules
        self._clock = clock
        self._random = random
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    @contextlib.asynccontextmanager
    async def turn(self, *, large: bool) -> AsyncIterator[None]:
        """Wait until such a message may be in memory and be delivered."""
        async with self._large if large else contextlib.nullcontext():
            yield

    async def file_bounce(self, account: AccountId, raw: bytes) -> Answer:
        """File a message from the null reverse-path in the account's INBOX; it is never sent."""
        try:
            await self._outbox.file_bounce(account, raw)
        except StoreFull:
            log.error("bounce refused: the disk is full", account=account)
            return DISK_FULL
        except StoreFailed as error:
            log.error("bounce refused: the store failed", error=str(error))
            return _STORE_FAILED
        return Answer(250, "2.0.0", "Ok: filed in INBOX")

    async def deliver(self, incoming: Incoming) -> Answer:
        """Queue a message, or say why not; never raises for anything about the message."""
        try:
            submission = await self._check(incoming)
            queued = await self._outbox.enqueue(incoming.account, submission, incoming.digest)
        except SubmissionFault as fault:
            return Answer(fault.code, fault.status, fault.sentence)
        except PlanUsedUp as fault:
            return Answer(452, "4.7.1", f"{fault}.")
        except SameMessageId as fault:
            return Answer(451, "4.7.0", _same_message_id(fault))
        except StoreFull:
            log.error("submission refused: the disk is full", account=incoming.account)
            return DISK_FULL
        except StoreFailed as error:
            log.error("submission refused: the store failed", error=str(error))
            return _STORE_FAILED
        if submission.left_behind:
            log.info(
                "fields that do not travel",
                id=queued.id,
                account=incoming.account,
                fields=submission.left_behind,
            )
        if queued.repeated:
            return Answer(
                250,
                "2.0.0",
                f"Ok: queued as {queued.id} (X-Resubmission: yes; queued before, not sent again)",
            )
        return Answer(250, "2.0.0", f"Ok: queued as {queued.id}")

    async def _check(self, incoming: Incoming) -> Submission:
        sender = incoming.envelope.reverse_path
        additions = Additions(self._date, lambda: self._message_id(sender))
        arguments = (incoming.raw, incoming.envelope, self._rules, additions)
        if len(incoming.raw) > OFF_LOOP_BYTES:
            return await asyncio.to_thread(check_submission, *arguments)
        return check_submission(*arguments)

    def _date(self) -> str:
        return format_datetime(self._clock.now().astimezone(ROME))

    def _message_id(self, sender: str) -> str:
        moment = int(self._clock.now().timestamp() * 1_000_000)
        domain = sender.rpartition("@")[2]
        return f"<{moment:x}.{self._random.getrandbits(64):016x}@{domain}>"


def _same_message_id(fault: SameMessageId) -> str:
    first = fault.first
    return (
        f"A message with this Message-ID, these recipients and this subject was queued as "
        f"{first.id} and is {first.state.value}; this one differs from it. Nothing was queued. "
        "If it is a second message, give it a Message-ID of its own."
    )
