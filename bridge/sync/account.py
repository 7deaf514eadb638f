"""One account's sync: looks, sweeps, fetches and deletes in turn, and says where it stands.

Two tasks: one lists and deletes, the other fetches bodies, so that a slow body never delays the
next look. Both stop at the first trouble, wait as ``pace`` says, and go on where they were. That
the day's requests do not allow for something is no trouble: it is left for later, and looks go on.
Nothing here can stop another account, and nothing stops for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import structlog

from bridge.api.budget import Purpose, Use, within_budget
from bridge.api.errors import ApiError, NotSent, is_left_for_later
from bridge.clock import Clock
from bridge.mailbox import Mailboxes
from bridge.model import MailboxId, Quota
from bridge.store.base import Store, StoreFailed
from bridge.store.remote import RemoteId
from bridge.sync.capacity import Capacity
from bridge.sync.clearing import Clearing, ClearingRule
from bridge.sync.deletion import Deleter
from bridge.sync.fetching import Fetcher, Way
from bridge.sync.filer import Filer, Filing
from bridge.sync.ledger import Ledger
from bridge.sync.listing import Listing
from bridge.sync.locating import Locator
from bridge.sync.pace import Pace
from bridge.sync.pages import InboxClient, Pages
from bridge.sync.paging import PAGE_ROWS
from bridge.sync.settings import NextLook, Standing, SyncAccount, SyncSettings
from bridge.sync.state import SyncState
from bridge.sync.telling import REFUSALS, Teller
from bridge.sync.twins import Twins
from bridge.sync.wanted import Wanted

log = structlog.get_logger()

SETTLE_ROUNDS = 12
"""Rounds that ``settle`` makes of one call while rows keep moving."""

TIDY_EVERY_S = 3_600.0
PROGRESS_S = 0.5

UNREAD_S = 3_600.0
"""How long a message's text may not be had before a person is told."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What works together for one account; ``asked`` reads pages because a person asked."""

    asked: Pages
    listing: Listing
    fetcher: Fetcher
    deleter: Deleter
    clearing: Clearing
    capacity: Capacity
    twins: Twins
    wanted: Wanted


class AccountSync:
    """See the module.

    Args:
        account: whom to follow.
        store: rows.
        mailboxes: the single writer, and who watches.
        filing: makes messages of rows and bodies.
        clock: time.
        random: jitter.
        settings: how.
    """

    def __init__(
        self,
        account: SyncAccount,
        store: Store,
        mailboxes: Mailboxes,
        filing: Filing,
        clock: Clock,
        random: Random,
        settings: SyncSettings,
    ) -> None:
        self._account = account
        self._clock = clock
        self._settings = settings
        self._store = store
        self._ledger = Ledger(store, mailboxes, clock, account.id)
        self._filer = Filer(filing, self._ledger, settings.delete)
        self._pace = Pace(account, mailboxes, clock, random, settings.interval_s)
        self._parts: _Parts | None = None
        self._turn = asyncio.Lock()
        self._teller = Teller(self._ledger, clock, account.address)
        self._mailboxes = mailboxes
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
        self._pace.sent()

    def expunged(self, mailbox: MailboxId) -> None:
        """Something left a mailbox for good: perhaps it is to be deleted at the API."""
        if mailbox in self._boxes or not self._boxes:
            self._is_expunged = True

    @property
    def standing(self) -> Standing:
        """Where the account stands."""
        if self._parts is None:
            return Standing(error=self._error, refused=self._is_refused)
        ledger, state = self._ledger, self._parts.listing.state
        total = max(state.total or 0, ledger.live)
        return Standing(state.last_sync, self._error, self._is_refused, total, ledger.filed)

    async def next_look(self) -> NextLook:
        """Return when the next look is due, and why not sooner."""
        return await self._pace.next_look()

    async def seen_until(self) -> datetime | None:
        """Return up to when all that was listed is here, or was told by its rows.

        A text that cannot be had holds that up not, nor one that only confirms what is known. None
        if the inbox was never looked at.
        """
        parts = await self._ready()
        if parts.listing.state.loss is not None:
            return parts.listing.state.loss.since
        at = parts.listing.state.last_sync
        for row in await self._ledger.oldest_bodiless(parts.fetcher.waiting + 1):
            if at is not None and not parts.fetcher.is_postponed(row.id):
                return min(at, row.first_seen)
        return at

    async def quota(self) -> Quota | None:
        """Return the last known quota."""
        return (await self._ready()).listing.state.quota

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
            while not await self._pace.rest(lambda: self._is_expunged):
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
            await self._pace.pause(error, of_looks=work != self._fetch)
            return False
        except Exception as error:
            log.exception("sync_crashed", account=self._account.id)
            await self._failed(error)
            await self._pace.pause(error, of_looks=work != self._fetch)
            return False
        return True

    async def _round(self) -> None:
        """Look, and see to what that brings up and to what is due."""
        async with self._turn:
            parts = await self._ready()
            await self._look(parts)
            await self._carry_out(parts)
            await self._see_to_the_rest(parts)
        self._pace.is_behind = False
        look_at_s = self._clock.monotonic() + await self._pace.next_look_s()
        while _has_more(parts) and self._clock.monotonic() < look_at_s:
            async with self._turn:
                if not await within_budget(self._step(parts)):
                    self._pace.is_behind = True
                    break
        use = await self._account.budget.use()
        self._expect(parts, use)
        await self._teller.used(use)
        self._pace.looked()

    def _expect(self, parts: _Parts, use: Use) -> None:
        """Tell the budget when requests are needed, as the last days had it."""
        state, texts = parts.listing.state, use.made.get(Purpose.BODY, 0)
        arrivals = state.arrivals.fetched(use.day, texts)
        parts.listing.state = replace(state, arrivals=arrivals)
        page_rows = PAGE_ROWS if state.layout is None else state.layout.size
        self._account.budget.expects(arrivals.busiest(use.day).needs(page_rows))

    async def _look(self, parts: _Parts) -> None:
        await parts.listing.look()
        await self._worked(parts)
        await self._take_up(parts)
        await within_budget(self._settle_twins(parts))

    async def _take_up(self, parts: _Parts) -> None:
        """See to what a page brought: what its rows say, then their texts."""
        await self._filer.judge()
        self._fetch_now.set()
        parts.fetcher.hint()

    async def _step(self, parts: _Parts) -> None:
        if parts.listing.sweeping:
            await parts.listing.step()
            await self._take_up(parts)
        await self._settle_twins(parts)

    async def _settle_twins(self, parts: _Parts) -> None:
        """Settle what can be: each doubt once after a look, and again while there is more of it."""
        layout, doubtful = parts.listing.state.layout, parts.listing.doubtful
        waiting = {
            name: doubt
            for name, doubt in doubtful.items()
            if name not in self._tried or parts.twins.has_more_of(name)
        }
        if layout is None:
            return
        self._tried.update(waiting)
        while waiting:
            turn = await parts.twins.settle(waiting, layout)
            for name in turn.tried:
                del waiting[name]
            for name in turn.settled:
                doubtful.pop(name, None)

    async def _delete(self) -> None:
        """Carry out at once what an expunge may have left to be deleted."""
        self._is_expunged = False
        async with self._turn:
            parts = await self._ready()
            if await self._ledger.wanted():
                await self._carry_out(parts)

    async def _carry_out(self, parts: _Parts) -> None:
        await within_budget(parts.deleter.carry_out())

    async def _see_to_the_rest(self, parts: _Parts) -> None:
        """Do what is due now and then."""
        await parts.capacity.read_if_due()
        now_s = self._clock.monotonic()
        if now_s >= self._tidy_at_s:
            self._tidy_at_s = now_s + TIDY_EVERY_S
            await self._ledger.drop_archived(timedelta(days=self._settings.retention_days))
        await parts.clearing.carry_out(parts.listing.state.quota)
        await parts.listing.keep()

    async def _fetch(self) -> None:
        parts = await self._ready()
        await parts.fetcher.drain()

    # -- once --------------------------------------------------------------------------------

    async def settle(self, progress: Callable[[int, int], None]) -> int:
        """Bring everything up to date now; returns how many messages came.

        Args:
            progress: is told (bodies here, rows at the API) twice a second.

        Raises:
            ApiError, StoreFailed: it could not be finished.
        """
        parts = await self._ready()
        before = self._ledger.filed
        telling = asyncio.ensure_future(self._tell_progress(progress))
        try:
            for _ in range(SETTLE_ROUNDS):
                if await self._settle_once(parts):
                    break
        except (ApiError, StoreFailed) as error:
            await self._failed(error)
            raise
        finally:
            telling.cancel()
            self._fetch_now.set()
        return self._ledger.filed - before

    async def _tell_progress(self, progress: Callable[[int, int], None]) -> None:
        while True:
            await self._clock.sleep(PROGRESS_S)
            standing = self.standing
            progress(standing.fetched, standing.total or standing.fetched)

    async def _settle_once(self, parts: _Parts) -> bool:
        """Go through everything once; tells whether that was enough."""
        listing = parts.listing
        async with self._turn:
            self._tried.clear()
            await listing.look(parts.asked)
            await self._worked(parts)
            await self._take_up(parts)
            self._listed.clear()
            fetching = asyncio.ensure_future(self._fetch_beside(parts))
            try:
                await self._settle_twins(parts)
                while _has_more(parts):
                    await self._step(parts)
            finally:
                self._listed.set()
                self._fetch_now.set()
                await fetching
            self._tried.clear()
            await self._settle_twins(parts)
            while _has_more(parts):
                await self._step(parts)
            deleted = await parts.deleter.carry_out()
            await self._see_to_the_rest(parts)
        return listing.is_settled and not deleted and not _is_undecided(parts)

    async def _fetch_beside(self, parts: _Parts) -> None:
        """Fetch what a listing under way brings up, until it has ended and nothing is left."""
        while True:
            has_ended = self._listed.is_set()
            self._fetch_now.clear()
            await parts.fetcher.drain()
            if has_ended:
                return
            if not self._listed.is_set():
                await self._fetch_now.wait()

    async def fetch_texts(self, remotes: Sequence[RemoteId]) -> int:
        """Fetch these rows' texts now, as far as they can be had; returns how many came.

        Raises:
            ApiError, StoreFailed: it could not be finished; what came stays.
        """
        parts = await self._ready()
        async with self._turn:
            return await parts.wanted.fetch(remotes)

    # -- inside ------------------------------------------------------------------------------

    async def _ready(self) -> _Parts:
        if self._parts is None:
            state = await self._ledger.load()
            boxes = await self._mailboxes.mailboxes(self._account.id)
            self._boxes = frozenset(box.id for box in boxes)
            self._parts = self._parts or self._build(state)
        return self._parts

    def _build(self, state: SyncState) -> _Parts:
        account, ledger, clock = self._account, self._ledger, self._clock
        address = account.address
        bodies = account.client.charged(Purpose.BODY)
        deletions = account.client.charged(Purpose.DELETION)
        clearing = account.client.charged(Purpose.CLEARING)
        pages = Pages(account.client.charged(Purpose.LISTING))
        looks = Pages(account.client.charged(Purpose.LOOK))
        passes = Pages(account.client.charged(Purpose.RECONCILIATION))
        news = Pages(account.client.charged(Purpose.NEWS))
        listing = Listing(looks, news, pages, passes, ledger, clock, state)

        def locator(client: InboxClient) -> Locator:
            return Locator(Pages(client), ledger, lambda: listing.state)

        is_always = self._settings.text == "always"
        proving = account.client.charged(Purpose.BODY if is_always else Purpose.RECEIPT)
        spare = account.client.charged(Purpose.BODY if is_always else Purpose.CONFIRMATION)
        fetcher = Fetcher(
            Way(bodies, locator(bodies)),
            Way(proving, locator(proving)),
            Way(spare, locator(spare)),
            ledger,
            self._filer,
            clock,
            listing.suspect,
        )
        asking = account.client.charged(Purpose.COMMAND)
        return _Parts(
            Pages(asking),
            listing,
            fetcher,
            Deleter(
                deletions,
                ledger,
                locator(deletions),
                clock,
                address,
                self._settings.delete,
            ),
            Clearing(
                ClearingRule.parse(self._settings.clear_at_api),
                clearing,
                self._store,
                ledger,
                locator(clearing),
                clock,
                address,
            ),
            Capacity(account.client.charged(Purpose.QUOTA), ledger, listing, clock, address),
            Twins(bodies, ledger, self._filer, locator(bodies), clock, fetcher.is_fetching),
            Wanted(asking, locator(asking), ledger, self._filer, fetcher.is_fetching),
        )

    async def _worked(self, parts: _Parts) -> None:
        """The API showed the inbox."""
        self._pace.worked()
        self._tried.clear()
        self._error, self._is_refused = None, False
        since_s = self._clock.monotonic() - UNREAD_S
        unread = parts.fetcher.unread(since_s) + parts.twins.unread(since_s)
        await self._teller.worked(parts.listing.state.loss, unread)

    async def _failed(self, error: Exception) -> None:
        """Take note of a failure."""
        if is_left_for_later(error):
            await self._teller.used(await self._account.budget.use())
            return
        self._error = error.reason if isinstance(error, ApiError) else str(error)
        self._is_refused = isinstance(error, NotSent) and error.kind in REFUSALS
        log.warning("sync_interrupted", account=self._account.id, reason=self._error)
        if isinstance(error, NotSent) and error.kind in REFUSALS:
            await self._teller.refused(error.kind, self._error)
        elif isinstance(error, ApiError):
            await self._teller.failed(self._error)


def _has_more(parts: _Parts) -> bool:
    """Tell whether there is more to look at at once; nothing is while the layout is unknown."""
    is_clear = parts.listing.state.layout is not None
    return is_clear and (parts.listing.sweeping or parts.twins.has_more)


def _is_undecided(parts: _Parts) -> bool:
    """Tell whether there are twins to be told apart that are worth another try now."""
    doubtful = parts.listing.doubtful
    return any(not parts.twins.is_waiting(name, doubt) for name, doubt in doubtful.items())
