"""``account purge``: what is left of an account that was removed, shown, and then forgotten.

Holds the data itself, so that no bridge runs meanwhile: one that does might know the account still.

Failure: ``OperationFailed``, ``Locked``, ``StoreFailed``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from bridge.app.database import DataPlace, is_there
from bridge.app.held import HeldStore
from bridge.app.lock import DataLock
from bridge.clock import SystemClock
from bridge.language import say
from bridge.model import AccountId
from bridge.operations.control import OperationFailed
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.trace.tracing import FOLDER as TRACES
from bridge.trace.tracing import forget_all

CONTENTS_AT_ONCE = 200


@asynccontextmanager
async def _held(place: DataPlace) -> AsyncIterator[Store]:
    if not await asyncio.to_thread(is_there, place):
        raise OperationFailed(say("There is no data in {data_dir}.", data_dir=place.name))
    lock = await asyncio.to_thread(DataLock, place.data_dir)
    try:
        held = await HeldStore.open(place, SystemClock())
        try:
            yield held.store
        finally:
            await held.close()
    finally:
        lock.release()


async def left_of(place: DataPlace, address: str) -> dict[str, Any]:
    """Return what the data hold of an account.

    Raises:
        OperationFailed: nothing.
        Locked, StoreFailed: it cannot be seen.
    """
    async with _held(place) as store:
        account = await _found(store, address)

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            return asdict(await tx.holding(account)) | {"waiting": await tx.waiting_count(account)}

        return await store.read(work)


async def purge(place: DataPlace, address: str) -> None:
    """Forget all of it; what was begun and cut off is ended by another go.

    Raises:
        OperationFailed: nothing is left.
        Locked, StoreFailed: it could not be done, or not all of it.
    """
    async with _held(place) as store:
        account = await _found(store, address)

        async def rows(tx: Transaction) -> None:
            await tx.purge_rows(account)

        async def contents(tx: Transaction) -> int:
            return await tx.purge_contents(account, CONTENTS_AT_ONCE)

        async def itself(tx: Transaction) -> None:
            await tx.forget_account(account)

        await store.write(rows)
        while await store.write(contents):
            pass
        await store.write(itself)
        # of whom a trace of an address has words nobody can tell
        await asyncio.to_thread(forget_all, place.data_dir / TRACES)


async def _found(store: Store, address: str) -> AccountId:
    async def work(tx: ReadTransaction) -> AccountId | None:
        return await tx.account(address)

    account = await store.read(work)
    if account is None:
        raise OperationFailed(say("Nothing of {address} is there.", address=address))
    return account
