"""The mailboxes of each account by name, as far as somebody asked for them, as the store has them.

Others may write to the same store (docs/postgres.md): ``catch_up`` finds out what they made, named
anew and deleted. The numbers of a mailbox that move with its messages are its index's, not these.

Failure: the store's errors pass; what was not found out is found out the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from bridge.model import (
    AccountId,
    Mailbox,
    MailboxChange,
    MailboxCreated,
    MailboxDeleted,
    MailboxRenamed,
    SubscriptionChanged,
)
from bridge.store.base import ReadTransaction, Store


class MailboxNames:
    """See the module.

    Args:
        store: where the mailboxes are.
        tell: is told of each change that somebody else made, once it is known here.
    """

    def __init__(self, store: Store, tell: Callable[[MailboxChange], None]) -> None:
        self._store = store
        self._tell = tell
        self._boxes: dict[AccountId, dict[str, Mailbox]] = {}
        self._changes = 0

    async def of(self, account: AccountId) -> dict[str, Mailbox]:
        """Return an account's mailboxes by name; not to be changed."""
        while account not in self._boxes:
            changes, stored = self._changes, await self._read(account)
            if changes == self._changes:  # of what came meanwhile it may lack some
                self._boxes.setdefault(account, _by_name(stored))
        return self._boxes[account]

    def take_in(self, change: MailboxChange) -> bool:
        """Take in what was changed here, or elsewhere; tells whether it was not known yet."""
        self._changes += 1
        match change:
            case MailboxCreated():
                return self._put(change.mailbox, None)
            case MailboxRenamed():
                return self._put(change.mailbox, change.old_name)
            case MailboxDeleted():
                return self._drop(change.mailbox)
            case SubscriptionChanged():
                return True

    async def catch_up(self, accounts: Collection[AccountId] | None = None) -> list[Mailbox]:
        """Take in and tell what others did to the mailboxes of some accounts.

        Returns:
            Those that they deleted.

        Args:
            accounts: whose may have changed; None: anybody's.
        """
        gone: list[Mailbox] = []
        self._changes += 1  # who reads them now may lack what others did
        for account in [one for one in self._boxes if accounts is None or one in accounts]:
            changes, stored = self._changes, await self._read(account)
            while changes != self._changes:
                changes, stored = self._changes, await self._read(account)
            for change in _between(self._boxes[account].values(), stored):
                self.take_in(change)
                self._tell(change)
                if isinstance(change, MailboxDeleted):
                    gone.append(change.mailbox)
        return gone

    # -- inside ------------------------------------------------------------------------------

    async def _read(self, account: AccountId) -> tuple[Mailbox, ...]:
        async def work(tx: ReadTransaction) -> tuple[Mailbox, ...]:
            return await tx.mailboxes(account)

        return await self._store.read(work)

    def _put(self, box: Mailbox, old_name: str | None) -> bool:
        boxes = self._boxes.get(box.account)
        if boxes is None:
            return True
        known = boxes.get(box.name)
        if known is not None and known.id == box.id:
            return False
        if old_name is not None and old_name in boxes and boxes[old_name].id == box.id:
            del boxes[old_name]
        boxes[box.name] = box
        return True

    def _drop(self, box: Mailbox) -> bool:
        boxes = self._boxes.get(box.account)
        if boxes is None:
            return True
        named = boxes.get(box.name)
        if named is None or named.id != box.id:
            return False
        del boxes[box.name]
        return True


def _by_name(boxes: Iterable[Mailbox]) -> dict[str, Mailbox]:
    return {box.name: box for box in boxes}


def _between(known: Iterable[Mailbox], stored: Iterable[Mailbox]) -> list[MailboxChange]:
    """Return what led from the one list to the other: what went, got a new name, and came."""
    before = {box.id: box for box in known}
    after = {box.id: box for box in stored}
    gone = [MailboxDeleted(box) for box in before.values() if box.id not in after]
    renamed = [
        MailboxRenamed(box, before[box.id].name)
        for box in after.values()
        if box.id in before and before[box.id].name != box.name
    ]
    made = [MailboxCreated(box) for box in after.values() if box.id not in before]
    return [*gone, *renamed, *made]
