"""``usage``: what was sent in a month or a year, what became of it, and what it costs.

The figures are the store's daily sums (``store.figures.DayFigures``), which outlive the archive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.clock import Clock
from bridge.config import Prices
from bridge.model import AccountId
from bridge.operations.accounts import ApiAccounts, Methods
from bridge.operations.control import Progress
from bridge.operations.figures import cost_facts, plan_facts, rows_of, totals_of
from bridge.operations.period import MONTHS_A_YEAR, Period, chosen
from bridge.outbox.plan import Plan
from bridge.receipts.record import outcome_of, standing_of
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.figures import DayFigures

BATCH = 200
"""Entries weighed in one commit, so that no other has to wait for long."""


class UsageOperations:
    """See the module.

    Args:
        store: what was sent.
        clock: for the month that is now.
        accounts: the accounts.
        plan: what each account may send.
        prices: what that costs.
    """

    def __init__(
        self, store: Store, clock: Clock, accounts: ApiAccounts, plan: Plan, prices: Prices
    ) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._plan = plan
        self._prices = prices

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {"usage": self._usage}

    async def _usage(self, arguments: Mapping[str, Any], progress: Progress) -> Any:
        period = chosen(arguments, self._clock.now())
        by = arguments.get("by") or ("month" if period.months == MONTHS_A_YEAR else "day")
        await self._weigh(progress)
        everything, addresses = await self._figures(period)
        named = arguments.get("account")
        mine = everything if named is None else self._of(str(named), everything, addresses)
        mailboxes = len(self._accounts.all)
        if named is not None:
            folded = str(named).casefold()
            mailboxes = sum(one.address.casefold() == folded for one in self._accounts.all)
        totals, whole = totals_of(mine), totals_of(everything)

        def cost(counted: int) -> dict[str, Any]:
            return cost_facts(counted, mailboxes, period, self._plan, self._prices)

        return {
            "period": period.name,
            "from": period.first.isoformat(),
            "to": period.last.isoformat(),
            "by": by,
            "account": named,
            "rows": rows_of(mine, addresses, by),
            "totals": totals,
            "plan": plan_facts(mine, addresses, self._plan),
            "cost": cost(totals["counted"]),
            "all_accounts": {**whole, "sends_eur": cost(whole["counted"])["sends_eur"]},
        }

    async def _figures(self, period: Period) -> tuple[tuple[DayFigures, ...], dict[AccountId, str]]:
        async def work(
            tx: ReadTransaction,
        ) -> tuple[tuple[DayFigures, ...], dict[AccountId, str]]:
            figures = await tx.day_figures(period.first, period.last)
            # An account that left the settings has sent what it sent.
            ids = {one.account for one in figures}
            return figures, {id: await tx.address(id) or "?" for id in ids}

        return await self._store.scan(work)

    def _of(
        self,
        address: str,
        figures: tuple[DayFigures, ...],
        addresses: Mapping[AccountId, str],
    ) -> tuple[DayFigures, ...]:
        ids = {id for id, known in addresses.items() if known.casefold() == address.casefold()}
        if not ids:
            self._accounts.chosen({"account": address})
        return tuple(one for one in figures if one.account in ids)

    async def _weigh(self, progress: Progress) -> None:
        """Bring the outcomes into the sums that were filed before there were any."""
        done = 0
        while weighed := await self._store.write(_weigh_some):
            done += weighed
            progress(done, done + weighed)


async def _weigh_some(tx: Transaction) -> int:
    rows = await tx.unweighed(BATCH)
    for row in rows:
        await tx.keep_outcome(row.id, outcome_of(row, await standing_of(tx, row)))
    return len(rows)
