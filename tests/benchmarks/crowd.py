"""1,000 idle IMAP connections and 200 submissions at once: who is served, how fast, how large.

``python -m tests.benchmarks.crowd`` starts ``serve`` as a process against the simulated API, and
prints how many were served, the median and the worst of NOOP meanwhile, and the daemon's memory.
"""

from __future__ import annotations

import asyncio
import base64
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

from bridge.simulator import SimulatorServer
from tests.cli.test_daemon import serving, write_config
from tests.running import ADDRESS, PASSWORD, simulated

IDLE, SUBMITTING = 1000, 200
AT_ONCE = 10
"""Logins under way at the same time: the bridge holds strangers of one address to so many."""

MESSAGE = (
    f"From: {ADDRESS}\r\nTo: silent-x@altra.example\r\nSubject: %d\r\n"
    "Message-ID: <%d@client.example>\r\n\r\nSalve.\r\n.\r\n"
)


class Client:
    """Lines to and from a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> Client:
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        await client.line()
        return client

    async def line(self) -> str:
        return (await self._reader.readline()).decode()

    async def ask(self, words: str, until: str) -> str:
        self._writer.write(words.encode())
        while line := await self.line():
            if line.startswith(until):
                return line
        raise ConnectionError(f"cut off at {words[:20]!r}")


async def idle(port: int, room: asyncio.Semaphore) -> Client:
    async with room:
        client = await Client.to(port)
        await client.ask(f'a LOGIN {ADDRESS} "{PASSWORD}"\r\n', "a ")
        await client.ask("b SELECT INBOX\r\n", "b ")
        await client.ask("c IDLE\r\n", "+")
    return client


async def submit(port: int, number: int) -> bool:
    client = await Client.to(port)
    login = base64.b64encode(f"\0{ADDRESS}\0{PASSWORD}".encode()).decode()
    await client.ask("EHLO client\r\n", "250 ")
    await client.ask(f"AUTH PLAIN {login}\r\n", "235")
    await client.ask(f"MAIL FROM:<{ADDRESS}>\r\n", "250")
    await client.ask("RCPT TO:<silent-x@altra.example>\r\n", "250")
    await client.ask("DATA\r\n", "354")
    return (await client.ask(MESSAGE % (number, number), "2")).startswith("250")


async def noops(port: int, stop: asyncio.Event) -> list[float]:
    client = await Client.to(port)
    await client.ask(f'a LOGIN {ADDRESS} "{PASSWORD}"\r\n', "a ")
    took = []
    while not stop.is_set():
        began_s = time.perf_counter()
        await client.ask("n NOOP\r\n", "n ")
        took.append(1000 * (time.perf_counter() - began_s))
        await asyncio.sleep(0.02)
    return took


def resident_mib(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024**2


async def main() -> None:
    os.umask(0o077)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    simulator = simulated(messages=20)
    with tempfile.TemporaryDirectory() as folder:
        async with SimulatorServer(simulator.app) as api:
            config = write_config(Path(folder), api.url, simulator.token)
            async with serving(config) as (process, ready):
                imap, smtp = ready["imap"]["port"], ready["smtp"]["port"]
                room = asyncio.Semaphore(AT_ONCE)
                clients = await asyncio.gather(*(idle(imap, room) for _ in range(IDLE)))
                print(f"idle: {len(clients)}, {resident_mib(process.pid):.0f} MiB")
                stop = asyncio.Event()
                looking = asyncio.ensure_future(noops(imap, stop))
                await asyncio.sleep(2)
                began_s = time.perf_counter()
                done = await asyncio.gather(
                    *(submit(smtp, number) for number in range(SUBMITTING)), return_exceptions=True
                )
                took_s = time.perf_counter() - began_s
                await asyncio.sleep(2)
                stop.set()
                took = await looking
                print(f"submitted: {sum(one is True for one in done)} in {took_s:.1f} s")
                print(f"NOOP: median {statistics.median(took):.1f} ms, worst {max(took):.0f} ms")
                print(f"memory: {resident_mib(process.pid):.0f} MiB")
                for one in [one for one in done if one is not True][:3]:
                    print(f"not served: {one!r}")


if __name__ == "__main__":
    asyncio.run(main())
