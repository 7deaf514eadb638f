"""One account's sync: looks, sweeps, fetches and deletes in turn, and says where it stands.

Two tasks: one lists and deletes, the other fetches bodies, so that a slow body never delays the
next look. Both stop at the first trouble, wait as ``pace`` says, and go on where they were. That
the day's requests do not allow for something is no trouble: it is left for later, and looks go on.
Nothing here can stop another account, and nothing stops for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bridge.api.budget import Use, within_budget
from bridge.api.errors import ApiError, NotSent, is_left_for_later
from bridge.api.purpose import SPARED, Purpose
from bridge.clock import Clock
from bridge.mailbox import Mailboxes
from bridge.model import MailboxId, Quota
from bridge.store.base import StoreFailed
from bridge.store.remote import RemoteId
from bridge.sync.paging import PAGE_ROWS
from bridge.sync.parts import Parts
from bridge.sync.settings import NextLook, Standing, SyncAccount
from bridge.sync.telling import REFUSALS

log = structlog.get_logger()

SETTLE_ROUNDS = 12
"""Rounds that ``settle`` makes of one call while rows keep moving."""

TIDY_EVERY_S = 3_600.0
PROGRESS_S = 0.5

NEEDED_TEXTS = (Purpose.ARRIVAL, Purpose.BODY)
"""Texts that mail of a day needed: what came, and what is not told apart without."""

FEW_TEXTS = 25
"""So many texts of receipts that have to wait are not told of: what their rows say is known."""

UNREAD_S = 3_600.0
"""How long a message's text may not be had before a person is told."""


class AccountSync:
    """See the module.

    Args:
        account: whom to follow.
        parts: what works together for it.
        mailboxes: which mailboxes there are, and who watches.
        clock: time.
        retention: how long what left the API stays here.
    """

    def __init__(
        self,
        account: SyncAccount,
        parts: Parts,
        mailboxes: Mailboxes,
        clock: Clock,
        retention: timedelta,
    ) -> None:
        self._account = account
        self._parts = parts
        self._mailboxes = mailboxes
        self._clock = clock
        self._retention = retention
        self._is_ready = False
        self._loading = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._boxes: frozenset[MailboxId] = frozenset()
        self._is_expunged = False
        self._tried: set[bytes] = set()
        self._fetch_now = asyncio.Event()
        self._listed = asyncio.Event()
        self._tidy_at_s = clock.monotonic()
        self._error: str | None = None
        self._is_refused = False

    # -- from outside ------------------------------------------------------------------------

    def wake(self) -> None:
        """A send ended: receipts are due."""
        self._parts.pace.sent()

    def expunged(self, mailbox: MailboxId | None) -> None:
        """Something left a mailbox (None: any) for good: perhaps it is to be deleted at the API."""
        if mailbox is None or mailbox in self._boxes or not self._boxes:
            self._is_expunged = True

    @property
    def standing(self) -> Standing:
        """Where the account stands."""
        if not self._is_ready:
            return Standing(error=self._error, refused=self._is_refused)
        memory = self._parts.memory
        total, at = max(memory.state.total or 0, memory.live), memory.state.last_sync
        return Standing(at, self._error, self._is_refused, total, memory.filed)

    async def next_look(self) -> NextLook:
        """Return when the next look is due, and why not sooner."""
        return await self._parts.pace.next_look()

    async def seen_until(self) -> datetime | None:
        """Return up to when all that was listed is here, or was told by its rows.

        A text that cannot be had holds that up not, nor one that only confirms what is known. None
        if the inbox was never looked at.
        """
        await self._ready()
        state, fetcher = self._parts.memory.state, self._parts.fetcher
        if state.loss is not None:
            return state.loss.since
        at = state.last_sync
        for row in await self._parts.texts.oldest_missing(fetcher.waiting + 1):
            if at is not None and not fetcher.is_postponed(row.id):
                return min(at, row.first_seen)
        return at

    async def quota(self) -> Quota | None:
        """Return the last known quota."""
        await self._ready()
        return self._parts.memory.state.quota

    # -- for ever ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the inbox until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._looking())
            group.create_task(self._fetching())

    async def _looking(self) -> None:
        while True:
            while not await self._guarded(self._round):
                pass
            while not await self._parts.pace.rest(lambda: self._is_expunged):
                await self._guarded(self._delete)

    async def _fetching(self) -> None:
        while True:
            await self._fetch_now.wait()
            self._fetch_now.clear()
            if not await self._guarded(self._fetch):
                self._fetch_now.set()

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do ``work``; if it fails, wait as long as that asks for, and return False."""
        try:
            await work()
        except (ApiError, StoreFailed) as error:
            await self._failed(error)
            await self._parts.pace.pause(error, of_looks=work != self._fetch)
            return False
        except Exception as error:
            log.exception("sync_crashed", account=self._account.id)
            await self._failed(error)
            await self._parts.pace.pause(error, of_looks=work != self._fetch)
            return False
        return True

    async def _round(self) -> None:
        """Look, and see to what that brings up and to what is due."""
        async with self._turn:
            await self._ready()
            await self._look()
            await self._carry_out()
            await self._see_to_the_rest()
        self._parts.pace.lags(is_behind=False)
        look_at_s = self._clock.monotonic() + await self._parts.pace.next_look_s()
        while _has_more(self._parts) and self._clock.monotonic() < look_at_s:
            async with self._turn:
                if not await within_budget(self._step()):
                    sweep = self._parts.memory.state.sweep
                    self._parts.pace.lags(is_behind=sweep is not None and not sweep.whole)
                    break
        self._expect(await self._tell_use())
        self._parts.pace.looked()

    async def _tell_use(self) -> Use:
        """Tell of the day's requests if they are used up; returns what became of them."""
        use = await self._account.budget.use()
        is_few = use.remaining != 0 and use.missed - SPARED == {Purpose.RECEIPT}
        is_missed = use.is_used_up and (not is_few or await self._lags())
        mail = await self._parts.rows.volume() if is_missed else None
        await self._parts.teller.used(use, mail)
        return use

    async def _lags(self) -> bool:
        """Tell whether more than a few texts of receipts are missing."""
        return len(await self._parts.texts.missing(FEW_TEXTS + 1)) > FEW_TEXTS

    def _expect(self, use: Use) -> None:
        """Tell the budget when requests are needed, as the last days had it."""
        memory, texts = self._parts.memory, sum(use.made.get(one, 0) for one in NEEDED_TEXTS)
        arrivals = memory.state.arrivals.fetched(use.day, texts)
        memory.remember(replace(memory.state, arrivals=arrivals))
        page_rows = PAGE_ROWS if memory.state.layout is None else memory.state.layout.size
        self._account.budget.expects(
            arrivals.busiest(use.day).needs(page_rows),
            arrivals.coming(self._clock.now(), page_rows),
        )

    async def _look(self) -> None:
        await self._parts.listing.look()
        await self._worked()
        await self._take_up()
        await within_budget(self._settle_twins())

    async def _take_up(self) -> None:
        """See to what a page brought: what its rows say, then their texts."""
        await self._parts.filer.judge()
        self._fetch_now.set()
        self._parts.fetcher.hint()

    async def _step(self) -> None:
        if self._parts.listing.sweeping:
            await self._parts.listing.step()
            await self._take_up()
        await self._settle_twins()

    async def _settle_twins(self) -> None:
        """Settle what can be: each doubt once after a look, and again while there is more of it."""
        layout = self._parts.memory.state.layout
        waiting = {
            name: doubt
            for name, doubt in self._parts.memory.doubts.items()
            if name not in self._tried or self._parts.twins.has_more_of(name)
        }
        if layout is None:
            return
        self._tried.update(waiting)
        while waiting:
            for name in await self._parts.twins.settle(waiting, layout):
                del waiting[name]

    async def _delete(self) -> None:
        """Carry out at once what an expunge may have left to be deleted."""
        self._is_expunged = False
        async with self._turn:
            await self._ready()
            if await self._parts.deletions.wanted():
                await self._carry_out()

    async def _carry_out(self) -> None:
        await within_budget(self._parts.deleter.carry_out())
        await self._take_up()  # it may have looked

    async def _see_to_the_rest(self) -> None:
        """Do what is due now and then."""
        await self._parts.capacity.read_if_due()
        now_s = self._clock.monotonic()
        if now_s >= self._tidy_at_s:
            self._tidy_at_s = now_s + TIDY_EVERY_S
            await self._parts.rows.drop_archived(self._retention)
        await self._parts.clearing.carry_out(self._parts.memory.state.quota)
        await self._parts.memory.keep()

    async def _fetch(self) -> None:
        """Fetch what can be had now; what has to wait is tried again after the next look."""
        await self._ready()
        await within_budget(self._parts.fetcher.drain())

    # -- once --------------------------------------------------------------------------------

    async def settle(self, progress: Callable[[int, int], None]) -> int:
        """Bring everything up to date now; returns how many messages came.

        Args:
            progress: is told (bodies here, rows at the API) twice a second.

        Raises:
            ApiError, StoreFailed: it could not be finished.
        """
        await self._ready()
        before = self._parts.memory.filed
        telling = asyncio.ensure_future(self._tell_progress(progress))
        try:
            for _ in range(SETTLE_ROUNDS):
                if await self._settle_once():
                    break
        except (ApiError, StoreFailed) as error:
            await self._failed(error)
            raise
        finally:
            telling.cancel()
            self._fetch_now.set()
        return self._parts.memory.filed - before

    async def _tell_progress(self, progress: Callable[[int, int], None]) -> None:
        while True:
            await self._clock.sleep(PROGRESS_S)
            standing = self.standing
            progress(standing.fetched, standing.total or standing.fetched)

    async def _settle_once(self) -> bool:
        """Go through everything once; tells whether that was enough."""
        listing = self._parts.listing
        async with self._turn:
            self._tried.clear()
            await listing.look(self._parts.asked)
            await self._worked()
            await self._take_up()
            self._listed.clear()
            fetching = asyncio.ensure_future(self._fetch_beside())
            try:
                await self._settle_twins()
                while _has_more(self._parts):
                    await self._step()
            finally:
                self._listed.set()
                self._fetch_now.set()
                await fetching
            self._tried.clear()
            await self._settle_twins()
            while _has_more(self._parts):
                await self._step()
            deleted = await self._parts.deleter.carry_out()
            await self._see_to_the_rest()
        return listing.is_settled and not deleted and not _is_undecided(self._parts)

    async def _fetch_beside(self) -> None:
        """Fetch what a listing under way brings up, until it has ended and nothing is left."""
        while True:
            has_ended = self._listed.is_set()
            self._fetch_now.clear()
            await self._parts.fetcher.drain()
            if has_ended:
                return
            if not self._listed.is_set():
                await self._fetch_now.wait()

    async def fetch_texts(self, remotes: Sequence[RemoteId]) -> int:
        """Fetch these rows' texts now, as far as they can be had; returns how many came.

        Raises:
            ApiError, StoreFailed: it could not be finished; what came stays.
        """
        await self._ready()
        async with self._turn:
            return await self._parts.wanted.fetch(remotes)

    # -- inside ------------------------------------------------------------------------------

    async def _ready(self) -> None:
        """Take up what was known before, once."""
        async with self._loading:
            if not self._is_ready:
                await self._parts.memory.load()
                boxes = await self._mailboxes.mailboxes(self._account.id)
                self._boxes = frozenset(box.id for box in boxes)
                self._is_ready = True

    async def _worked(self) -> None:
        """The API showed the inbox."""
        self._parts.pace.worked()
        self._tried.clear()
        self._error, self._is_refused = None, False
        since_s = self._clock.monotonic() - UNREAD_S
        unread = self._parts.fetcher.unread(since_s) + self._parts.twins.unread(since_s)
        await self._parts.teller.worked(self._parts.memory.state.loss, unread)

    async def _failed(self, error: Exception) -> None:
        """Take note of a failure."""
        if is_left_for_later(error):
            await self._tell_use()
            return
        self._error = _reason(error)
        self._is_refused = isinstance(error, NotSent) and error.kind in REFUSALS
        log.warning("sync_interrupted", account=self._account.id, reason=self._error)
        if isinstance(error, NotSent) and error.kind in REFUSALS:
            await self._parts.teller.refused(error.kind, self._error)
        elif isinstance(error, ApiError):
            await self._parts.teller.failed(self._error)


def _reason(error: Exception) -> str:
    if isinstance(error, ApiError):
        return error.reason
    known: str = error.args[0] if isinstance(error, StoreFailed) else str(error)
    return known


def _has_more(parts: Parts) -> bool:
    """Tell whether there is more to look at at once; nothing is while the layout is unknown."""
    is_clear = parts.memory.state.layout is not None
    return is_clear and (parts.listing.sweeping or parts.twins.has_more)


def _is_undecided(parts: Parts) -> bool:
    """Tell whether there are twins to be told apart that are worth another try now."""
    doubtful = parts.memory.doubts
    return any(not parts.twins.is_waiting(name, doubt) for name, doubt in doubtful.items())
