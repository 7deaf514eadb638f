"""From a whole message to the reply: check it, queue it, say what came of it.

Every way this can end is one reply with an enhanced status code; ``250`` only after the commit.
Messages of some size are checked on a thread, so many bytes at a time (``turn``); large ones stay
on the disk and are checked in a process of their own, as are those with much text, which would hold
up the loop. So many of them at once cost time and not memory.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import format_datetime
from random import Random

import structlog

from bridge.allowance import Allowance
from bridge.apart.process import Apart, ApartFailed, TooCostly
from bridge.clock import ROME, Clock
from bridge.language import say
from bridge.limits import CHECKED_BYTES, TEXT_APART_FROM_BYTES
from bridge.mime.ingest import Ingested
from bridge.mime.strict.rules import SubmissionFault, SubmissionRules
from bridge.mime.strict.submission import Additions, Envelope, Submission, check_submission
from bridge.mime.strict.weight import text_bytes
from bridge.model import AccountId
from bridge.outbox.queue import Outbox, PlanUsedUp, SameMessageId
from bridge.outbox.words import STATE_WORDS
from bridge.smtpserver.checking import check_apart
from bridge.spool import Spooled, SpoolFile
from bridge.store.base import StoreFailed, StoreFull
from bridge.store.dsn import NOTHING_ASKED, DsnRequest

log = structlog.get_logger()

OFF_LOOP_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as the client sent it: ``raw`` after dot-unstuffing, ``digest`` its SHA-256.

    A large one is on the disk, in a file of its own. ``dsn``: what notifications are asked for.
    """

    account: AccountId
    envelope: Envelope
    raw: bytes | Spooled
    digest: bytes
    dsn: DsnRequest = NOTHING_ASKED


@dataclass(frozen=True, slots=True)
class SmtpReply:
    """An SMTP reply."""

    code: int
    status: str
    text: str


DISK_FULL = SmtpReply(
    452, "4.3.1", say("The bridge's disk is full. Nothing was queued; try later.")
)
_STORE_FAILED = SmtpReply(
    451, "4.3.0", say("The bridge cannot write to its store. Nothing was queued; try later.")
)
_UNCHECKED = SmtpReply(
    451, "4.3.0", say("The bridge cannot check the message now. Nothing was queued; try later.")
)


class Delivery:
    """Takes whole messages.

    Args:
        outbox: where they go.
        rules: what they must meet.
        clock: for a missing Date.
        random: for a missing Message-ID.
        apart: where large ones are checked.
    """

    def __init__(
        self, outbox: Outbox, rules: SubmissionRules, clock: Clock, random: Random, apart: Apart
    ) -> None:
        self._outbox = outbox
        self._rules = rules
        self._clock = clock
        self._random = random
        self._apart = apart
        self._checked = Allowance(CHECKED_BYTES)

    def take_over(self, outbox: Outbox, rules: SubmissionRules) -> None:
        """Queue there and by these rules from here on."""
        self._outbox, self._rules = outbox, rules

    @contextlib.asynccontextmanager
    async def turn(self, size_bytes: int) -> AsyncIterator[None]:
        """Wait until a message of this size may be in memory and be delivered."""
        small = size_bytes <= OFF_LOOP_BYTES
        async with contextlib.nullcontext() if small else self._checked.taken(size_bytes):
            yield

    async def file_bounce(self, account: AccountId, raw: bytes) -> SmtpReply:
        """File a message from the null reverse-path in the account's INBOX; it is never sent."""
        try:
            await self._outbox.file_bounce(account, raw)
        except StoreFull:
            log.error("bounce_refused_disk_full", account=account)
            return DISK_FULL
        except StoreFailed as error:
            log.error("bounce_refused_store_failed", error=str(error))
            return _STORE_FAILED
        return SmtpReply(250, "2.0.0", "Ok: filed in INBOX")

    async def deliver(self, incoming: Incoming) -> SmtpReply:
        """Queue a message, or say why not; never raises for anything about the message."""
        try:
            submission, message = await self._check(incoming)
            queued = await self._outbox.enqueue(
                incoming.account, submission, incoming.digest, message, incoming.dsn
            )
        except SubmissionFault as fault:
            return SmtpReply(fault.code, fault.status, fault.sentence)
        except TooCostly as fault:
            return SmtpReply(
                554,
                "5.6.0",
                say("The message cannot be checked: {fault}. Simplify it.", fault=fault),
            )
        except (ApartFailed, OSError) as error:
            log.error("submission_check_failed", error=str(error))
            return _UNCHECKED
        except PlanUsedUp as fault:
            return SmtpReply(452, "4.7.1", fault.args[0])
        except SameMessageId as fault:
            return SmtpReply(451, "4.7.0", _same_message_id(fault))
        except StoreFull:
            log.error("submission_refused_disk_full", account=incoming.account)
            return DISK_FULL
        except StoreFailed as error:
            log.error("submission_refused_store_failed", error=str(error))
            return _STORE_FAILED
        if submission.left_behind:
            log.info(
                "fields_left_behind",
                id=queued.id,
                account=incoming.account,
                fields=submission.left_behind,
            )
        if queued.repeated:
            return SmtpReply(
                250,
                "2.0.0",
                f"Ok: queued as {queued.id} (X-Resubmission: yes; queued before, not sent again)",
            )
        return SmtpReply(250, "2.0.0", f"Ok: queued as {queued.id}")

    async def _check(self, incoming: Incoming) -> tuple[Submission, Ingested | None]:
        raw, envelope, rules = incoming.raw, incoming.envelope, self._rules
        additions = Additions(self._date, lambda: self._message_id(envelope.reverse_path))
        apart = self._apart.of(incoming.account)
        if isinstance(raw, Spooled):
            return await check_apart(apart, raw, envelope, rules, additions)
        if await _is_heavy(raw):
            file = await asyncio.to_thread(SpoolFile.holding, apart.folder, (raw,))
            spooled = Spooled(file, 0, len(raw))
            return await check_apart(apart, spooled, envelope, rules, additions)
        if len(raw) > OFF_LOOP_BYTES:
            checked = await asyncio.to_thread(check_submission, raw, envelope, rules, additions)
            return checked, None
        return check_submission(raw, envelope, rules, additions), None

    def _date(self) -> str:
        return format_datetime(self._clock.now().astimezone(ROME))

    def _message_id(self, sender: str) -> str:
        moment = int(self._clock.now().timestamp() * 1_000_000)
        domain = sender.rpartition("@")[2]
        return f"<{moment:x}.{self._random.getrandbits(64):016x}@{domain}>"


async def _is_heavy(raw: bytes) -> bool:
    if len(raw) <= TEXT_APART_FROM_BYTES:
        return False
    return await asyncio.to_thread(text_bytes, raw) > TEXT_APART_FROM_BYTES


def _same_message_id(fault: SameMessageId) -> str:
    first = fault.first
    return say(
        "A message with this Message-ID, these recipients and this subject was queued as "
        "{id} and is {state}; this one differs from it. Nothing was queued. If it is a second "
        "message, give it a Message-ID of its own.",
        id=first.id,
        state=STATE_WORDS[first.state],
    )
