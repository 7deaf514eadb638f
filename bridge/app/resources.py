"""What works on the data of one ``data_dir``: store, mailboxes, accounts, API clients.

Built by ``Resources.open`` under the lock, for a bridge as for a single command. Nothing here asks
the API or starts anything by itself.

Failure: ``Locked`` when another process uses the data, ``DataFault`` and ``StoreFailed`` when
folder or store cannot be used; nothing is held then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bridge.apart.process import Apart
from bridge.api.budget import RequestBudget
from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.app.certificate import FILE_NAME as CERTIFICATE_NAME
from bridge.app.count import StoredCount
from bridge.app.database import place_of
from bridge.app.held import HeldStore
from bridge.app.lock import DataLock
from bridge.app.way import way
from bridge.clock import Clock
from bridge.config import Account, Config
from bridge.credentials import Secret, Secrets
from bridge.mailbox import Mailboxes
from bridge.model import AccountId
from bridge.naming import name_account
from bridge.outbox.lineage import Lineage, PutBack
from bridge.outbox.plan import PLANS, Plan
from bridge.store.base import ReadTransaction, Store, StoreFailed
from bridge.trace.tracing import FOLDER as TRACES
from bridge.trace.tracing import ApiTap, Tracing

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Served:
    """One account as the parts use it; ``client`` is None where no secrets were needed."""

    id: AccountId
    settings: Account
    client: PecClient | None
    budget: RequestBudget


class Resources:
    """See the module; build it with ``open``.

    Attributes:
        held: the store, and whether this bridge leads it.
        accounts: in the order of the settings.
        apart: where large messages are worked on, one at a time.
        tracing: writes down what is said while somebody asks for it.
        api_results: counts the accounts' requests by what came of them, over reloads too.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        lock: DataLock,
        held: HeldStore,
        mailboxes: Mailboxes,
        lineage: Lineage,
        apart: Apart,
    ) -> None:
        self.config = config
        self.clock = clock
        self.held = held
        self.store = held.store
        self.mailboxes = mailboxes
        self.lineage = lineage
        self.accounts: tuple[Served, ...] = ()
        self.apart = apart
        self.tracing = Tracing(config.data_dir / TRACES, clock)
        self.api_results: Counter[str] = Counter()
        self._lock = lock
        self._connection: ApiConnection | None = None

    @classmethod
    async def open(
        cls,
        config: Config,
        secrets: Secrets | None,
        *,
        clock: Clock,
        http_transport: httpx.AsyncBaseTransport | None = None,
        store_url: Secret | None = None,
        follows: bool = False,
    ) -> Resources:
        """Take the lock, open the store and the accounts; see ``Lineage`` for a restored store.

        Args:
            config: the settings.
            secrets: what they point to; None where the API will not be asked.
            clock: time.
            http_transport: where API requests go instead of the network.
            store_url: what ``[store] url`` points to, where ``secrets`` are left out.
            follows: be content with another bridge that leads.

        Raises:
            Locked: another process uses the data.
            DataFault: the folder cannot be used.
            StoreFailed: the store cannot be used.
        """
        if secrets is not None:
            store_url = secrets.store_url
        lock = await asyncio.to_thread(DataLock, config.data_dir)
        try:
            held = await HeldStore.open(place_of(config, store_url), clock, follows=follows)
        except BaseException:
            lock.release()
            raise
        await _name_accounts(held.store)
        apart = Apart(config.data_dir)
        mailboxes = Mailboxes(held.store, clock, apart, has_company=held.has_company)
        try:
            lineage = await _lineage(held, mailboxes, clock, config.data_dir)
        except BaseException:
            await held.close()
            lock.release()
            raise
        resources = cls(config, clock, lock, held, mailboxes, lineage, apart)
        try:
            await resources._open_accounts(secrets, http_transport)
        except BaseException:
            await resources.close()
            raise
        return resources

    @property
    def addresses(self) -> dict[AccountId, str]:
        """Each account's address."""
        return {one.id: one.settings.address for one in self.accounts}

    @property
    def clients(self) -> dict[AccountId, PecClient]:
        """Each account's way to the API; empty without secrets."""
        return {one.id: one.client for one in self.accounts if one.client is not None}

    @property
    def plan(self) -> Plan:
        """What each account may send."""
        return PLANS[self.config.send.plan]

    @property
    def certificate(self) -> Path:
        """The file of the certificate that our servers show."""
        return self.config.tls.certificate or self.config.data_dir / CERTIFICATE_NAME

    async def take_over(
        self,
        config: Config,
        secrets: Secrets,
        http_transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Go by these settings from here on; nobody may be using the accounts meanwhile.

        Args:
            config: the settings, of the same data.
            secrets: what they point to.
            http_transport: where API requests go instead of the network.

        Raises:
            StoreFailed: an account cannot be opened.
        """
        before, self._connection = self._connection, None
        if before is not None:
            await before.aclose()
        self.config = config
        await self._open_accounts(secrets, http_transport)

    async def close(self) -> None:
        """Close the connections and the store, then give the lock back."""
        try:
            await self.tracing.close()
            if self._connection is not None:
                await self._connection.aclose()
            await self.apart.aclose()
            with contextlib.suppress(StoreFailed):  # as after a crash
                await self.lineage.tick()
            await self.held.close()
        finally:
            self._lock.release()

    async def _open_accounts(
        self, secrets: Secrets | None, http_transport: httpx.AsyncBaseTransport | None
    ) -> None:
        if not self.held.leads:  # another asks the API
            secrets = None
        if secrets is not None:
            api = self.config.api
            self._connection = ApiConnection(
                api.base_url,
                secrets.token.reveal(),
                clock=self.clock,
                timeout_s=api.timeout_s,
                transport=http_transport,
                apart=self.apart,
                way=way(api, secrets.proxy_login),
                results=self.api_results,
                may_change=self.held.is_sure,
            )
        served = []
        for index, account in enumerate(self.config.account):
            id = await self.mailboxes.open_account(account.address)
            per_day = self.config.sync.request_budget_per_day
            budget = RequestBudget(self.clock, per_day, StoredCount(self.store, id))
            served.append(
                Served(id, account, self._client(account, index, secrets, budget), budget)
            )
        self.accounts = tuple(served)

    def _client(
        self, account: Account, index: int, secrets: Secrets | None, budget: RequestBudget
    ) -> PecClient | None:
        if self._connection is None or secrets is None:
            return None
        return PecClient(
            self._connection,
            username=account.api_username,
            password=secrets.accounts[index].password.reveal(),
            clock=self.clock,
            budget=budget,
            encoding=self.config.send.attachment_encoding,
            tap=ApiTap(self.tracing, account.address),
        )


async def _name_accounts(store: Store) -> None:
    """Let log lines call the accounts by their addresses, those that left the settings too."""

    async def work(tx: ReadTransaction) -> dict[AccountId, str | None]:
        return {id: await tx.address(id) for id in await tx.accounts()}

    for id, address in (await store.read(work)).items():
        if address is not None:
            name_account(id, address)


async def _lineage(held: HeldStore, mailboxes: Mailboxes, clock: Clock, data_dir: Path) -> Lineage:
    """Return the lineage of a bridge that leads, or that joins the one that does.

    One that knows that the database is older than what was sent leads, whoever does: what waits in
    it is to be held.
    """
    if not held.leads:
        try:
            return await Lineage.join(mailboxes, clock, data_dir)
        except PutBack as error:
            log.warning("leader_on_an_older_store", reason=str(error))
            await held.seize()
    return await Lineage.open(mailboxes, clock, data_dir)
