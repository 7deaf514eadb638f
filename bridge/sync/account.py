"""One account's sync: looks, sweeps, fetches and deletes in turn, and says where it stands.

Two tasks: one lists and deletes, the other fetches bodies, so that a slow body never delays the
next look. Both stop at the first trouble, wait as ``pace`` says, and go on where they were.
Nothing here can stop another account, and nothing stops for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import structlog

from bridge.alarms import AlarmKind
from bridge.api.errors import ApiError, NotSent
from bridge.clock import Clock
from bridge.mailbox import Mailboxes
from bridge.store.base import Store, StoreFailed
from bridge.sync import notice
from bridge.sync.capacity import Capacity
from bridge.sync.deletion import Deleter
from bridge.sync.fetching import Fetcher
from bridge.sync.filer import Filer, Filing
from bridge.sync.ledger import Ledger
from bridge.sync.listing import Listing
from bridge.sync.locating import Locator
from bridge.sync.pace import Pace
from bridge.sync.pages import Pages
from bridge.sync.settings import Standing, SyncAccount, SyncSettings
from bridge.sync.state import QuotaFigures, SyncState
from bridge.sync.twins import Twins

log = structlog.get_logger()

SETTLE_ROUNDS = 12
"""Rounds that ``settle`` makes of one call while rows keep moving."""

SMALL_BACKLOG = 50
"""So many bodies are fetched without regard to later looks."""

TIDY_EVERY_S = 3_600.0
PROGRESS_S = 0.5

ALARM_KEY = "inbox"
ALARM_KINDS = {"credentials": AlarmKind.CREDENTIALS, "payment": AlarmKind.PAYMENT}


@dataclass(frozen=True, slots=True)
class _Parts:
    """What works together for one account."""

    listing: Listing
    fetcher: Fetcher
    deleter: Deleter
    capacity: Capacity
    twins: Twins


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
        self._ledger = Ledger(store, mailboxes, clock, account.id)
        self._filer = Filer(filing, self._ledger)
        self._pace = Pace(account, mailboxes, clock, random, settings.interval_s)
        self._parts: _Parts | None = None
        self._turn = asyncio.Lock()
        self._fetch_now = asyncio.Event()
        self._listed = asyncio.Event()
        self._tidy_at_s = clock.monotonic()
        self._error: str | None = None

    # -- from outside ------------------------------------------------------------------------

    def wake(self) -> None:
        """A send ended: receipts are due."""
        self._pace.sent()

    @property
    def standing(self) -> Standing:
        """Where the account stands."""
        if self._parts is None:
            return Standing(error=self._error)
        ledger, state = self._ledger, self._parts.listing.state
        total = max(state.total or 0, ledger.live)
        return Standing(state.last_sync, self._error, total, ledger.filed)

    async def quota(self) -> QuotaFigures | None:
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
            wait_s = await self._guarded(self._round)
            await (self._pace.rest() if wait_s is None else self._clock.sleep(wait_s))

    async def _fetching(self) -> None:
        while True:
            await self._fetch_now.wait()
            self._fetch_now.clear()
            wait_s = await self._guarded(self._fetch)
            if wait_s is not None:
                await self._clock.sleep(wait_s)
                self._fetch_now.set()

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> float | None:
        """Do ``work``; returns how long to wait if it failed."""
        try:
            await work()
        except (ApiError, StoreFailed) as error:
            return await self._failed(error)
        except Exception as error:
            log.exception("sync failed in an unforeseen way", account=self._account.id)
            return await self._failed(error)
        return None

    async def _round(self) -> None:
        """Look, and see to what that brings up and to what is due."""
        async with self._turn:
            parts = await self._ready()
            await self._look(parts)
            await parts.deleter.carry_out()
            await self._see_to_the_rest(parts)
        look_at_s = self._clock.monotonic() + await self._pace.next_look_s()
        while parts.listing.sweeping and self._clock.monotonic() < look_at_s:
            if not await self._pace.has_spare():
                break
            async with self._turn:
                await self._step(parts)
                if _is_undecided(parts):
                    break

    async def _look(self, parts: _Parts) -> None:
        await parts.listing.look()
        await self._worked()
        self._call_fetcher(parts)
        await self._settle_twins(parts)

    def _call_fetcher(self, parts: _Parts) -> None:
        self._fetch_now.set()
        parts.fetcher.hint()

    async def _step(self, parts: _Parts) -> None:
        await parts.listing.step()
        self._call_fetcher(parts)
        await self._settle_twins(parts)

    async def _settle_twins(self, parts: _Parts) -> None:
        layout = parts.listing.state.layout
        for name, doubt in list(parts.listing.doubtful.items()):
            if layout is not None and await parts.twins.settle(name, doubt, layout):
                parts.listing.doubtful.pop(name, None)

    async def _see_to_the_rest(self, parts: _Parts) -> None:
        """Do what is due now and then."""
        await parts.capacity.read_if_due()
        now_s = self._clock.monotonic()
        if now_s >= self._tidy_at_s:
            self._tidy_at_s = now_s + TIDY_EVERY_S
            await self._ledger.drop_archived(timedelta(days=self._settings.retention_days))
        await parts.listing.keep()

    async def _fetch(self) -> None:
        parts = await self._ready()
        await parts.fetcher.drain(self._may_fetch)

    async def _may_fetch(self) -> bool:
        backlog = self._ledger.live - self._ledger.filed
        return backlog <= SMALL_BACKLOG or await self._pace.has_spare()

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
            await self._look(parts)
            self._listed.clear()
            fetching = asyncio.ensure_future(self._fetch_beside(parts))
            try:
                while listing.sweeping:
                    await self._step(parts)
                    if _is_undecided(parts):
                        break
            finally:
                self._listed.set()
                self._fetch_now.set()
                await fetching
            await self._settle_twins(parts)
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

    # -- inside ------------------------------------------------------------------------------

    async def _ready(self) -> _Parts:
        if self._parts is None:
            state = await self._ledger.load()
            self._parts = self._parts or self._build(state)
        return self._parts

    def _build(self, state: SyncState) -> _Parts:
        account, ledger, clock = self._account, self._ledger, self._clock
        client, address = account.client, account.address
        pages = Pages(client)
        listing = Listing(pages, ledger, clock, state)
        locator = Locator(pages, ledger, lambda: listing.state)
        fetcher = Fetcher(client, ledger, self._filer, locator, clock, listing.suspect)
        return _Parts(
            listing,
            fetcher,
            Deleter(client, ledger, locator, clock, address, self._settings.delete),
            Capacity(client, ledger, listing, clock, address),
            Twins(client, ledger, self._filer, locator, clock, fetcher.is_fetching),
        )

    async def _worked(self) -> None:
        """The API showed the inbox."""
        self._pace.worked()
        self._error = None
        raised = await self._ledger.alarms()
        for kind in ALARM_KINDS.values():
            if (kind.value, ALARM_KEY) in raised:
                await self._ledger.clear(kind, ALARM_KEY)

    async def _failed(self, error: Exception) -> float:
        """Take note of a failure; returns how long to wait."""
        self._error = error.reason if isinstance(error, ApiError) else str(error)
        log.warning("sync interrupted", account=self._account.id, reason=self._error)
        if isinstance(error, NotSent) and error.kind in ALARM_KINDS:
            await self._tell(error.kind, self._error)
        return self._pace.retry_s(error)

    async def _tell(self, kind: str, reason: str) -> None:
        """Tell a person once what only a person can mend, unless the outbox has done so."""
        words = notice.refused if kind == "credentials" else notice.unpaid
        alarm = ALARM_KINDS[kind]
        try:
            if not any(raised == alarm.value for raised, _ in await self._ledger.alarms()):
                await self._ledger.alarm(alarm, ALARM_KEY, words(self._account.address, reason))
        except StoreFailed as error:
            log.error("an alarm cannot be kept", account=self._account.id, reason=str(error))


def _is_undecided(parts: _Parts) -> bool:
    """Tell whether there are twins to be told apart that are worth another try now."""
    return any(not parts.twins.is_waiting(name) for name in parts.listing.doubtful)
