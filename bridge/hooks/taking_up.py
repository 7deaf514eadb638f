"""Taking up hooks where they were left off, at each start and each change of the settings.

A new hook is told what happens from then on. One that was away, because a line of the settings was
missing, goes on where it was if that was not for longer than a delivery is tried; else it begins
anew. What it was to be told before is kept either way, and forgotten with the events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.hooks.schedule import PATIENCE_S
from bridge.model import AccountId
from bridge.store.base import Transaction
from bridge.store.hooks import HookRow


async def take_up(
    tx: Transaction,
    wanted: Sequence[tuple[AccountId | None, str]],
    now: datetime,
    kept: timedelta,
) -> list[HookRow]:
    """Return the row of each hook that the settings want, in their order.

    Args:
        tx: the commit to join.
        wanted: account (None for everybody's) and name of each.
        now: aware.
        kept: how long one that left the settings is known.
    """
    rows = []
    for account, name in wanted:
        row = await tx.open_hook(account, name)
        if row.left_at is not None and now - row.left_at > timedelta(seconds=PATIENCE_S):
            _, newest = await tx.event_numbers()
            row = replace(row, cursor=newest)
        row = replace(row, left_at=None, until=None)  # it may have been mended: ask at once
        await tx.keep_hook(row)
        rows.append(row)
    known = {row.id for row in rows}
    for row in await tx.hooks():
        if row.id in known:
            continue
        if row.left_at is None:
            await tx.keep_hook(replace(row, left_at=now))
        elif now - row.left_at > kept:
            await tx.drop_hook(row.id)
    return rows
