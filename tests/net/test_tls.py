"""TLS that a connection begins itself: on both loops, however quick the client is."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from bridge.app.certificate import make
from bridge.net.tls import begin_tls

uvloop = pytest.importorskip("uvloop")
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
PATIENCE_S = 20.0


class Shouting(asyncio.Protocol):
    """Answers with what it hears, in capitals; TLS comes first, ``late_s`` after the connection."""

    def __init__(self, context: ssl.SSLContext, late_s: float) -> None:
        self._context = context
        self._late_s = late_s
        self._early = bytearray()
        self._encrypted: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        plain = cast(asyncio.Transport, transport)
        self._task = asyncio.get_running_loop().create_task(self._begin(plain))

    def data_received(self, data: bytes) -> None:
        if self._encrypted is None:
            self._early += data
        else:
            self._encrypted.write(data.upper())

    async def _begin(self, plain: asyncio.Transport) -> None:
        await asyncio.sleep(self._late_s)
        self._encrypted = await begin_tls(
            plain, self, self._context, handshake_s=PATIENCE_S, early=self._take_early
        )
        if self._early:  # within TLS, before it was told
            self.data_received(self._take_early())

    def _take_early(self) -> bytes:
        early = bytes(self._early)
        self._early.clear()
        return early


@pytest.mark.parametrize("late_s", [0.0, 0.05])
@pytest.mark.parametrize("new_loop", LOOPS, ids=["asyncio", "uvloop"])
def test_first_bytes_that_came_before_are_part_of_the_handshake(
    tmp_path: Path, new_loop: Callable[[], asyncio.AbstractEventLoop], late_s: float
) -> None:
    make(tmp_path / "tls.pem", ["localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.pem")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "tls.pem"))

    def say(port: int) -> bytes:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain,
            trusting.wrap_socket(plain, server_hostname="localhost") as client,
        ):
            client.sendall(b"hello")
            return client.recv(100)

    async def talk() -> list[bytes]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Shouting(context, late_s), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            clients = (asyncio.to_thread(say, port) for _ in range(8))
            return await asyncio.wait_for(asyncio.gather(*clients), PATIENCE_S)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(talk()) == [b"HELLO"] * 8


async def test_a_connection_that_is_gone_gets_none() -> None:
    class Closing(asyncio.Transport):
        def is_closing(self) -> bool:
            return True

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert await begin_tls(Closing(), asyncio.Protocol(), context, handshake_s=1) is None
