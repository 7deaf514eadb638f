"""What other bridges are told (see ``store.news``): the engine tells it with the commit."""

from __future__ import annotations

from collections.abc import Collection

from bridge.model import AccountId, MailboxId
from bridge.store.sql.engine import Area


class SqlNews(Area):
    """Satisfies ``NewsWrites``."""

    async def announce(
        self, mailboxes: Collection[MailboxId], accounts: Collection[AccountId]
    ) -> None:
        """See ``NewsWrites``."""
        self._engine.announce(mailboxes, accounts)
