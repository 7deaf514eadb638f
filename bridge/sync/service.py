"""Sync: every account's inbox at the API and the one here kept equal.

One task for each account, so that one's trouble never delays another's. Sends wake their account,
because receipts follow, and so does an expunge, because a deletion may; ``sync_now`` brings an
account up to date while its caller waits.

Failure: nothing ends ``run`` but its cancellation. ``sync_now`` raises what went wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from random import Random

from bridge.clock import Clock
from bridge.mailbox import Mailboxes
from bridge.model import AccountId, Change, Expunged, MailboxId, Quota
from bridge.receipts.filing import Filing
from bridge.store.base import Store
from bridge.store.remote import RemoteId
from bridge.sync.account import AccountSync
from bridge.sync.parts import assemble
from bridge.sync.settings import NextLook, Standing, SyncAccount, SyncSettings
from bridge.sync.state import load

__all__ = ["Standing", "Sync", "SyncAccount", "SyncSettings"]


class Sync:
    """See the module.

    Args:
        store: rows and progress.
        mailboxes: the single writer.
        filing: makes messages of what was fetched.
        accounts: whom to follow.
        clock: time.
        random: jitter.
        settings: how.
    """

    def __init__(
        self,
        store: Store,
        mailboxes: Mailboxes,
        filing: Filing,
        accounts: Sequence[SyncAccount],
        clock: Clock,
        random: Random,
        settings: SyncSettings,
    ) -> None:
        self._store = store
        retention = timedelta(days=settings.retention_days)
        self._accounts = {}
        for one in accounts:
            parts = assemble(one, store, mailboxes, filing, clock, random, settings)
            self._accounts[one.id] = AccountSync(one, parts, mailboxes, clock, retention)
        self._unsubscribe = mailboxes.subscribe(self._take_note)

    def close(self) -> None:
        """Hear of nothing any more: another follows the accounts from here on."""
        self._unsubscribe()

    async def run(self) -> None:
        """Follow every account until cancelled."""
        async with asyncio.TaskGroup() as group:
            for account in self._accounts.values():
                group.create_task(account.run())

    def wake(self, account: AccountId | None = None) -> None:
        """Look sooner: a send ended, so receipts are due; None wakes every account."""
        for id, one in self._accounts.items():
            if account in (None, id):
                one.wake()

    def _take_note(self, change: Change) -> None:
        if isinstance(change, Expunged):
            for one in self._accounts.values():
                one.expunged(change.mailbox)

    def look_for_deletions(self, mailboxes: Collection[MailboxId] | None) -> None:
        """Take note that another bridge may have expunged something.

        Args:
            mailboxes: where; None: anywhere.
        """
        for one in self._accounts.values():
            if mailboxes is None:
                one.expunged(None)
            for mailbox in mailboxes or ():
                one.expunged(mailbox)

    async def sync_now(
        self, account: AccountId, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> int:
        """Bring one account up to date now.

        Args:
            account: which.
            progress: is told (bodies here, rows at the API) as it goes on.

        Returns:
            How many messages came.

        Raises:
            ApiError, StoreFailed: it could not be finished; what came until then stays.
        """
        return await self._accounts[account].settle(progress)

    async def fetch_texts(self, account: AccountId, remotes: Sequence[RemoteId]) -> int:
        """Fetch the texts of these rows of an account now; returns how many came.

        Raises:
            ApiError, StoreFailed: it could not be finished; what came until then stays.
        """
        return await self._accounts[account].fetch_texts(remotes)

    def standing(self, account: AccountId) -> Standing:
        """Say where an account stands."""
        one = self._accounts.get(account)
        return Standing() if one is None else one.standing

    async def next_look(self, account: AccountId) -> NextLook | None:
        """Say when an account's inbox is looked at again; None if it is not followed."""
        one = self._accounts.get(account)
        return None if one is None else await one.next_look()

    async def seen_until(self, account: AccountId) -> datetime | None:
        """Return up to when all that was listed in an account's inbox is known here.

        None if that is not known: it is not followed, or was never looked at.
        """
        one = self._accounts.get(account)
        return None if one is None else await one.seen_until()

    async def quota(self, account: AccountId) -> Quota | None:
        """Return how full an account's mailbox was when last asked, None if never."""
        one = self._accounts.get(account)
        if one is not None:
            return await one.quota()
        state = await self._store.read(lambda tx: tx.sync_state(account))  # another bridge asks
        return load(state).quota
