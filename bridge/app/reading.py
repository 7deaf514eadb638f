"""Everything that reads, put together: sync, the filing of what it brings, overdue receipts."""

from __future__ import annotations

from dataclasses import asdict
from random import Random

from bridge.api.purpose import Purpose
from bridge.app.resources import Resources
from bridge.app.worker import Work
from bridge.config.values import Receipts
from bridge.receipts.destination import Destination
from bridge.receipts.filing import Filing
from bridge.receipts.kind import Kind
from bridge.receipts.overdue import Overdue
from bridge.sync.service import Sync, SyncAccount, SyncSettings


class InboxReading:
    """The inbox of each account; nothing is asked before ``works`` run or ``sync`` is told to.

    Attributes:
        sync: follows the inbox at the API.
    """

    def __init__(self, resources: Resources, random: Random) -> None:
        config = resources.config
        filing = Filing(
            resources.store,
            resources.mailboxes,
            resources.clock,
            destination=_destination(config.receipts),
            waits_for_texts=config.receipts.text != "never",
            apart=resources.apart,
        )
        for one in resources.accounts:
            one.budget.count_anew()
        accounts = [
            SyncAccount(one.id, one.settings.address, one.client, one.budget)
            for one in resources.accounts
            if one.client is not None
        ]
        settings = SyncSettings(
            config.sync.interval_s,
            config.sync.delete,
            config.archive.retention_days,
            config.receipts.text,
            config.archive.clear_at_api,
        )
        self.sync = Sync(
            resources.store,
            resources.mailboxes,
            filing,
            accounts,
            resources.clock,
            random,
            settings,
        )
        self._ids = ids = [one.id for one in resources.accounts]
        asking = {id: client.charged(Purpose.STATUS) for id, client in resources.clients.items()}
        self._overdue = Overdue(
            resources.store,
            resources.mailboxes,
            resources.clock,
            ids,
            clients=asking,
            seen_until=self.sync.seen_until,
        )

    def is_current(self) -> bool:
        """Tell whether all that the API lists can be read here."""
        standings = [self.sync.standing(id) for id in self._ids]
        return all(one.last_sync is not None and one.fetched == one.total for one in standings)

    def close(self) -> None:
        """Hear of nothing any more: another reads from here on."""
        self.sync.close()

    def works(self) -> dict[str, Work]:
        """Return the background work by name."""
        return {"sync": self.sync.run, "overdue": self._overdue.run}


def _destination(settings: Receipts) -> Destination:
    seen = frozenset({Kind.ACCEPTANCE}) if settings.seen == "acceptances" else frozenset[Kind]()
    return Destination(settings.deliver_to, asdict(settings.names), seen)
