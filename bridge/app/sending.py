"""Everything that sends, put together: the queue, the dispatcher, the search for lost answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random
from urllib.parse import urlsplit

from bridge.api.budget import Purpose
from bridge.api.ratelimit import SendPacer
from bridge.app.core import Core
from bridge.app.worker import Work
from bridge.model import AccountId, Added, Change
from bridge.outbox.dispatcher import PACE_MARGIN, Dispatcher, SendingAccount
from bridge.outbox.queue import Outbox, QueueSettings
from bridge.outbox.reconcile import Reconciler
from bridge.outbox.schedule import Schedule
from bridge.outbox.settle import Settler, recover
from bridge.outbox.waiting import Waiting
from bridge.outbox.wake import Wake
from bridge.outbox.window import Window
from bridge.store.base import ReadTransaction

MINUTE_S, HOUR_S = 60.0, 3600.0


class Sending:
    """The outbox of a running bridge.

    Build it with ``build``, which makes what a crash cut off ``uncertain``, before anything is
    listened on.

    Attributes:
        outbox: where submissions are queued.
        wake: tells the dispatcher that the queue changed.

    Args:
        core: what works on the data.
        pacer: keeps the least distance between two sends.
        random: ids, and how long to wait before another try.
        on_settled: called when a send of an account has an outcome.
    """

    def __init__(
        self,
        core: Core,
        pacer: SendPacer,
        random: Random,
        on_settled: Callable[[AccountId], None],
    ) -> None:
        send = core.config.send
        addresses, clients = core.addresses, core.clients
        self.wake = Wake()
        settings = QueueSettings(
            plan=core.plan,
            over_plan=send.over_plan,
            dedup_window_s=send.dedup_window_h * HOUR_S,
            same_message_id=send.same_message_id,
            subject_reference=send.subject_reference,
        )
        self.outbox = Outbox(core.mailboxes, core.clock, random, settings, self.wake)
        host = urlsplit(core.config.api.base_url).hostname or ""
        settler = Settler(
            core.mailboxes, core.clock, random, core.plan, addresses, host, core.lineage
        )
        self._core = core
        self._dispatcher = Dispatcher(
            core.store,
            settler,
            Schedule(
                core.store, core.mailboxes, core.plan, frozenset(clients), Window.parse(send.window)
            ),
            pacer,
            {id: SendingAccount(addresses[id], client) for id, client in clients.items()},
            core.clock,
            self.wake,
            signed=send.signed,
            on_settled=on_settled,
            apart=core.apart,
        )
        self._waiting = Waiting(
            core.store,
            core.mailboxes,
            core.clock,
            addresses,
            send.waiting_alarm_min * MINUTE_S,
            Window.parse(send.window),
        )
        searchers = {id: client.charged(Purpose.SEARCH) for id, client in clients.items()}
        self._reconciler = Reconciler(core.store, core.mailboxes, core.clock, searchers)
        core.mailboxes.subscribe(self._look_for_acceptances)

    @classmethod
    async def build(
        cls, core: Core, random: Random, on_settled: Callable[[AccountId], None]
    ) -> Sending:
        """Recover what a crash left, and put sending together.

        Args:
            core: data and accounts.
            random: queue ids, jitter.
            on_settled: is told the account after each request that may have sent something.

        Raises:
            StoreFailed: the store cannot be used.
        """

        async def work(tx: ReadTransaction) -> datetime | None:
            return await tx.newest_attempt_end()

        await recover(core.mailboxes, core.clock)
        last_start = await core.store.read(work)
        interval_s = PACE_MARGIN / core.config.send.rate_per_s
        pacer = SendPacer(core.clock, interval_s, last_start)
        return cls(core, pacer, random, on_settled)

    def works(self) -> dict[str, Work]:
        """Return the background work by name."""
        return {
            "dispatcher": self._dispatch,
            "reconciler": self._reconciler.run,
            "waiting": self._waiting.run,
            "lineage": self._core.lineage.run,
        }

    async def stop(self) -> None:
        """Begin no send any more; return when those under way have ended."""
        await self._dispatcher.stop()

    async def _dispatch(self) -> None:
        # Nothing is under way here: at the start, or because a dispatcher that failed has ended
        # its requests. Whatever is ``dispatching`` all the same was cut off.
        await recover(self._core.mailboxes, self._core.clock)
        await self._reconciler.look_before_sending()
        await self._dispatcher.run()

    def _look_for_acceptances(self, change: Change) -> None:
        if isinstance(change, Added):
            self._reconciler.look()
