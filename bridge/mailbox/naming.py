"""Names of mailboxes inside one store transaction: made, changed, spelled, subscribed to.

The part of ``transaction`` that no message takes part in.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bridge.imap.mailboxname import canonical
from bridge.language import Voice
from bridge.model import (
    AccountId,
    Change,
    Mailbox,
    MailboxCreated,
    MailboxId,
    MailboxRenamed,
    SpecialUse,
    SubscriptionChanged,
)
from bridge.store.base import Transaction


class NoSuchMailbox(Exception):
    """The mailbox is gone."""


class MailboxExists(Exception):
    """The name is taken."""


class NamingTransaction:
    """See the module; valid only while its work runs.

    Attributes:
        tx: the store's transaction, for the other areas to join the same commit.
        voice: how the bridge's own messages are written.
        changes: what was done so far, in order.
        told: what to call on the event loop once all of it is committed: what a log says may not
            come from work that is rolled back.
    """

    def __init__(self, tx: Transaction, now: datetime, voice: Voice) -> None:
        self.tx = tx
        self.voice = voice
        self.changes: list[Change] = []
        self.told: list[Callable[[], None]] = []
        self._now = now

    async def create(
        self, account: AccountId, name: str, special_use: SpecialUse | None = None
    ) -> Mailbox:
        """Make a mailbox.

        Raises:
            MailboxExists: the name is taken.
        """
        if await self.tx.mailbox_named(account, name) is not None:
            raise MailboxExists(name)
        box = await self.tx.add_mailbox(account, name, special_use, int(self._now.timestamp()))
        self.changes.append(MailboxCreated(box))
        return box

    async def rename(self, mailbox: MailboxId, name: str) -> Mailbox:
        """Give a mailbox another name; messages, UIDs and UIDVALIDITY stay.

        Raises:
            MailboxExists: the name is taken.
            NoSuchMailbox: it is gone.
        """
        old = await self._mailbox(mailbox)
        if await self.tx.mailbox_named(old.account, name) is not None:
            raise MailboxExists(name)
        await self.tx.rename_mailbox(mailbox, name)
        new = await self._mailbox(mailbox)
        self.changes.append(MailboxRenamed(new, old.name))
        return new

    async def spell_names(self, account: AccountId) -> None:
        """Give each mailbox and subscription its one spelling, which clients are understood by.

        Of two mailboxes that nobody can tell apart the second gets a number too.
        """
        boxes = await self.tx.mailboxes(account)
        taken = {box.name for box in boxes}
        for box in boxes:
            name = canonical(box.name)
            if name == box.name:
                continue
            number = 1
            while name in taken:
                number += 1
                name = f"{canonical(box.name)} {number}"
            taken.add(name)
            await self.rename(box.id, name)
        for name in await self.tx.subscriptions(account):
            if canonical(name) != name:
                await self.unsubscribe(account, name)
                await self.subscribe(account, canonical(name))

    async def subscribe(self, account: AccountId, name: str) -> None:
        """Subscribe to a name (RFC 3501 §6.3.6)."""
        await self.tx.add_subscription(account, name)
        self.changes.append(SubscriptionChanged(account, name, subscribed=True))

    async def unsubscribe(self, account: AccountId, name: str) -> None:
        """Drop a name (RFC 3501 §6.3.7)."""
        await self.tx.remove_subscription(account, name)
        self.changes.append(SubscriptionChanged(account, name, subscribed=False))

    async def _mailbox(self, mailbox: MailboxId) -> Mailbox:
        box = await self.tx.mailbox(mailbox)
        if box is None:
            raise NoSuchMailbox(str(mailbox))
        return box
