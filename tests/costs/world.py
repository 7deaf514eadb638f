"""The real daemon as a process, a simulated API, another user who measures; and who attacks."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.clock import SystemClock
from bridge.simulator import SEQUENCE_READING, Delays, Simulator, SimulatorServer
from tests.benchmarks.imap_client import PASSWORD, USER, Client
from tests.costs.probe import submit
from tests.running import eventually

TRUSTED = "127.0.0.2"
PATIENCE_S = 180.0
SEEDED = 200
CONFIG = """\
data_dir = "data"
[api]
base_url = "{api_url}"
token = {{ file = "token" }}
[send]
rate_per_s = 20
[sync]
interval_s = 1
request_budget_per_day = 0
[imap]
listen = ["127.0.0.1:0"]
[smtp]
listen = ["127.0.0.1:0"]
[web]
listen = ["127.0.0.1:0"]
[[smtp.trusted]]
network = "{trusted}/32"
account = "{address}"
[[account]]
address = "{address}"
password = {{ env = "TEST_PEC_PASSWORD" }}
"""


class Api:
    """The simulator, or something worse in its place while ``instead`` is set."""

    def __init__(self, simulator: Simulator) -> None:
        self._app = simulator.app
        self.instead: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.instead if self.instead is not None and scope["type"] == "http" else self._app
        await app(scope, receive, send)


def simulator_of(**options: object) -> Simulator:
    """Return an API with one mailbox that keeps no attachments."""
    reading = SEQUENCE_READING.replace(delays=Delays(), keep_content=False, **options)
    simulator = Simulator(reading, SystemClock(), Random(1))
    simulator.add_mailbox(USER, PASSWORD)
    return simulator


def bomb() -> Response:
    """Return an answer that unpacks twice to gigabytes."""
    packed = gzip.compress(gzip.compress(bytes(32 * 1024**2)) * 200)
    return Response(packed, headers={"content-encoding": "gzip, gzip"})


@dataclass(slots=True)
class World:
    """See the module; ``folder`` has the configuration and the log."""

    folder: Path
    simulator: Simulator
    api: Api
    daemon: Process
    probe: Process
    imap_port: int
    smtp_port: int
    web_port: int
    streams: list[Stream] = field(default_factory=list)

    def memory_kb(self, name: str = "VmRSS") -> int:
        """Return what the system says of the daemon."""
        lines = Path(f"/proc/{self.daemon.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

    def forget_peak(self) -> None:
        """Let the system count the peak of memory anew."""
        Path(f"/proc/{self.daemon.pid}/clear_refs").write_text("5")

    async def worst(self) -> dict[str, Any]:
        """Return what was worst for the other user since this was asked last."""
        assert self.probe.stdin is not None
        assert self.probe.stdout is not None
        self.probe.stdin.write(b"\n")
        return dict(json.loads(await self.probe.stdout.readline()))

    # -- attackers -------------------------------------------------------------------------------

    async def imap(self, *, login: bool = True) -> Stream:
        """Connect, and log in."""
        stream = Stream(*await asyncio.open_connection("127.0.0.1", self.imap_port, limit=2**26))
        self.streams.append(stream)
        await stream.line()
        if login:
            await stream.command(f'LOGIN "{USER}" "{PASSWORD}"')
        return stream

    async def smtp(self, *, login: bool = True, source: str = "127.0.0.1") -> Stream:
        """Connect, and log in."""
        streams = await asyncio.open_connection("127.0.0.1", self.smtp_port, local_addr=(source, 0))
        stream = Stream(*streams)
        self.streams.append(stream)
        await stream.line()
        if login:
            plain = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
            stream.write(f"EHLO x\r\nAUTH PLAIN {plain}\r\n".encode())
            while not (await stream.line()).startswith(b"235"):
                pass
        return stream

    async def http(self) -> Stream:
        """Connect to the page."""
        stream = Stream(*await asyncio.open_connection("127.0.0.1", self.web_port, limit=2**26))
        self.streams.append(stream)
        return stream

    async def hang_up(self) -> None:
        """End every connection that an attacker left open."""
        for stream in self.streams:
            stream.writer.transport.abort()
        self.streams.clear()
        await asyncio.sleep(0)

    async def submit(self, raw: bytes, to: str = "uno@altra.example") -> bytes:
        """Submit a message; return the reply to it."""
        stream = await self.smtp()
        stream.write(f"MAIL FROM:<{USER}>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode())
        while not (line := await stream.line()).startswith(b"354"):
            if line[:1] in b"45":
                return line
        stream.write(raw + b"\r\n.\r\n")
        reply = await stream.line()
        stream.close()
        return reply

    async def append(self, raw: bytes, mailbox: str = "Drafts") -> bytes:
        """Append a message; return the tagged reply."""
        stream = await self.imap()
        stream.write(b"x APPEND %b {%d+}\r\n%b\r\n" % (mailbox.encode(), len(raw), raw))
        reply = await stream.until_tagged(b"x")
        stream.close()
        return reply

    async def arrives(self, **row: Any) -> None:
        """Put a row into the API's inbox and wait until INBOX shows as many."""
        row.setdefault("subject", "una riga")
        self.simulator.inject(USER, **row)
        rows = len(self.simulator.inbox(USER))

        async with asyncio.timeout(PATIENCE_S):
            while await self.exists() < rows:  # noqa: ASYNC110 - has no event to wait for
                await asyncio.sleep(0.05)

    async def exists(self) -> int:
        """Return how many messages INBOX has."""
        stream = await self.imap()
        said = await stream.command("STATUS INBOX (MESSAGES)")
        stream.close()
        return int(said.split(b"MESSAGES ")[1].split(b")")[0])

    # -- whether it works ------------------------------------------------------------------------

    async def works(self) -> None:
        """Log in, fetch, submit and see it posted, and have a new row arrive."""
        name = f"works {time.time_ns()}"
        await asyncio.to_thread(self._look, name)
        async with asyncio.timeout(PATIENCE_S):  # what the other user sent meanwhile goes first
            while not any(  # noqa: ASYNC110 - has no event to wait for
                name in one.subject for one in self.simulator.sent[-200:]
            ):
                await asyncio.sleep(0.05)
        await self.arrives(subject=name)

    def _look(self, name: str) -> None:
        with contextlib.closing(Client(self.imap_port)) as client:
            client.command("SELECT INBOX")
            client.command("FETCH 1 (FLAGS ENVELOPE BODY.PEEK[])")
        submit(self.smtp_port, name)


@dataclass(slots=True)
class Stream:
    """One connection of an attacker's."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def line(self) -> bytes:
        """Return a line; b"" at the end."""
        try:
            return await self.reader.readline()
        except ConnectionError:
            return b""

    def write(self, data: bytes) -> None:
        """Send, whoever reads."""
        self.writer.write(data)

    async def command(self, command: str | bytes) -> bytes:
        """Give an IMAP command; return all that is said up to the tagged reply."""
        text = command.encode() if isinstance(command, str) else command
        self.write(b"c " + text + b"\r\n")
        return await self.until_tagged(b"c")

    async def until_tagged(self, tag: bytes) -> bytes:
        """Return the end of what is said up to the tagged reply, or to the end."""
        said = b""
        while line := await self.reader.read(2**20):
            said = said[-(2**16) :] + line
            last = said.rstrip(b"\r\n").rpartition(b"\r\n")[2]
            if last.startswith(tag + b" ") and said.endswith(b"\r\n"):
                break
        return said

    async def pour(self, piece: bytes, for_s: float, most_bytes: int = 200 * 1024**2) -> None:
        """Send again and again until the server hangs up or enough was sent."""
        until_s, sent_bytes = time.monotonic() + for_s, 0
        reading = asyncio.ensure_future(self._swallow())
        with contextlib.suppress(ConnectionError, TimeoutError):
            while time.monotonic() < until_s and sent_bytes < most_bytes and not reading.done():
                self.write(piece)
                sent_bytes += len(piece)
                async with asyncio.timeout(for_s):
                    await self.writer.drain()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        self.writer.transport.abort()

    async def _swallow(self) -> None:
        while await self.reader.read(2**16):
            pass

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


async def _process(*arguments: str | Path, log: Path, **variables: str) -> Process:
    with log.open("ab") as errors:
        return await asyncio.create_subprocess_exec(
            *arguments,
            stdin=PIPE if arguments[0] == sys.executable else DEVNULL,
            stdout=PIPE,
            stderr=errors,
            env={**os.environ, **variables},
        )


@contextlib.asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Start everything and end it; the daemon by SIGTERM."""
    simulator = simulator_of()
    simulator.seed(USER, SEEDED)
    api = Api(simulator)
    async with SimulatorServer(api) as server:
        (folder / "token").write_text(simulator.token)
        (folder / "token").chmod(0o600)
        config = folder / "config.toml"
        config.write_text(CONFIG.format(api_url=server.url, address=USER, trusted=TRUSTED))
        (folder / "turns").touch()
        daemon = await _process(
            *(sys.executable, "-m", "tests.costs.watched", folder),
            *("serve", "--json", "--config", config),
            log=folder / "log",
            TEST_PEC_PASSWORD=PASSWORD,
        )
        assert daemon.stdout is not None
        ready = json.loads(await asyncio.wait_for(daemon.stdout.readline(), PATIENCE_S))
        first = {one["protocol"]: one["port"] for one in reversed(ready["listeners"])}
        ports = [str(first[name]) for name in ("imap", "smtp")]
        probe = await _process(
            sys.executable, "-m", "tests.costs.probe", *ports, log=folder / "probe"
        )
        made = World(
            folder, simulator, api, daemon, probe, first["imap"], first["smtp"], first["http"]
        )
        try:

            async def read() -> bool:
                return await made.exists() >= SEEDED

            await eventually(read)
            yield made
        finally:
            probe.kill()
            await probe.wait()
            if daemon.returncode is None:
                daemon.send_signal(signal.SIGTERM)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(daemon.wait(), 20)
            if daemon.returncode is None:
                daemon.kill()
                await daemon.wait()
