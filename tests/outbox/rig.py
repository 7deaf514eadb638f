"""An outbox on a real store and the simulator in memory, on a clock moved by hand.

``quiet`` waits until everything has come to rest: no commit is on its way and no task can go on
before the clock does. ``pass_time`` moves the clock from one sleeper to the next, at rest in
between. ``lose_memory`` is what a kill does.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import httpx

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.ratelimit import SendPacer
from bridge.mailbox import Mailboxes
from bridge.mime.strict.content import SignedPolicy
from bridge.mime.strict.submission import Submission
from bridge.model import AccountId, Flags, QueueId, SubmissionState, Uid
from bridge.outbox.content import QueuedTexts
from bridge.outbox.decision import Decisions
from bridge.outbox.dispatcher import Dispatcher, SendingAccount, SendTurns
from bridge.outbox.lineage import Lineage
from bridge.outbox.plan import PLANS, Plan
from bridge.outbox.queue import Outbox, QueueSettings
from bridge.outbox.reconcile import Reconciler
from bridge.outbox.schedule import Schedule
from bridge.outbox.settle import Settler, recover
from bridge.outbox.window import ALL_DAY, Window
from bridge.simulator import SEQUENCE_READING, Operation, Options, Simulator
from bridge.store.alarms import AlarmRow
from bridge.store.base import ReadTransaction, ReadWork, StoreFailed
from bridge.store.dsn import NOTHING_ASKED, DsnRequest
from bridge.store.figures import DayFigures
from bridge.store.outbox import AttemptRow, HoldRow, SubmissionRow, TransitionRow
from bridge.wake import Wake
from tests.fakes import FakeClock, Skewed
from tests.in_memory import in_memory
from tests.outbox.fragile import FragileStore
from tests.stores import open_store

T = TypeVar("T")

ADDRESSES = ("azienda@pec.invalid", "studio@pec.invalid")
PASSWORD = "parola-d'ordine"


class WatchedLineage(Lineage):
    """One whose writing beside the store is waited for by ``quiet``."""

    store: FragileStore | None = None

    async def witness(self, dispatches: int) -> None:
        witnessing = super().witness(dispatches)
        await (witnessing if self.store is None else self.store.beside(witnessing))


class Rig:
    """The outbox's parts as ``bridge.app`` puts them together."""

    def __init__(
        self,
        store: FragileStore,
        clock: FakeClock,
        connection: ApiConnection,
        accounts: Sequence[AccountId],
        mailboxes: Mailboxes,
        lineage: Lineage,
        last_start: datetime | None,
        *,
        plan: Plan,
        queue: QueueSettings,
        interval_s: float,
        signed: SignedPolicy,
        seed: int,
        window: Window,
    ) -> None:
        random = Random(seed)
        self.store = store
        self.clock = clock
        self.accounts = tuple(accounts)
        self.mailboxes = mailboxes
        self.lineage = lineage
        self.settled: list[AccountId] = []
        self.synced: set[int] = set()
        """Rows of the simulator that ``tests.outbox.test_foreign.sync`` has brought."""
        self.connection = connection
        clients = {
            id: PecClient(connection, username=address, password=PASSWORD, clock=clock)
            for id, address in zip(accounts, ADDRESSES, strict=True)
        }
        addresses = dict(zip(accounts, ADDRESSES, strict=True))
        self.wake = wake = Wake()
        self.outbox = Outbox(mailboxes, clock, random, queue, wake)
        self.settler = Settler(mailboxes, clock, random, plan, addresses, "api.invalid", lineage)
        self.dispatcher = Dispatcher(
            QueuedTexts(store, signed),
            self.settler,
            SendTurns(
                Schedule(store, mailboxes, plan, frozenset(accounts), window),
                SendPacer(clock, interval_s, last_start),
                wake,
            ),
            {id: SendingAccount(addresses[id], client) for id, client in clients.items()},
            clock,
            on_settled=self.settled.append,
        )
        self.reconciler = Reconciler(store, mailboxes, clock, clients)
        self.decisions = Decisions(mailboxes, clock, wake, clients, window)
        self._running: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        data_dir: Path,
        clock: FakeClock,
        simulator: Simulator,
        *,
        plan: Plan = PLANS["standard"],
        queue: QueueSettings | None = None,
        interval_s: float = 1.0,
        signed: SignedPolicy = "refuse",
        seed: int = 1,
        window: Window = ALL_DAY,
    ) -> Rig:
        """Open the store, recover what a crash left, put the parts together."""
        store = FragileStore(await open_store(data_dir))
        mailboxes = Mailboxes(store, clock)
        lineage = await WatchedLineage.open(mailboxes, clock, data_dir)
        lineage.store = store
        accounts = [await mailboxes.open_account(address) for address in ADDRESSES]
        for address in ADDRESSES:
            if address not in simulator.addresses:
                simulator.add_mailbox(address, PASSWORD)
        await recover(mailboxes, clock)

        async def newest(tx: ReadTransaction) -> datetime | None:
            return await tx.newest_attempt_end()

        connection = ApiConnection(
            "http://127.0.0.1",
            simulator.token,
            clock=clock,
            transport=httpx.ASGITransport(app=simulator.app),
        )
        return cls(
            store,
            clock,
            connection,
            accounts,
            mailboxes,
            lineage,
            await store.read(newest),
            plan=plan,
            queue=queue or QueueSettings(plan=plan),
            interval_s=interval_s,
            signed=signed,
            seed=seed,
            window=window,
        )

    def start(self) -> None:
        """Begin to dispatch."""
        self._running = asyncio.ensure_future(self.dispatcher.run())

    async def quiet(self) -> None:
        """Let everything come to rest without letting time pass."""
        await self.store.quiet()

    async def pass_time(self, duration_s: float) -> None:
        """Let time pass, and everything come to rest at each moment somebody waited for."""
        end_s = self.clock.monotonic() + duration_s
        await self.quiet()
        while (wake_s := self.clock.next_wake_s) is not None:
            if self.clock.monotonic() + wake_s > end_s:
                break
            await self.clock.advance(wake_s)
            await self.quiet()
        await self.clock.advance(max(end_s - self.clock.monotonic(), 0.0))
        await self.quiet()

    async def close(self) -> None:
        """Stop as at the end of a process that may do so in its own time."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self.connection.aclose()
        if not self.store.crashes.is_set():
            with contextlib.suppress(StoreFailed):
                await self.lineage.tick()
        await self.store.close()

    async def lose_memory(self) -> None:
        """Stop as a process that is killed: nobody gets to write anything any more."""
        self.store.crashes.set()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        while others:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=0)
            others = {task for task in others if not task.done()} | (
                asyncio.all_tasks() - {asyncio.current_task()}
            )
        await self.connection.aclose()
        await self.store.close()

    # -- what a user does --------------------------------------------------------------------

    async def submit(
        self,
        subject: str = "Prova",
        *recipients: str,
        account: int = 0,
        body: str = "Salve.",
        separate: Sequence[str] = (),
        message_id: str | None = None,
        urgent: bool = False,
        reference: str = "",
        dsn: DsnRequest = NOTHING_ASKED,
    ) -> QueueId:
        """Queue a message and return its id: a ``250``."""
        to = recipients or ("cliente@altra.invalid",)
        submission = submission_of(
            subject, to, ADDRESSES[account], body, separate=separate, message_id=message_id
        )
        submission = replace(submission, urgent=urgent, reference=reference)
        digest = hashlib.sha256(in_memory(submission.raw)).digest()
        queued = await self.outbox.enqueue(self.accounts[account], submission, digest, dsn=dsn)
        return queued.id

    # -- what there is -----------------------------------------------------------------------

    async def read(self, work: ReadWork[T]) -> T:
        return await self.store.read(work)

    async def row(self, id: QueueId) -> SubmissionRow:
        async def work(tx: ReadTransaction) -> SubmissionRow | None:
            return await tx.submission(id)

        row = await self.read(work)
        assert row is not None
        return row

    async def state(self, id: QueueId) -> SubmissionState:
        return (await self.row(id)).state

    async def rows(self) -> tuple[SubmissionRow, ...]:
        async def work(tx: ReadTransaction) -> tuple[SubmissionRow, ...]:
            return await tx.submissions()

        return await self.read(work)

    async def attempts(self, id: QueueId) -> tuple[AttemptRow, ...]:
        async def work(tx: ReadTransaction) -> tuple[AttemptRow, ...]:
            return await tx.attempts(id)

        return await self.read(work)

    async def transitions(self, id: QueueId) -> tuple[TransitionRow, ...]:
        async def work(tx: ReadTransaction) -> tuple[TransitionRow, ...]:
            return await tx.transitions(id)

        return await self.read(work)

    async def hold(self, account: int = 0) -> HoldRow | None:
        async def work(tx: ReadTransaction) -> HoldRow | None:
            return await tx.hold(self.accounts[account])

        return await self.read(work)

    async def alarms(self, account: int = 0) -> list[AlarmRow]:
        async def work(tx: ReadTransaction) -> list[AlarmRow]:
            return await tx.alarms(self.accounts[account])

        return await self.read(work)

    async def usage(self, account: int = 0) -> tuple[DayFigures, ...]:
        async def work(tx: ReadTransaction) -> tuple[DayFigures, ...]:
            figures = await tx.day_figures(date.min, date.max)
            return tuple(one for one in figures if one.account == self.accounts[account])

        return await self.read(work)

    async def mail(self, mailbox: str = "INBOX", account: int = 0) -> list[EmailMessage]:
        """Return the messages of a mailbox."""
        return [
            email.message_from_bytes(raw, policy=email.policy.default)
            for raw in await self.texts(mailbox, account)
        ]

    async def marked(
        self, mailbox: str = "Sent", account: int = 0
    ) -> list[tuple[EmailMessage, Flags]]:
        """Return the messages of a mailbox with their flags."""
        return [
            (email.message_from_bytes(raw, policy=email.policy.default), flags)
            for raw, flags in await self._messages(mailbox, account)
        ]

    async def texts(self, mailbox: str = "INBOX", account: int = 0) -> list[bytes]:
        """Return the messages of a mailbox as bytes."""
        return [raw for raw, _flags in await self._messages(mailbox, account)]

    async def flags(self, mailbox: str = "Sent", account: int = 0) -> Flags:
        """Return the flags of the last message of a mailbox."""
        return (await self._messages(mailbox, account))[-1][1]

    async def _messages(self, mailbox: str, account: int) -> list[tuple[bytes, Flags]]:
        id = self.accounts[account]

        async def work(tx: ReadTransaction) -> list[tuple[bytes, Flags]]:
            boxes = [one for one in await tx.mailboxes(id) if one.name == mailbox]
            if not boxes:  # made when something first comes into it
                return []
            (box,) = boxes
            found = []
            for uid, *_ in await tx.index_rows(box.id):
                row = await tx.message_row(box.id, Uid(uid))
                assert row is not None
                found.append((await tx.raw(row.content, 0, 10**8), row.flags))
            return found

        return await self.read(work)


def submission_of(
    subject: str,
    to: Sequence[str],
    sender: str,
    body: str,
    *,
    separate: Sequence[str] = (),
    message_id: str | None = None,
) -> Submission:
    """Return what ``mime.strict.submission`` makes of a plain message."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = subject
    message["Date"] = "Thu, 15 Jan 2026 10:00:00 +0100"
    given = message_id if message_id is not None else f"<{_name(subject, to, body)}@client.invalid>"
    if given:
        message["Message-ID"] = given
    message.set_content(body)
    return Submission(
        raw=message.as_bytes(),
        message_id=given or "<made@bridge.invalid>",
        identity=given,
        subject=subject,
        entries=(tuple(to), *((one,) for one in separate)),
    )


def _name(subject: str, to: Sequence[str], body: str) -> str:
    return hashlib.sha256("\0".join((subject, *to, body)).encode()).hexdigest()[:16]


def starts(simulator: Simulator) -> list[float]:
    """Return when each ``POST /send`` came in, in seconds of the clock."""
    return [call.received_s for call in simulator.calls(Operation.SEND)]


def subjects(simulator: Simulator) -> list[str]:
    """Return the subjects of what the API took, in order."""
    return [sent.subject for sent in simulator.sent]


def simulated(clock: FakeClock | Skewed, **changes: object) -> Simulator:
    """Return a simulator near the published examples, quick to make its codes the same."""
    options: Options = SEQUENCE_READING.replace(**changes)
    return Simulator(options, clock, Random(7))


@asynccontextmanager
async def rig_on(
    data_dir: Path, clock: FakeClock, simulator: Simulator, **options: Any
) -> AsyncIterator[Rig]:
    """Give a rig that dispatches, and stop it in the end."""
    rig = await Rig.open(data_dir, clock, simulator, **options)
    rig.start()
    try:
        yield rig
    finally:
        await rig.close()
