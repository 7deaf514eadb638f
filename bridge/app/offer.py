"""What the command line can ask for, put together from the areas that offer it."""

from __future__ import annotations

from random import Random

from bridge.api.budget import Purpose
from bridge.app.certificate import fingerprint
from bridge.app.core import Core
from bridge.app.reading import Reading
from bridge.net.listening import Running
from bridge.operations.alarms import Alarms
from bridge.operations.export import Export
from bridge.operations.facts import Facts, Sends
from bridge.operations.offer import Operations
from bridge.operations.queue import Queue
from bridge.operations.receipts import Receipts
from bridge.operations.subject import Subject, Subjects
from bridge.operations.sync import Syncing
from bridge.operations.usage import Usage
from bridge.outbox.decision import Decisions
from bridge.outbox.dispatcher import PACE_MARGIN
from bridge.outbox.wake import Wake
from bridge.outbox.window import Pace, Window


def operations(
    core: Core,
    random: Random,
    wake: Wake | None = None,
    reading: Reading | None = None,
    running: Running | None = None,
) -> Operations:
    """Return what can be asked for.

    Args:
        core: data and accounts.
        random: for a sync that has to be built for it.
        wake: wakes the dispatcher that runs; None if none does.
        reading: the sync that runs; None if none does.
        running: the bridge that this is part of; None if none runs.
    """
    subjects = Subjects(
        tuple(Subject(one.id, one.settings.address, one.client) for one in core.accounts)
    )
    budgets = {one.id: one.budget for one in core.accounts}
    reader = reading.sync if reading is not None else None
    sync = reader or Reading(core, random).sync

    asking = {id: client.charged(Purpose.COMMAND) for id, client in core.clients.items()}
    send = core.config.send
    window = Window.parse(send.window)
    decisions = Decisions(core.mailboxes, core.clock, wake, asking, window)

    sends = Sends(core.plan, window)
    pace = Pace(PACE_MARGIN / send.rate_per_s, core.plan, window)

    def shown() -> str | None:
        return fingerprint(core.certificate)

    areas = (
        Facts(core.store, core.clock, subjects, sends, reader, budgets, shown, running),
        Alarms(core.store, core.clock, subjects),
        Queue(core.store, core.clock, subjects, decisions, pace),
        Receipts(core.store, core.clock, subjects, sync),
        Usage(core.store, core.clock, subjects, core.plan, core.config.prices),
        Export(core.store, core.clock, subjects),
        Syncing(sync, subjects),
    )
    return Operations(area.methods() for area in areas)
