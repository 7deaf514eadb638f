"""Sending: one entry at a time leaves the queue, each exactly once or nobody is told it did.

For each entry: convert its text, wait for the pacer's turn, commit ``dispatching``, make one
request, settle what came of it. A large text is converted while those of other accounts go on
(``conversion``), the next one as soon as its request has begun. Starts are spaced by the pacer
over all accounts; answers may overlap, up to ``REQUESTS_AT_ONCE`` per account and fewer after
trouble, and so many bytes of them (``limits``). From idle a submission's wake-up leads to the
request at once; a lost wake-up costs at most ``LOOK_AGAIN_S``.

After an uncertain send an account sends one at a time, and after more in a row with pauses
between that double from ``FIRST_PAUSE_S`` to ``LAST_PAUSE_S``, until the API answers sensibly: a
service that fails for an hour is to leave a dozen sends uncertain, not thousands.

Nothing stops the dispatcher: an entry that cannot be converted is bounced, a store that fails is
tried again. A settlement the store does not take is kept in memory and tried until it does.

``stop`` lets requests under way finish; cancelling ``run`` makes ``uncertain`` what has started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from structlog.contextvars import bound_contextvars

from bridge.api.errors import ApiError, OutcomeUnknown, Refused
from bridge.api.ratelimit import SendPacer, Start
from bridge.api.schema import SendAnswer, SendRequest
from bridge.clock import Backoff, Clock
from bridge.language import say
from bridge.limits import REQUESTS_BYTES
from bridge.model import AccountId, QueueId, SubmissionState
from bridge.outbox.attempt import Attempt
from bridge.outbox.bounce import unsendable
from bridge.outbox.content import LARGE_BYTES, OFF_LOOP_BYTES, QueuedTexts, Unsendable
from bridge.outbox.schedule import LONGEST_PAUSE, Schedule
from bridge.outbox.settle import Settler
from bridge.store.base import StoreFailed
from bridge.store.outbox import SubmissionRow
from bridge.wake import Wake, rest

log = structlog.get_logger()

REQUESTS_AT_ONCE = 4
"""Requests of one account under way: enough for the pace with answers that take seconds, and
few enough that an API that hangs leaves few sends uncertain."""

LARGE_AT_ONCE = 4
"""Requests of large messages under way, over all accounts: their text is on the disk meanwhile."""

PACE_MARGIN = 1.005
"""Starts are this much further apart than the API asks: the network shifts each a little."""

STOPPED_BEFORE = say("The bridge stopped before the request began.")
STOPPED_AMID = say("The bridge was stopped before the answer came.")
UNKEPT = say("The API's answer could not be written down; the log says why.")
LOOK_AGAIN_S = 30.0
STORE_RETRY_S = 2.0
FIRST_PAUSE_S = 2.0
LAST_PAUSE_S = LONGEST_PAUSE.total_seconds()


class SendClient(Protocol):
    """One account's way to the API."""

    async def send(self, request: SendRequest, start: Start | None = None) -> SendAnswer:
        """``POST /send``; see ``api.client.PecClient.send``."""


@dataclass(frozen=True, slots=True)
class SendingAccount:
    """An account that can send: its address and its way to the API."""

    address: str
    sender: SendClient


@dataclass(frozen=True, slots=True)
class SendTurns:
    """Whose turn it is, when its request may start, and what calls when the queue has changed."""

    schedule: Schedule
    pacer: SendPacer
    wake: Wake


class Dispatcher:
    """Sends what is queued.

    Args:
        texts: what is sent.
        settler: writes what happens.
        turns: what comes next, and when.
        accounts: those that can send.
        clock: time.
        on_settled: is told the account after each request that may have sent something.
    """

    def __init__(
        self,
        texts: QueuedTexts,
        settler: Settler,
        turns: SendTurns,
        accounts: Mapping[AccountId, SendingAccount],
        clock: Clock,
        *,
        on_settled: Callable[[AccountId], None] = lambda account: None,
    ) -> None:
        self._texts = texts
        self._settler = settler
        self._schedule = turns.schedule
        self._pacer = turns.pacer
        self._wake = turns.wake
        self._accounts = accounts
        self._clock = clock
        self._on_settled = on_settled
        self._stopping = False
        self._held = False
        self._under_way: dict[QueueId, SubmissionRow] = {}
        self._doubts: dict[AccountId, int] = {}
        self._converting: QueueId | None = None
        self._large: set[QueueId] = set()
        self._held_bytes: dict[QueueId, int] = {}
        self._put_off: set[QueueId] = set()
        self._bringing: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._ended.set()
        self._at_rest = asyncio.Event()
        self._one_ended = asyncio.Event()

    async def run(self) -> None:
        """Send until ``stop``; returns when what is under way has ended."""
        self._ended.clear()
        try:
            await self._run()
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """Begin nothing new, and return when what is under way has ended."""
        self._stopping = True
        self.hold()
        await self._ended.wait()

    @property
    def under_way(self) -> int:
        """How many entries have left the queue for a request and not ended."""
        return len(self._under_way)

    def hold(self, *, on: bool = True) -> None:
        """Begin nothing new until this is taken back."""
        self._held = on
        for task in self._bringing if on else ():  # nothing has left yet: it stays queued
            task.cancel()
        self._wake.call()

    async def idle(self) -> None:
        """Return when nothing is under way; what may leave begins unless it is held."""
        while self._under_way:
            self._one_ended.clear()
            await self._one_ended.wait()

    async def rest(self) -> None:
        """Return when nothing is under way and nothing more may leave now."""
        self._at_rest.clear()
        self._wake.call()
        await self._at_rest.wait()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as requests:
            while not self._stopping:
                try:
                    row, again_at = await self._schedule.next(self._clock.now(), self._is_free)
                    if row is None:
                        if not self._under_way and not self._held:
                            self._at_rest.set()
                        await self._wait(again_at)
                    else:
                        await self._dispatch(row, requests)
                except StoreFailed as error:
                    log.error("outbox_store_failed", reason=str(error))
                    await self._clock.sleep(STORE_RETRY_S)
                except Exception:  # cutting off what is under way would make it uncertain
                    log.exception("dispatcher_crashed")
                    await self._clock.sleep(STORE_RETRY_S)

    def _is_free(self, row: SubmissionRow) -> bool:
        if self._held or row.id in self._under_way or row.id in self._put_off:
            return False
        beside = sum(one.account == row.account for one in self._under_way.values())
        alone = row.account in self._doubts or row.state is SubmissionState.HELD
        return beside < (1 if alone else REQUESTS_AT_ONCE)

    async def _wait(self, again_at: datetime | None) -> None:
        """Wait for a wake-up, for ``again_at``, or for the regular look."""
        ahead = None if again_at is None else again_at - self._clock.now()
        left_s = LOOK_AGAIN_S if ahead is None else max(ahead.total_seconds(), 0.0)
        await rest(self._wake, self._clock, min(left_s, LOOK_AGAIN_S))

    async def _dispatch(self, row: SubmissionRow, requests: asyncio.TaskGroup) -> None:
        """Bring one entry to the start of its request; the answer is awaited beside."""
        account = self._accounts[row.account]
        if await self._has_to_wait(row):  # smaller ones need not wait for it
            self._put_off.add(row.id)
            return
        if self._held:
            return
        self._schedule.served(row.account)
        self._under_way[row.id] = row
        with bound_contextvars(id=row.id, account=row.account):  # in every line, the API's too
            if row.id == self._converting or row.id in self._held_bytes:
                task = requests.create_task(self._beside(row, account, requests))
                self._bringing.add(task)
                task.add_done_callback(self._bringing.discard)
            else:
                await self._bring(row, account, requests)

    async def _has_to_wait(self, row: SubmissionRow) -> bool:
        """Tell whether an entry is too large to be begun beside those that are."""
        if await self._texts.is_longer(row, LARGE_BYTES):
            if self._converting is not None or len(self._large) >= LARGE_AT_ONCE:
                return True
            self._converting = row.id
            self._large.add(row.id)
            return False
        if await self._texts.is_longer(row, OFF_LOOP_BYTES):
            if sum(self._held_bytes.values()) >= REQUESTS_BYTES:
                return True
            self._held_bytes[row.id] = LARGE_BYTES  # until it is known
        return False

    async def _beside(
        self, row: SubmissionRow, account: SendingAccount, requests: asyncio.TaskGroup
    ) -> None:
        """Bring an entry of some size to its request while those of other accounts go on."""
        try:
            await self._bring(row, account, requests)
        except StoreFailed as error:
            log.error("entry_load_postponed", id=row.id, reason=str(error))
            await self._clock.sleep(STORE_RETRY_S)
        except Exception:  # would end the requests under way
            log.exception("entry_load_failed", id=row.id)
            await self._clock.sleep(STORE_RETRY_S)
        finally:
            self._wake.call()

    async def _bring(
        self, row: SubmissionRow, account: SendingAccount, requests: asyncio.TaskGroup
    ) -> None:
        try:
            request = await self._texts.request(row, account.address)
        except Unsendable as fault:
            self._ended_with(row)
            await self._settler.unsendable(row, unsendable(fault.args[0]))
            return
        except BaseException:
            self._ended_with(row)
            raise
        self._held_bytes[row.id] = request.held_bytes
        started = asyncio.Event()
        requests.create_task(self._send(row, account.sender, request, started))
        del request
        await started.wait()
        self._converted(row)

    def _converted(self, row: SubmissionRow) -> None:
        if self._converting == row.id:
            self._converting = None
            self._put_off.clear()
            self._wake.call()

    def _ended_with(self, row: SubmissionRow) -> None:
        self._under_way.pop(row.id, None)
        self._one_ended.set()
        self._held_bytes.pop(row.id, None)
        self._large.discard(row.id)
        if self._converting == row.id:
            self._converting = None
        self._put_off.clear()

    async def _send(
        self, row: SubmissionRow, sender: SendClient, request: SendRequest, started: asyncio.Event
    ) -> None:
        try:
            async with self._pacer.turn() as start:
                attempt = None if self._held else await self._begin(row)
                if attempt is not None:
                    await self._request(attempt, sender, request, start, started)
        finally:
            self._ended_with(row)
            started.set()
            self._wake.call()

    async def _begin(self, row: SubmissionRow) -> Attempt | None:
        beginning = asyncio.ensure_future(self._settler.begin(row))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            attempt = await beginning
            if attempt is not None:
                await self._settler.give_back(attempt, STOPPED_BEFORE)
            raise
        except StoreFailed as error:
            log.error("send_begin_failed", id=row.id, reason=str(error))
            await self._clock.sleep(STORE_RETRY_S)
            return None

    async def _request(
        self,
        attempt: Attempt,
        sender: SendClient,
        request: SendRequest,
        start: Start,
        started: asyncio.Event,
    ) -> None:
        left = False

        async def starts() -> None:
            nonlocal left
            await start()
            left = True
            started.set()

        account = attempt.row.account
        settle: Callable[[], Awaitable[None]]
        code = None
        try:
            answer = await sender.send(request, starts)
        except ApiError as error:
            self._learn(account, error)
            settle = partial(self._settler.failed, attempt, error)
        except asyncio.CancelledError:
            await asyncio.shield(self._interrupted(attempt, left))
            raise
        except Exception as error:
            log.exception("send_crashed", id=attempt.row.id)
            unknown = OutcomeUnknown(
                say("The send ended in an unforeseen way ({error}).", error=repr(error))
            )
            self._learn(account, unknown)
            settle = partial(self._settler.failed, attempt, unknown)
        else:
            self._learn(account, None)
            code = answer.code
            settle = partial(self._settler.submitted, attempt, answer)
        started.set()
        await self._settle(attempt, settle, code)
        self._on_settled(account)

    def _learn(self, account: AccountId, error: ApiError | None) -> None:
        """Go on more carefully after an answer that says nothing; see the module."""
        if error is None or isinstance(error, Refused):
            self._doubts.pop(account, None)
            self._schedule.pause(account, None)
            return
        doubts = self._doubts.get(account, 0)
        if not isinstance(error, OutcomeUnknown):
            self._doubts[account] = doubts
            return
        self._doubts[account] = doubts + 1
        if doubts:
            pause_s = Backoff(FIRST_PAUSE_S, LAST_PAUSE_S).wait_s(doubts - 1)
            self._schedule.pause(account, self._clock.now() + timedelta(seconds=pause_s))

    async def _interrupted(self, attempt: Attempt, left: bool) -> None:
        if not left:
            await self._settler.give_back(attempt, STOPPED_BEFORE)
            return
        await self._settler.failed(attempt, OutcomeUnknown(STOPPED_AMID))

    async def _settle(
        self, attempt: Attempt, settle: Callable[[], Awaitable[None]], code: str | None
    ) -> None:
        """Write down what came of a request, as often as the store needs.

        What cannot be written down for another reason becomes ``uncertain``, and if not even that
        can be, it stays ``dispatching``, of which ``recover`` says the same.
        """
        doubted = False
        while True:
            try:
                await settle()
                return
            except StoreFailed as error:
                log.error("answer_store_postponed", id=attempt.row.id, reason=str(error))
                await self._clock.sleep(STORE_RETRY_S)
            except Exception:
                log.exception("answer_store_failed", id=attempt.row.id, code=code)
                if doubted:
                    return
                doubted = True
                settle = partial(self._settler.failed, attempt, OutcomeUnknown(UNKEPT, code=code))
