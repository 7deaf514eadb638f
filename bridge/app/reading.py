"""Everything that reads, put together: sync, the filing of what it brings, overdue receipts."""

from __future__ import annotations

from dataclasses import asdict
from random import Random

from bridge.api.budget import Purpose
from bridge.app.core import Core
from bridge.app.worker import Work
from bridge.config.values import Receipts
from bridge.receipts.destination import Destination
from bridge.receipts.filing import Filing
from bridge.receipts.kind import Kind
from bridge.receipts.overdue import Overdue
from bridge.sync.service import Sync, SyncAccount, SyncSettings


class Reading:
    """The inbox of each account; nothing is asked before ``works`` run or ``sync`` is told to.

    Attributes:
        sync: follows the inbox at the API.
    """

    def __init__(self, core: Core, random: Random) -> None:
        config = core.config
        filing = Filing(
            core.store,
            core.mailboxes,
            core.clock,
            destination=_destination(config.receipts),
            waits_for_texts=config.receipts.text != "never",
            apart=core.apart,
        )
        accounts = [
            SyncAccount(one.id, one.settings.address, one.client, one.budget)
            for one in core.accounts
            if one.client is not None
        ]
        settings = SyncSettings(
            config.sync.interval_s,
            config.sync.delete,
            config.archive.retention_days,
            config.receipts.text,
        )
        self.sync = Sync(core.store, core.mailboxes, filing, accounts, core.clock, random, settings)
        ids = [one.id for one in core.accounts]
        asking = {id: client.charged(Purpose.STATUS) for id, client in core.clients.items()}
        self._overdue = Overdue(
            core.store,
            core.mailboxes,
            core.clock,
            ids,
            clients=asking,
            seen_until=self.sync.seen_until,
        )

    def works(self) -> dict[str, Work]:
        """Return the background work by name."""
        return {"sync": self.sync.run, "overdue": self._overdue.run}


def _destination(settings: Receipts) -> Destination:
    seen = frozenset({Kind.ACCEPTANCE}) if settings.seen == "acceptances" else frozenset[Kind]()
    return Destination(settings.deliver_to, asdict(settings.names), seen)
