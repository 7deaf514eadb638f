"""A server of bytes: each connection gets the next script, on a free loopback port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ByteServer:
    url: str
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.split(b":")[1]))
    return head


def answer(status: int, body: bytes, *fields: bytes) -> bytes:
    head = [b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


@asynccontextmanager
async def byte_server(*scripts: Callable[[ByteServer], Script]) -> AsyncIterator[ByteServer]:
    """Serve the scripts, one per connection; a connection past the last one is closed at once."""
    waiting = list(scripts)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            if waiting:
                await waiting.pop(0)(server)(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    server = ByteServer(f"http://127.0.0.1:{port}")
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


def replies(*answers: bytes, then_hang: bool = False) -> Callable[[ByteServer], Script]:
    """Read a request before each answer; then close, or keep the connection without a word."""

    def bound(server: ByteServer) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for content in answers:
                server.requests.append(await read_request(reader))
                writer.write(content)
                await writer.drain()
            if then_hang:
                await asyncio.Event().wait()

        return script

    return bound


def hangs_up(after_bytes: int) -> Callable[[ByteServer], Script]:
    """Close the connection after reading some bytes of a request."""

    def bound(server: ByteServer) -> Script:
        async def script(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            server.requests.append(await reader.readexactly(after_bytes))

        return script

    return bound


def never_answers() -> Callable[[ByteServer], Script]:
    def bound(server: ByteServer) -> Script:
        async def script(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            server.requests.append(await read_request(reader))
            await asyncio.Event().wait()

        return script

    return bound
