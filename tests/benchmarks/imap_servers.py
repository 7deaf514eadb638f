"""The servers that are measured: ours in a process of its own, on a file or on PostgreSQL.

Each is a context manager over a folder: it starts on a free loopback port, keeps its mail in the
folder, and is ended by its process id.
"""

from __future__ import annotations

import asyncio
import atexit
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from bridge.app.responsive import keep_responsive
from bridge.clock import SystemClock
from bridge.imapserver.server import ImapServer
from bridge.imapserver.services import Services
from bridge.login import GuessGuard, LoginGate
from bridge.mailbox import Mailboxes
from bridge.model import AccountId
from bridge.net.listen import Listen
from bridge.store.base import Store
from bridge.store.news import News
from bridge.store.postgres import PostgresStore
from bridge.store.sqlite import SqliteStore
from tests import cluster
from tests.benchmarks.imap_client import PASSWORD, USER

START_TIMEOUT_S = 30.0


class Server:
    """A server under measurement."""

    name = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    def command(self) -> list[str]:
        """Return the command that runs it in the foreground."""
        raise NotImplementedError

    def started(self, process: subprocess.Popen[str]) -> None:
        """Wait until it listens, and find out where."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(f"{self.name} does not listen")

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.started(self._process)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            with self._process as process:
                process.send_signal(signal.SIGTERM)

    def rss_kb(self) -> int:
        """Return the resident memory of the process that serves."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)


class Ours(Server):
    """``python -m tests.benchmarks.imap_servers FOLDER``: store, mailboxes and IMAP, no more."""

    name = "pec-bridge"

    def command(self) -> list[str]:
        """Return this module as a program."""
        return [sys.executable, "-m", "tests.benchmarks.imap_servers", str(self.folder)]

    def started(self, process: subprocess.Popen[str]) -> None:
        """Read the port it says."""
        assert process.stdout is not None
        self.port = int(process.stdout.readline())


class OnPostgres(Ours):
    """The same on a PostgreSQL server of its own, which syncs what it commits."""

    name = "pec-bridge on PostgreSQL"
    company = 0
    _clusters: ClassVar[dict[Path, tuple[cluster.Cluster, str]]] = {}

    def command(self) -> list[str]:
        """Start the server with the first start; it runs as long as this program."""
        if self.folder not in self._clusters:
            server = cluster.Cluster(**cluster.DURABLE)
            atexit.register(server.remove)
            server.start()
            self._clusters[self.folder] = server, server.new_database()
        server, database = self._clusters[self.folder]
        return [*super().command(), server.url(database), str(self.company)]


class OneOfTwo(OnPostgres):
    """The same while another bridge is connected, so that it has to be asked what that one did."""

    name = "one of two on PostgreSQL"
    company = 1


class OneUser:
    """Lets the benchmark in."""

    def __init__(self, account: AccountId) -> None:
        self._account = account

    async def check(self, login: str, password: str) -> AccountId | None:
        """Return the account."""
        return self._account if (login, password) == (USER, PASSWORD) else None


async def serve(folder: Path, url: str = "", company: int = 0) -> None:
    """Serve the folder's account until SIGTERM; print the port.

    Args:
        folder: where the data are.
        url: the database that has them instead.
        company: how many others are connected to it.
    """
    clock = SystemClock()
    store: Store
    if url:
        database = await PostgresStore.open(url, folder)
        store, mailboxes = database, followed(database, company)
    else:
        store = await SqliteStore.open(folder)
        mailboxes = Mailboxes(store, clock)
    account = await mailboxes.open_account(USER)
    services = Services(
        mailboxes,
        store,
        LoginGate(OneUser(account), GuessGuard(clock)),
        clock,
        None,
        64 * 1024 * 1024,
    )
    server = ImapServer(services)
    ((_, port),) = await server.start([Listen("127.0.0.1", 0)])
    print(port, flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop()
    await store.close()


def followed(store: PostgresStore, company: int) -> Mailboxes:
    """Return mailboxes that follow what others commit, as a bridge's do."""
    mailboxes = Mailboxes(store, SystemClock(), has_company=lambda: company > 0)
    tasks: set[asyncio.Task[None]] = set()

    def heard(news: News) -> None:
        task = asyncio.ensure_future(mailboxes.catch_up(news.mailboxes, news.accounts))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    store.listen(heard, "measured")
    return mailboxes


def new_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's where it is installed, as the bridge does."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


if __name__ == "__main__":
    keep_responsive()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        url, company = (*sys.argv[2:], "", "0")[:2]
        runner.run(serve(Path(sys.argv[1]), url, int(company)))
