"""How the outbox keeps its pace: ``python -m tests.benchmarks.dispatch_speed`` prints JSON.

- ``drain``: 120 messages that wait when the dispatcher starts, at one a second, against a
  simulated API on a port: seconds until the last has left, and the least distance between two
  starts, as the API saw them.
- ``idle``: milliseconds from the commit that a ``250`` stands for to the start of the request
  (the API's view again), over 50 messages, each submitted to an outbox at rest.
- ``large``: one message of 30 MB submitted to a real ``serve`` by SMTP and posted: the process's
  peak memory, and the longest that an IMAP session waited for a NOOP all the while.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import structlog

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.ratelimit import SendPacer
from bridge.clock import SystemClock
from bridge.mailbox import Mailboxes
from bridge.mime.strict.submission import Submission
from bridge.model import AccountId
from bridge.outbox.content import QueuedTexts
from bridge.outbox.dispatcher import PACE_MARGIN, Dispatcher, SendingAccount, SendTurns
from bridge.outbox.lineage import Lineage
from bridge.outbox.plan import PLANS
from bridge.outbox.queue import Outbox, QueueSettings
from bridge.outbox.schedule import Schedule
from bridge.outbox.settle import Settler
from bridge.store.sqlite.database import SqliteStore
from bridge.wake import Wake

ADDRESS, PASSWORD = "azienda@pec.invalid", "parola"
DRAINED, IDLE = 120, 50
LARGE_BYTES = 30 * 1000**2
PROGRAM = Path(sys.executable).with_name("pec-bridge")
SUBMIT = f"""
import smtplib, sys
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=60) as server:
    server.login({ADDRESS!r}, {PASSWORD!r})
    server.sendmail({ADDRESS!r}, ["a@b.invalid"], open(sys.argv[2], "rb").read())
"""


@dataclass
class Outgoing:
    """An outbox whose dispatcher is started by the measurement."""

    account: AccountId
    outbox: Outbox
    dispatcher: Dispatcher

    async def submit(self, number: int, raw: bytes) -> None:
        name = f"<{number}@bench.invalid>"
        submission = Submission(raw, name, name, f"Messaggio {number}", (("a@b.invalid",),))
        await self.outbox.enqueue(self.account, submission, hashlib.sha256(raw).digest())

    @asynccontextmanager
    async def dispatching(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.dispatcher.run())
        yield
        await self.dispatcher.stop()
        await running


@asynccontextmanager
async def outgoing(url: str, token: str, interval_s: float) -> AsyncIterator[Outgoing]:
    clock, random, plan, wake = SystemClock(), SystemRandom(), PLANS["standard"], Wake()
    with TemporaryDirectory() as name:
        store = await SqliteStore.open(Path(name))
        mailboxes = Mailboxes(store, clock)
        lineage = await Lineage.open(mailboxes, clock, Path(name))
        account = await mailboxes.open_account(ADDRESS)
        connection = ApiConnection(url, token, clock=clock)
        client = PecClient(connection, username=ADDRESS, password=PASSWORD, clock=clock)
        dispatcher = Dispatcher(
            QueuedTexts(store),
            Settler(mailboxes, clock, random, plan, {account: ADDRESS}, "127.0.0.1", lineage),
            SendTurns(
                Schedule(store, mailboxes, plan, frozenset({account})),
                SendPacer(clock, interval_s),
                wake,
            ),
            {account: SendingAccount(ADDRESS, client)},
            clock,
        )
        outbox = Outbox(mailboxes, clock, random, QueueSettings(), wake)
        yield Outgoing(account, outbox, dispatcher)
        await connection.aclose()
        await store.close()


def message(number: int, size_bytes: int = 8_000) -> bytes:
    text = f"riga {number} di prova\r\n".encode() * (size_bytes // 20)
    head = f"From: {ADDRESS}\r\nTo: a@b.invalid\r\nSubject: Messaggio {number}\r\n"
    return head.encode() + f"Message-ID: <{number}@bench.invalid>\r\n\r\n".encode() + text


def large_message() -> bytes:
    head = (
        f"From: {ADDRESS}\r\nTo: a@b.invalid\r\nSubject: Grande\r\nMIME-Version: 1.0\r\n"
        'Message-ID: <0@bench.invalid>\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIn allegato.\r\n"
        "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="grande.pdf"\r\n\r\n'
    )
    content = SystemRandom().randbytes(LARGE_BYTES * 57 // 78)
    return head.encode() + base64.encodebytes(content).replace(b"\n", b"\r\n") + b"--b--\r\n"


class Api:
    """What the simulated API saw; its clock is ours."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self._client = httpx.AsyncClient(verify=False, timeout=30)

    async def sent(self, count: int = 0, every_s: float = 0.1) -> list[float]:
        """Return when each message arrived, once there are ``count``; asks ``every_s``."""
        while True:
            state = (await self._client.get(f"{self.url}/_simulator/state")).json()
            if state["sent_count"] >= count:
                return [one["received_s"] for one in state["sent"]]
            await asyncio.sleep(every_s)

    async def close(self) -> None:
        await self._client.aclose()


async def drain(api: Api) -> dict[str, float]:
    async with outgoing(api.url, api.token, PACE_MARGIN) as out:
        for number in range(DRAINED):
            await out.submit(number, message(number))
        began_s = time.monotonic()
        async with out.dispatching():
            await asyncio.sleep(DRAINED - 1)  # an API that is asked meanwhile measures late
            moments = await api.sent(DRAINED, every_s=0.5)
    gaps = [later - one for one, later in pairwise(moments)]
    return {
        "messages": DRAINED,
        "all_left_after_s": round(moments[-1] - began_s, 3),
        "least_distance_s": round(min(gaps), 4),
        "median_distance_s": round(statistics.median(gaps), 4),
    }


async def idle(api: Api) -> dict[str, float]:
    waits_ms = []
    async with outgoing(api.url, api.token, 0.0) as out, out.dispatching():
        for number in range(IDLE):
            await asyncio.sleep(0.05)
            await out.submit(number, message(number))
            committed_s = time.monotonic()
            arrived_s = (await api.sent(number + 1))[-1]
            waits_ms.append(1000 * (arrived_s - committed_s))
    return {"messages": IDLE, "median_ms": round(statistics.median(waits_ms), 2)}


async def large(api: Api) -> dict[str, float]:
    """Submit to a real ``serve`` by SMTP, and ask it for NOOPs by IMAP all the while."""
    raw = await asyncio.to_thread(large_message)
    with TemporaryDirectory() as name, serving(Path(name), api) as (process, ready):
        submitted = Path(name, "message.eml")
        await asyncio.to_thread(submitted.write_bytes, raw)
        client = await asyncio.open_connection("127.0.0.1", ready["imap"]["port"])
        waits_ms: list[float] = []
        noops = asyncio.create_task(_noops(*client, waits_ms))
        began_s = time.monotonic()
        # In a process of its own: smtplib makes all else in its process wait for a large message.
        command = (sys.executable, "-c", SUBMIT, str(ready["smtp"]["port"]), submitted)
        submitting = await asyncio.create_subprocess_exec(*command)
        assert await submitting.wait() == 0
        accepted_s = time.monotonic()
        await api.sent(1)
        posted_s = time.monotonic()
        noops.cancel()
        client[1].close()
        peak_kilobytes = peak_of(process.pid)
    return {
        "size_bytes": len(raw),
        "submitted_in_s": round(accepted_s - began_s, 2),
        "posted_in_s": round(posted_s - accepted_s, 2),
        "peak_rss_mb": round(peak_kilobytes / 1024, 1),
        "noops": len(waits_ms),
        "longest_noop_ms": round(max(waits_ms), 1),
    }


async def _noops(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waits_ms: list[float]
) -> None:
    await reader.readline()
    while True:
        asked_s = time.monotonic()
        writer.write(b"a NOOP\r\n")
        await reader.readline()
        waits_ms.append(1000 * (time.monotonic() - asked_s))
        await asyncio.sleep(0.005)


def peak_of(process_id: int) -> int:
    """Return the most memory a process ever had, in kilobytes (Linux)."""
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("the system does not say how much memory was used")


@contextmanager
def serving(data_dir: Path, api: Api) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    for name, secret in (("token", api.token), ("password", PASSWORD)):
        (data_dir / name).write_text(secret)
        (data_dir / name).chmod(0o600)
    config = data_dir / "config.toml"
    config.write_text(
        f"""
        data_dir = "{data_dir / "data"}"
        [api]
        base_url = "{api.url}"
        token = {{ file = "{data_dir / "token"}" }}
        [imap]
        listen = ["127.0.0.1:0"]
        [smtp]
        listen = ["127.0.0.1:0"]
        [[account]]
        address = "{ADDRESS}"
        password = {{ file = "{data_dir / "password"}" }}
        """
    )
    command = [str(PROGRAM), "serve", "--config", str(config), "--json"]
    with (
        (data_dir / "log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()


MEASUREMENTS: dict[str, Callable[[Api], Awaitable[dict[str, float]]]] = {
    "drain": drain,
    "idle": idle,
    "large": large,
}


def measure(name: str) -> dict[str, float]:
    """Take one measurement in this process, against a simulator in another."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    mailbox = f"{ADDRESS}:{PASSWORD}"
    command = [str(PROGRAM), "simulator", "--port", "0", "--mailbox", mailbox, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as simulator:
        assert simulator.stdout is not None
        ready: dict[str, Any] = json.loads(simulator.stdout.readline())
        try:
            return asyncio.run(_measured(MEASUREMENTS[name], ready))
        finally:
            simulator.terminate()


async def _measured(
    measurement: Callable[[Api], Awaitable[dict[str, float]]], ready: dict[str, Any]
) -> dict[str, float]:
    api = Api(ready["api"]["url"], ready["token"])
    try:
        return await measurement(api)
    finally:
        await api.close()


def main() -> None:
    """Print every measurement, or those named; each is taken in a process of its own."""
    names = sys.argv[1:]
    if len(names) == 1:
        print(json.dumps({names[0]: measure(names[0])}))
        return
    figures: dict[str, Any] = {}
    for name in names or MEASUREMENTS:
        command = [sys.executable, "-m", "tests.benchmarks.dispatch_speed", name]
        done = subprocess.run(command, capture_output=True, check=True)
        figures |= json.loads(done.stdout)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
