"""A simulator, a store and the sync between them, all in one process and on one fake clock."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from bridge.apart.process import Apart
from bridge.api.budget import RequestBudget
from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.mailbox import Mailboxes
from bridge.model import INBOX, AccountId, MailboxId, Uid
from bridge.receipts.filing import Filing
from bridge.simulator import Operation, Options, Simulator
from bridge.store.alarms import AlarmRow
from bridge.store.base import ReadTransaction
from bridge.store.messages import Part
from bridge.sync.pages import InboxClient
from bridge.sync.parts import Parts, assemble
from bridge.sync.service import Sync, SyncAccount, SyncSettings
from tests.fakes import FakeClock
from tests.stores import open_store
from tests.sync.quiet import Quiet

ADDRESS = "azienda@pec.invalid"
PASSWORD = "parola"
_SUBJECT = re.compile(rb"^Subject: *(.*?)\r\n(?![ \t])", re.M | re.S)


@dataclass
class World:
    """Everything a test of the sync needs; ``restart`` builds all but the simulator anew."""

    clock: FakeClock
    simulator: Simulator
    data_dir: Path
    settings: SyncSettings = field(default_factory=SyncSettings)
    per_day: int = 10**9
    addresses: tuple[str, ...] = (ADDRESS,)
    surprises: dict[int, Callable[[], object]] = field(default_factory=dict)
    """What happens at the API after so many more requests."""
    wrap: Callable[[PecClient], InboxClient] = lambda client: client
    """Changes what the sync sees of the API."""
    apart: Apart | None = None
    """Where large texts are worked on; None reads all in memory."""

    async def start(self) -> None:
        self.store = await open_store(self.data_dir)
        quiet = Quiet()
        quiet.watch(self.store)
        self.clock.rest = quiet.wait
        self.mailboxes = Mailboxes(self.store, self.clock)
        self.connection = ApiConnection(
            "http://127.0.0.1",
            self.simulator.token,
            clock=self.clock,
            transport=_Between(self),
            apart=self.apart,
        )
        accounts = [await self._account(address) for address in self.addresses]
        self.account = accounts[0].id
        self.accounts = accounts
        waits = self.settings.text != "never"
        self.filing = Filing(
            self.store, self.mailboxes, self.clock, waits_for_texts=waits, apart=self.apart
        )
        self.sync = Sync(
            self.store, self.mailboxes, self.filing, accounts, self.clock, Random(5), self.settings
        )
        inbox = await self.mailboxes.find(self.account, INBOX)
        assert inbox is not None
        self.inbox_id: MailboxId = inbox.id

    def parts(self) -> Parts:
        """Return what works together for the account, to be used by itself."""
        return assemble(
            self.accounts[0],
            self.store,
            self.mailboxes,
            self.filing,
            self.clock,
            Random(5),
            self.settings,
        )

    async def _account(self, address: str) -> SyncAccount:
        if address not in self.simulator.addresses:
            self.simulator.add_mailbox(address, PASSWORD)
        budget = RequestBudget(self.clock, self.per_day)
        client = PecClient(
            self.connection,
            username=address,
            password=PASSWORD,
            clock=self.clock,
            budget=budget,
        )
        account = await self.mailboxes.open_account(address)
        return SyncAccount(account, address, self.wrap(client), budget)

    async def stop(self) -> None:
        await self.connection.aclose()
        await self.store.close()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def let_pass(self, step_s: float) -> None:
        """Let time pass, and what it brings up be done, for all that runs beside."""
        await self.clock.advance(step_s)

    async def sync_now(self) -> int:
        return await self.sync.sync_now(self.account)

    # -- what is here ------------------------------------------------------------------------

    async def messages(self, mailbox: str = INBOX) -> dict[Uid, str]:
        """Return UID and whole text of each message but alarms."""
        box = await self.mailboxes.find(self.account, mailbox)
        assert box is not None
        box_id = box.id

        async def work(tx: ReadTransaction) -> dict[Uid, str]:
            found = {}
            for row in await tx.index_rows(box_id):
                message = await tx.message_row(box_id, Uid(row[0]))
                assert message is not None
                pieces = await tx.pieces([message.content], [Part.RAW])
                raw = pieces[0][1]
                assert isinstance(raw, bytes)
                if b"Auto-Submitted: auto-generated" not in raw:
                    found[Uid(row[0])] = raw.decode("utf-8", "replace")
            return found

        return await self.store.read(work)

    async def by_rank(self) -> list[str]:
        """Return the known rows' subjects by rank, oldest first; no two have the same rank."""

        async def work(tx: ReadTransaction) -> list[tuple[float, str]]:
            return [(row.rank, row.subject) for row in await tx.remote_rows(self.account)]

        rows = await self.store.read(work)
        assert len({rank for rank, _ in rows}) == len(rows)
        return [subject for _, subject in sorted(rows)]

    async def alarms(self, account: AccountId | None = None) -> list[AlarmRow]:
        async def work(tx: ReadTransaction) -> list[AlarmRow]:
            return await tx.alarms(account or self.account)

        return await self.store.read(work)

    def made(self, operation: Operation) -> int:
        """Return how many calls of an operation came in."""
        return len(self.simulator.calls(operation))

    def listed(self) -> list[str]:
        """Return the subjects at the API, oldest first."""
        return [one.row.subject for one in self.simulator.inbox(self.addresses[0])]


class _Between(httpx.ASGITransport):
    """The simulator in memory; lets surprises happen between two requests.

    But not right before a deletion: against somebody else's deletion in the instant between the
    last look and ours, with ids that shift, the API gives no protection.
    """

    def __init__(self, made: World) -> None:
        super().__init__(app=made.simulator.app)
        self._world = made

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        surprises = self._world.surprises
        if request.method == "GET":
            for count in sorted(count for count in surprises if count <= 0):
                surprises.pop(count)()
        waiting = {count - 1: happens for count, happens in surprises.items()}
        surprises.clear()
        surprises.update(waiting)
        return await super().handle_async_request(request)


@asynccontextmanager
async def world(
    data_dir: Path, options: Options, clock: FakeClock | None = None, **changes: object
) -> AsyncIterator[World]:
    """Give a world with one empty mailbox."""
    clock = clock or FakeClock()
    made = World(clock, Simulator(options, clock, Random(1)), data_dir)
    for name, value in changes.items():
        setattr(made, name, value)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
