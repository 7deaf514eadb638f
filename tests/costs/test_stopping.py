"""SIGTERM with every kind of work in hand: the process is gone within the 10 s it has."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator import Simulator, SimulatorServer
from tests.cli.test_daemon import ended, serving, start, write_config
from tests.running import ADDRESS, PASSWORD, PATIENCE_S, simulated

STOP_S = 10.0
MIB = 1024**2


@dataclass(slots=True)
class Clients:
    """Whoever is connected to the daemon that said ``ready``."""

    ready: dict[str, Any]
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self, protocol: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        streams = await asyncio.open_connection("127.0.0.1", self.ready[protocol]["port"])
        self.writers.append(streams[1])
        return streams

    async def imap(self, *commands: bytes) -> asyncio.StreamWriter:
        """Log in and give commands; nothing is read after the login."""
        reader, writer = await self.connect("imap")
        writer.write(f"a LOGIN {ADDRESS} {PASSWORD}\r\n".encode())
        while not (await reader.readline()).startswith(b"a OK"):
            pass
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"".join(commands))
        return writer

    async def submit(self, text: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Submit a message, all at once, and do not wait for the reply."""
        reader, writer = await self.connect("smtp")
        plain = base64.b64encode(f"\0{ADDRESS}\0{PASSWORD}".encode()).decode()
        writer.write(f"EHLO x\r\nAUTH PLAIN {plain}\r\nMAIL FROM:<{ADDRESS}>\r\n".encode())
        writer.write(b"RCPT TO:<uno@altra.example>\r\nDATA\r\n")
        while not (await reader.readline()).startswith(b"354"):
            pass
        writer.write(f"From: {ADDRESS}\r\nTo: uno@altra.example\r\nSubject: x\r\n\r\n".encode())
        writer.write(text + b"\r\n.\r\n")
        return reader, writer


@asynccontextmanager
async def clients(ready: dict[str, Any]) -> AsyncIterator[Clients]:
    """Let clients in, and hang up for all of them."""
    made = Clients(ready)
    try:
        yield made
    finally:
        for writer in made.writers:
            writer.transport.abort()


@pytest.fixture
async def api() -> AsyncIterator[tuple[Simulator, str]]:
    simulator = simulated(messages=50)
    async with SimulatorServer(simulator.app) as server:
        yield simulator, server.url


async def stopped(process: Process) -> tuple[int | None, float, str]:
    """Send SIGTERM; return the exit code, how long it took, and the log."""
    began_s = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code, _, err = await ended(process)
    return code, time.monotonic() - began_s, err


async def never_reads(them: Clients) -> None:
    raw = b"Subject: x\r\n\r\n" + (b"x" * 998 + b"\r\n") * 8_000
    append = b"b APPEND Drafts {%d+}\r\n%b\r\n" % (len(raw), raw)
    for _ in range(5):
        await them.imap(append, b"c SELECT Drafts\r\n", b"d FETCH 1:* BODY[]\r\n" * 20)


async def fetches(them: Clients) -> None:
    for _ in range(3):
        await them.imap(b"b SELECT INBOX\r\n", b"c FETCH 1:* (ENVELOPE BODY[])\r\n" * 2_000)


async def crowd(them: Clients) -> None:
    for _ in range(60):
        await them.imap(b"b SELECT INBOX\r\n", b"c IDLE\r\n")
    for protocol in ("imap", "smtp"):
        for _ in range(70):
            await them.connect(protocol)


async def half_a_message(them: Clients) -> None:
    for _ in range(5):
        _, writer = await them.submit(b"x" * 6 * MIB + b"\r\n.\r\nMAIL FROM:<>\r\nDATA\r\n")
        writer.write(b"x" * MIB)
        await them.imap(b"b APPEND Drafts {9999999}\r\n", b"x" * MIB)


WORK: dict[str, Callable[[Clients], Awaitable[None]]] = {
    "a client that never reads": never_reads,
    "fetches": fetches,
    "200 connections": crowd,
    "half a message": half_a_message,
}


@pytest.mark.slow
@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
async def test_it_stops_in_time(
    tmp_path: Path, api: tuple[Simulator, str], work: Callable[[Clients], Awaitable[None]]
) -> None:
    simulator, url = api
    config = write_config(tmp_path, url, simulator.token)
    async with serving(config) as (process, ready), clients(ready) as them:
        await work(them)
        code, took_s, err = await stopped(process)
    assert took_s < STOP_S
    assert code == 0, err[-2000:]
    assert "Traceback" not in err


@pytest.mark.slow
async def test_it_stops_in_time_while_the_api_hangs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        config = write_config(tmp_path, url, "token")
        async with serving(config) as (process, ready), clients(ready) as them:
            reader, _ = await them.submit(b"x")
            assert (await reader.readline()).startswith(b"250")
            connection, _ = await asyncio.to_thread(silent.accept)
            with connection:
                code, took_s, err = await stopped(process)
    assert took_s < STOP_S
    assert code == 0, err[-2000:]


HANGING = """
import sys, time
from bridge.smtpserver import delivery
delivery.check_submission = lambda *_: time.sleep(60)
from bridge.cli import main
sys.exit(main())
"""


@pytest.mark.slow
async def test_it_stops_in_time_while_a_thread_hangs(
    tmp_path: Path, api: tuple[Simulator, str]
) -> None:
    """A thread cannot be ended; the process can, and a message without 250 was not taken."""
    simulator, url = api
    config = write_config(tmp_path, url, simulator.token)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HANGING, "serve", "--json", "--config", config),
        stdout=PIPE,
        stderr=PIPE,
        env={"TEST_PEC_PASSWORD": PASSWORD},
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        async with clients(json.loads(line)) as them:
            reader, _ = await them.submit((b"x" * 998 + b"\r\n") * 100)
            with contextlib.suppress(TimeoutError):
                assert not await asyncio.wait_for(reader.readline(), 0.5)
            _, took_s, err = await stopped(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert took_s < STOP_S + 0.5
    assert "Timeout" in err
    assert simulator.sent == []
    async with serving(config) as (again, ready):
        assert ready["ready"] is True
        again.terminate()
        await ended(again)


@pytest.mark.slow
async def test_a_second_start_waits_for_nobody(tmp_path: Path, api: tuple[Simulator, str]) -> None:
    simulator, url = api
    config = write_config(tmp_path, url, simulator.token)
    async with serving(config) as (process, _):
        assert (await stopped(process))[0] == 0
    again = await start(config)
    assert again.stdout is not None
    assert await asyncio.wait_for(again.stdout.readline(), PATIENCE_S)
    assert (await stopped(again))[0] == 0
