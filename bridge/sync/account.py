"""One account's sync: looks, sweeps, fetches and deletes in turn, and says where it stands.

Two tasks: one lists and deletes, the other fetches bodies, so that a slow body never delays the
next look. Both stop at the first trouble, wait as ``interval`` says, and go on where they were.
Nothing here can stop another account, and nothing stops for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal, Protocol

import structlog

from bridge.alarms import AlarmKind
from bridge.api.errors import ApiError, NotSent
from bridge.clock import Clock
from bridge.mailbox import Mailboxes
from bridge.model import AccountId
from bridge.store.base import Store, StoreFailed
from bridge.sync import interval, notice
from bridge.sync.capacity import Capacity
from bridge.sync.deletion import Deleter
from bridge.sync.fetching import Fetcher
from bridge.sync.filer import Filer, Filing
from bridge.sync.interval import Situation
from bridge.sync.ledger import Ledger
from bridge.sync.listing import Listing
from bridge.sync.locating import Locator
from bridge.sync.pages import InboxClient, Pages
from bridge.sync.state import QuotaFigures, SyncState
from bridge.sync.twins import Twins

log = structlog.get_logger()

LOOK_ROUND_S = 2.0
"""How often a resting account notices that a client came or a send ended."""

SETTLE_ROUNDS = 12
"""Rounds that ``settle`` makes of one call while rows keep moving."""

SMALL_BACKLOG = 50
"""So many bodies are fetched without regard to tomorrow's looks."""

ALARM_KEY = "inbox"
ALARM_KINDS = {"credentials": AlarmKind.CREDENTIALS, "payment": AlarmKind.PAYMENT}


class Budget(Protocol):
    """The requests an account may make today; see ``api.ratelimit.RequestBudget``."""

    @property
    def per_day(self) -> int:
        """Requests a day has."""

    async def remaining(self) -> int:
        """Return how many are left."""

    def day_left_s(self) -> float:
        """Return the seconds until there are new ones."""


@dataclass(frozen=True, slots=True)
class SyncAccount:
    """An account to be followed: its way to the API, and how often that may be used."""

    id: AccountId
    address: str
    client: InboxClient
    budget: Budget


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """What the settings say about following the inbox."""

    interval_s: float = 60.0
    delete: Literal["expunge", "never"] = "expunge"
    retention_days: int = 900


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands: ``total`` rows at the API, ``fetched`` of them here."""

    last_sync: datetime | None = None
    error: str | None = None
    total: int | None = None
    fetched: int = 0


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
        self._mailboxes = mailboxes
        self._clock = clock
        self._random = random
        self._settings = settings
        self._ledger = Ledger(store, mailboxes, clock, account.id)
        self._filer = Filer(filing, self._ledger)
        self._parts: _Parts | None = None
        self._turn = asyncio.Lock()
        self._fetch_now = asyncio.Event()
        self._error: str | None = None
        self._failures = 0
        self._sent_s: float | None = None
        self._seen_s: float | None = None

    # -- from outside ------------------------------------------------------------------------

    def wake(self) -> None:
        """A send ended: receipts are due."""
        self._sent_s = self._clock.monotonic()

    @property
    def standing(self) -> Standing:
        """Where the account stands."""
        ledger = self._ledger
        if self._parts is None:
            return Standing(None, self._error, None, 0)
        state = self._parts.listing.state
        total = ledger.live if state.total is None else max(state.total, ledger.live)
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
            failed = await self._guarded(self._round)
            if failed is not None:
                await self._clock.sleep(failed)
            else:
                await self._rest()

    async def _fetching(self) -> None:
        while True:
            await self._fetch_now.wait()
            self._fetch_now.clear()
            failed = await self._guarded(self._fetch)
            if failed is not None:
                await self._clock.sleep(failed)
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
        """Look, settle what that brought up, delete, and see to what is due now and then."""
        async with self._turn:
            parts = await self._ready()
            await parts.listing.look()
            await self._worked()
            self._fetch_now.set()
            await self._settle_twins(parts)
            await parts.deleter.carry_out()
            await parts.capacity.read_if_due()
            await parts.listing.keep()
            await self._ledger.drop_archived(timedelta(days=self._settings.retention_days))
        look_at_s = self._clock.monotonic() + await self._interval_s()
        while parts.listing.sweeping and self._clock.monotonic() < look_at_s:
            if not await self._may_go_on():
                break
            async with self._turn:
                await parts.listing.step()
                self._fetch_now.set()
                await self._settle_twins(parts)
                if parts.listing.doubtful:
                    break

    async def _fetch(self) -> None:
        parts = await self._ready()
        await parts.fetcher.drain(lambda: None, self._may_go_on)

    async def _may_go_on(self) -> bool:
        """Tell whether a long import may spend more of today's requests."""
        if self._ledger.live - self._ledger.filed <= SMALL_BACKLOG:
            return True
        budget = self._account.budget
        kept = interval.reserve(self._settings.interval_s, budget.per_day, budget.day_left_s())
        return await budget.remaining() > kept

    async def _settle_twins(self, parts: _Parts) -> None:
        layout = parts.listing.state.layout
        for name, doubt in list(parts.listing.doubtful.items()):
            if layout is not None and await parts.twins.settle(name, doubt, layout):
                parts.listing.doubtful.pop(name, None)

    # -- once --------------------------------------------------------------------------------

    async def settle(self, progress: Callable[[int, int], None]) -> int:
        """Bring everything up to date now; returns how many messages came.

        Raises:
            ApiError, StoreFailed: it could not be finished.
        """
        before = self._ledger.filed if self._parts else (await self._ready()).ledger.filed
        try:
            for _ in range(SETTLE_ROUNDS):
                if await self._settle_once(progress):
                    break
        except (ApiError, StoreFailed) as error:
            await self._failed(error)
            raise
        return self._ledger.filed - before

    async def _settle_once(self, progress: Callable[[int, int], None]) -> bool:
        parts = await self._ready()
        listing = parts.listing

        def tell() -> None:
            progress(self._ledger.filed, max(listing.state.total or 0, self._ledger.live))

        async with self._turn:
            await listing.look()
            await self._worked()
            await self._settle_twins(parts)
            while listing.sweeping:
                await parts.fetcher.drain(tell)
                await listing.step()
                await self._settle_twins(parts)
                if listing.doubtful:
                    break
            await parts.fetcher.drain(tell)
            await self._settle_twins(parts)
            deleted = await parts.deleter.carry_out()
            await parts.capacity.read_if_due()
            await listing.keep()
            tell()
        return listing.is_settled and not deleted

    # -- inside ------------------------------------------------------------------------------

    async def _ready(self) -> _Parts:
        if self._parts is None:
            state = await self._ledger.load()
            self._parts = self._parts or self._build(state)
        return self._parts

    def _build(self, state: SyncState) -> _Parts:
        account, ledger = self._account, self._ledger
        pages = Pages(account.client)
        listing = Listing(pages, ledger, self._clock, state)
        locator = Locator(pages, ledger, lambda: listing.state)

        fetcher = Fetcher(
            account.client, ledger, self._filer, locator, self._clock, listing.suspect
        )
        return _Parts(
            ledger,
            listing,
            fetcher,
            Deleter(
                account.client,
                ledger,
                locator,
                self._clock,
                account.address,
                self._settings.delete,
            ),
            Capacity(account.client, ledger, listing, self._clock, account.address),
            Twins(account.client, ledger, self._filer, locator),
        )

    async def _interval_s(self) -> float:
        now_s = self._clock.monotonic()
        is_watched = self._mailboxes.watchers(self._account.id) > 0
        if is_watched:
            self._seen_s = now_s
        situation = Situation(
            self._settings.interval_s,
            is_watched,
            None if self._sent_s is None else now_s - self._sent_s,
            None if self._seen_s is None else now_s - self._seen_s,
        )
        budget = self._account.budget
        return interval.within_budget_s(
            interval.wanted_s(situation),
            await budget.remaining(),
            budget.per_day,
            budget.day_left_s(),
        )

    async def _rest(self) -> None:
        """Wait until the next look is due, which may become sooner meanwhile."""
        began_s = self._clock.monotonic()
        while (left_s := began_s + await self._interval_s() - self._clock.monotonic()) > 0:
            await self._clock.sleep(min(left_s, LOOK_ROUND_S))

    async def _worked(self) -> None:
        """The API showed the inbox."""
        self._failures = 0
        self._error = None
        if self._parts is not None:
            self._parts.fetcher.note_success()
        raised = await self._ledger.alarms()
        for kind in ALARM_KINDS.values():
            if (kind.value, ALARM_KEY) in raised:
                await self._ledger.clear(kind, ALARM_KEY)

    async def _failed(self, error: Exception) -> float:
        """Take note of a failure; returns how long to wait."""
        self._failures += 1
        self._error = error.reason if isinstance(error, ApiError) else f"{error}"
        log.warning(
            "sync interrupted",
            account=self._account.id,
            reason=self._error,
            failures=self._failures,
        )
        after_s = error.retry_after_s if isinstance(error, NotSent) else None
        kind = error.kind if isinstance(error, NotSent) else None
        if kind in ALARM_KINDS:
            await self._tell(kind, self._error)
            return interval.probe_s(self._failures, after_s, self._random.random())
        return interval.retry_s(self._failures, after_s, self._random.random())

    async def _tell(self, kind: str, reason: str) -> None:
        words = notice.refused if kind == "credentials" else notice.unpaid
        alarm = ALARM_KINDS[kind]
        try:
            if not any(raised == alarm.value for raised, _ in await self._ledger.alarms()):
                await self._ledger.alarm(alarm, ALARM_KEY, words(self._account.address, reason))
        except StoreFailed as error:
            log.error("an alarm cannot be kept", account=self._account.id, reason=str(error))


@dataclass(frozen=True, slots=True)
class _Parts:
    """What works together for one account."""

    ledger: Ledger
    listing: Listing
    fetcher: Fetcher
    deleter: Deleter
    capacity: Capacity
    twins: Twins
