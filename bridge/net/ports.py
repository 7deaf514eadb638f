"""Ports that a server listens on, opened together or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Sequence

from bridge.net.listen import Listen

BACKLOG = 128
CLOSED_WITHIN_S = 1.0


class Ports:
    """The open ports of one server.

    Args:
        accept: makes the protocol of a new connection to a listener. TLS from the first byte is
            the connection's to begin.
        tls: what it would begin that with, if there is a certificate.
    """

    def __init__(
        self, accept: Callable[[Listen], asyncio.BaseProtocol], tls: ssl.SSLContext | None
    ) -> None:
        self._accept = accept
        self._tls = tls
        self._servers: list[asyncio.Server] = []

    async def open(self, listeners: Sequence[Listen]) -> list[tuple[str, int]]:
        """Listen on every address; return host and port of each, in order.

        Raises:
            OSError: an address cannot be had; none is listened on then.
            ValueError: implicit TLS is asked for and there is no certificate.
        """
        addresses = []
        try:
            for listen in listeners:
                server = await self._listen(listen)
                self._servers.append(server)
                host, port = server.sockets[0].getsockname()[:2]
                addresses.append((str(host), int(port)))
        except BaseException:
            self.close()
            await self.wait_closed()
            raise
        return addresses

    def close(self) -> None:
        """Take no new connections; those that are there go on."""
        for server in self._servers:
            server.close()

    async def wait_closed(self) -> None:
        """Wait for a moment until all connections have ended."""
        servers, self._servers = self._servers, []
        for server in servers:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), CLOSED_WITHIN_S)

    async def _listen(self, listen: Listen) -> asyncio.Server:
        if listen.implicit_tls and self._tls is None:
            raise ValueError("implicit TLS needs a certificate")
        loop = asyncio.get_running_loop()
        if listen.descriptor is not None:  # the service manager's, which keeps its own
            given = socket.socket(fileno=os.dup(listen.descriptor))
            return await loop.create_server(lambda: self._accept(listen), sock=given)
        return await loop.create_server(
            lambda: self._accept(listen), listen.host, listen.port, backlog=BACKLOG
        )
