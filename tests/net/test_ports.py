from __future__ import annotations

import asyncio
import socket

import pytest

from bridge.net.listen import Listen
from bridge.net.ports import Ports
from tests.streams import hang_up


class Greeter(asyncio.Protocol):
    """Says which listener took the client, and hangs up."""

    def __init__(self, listen: Listen) -> None:
        self._listen = listen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._listen.host.encode())
        transport.close()


async def said(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        return await reader.read()
    finally:
        await hang_up(writer)


async def test_each_listener_knows_its_clients() -> None:
    ports = Ports(Greeter, None)
    addresses = await ports.open([Listen("127.0.0.1", 0), Listen("127.0.0.2", 0)])
    assert [host for host, _ in addresses] == ["127.0.0.1", "127.0.0.2"]
    assert [await said(*address) for address in addresses] == [b"127.0.0.1", b"127.0.0.2"]
    ports.close()
    await ports.wait_closed()
    for address in addresses:
        with pytest.raises(ConnectionRefusedError):
            await said(*address)


async def test_one_that_cannot_be_had_closes_the_others() -> None:
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        with pytest.raises(OSError, match="in use"):
            await Ports(Greeter, None).open(
                [Listen("127.0.0.1", port), Listen("127.0.0.1", taken.getsockname()[1])]
            )
    with pytest.raises(ConnectionRefusedError):
        await said("127.0.0.1", port)


async def test_tls_from_the_first_byte_needs_a_certificate() -> None:
    with pytest.raises(ValueError, match="certificate"):
        await Ports(Greeter, None).open([Listen("127.0.0.1", 0, implicit_tls=True)])
