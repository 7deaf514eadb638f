"""``status``, ``quota`` and ``inbox search``: what is so, here and at the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bridge import __version__
from bridge.api.budget import RequestBudget, Subscribed, Use
from bridge.api.client import PecClient
from bridge.api.errors import Refused
from bridge.api.forecast import Forecast, Volume, forecast
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxRow
from bridge.clock import Clock, rfc3339
from bridge.model import INBOX, AccountId, Quota, SubmissionState
from bridge.net.listening import Running
from bridge.operations.accounts import ApiAccount, ApiAccounts, Methods
from bridge.operations.alarms import raised
from bridge.operations.control import Progress
from bridge.operations.hooks import NOBODY, OutsideSettings, alarm_way_facts, hook_facts
from bridge.operations.lead import bridge_facts
from bridge.operations.placement import hint
from bridge.operations.waiting import first_waiting, waiting_facts
from bridge.outbox.plan import Plan
from bridge.outbox.waiting import AccountQueue, account_queue, why
from bridge.outbox.window import Window
from bridge.store.base import ReadTransaction, Store
from bridge.sync.state import SyncState, load
from bridge.sync.volume import A_DAY, volume

if TYPE_CHECKING:
    from bridge.sync.service import Sync

PAGES_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Sends:
    """What an account may send and when, and where its receipts go."""

    plan: Plan
    window: Window
    deliver_to: str = INBOX


class StatusOperations:
    """See the module.

    Args:
        store: for what is known here.
        clock: for the plan's period.
        accounts: the accounts.
        sends: what each account may send and when, and where its receipts go.
        reader: the sync that runs; None if none does, and what it wrote down has to do.
        budgets: each account's requests of the day.
        fingerprint: gives the certificate's, None while there is none.
        running: the bridge that these are the facts of; None if none runs.
        outside: who outside is told of events and alarms.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        accounts: ApiAccounts,
        sends: Sends,
        reader: Sync | None,
        budgets: Mapping[AccountId, RequestBudget],
        fingerprint: Callable[[], str | None],
        running: Running | None = None,
        outside: OutsideSettings = NOBODY,
    ) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._sends = sends
        self._reader = reader
        self._budgets = budgets
        self._fingerprint = fingerprint
        self._running = running
        self._outside = outside

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "status": self._status,
            "quota": self._quota,
            "inbox search": self._inbox_search,
        }

    async def _status(self, _arguments: Mapping[str, Any], _progress: Progress) -> Any:
        now = self._clock.now()

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            counts = await tx.submission_counts()
            return {
                "accounts": [await self._sending(tx, one, now) for one in self._accounts.all],
                "queue": {
                    state.value: counts[state] for state in SubmissionState if state in counts
                },
                "alarms": await raised(tx, self._accounts),
                "bridges": await bridge_facts(tx),
            }

        async def told(tx: ReadTransaction) -> dict[str, Any]:
            return {
                "hooks": await hook_facts(tx, self._outside, now),
                "alarms_out": await alarm_way_facts(tx, self._outside.alarms),
            }

        status = await self._store.read(work)
        status |= await self._store.scan(told)  # what waits for hooks is counted, and may be much
        for one, facts in zip(self._accounts.all, status["accounts"], strict=True):
            await self._add_reading(facts, one.id)
            budget = self._budgets[one.id]
            facts["requests"] = request_facts(await budget.use())
            mail, receipts = await self._mail(one.id, now)
            facts["forecast"] = forecast_facts(forecast(mail, budget.per_day))
            facts["hint"] = hint(receipts, self._sends.deliver_to)
        status["store"] = self._store.failing
        return {**self._presence(), **status, "tls": {"fingerprint": self._fingerprint()}}

    def _presence(self) -> dict[str, Any]:
        """Return whether a bridge runs, which, since when, and where it listens."""
        running = self._running
        return {
            "running": running is not None,
            "version": __version__,
            "since": rfc3339(running.since) if running else None,
            "listeners": running.listening.as_json()["listeners"] if running else [],
            "throttles": running.throttles() if running else {},
            "traces": running.traces() if running else [],
        }

    async def _mail(self, account: AccountId, now: datetime) -> tuple[Volume, int]:
        """Return the mail of the last 24 hours, and how many receipts were in it."""

        async def work(tx: ReadTransaction) -> tuple[Volume, int]:
            seen = await tx.rows_seen(account, now - A_DAY)
            return await volume(tx, account, now), seen.receipts

        return await self._store.read(work)

    async def _sending(self, tx: ReadTransaction, one: ApiAccount, now: datetime) -> dict[str, Any]:
        plan = self._sends.plan
        queue = await account_queue(tx, one.id)
        first = await first_waiting(tx, queue, one.id)
        return {
            "address": one.address,
            "last_sync": None,
            "next_sync": None,
            "next_sync_why": None,
            "error": _obstacle(queue, now),
            "refused": queue.hold is not None,
            "paused_since": rfc3339(queue.paused_since),
            "waiting": first and await waiting_facts(tx, queue, first, now, self._sends.window),
            "quota": None,
            "plan": {
                "name": plan.name,
                "period": plan.period,
                "limit": plan.limit,
                "used": await tx.counted(one.id, *plan.bounds(now)),
            },
            "progress": None,
        }

    async def _add_reading(self, facts: dict[str, Any], account: AccountId) -> None:
        """Add what the sync that runs knows, or else what the last one wrote down."""
        if self._reader is None:
            state = await self._written_down(account)
            facts["last_sync"] = rfc3339(state.last_sync)
            facts["quota"] = state.quota and _fullness(state.quota)
            return
        standing = self._reader.standing(account)
        facts["last_sync"] = rfc3339(standing.last_sync)
        facts["error"] = facts["error"] or standing.error
        facts["refused"] = facts["refused"] or standing.refused
        upcoming = await self._reader.next_look(account)
        if upcoming is not None:
            facts["next_sync"], facts["next_sync_why"] = rfc3339(upcoming.at), upcoming.why
        quota = await self._reader.quota(account)
        facts["quota"] = quota and _fullness(quota)
        if standing.total is not None:
            facts["progress"] = {"fetched": standing.fetched, "total": standing.total}

    async def _written_down(self, account: AccountId) -> SyncState:
        async def work(tx: ReadTransaction) -> str:
            return await tx.sync_state(account)

        return load(await self._store.read(work))

    async def _quota(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        return [
            quota_facts(one.address, await one.api().quota())
            for one in self._accounts.chosen(arguments)
        ]

    async def _inbox_search(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        found: list[dict[str, Any]] = []
        limit = int(arguments.get("limit") or 100)
        for one in self._accounts.chosen(arguments):
            rows = await search(one.api(), str(arguments["query"]), limit - len(found))
            found += ({"account": one.address, **_row_facts(row)} for row in rows)
        return found


def _obstacle(queue: AccountQueue, now: datetime) -> str | None:
    """Return why nothing of an account leaves, None if nothing hinders it."""
    if queue.hold is not None:
        return queue.hold.reason
    head = queue.head
    return (why(head, queue, now) or None) if head and head.retrying_since else None


def forecast_facts(found: Forecast) -> dict[str, Any]:
    """Return what a day needs."""
    return {
        "needed": found.needed,
        "essential": found.essential,
        "allowed": found.allowed,
        "texts_a_day": found.texts,
        "texts_lag_days": found.lag_days,
        "states_lag_days": found.states_lag_days,
        "text": found.sentence,
    }


def request_facts(use: Use) -> dict[str, Any]:
    """Return what became of a day's requests; no limit is None."""
    return {
        "per_day": use.per_day or None,
        "used": use.used,
        "remaining": use.remaining,
        "used_for": {one.value: use.made[one] for one in Purpose if use.made.get(one)},
        "waiting": sorted(one.value for one in use.refused),
        "subscription": _subscription(use.subscribed),
    }


def _subscription(bought: Subscribed | None) -> dict[str, Any] | None:
    if bought is None:
        return None
    told_at, until = rfc3339(bought.told_at), rfc3339(bought.until)
    return {"available": bought.available, "until": until, "told_at": told_at}


def _fullness(quota: Quota) -> dict[str, Any]:
    return {
        "usage_bytes": quota.used_bytes,
        "limit_bytes": quota.limit_bytes,
        "percent": quota.percent,
    }


def quota_facts(address: str, quota: Quota) -> dict[str, Any]:
    """Return a quota in bytes and in percent."""
    return {"account": address, **_fullness(quota)}


async def search(client: PecClient, query: str, limit: int) -> list[InboxRow]:
    """Return up to ``limit`` rows that the API finds, whatever its first page is called.

    Pages are asked for from 0 up. One of pages 0 and 1 may be empty, refused or the same as the
    other; from then on, a page that is empty, refused or brings nothing new is the end.
    """
    rows: dict[str, InboxRow] = {}
    refusal: Refused | None = None
    for number in range(PAGES_LIMIT):
        before = len(rows)
        try:
            page = await client.inbox_page(number, query)
            rows |= {row.raw: row for row in page.rows if isinstance(row, InboxRow)}
        except Refused as error:
            refusal = refusal or error
            if number == 1 and refusal is not error:
                raise
        barren = len(rows) == before
        if len(rows) >= limit or (barren and (number > 1 or (number == 1 and not rows))):
            break
    return list(rows.values())[:limit]


def _row_facts(row: InboxRow) -> dict[str, Any]:
    return {
        "id": row.api_id,
        "sender": row.sender.strip(),
        "recipient": row.recipient.strip(),
        "date": rfc3339(row.date) or row.date_text,
        "subject": row.subject,
    }
