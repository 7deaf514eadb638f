"""``status`` where no bridge runs: what the last one wrote down, without touching it.

Nothing is locked, made, migrated or written; an account that no store knows yet has empty figures.
"""

from __future__ import annotations

import asyncio
from typing import Any

from bridge.api.budget import RequestBudget
from bridge.app.certificate import FILE_NAME as CERTIFICATE_NAME
from bridge.app.certificate import fingerprint
from bridge.app.count import StoredCount
from bridge.app.database import DataPlace, is_there, look_at
from bridge.app.hooks import outside
from bridge.clock import Clock
from bridge.config import Config
from bridge.model import AccountId
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.status import Sends, StatusOperations
from bridge.outbox.plan import PLANS
from bridge.outbox.window import Window
from bridge.store.base import ReadTransaction, Store, StoreFailed


async def look(config: Config, clock: Clock, place: DataPlace) -> dict[str, Any]:
    """Return the facts of ``status``, and under ``store`` why the store tells nothing, or None.

    Raises:
        OSError: nobody may look into ``data_dir``.
    """
    fault = None
    try:
        if await asyncio.to_thread(is_there, place):
            async with look_at(place) as store:
                return {**await _facts(config, store, clock), "store": None}
    except StoreFailed as error:
        fault = error.args[0]
    async with look_at(None) as store:
        return {**await _facts(config, store, clock), "store": fault}


async def _facts(config: Config, store: Store, clock: Clock) -> dict[str, Any]:
    async def work(tx: ReadTransaction) -> tuple[ApiAccount, ...]:
        known = [(one.address, await tx.account(one.address)) for one in config.account]
        # An id that no row has reads as an account of which nothing is known.
        return tuple(
            ApiAccount(AccountId(-number) if id is None else id, address, None)
            for number, (address, id) in enumerate(known, 1)
        )

    accounts = await store.read(work)
    per_day = config.sync.request_budget_per_day
    facts = StatusOperations(
        store,
        clock,
        ApiAccounts(accounts),
        Sends(
            PLANS[config.send.plan],
            Window.parse(config.send.window),
            config.receipts.deliver_to,
        ),
        None,
        {one.id: RequestBudget(clock, per_day, StoredCount(store, one.id)) for one in accounts},
        lambda: fingerprint(config.tls.certificate or config.data_dir / CERTIFICATE_NAME),
        outside=outside(config, {one.address: one.id for one in accounts}),
    )
    found: dict[str, Any] = await facts.methods()["status"]({}, _ignore)
    return found


def _ignore(_done: int, _total: int) -> None:
    return None
