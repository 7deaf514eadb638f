"""What the command line can ask for, put together from the areas that offer it."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from bridge.api.purpose import Purpose
from bridge.app.certificate import fingerprint
from bridge.app.hooks import outside
from bridge.app.reading import InboxReading
from bridge.app.resources import Resources
from bridge.net.listening import Running
from bridge.operations.accounts import ApiAccount, ApiAccounts, Methods
from bridge.operations.alarms import AlarmOperations
from bridge.operations.archive import ArchiveOperations
from bridge.operations.events import EventOperations
from bridge.operations.export import ExportOperations
from bridge.operations.flow import FlowOperations
from bridge.operations.keys import KeyOperations
from bridge.operations.outcome import OutcomeOperations
from bridge.operations.queue import QueueOperations
from bridge.operations.receipts import ReceiptOperations
from bridge.operations.sent import SentOperations
from bridge.operations.status import Sends, StatusOperations
from bridge.operations.sync import SyncOperations
from bridge.operations.table import Operations
from bridge.operations.usage import UsageOperations
from bridge.outbox.decision import Decisions
from bridge.outbox.dispatcher import PACE_MARGIN
from bridge.outbox.valve import Valve
from bridge.outbox.window import SendingPace, Window
from bridge.wake import Wake


def operations(
    resources: Resources,
    random: Random,
    wake: Wake | None = None,
    reading: InboxReading | None = None,
    running: Running | None = None,
    more: Iterable[Methods] = (),
) -> Operations:
    """Return what can be asked for.

    Args:
        resources: data and accounts.
        random: for a sync that has to be built for it.
        wake: wakes the dispatcher that runs; None if none does.
        reading: the sync that runs; None if none does.
        running: the bridge that this is part of; None if none runs.
        more: what only a bridge that runs offers.
    """
    accounts = accounts_of(resources)
    budgets = {one.id: one.budget for one in resources.accounts}
    reader = reading.sync if reading is not None else None
    sync = reader or InboxReading(resources, random).sync

    asking = {id: client.charged(Purpose.COMMAND) for id, client in resources.clients.items()}
    send = resources.config.send
    window = Window.parse(send.window)
    decisions = Decisions(resources.mailboxes, resources.clock, wake, asking, window)

    sends = Sends(resources.plan, window, resources.config.receipts.deliver_to)
    pace = SendingPace(PACE_MARGIN / send.rate_per_s, resources.plan, window)

    def shown() -> str | None:
        return fingerprint(resources.certificate)

    areas = (
        StatusOperations(
            resources.store,
            resources.clock,
            accounts,
            sends,
            reader,
            budgets,
            shown,
            running,
            outside(resources.config, {address: id for id, address in resources.addresses.items()}),
        ),
        AlarmOperations(resources.store, resources.clock, accounts),
        QueueOperations(resources.store, resources.clock, accounts, decisions, pace),
        FlowOperations(accounts, Valve(resources.mailboxes, resources.clock, wake)),
        ReceiptOperations(resources.store, resources.clock, accounts, sync),
        UsageOperations(
            resources.store, resources.clock, accounts, resources.plan, resources.config.prices
        ),
        OutcomeOperations(
            resources.store,
            resources.clock,
            accounts,
            window,
            resources.mailboxes if running is not None else None,
        ),
        EventOperations(
            resources.store, resources.clock, accounts, resources.mailboxes if running else None
        ),
        ExportOperations(resources.store, resources.clock, accounts),
        ArchiveOperations(resources.store, resources.config.archive.retention_days),
        SyncOperations(sync, accounts),
        SentOperations(resources.store, accounts),
        KeyOperations(resources.store, resources.clock, accounts),
    )
    return Operations([*(area.methods() for area in areas), *more])


def accounts_of(resources: Resources) -> ApiAccounts:
    """Return the accounts that operations work on."""
    return ApiAccounts(
        tuple(ApiAccount(one.id, one.settings.address, one.client) for one in resources.accounts)
    )
