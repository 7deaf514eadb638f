"""Everything that sends, put together: the queue, the dispatcher, the search for lost answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random
from urllib.parse import urlsplit

from bridge.api.purpose import Purpose
from bridge.api.ratelimit import SendPacer
from bridge.app.resources import Resources
from bridge.app.worker import Work
from bridge.model import AccountId, Added, Change
from bridge.outbox.content import QueuedTexts
from bridge.outbox.dispatcher import PACE_MARGIN, Dispatcher, SendingAccount, SendTurns
from bridge.outbox.queue import Outbox, QueueSettings
from bridge.outbox.reconcile import Reconciler
from bridge.outbox.schedule import Schedule
from bridge.outbox.settle import Settler, recover
from bridge.outbox.waiting import Waiting
from bridge.outbox.window import Window
from bridge.store.base import ReadTransaction
from bridge.wake import Wake

MINUTE_S, HOUR_S = 60.0, 3600.0


class OutboxService:
    """The outbox of a running bridge.

    Build it with ``build``, which makes what a crash cut off ``uncertain``, before anything is
    listened on.

    Attributes:
        outbox: where submissions are queued.
        wake: tells the dispatcher that the queue changed.

    Args:
        resources: what works on the data.
        pacer: keeps the least distance between two sends.
        random: ids, and how long to wait before another try.
        on_settled: called when a send of an account has an outcome.
    """

    def __init__(
        self,
        resources: Resources,
        pacer: SendPacer,
        random: Random,
        on_settled: Callable[[AccountId], None],
    ) -> None:
        send = resources.config.send
        addresses, clients = resources.addresses, resources.clients
        self.wake = Wake()
        settings = QueueSettings(
            plan=resources.plan,
            over_plan=send.over_plan,
            dedup_window_s=send.dedup_window_h * HOUR_S,
            same_message_id=send.same_message_id,
            subject_reference=send.subject_reference,
        )
        self.outbox = Outbox(resources.mailboxes, resources.clock, random, settings, self.wake)
        host = urlsplit(resources.config.api.base_url).hostname or ""
        settler = Settler(
            resources.mailboxes,
            resources.clock,
            random,
            resources.plan,
            addresses,
            host,
            resources.lineage,
        )
        self._resources = resources
        schedule = Schedule(
            resources.store,
            resources.mailboxes,
            resources.plan,
            frozenset(clients),
            Window.parse(send.window),
        )
        self._dispatcher = Dispatcher(
            QueuedTexts(resources.store, send.signed, resources.apart),
            settler,
            SendTurns(schedule, pacer, self.wake),
            {id: SendingAccount(addresses[id], client) for id, client in clients.items()},
            resources.clock,
            on_settled=on_settled,
        )
        self._waiting = Waiting(
            resources.store,
            resources.mailboxes,
            resources.clock,
            addresses,
            send.waiting_alarm_min * MINUTE_S,
            Window.parse(send.window),
        )
        searchers = {id: client.charged(Purpose.SEARCH) for id, client in clients.items()}
        self._reconciler = Reconciler(
            resources.store, resources.mailboxes, resources.clock, searchers
        )
        self._unsubscribe = resources.mailboxes.subscribe(self._look_for_acceptances)

    @classmethod
    async def build(
        cls, resources: Resources, random: Random, on_settled: Callable[[AccountId], None]
    ) -> OutboxService:
        """Recover what a crash left, if this bridge leads, and put sending together.

        Args:
            resources: data and accounts.
            random: queue ids, jitter.
            on_settled: is told the account after each request that may have sent something.

        Raises:
            StoreFailed: the store cannot be used.
        """

        async def work(tx: ReadTransaction) -> datetime | None:
            return await tx.newest_attempt_end()

        if resources.held.leads:
            await recover(resources.mailboxes, resources.clock)
        last_start = await resources.store.read(work)
        interval_s = PACE_MARGIN / resources.config.send.rate_per_s
        pacer = SendPacer(resources.clock, interval_s, last_start)
        return cls(resources, pacer, random, on_settled)

    def works(self) -> dict[str, Work]:
        """Return the background work by name: of a bridge that follows, no more than its mark's."""
        works: dict[str, Work] = {"lineage": self._resources.lineage.run}
        if self._resources.held.leads:
            works |= {
                "dispatcher": self._dispatch,
                "reconciler": self._reconciler.run,
                "waiting": self._waiting.run,
            }
        return works

    async def rest(self) -> None:
        """Return when nothing is under way and nothing more may leave now."""
        await self._dispatcher.rest()

    @property
    def under_way(self) -> int:
        """How many entries have left the queue for a request and not ended."""
        return self._dispatcher.under_way

    def hold(self, *, on: bool = True) -> None:
        """Begin no send until this is taken back."""
        self._dispatcher.hold(on=on)

    async def idle(self) -> None:
        """Return when no send is under way."""
        await self._dispatcher.idle()

    def close(self) -> None:
        """Hear of nothing any more: another sends from here on."""
        self._unsubscribe()

    async def stop(self) -> None:
        """Begin no send any more; return when those under way have ended."""
        await self._dispatcher.stop()

    async def _dispatch(self) -> None:
        # Nothing is under way here: at the start, or because a dispatcher that failed has ended
        # its requests. Whatever is ``dispatching`` all the same was cut off.
        await recover(self._resources.mailboxes, self._resources.clock)
        await self._reconciler.look_before_sending()
        await self._dispatcher.run()

    def _look_for_acceptances(self, change: Change) -> None:
        if isinstance(change, Added):
            self._reconciler.look()
