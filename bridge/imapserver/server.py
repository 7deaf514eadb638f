"""Listening for mail clients: addresses, limits, time, and an orderly end. Knows no command."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Sequence
from dataclasses import replace

from bridge.imapserver.connection import LOG_IN_AGAIN, SHUTTING_DOWN, ImapConnection
from bridge.imapserver.services import Services
from bridge.imapserver.settings import ImapSettings
from bridge.model import AccountId
from bridge.net.listen import Listen
from bridge.net.ports import Ports
from bridge.net.visitors import Crowd, Visitors

__all__ = ["ImapServer", "ImapSettings"]

CHECK_INTERVAL_S = 5.0
"""How often connections are asked whether their time is up."""


class ImapServer:
    """The IMAP server.

    Args:
        services: what its sessions work with.
        settings: limits.
        tls: for STARTTLS and implicit TLS; None offers neither.
    """

    def __init__(
        self,
        services: Services,
        settings: ImapSettings = ImapSettings(),  # noqa: B008 - a frozen value
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._services = services
        self._settings = settings
        self._tls = tls
        self._ports = Ports(self._connection, tls)
        self._connections: Visitors[ImapConnection] = Visitors(settings.max_connections)
        self._watch: asyncio.Task[None] | None = None

    @property
    def crowd(self) -> Crowd:
        """How full it is."""
        return self._connections.crowd

    @property
    def connected(self) -> int:
        """How many are connected."""
        return len(self._connections)

    async def start(self, listeners: Sequence[Listen]) -> list[tuple[str, int]]:
        """Listen on every address; returns host and port of each, in order.

        Raises:
            OSError: an address cannot be had; none is listened on then.
            ValueError: implicit TLS is asked for and there is no certificate.
        """
        addresses = await self._ports.open(listeners)
        self._watch = asyncio.get_running_loop().create_task(self._watch_time())
        return addresses

    async def take_over(self, append_limit_bytes: int, ended: Collection[AccountId]) -> None:
        """Go by this from here on; connections stay, but for those of accounts in ``ended``."""
        self._services = replace(self._services, append_limit_bytes=append_limit_bytes)
        gone = [one for one in self._connections if one.session.account in ended]
        await self._finish(gone, LOG_IN_AGAIN)

    async def stop(self) -> None:
        """Stop listening, end commands under way (within the grace), say BYE; idempotent."""
        self._ports.close()
        if self._watch is not None:
            self._watch.cancel()
        await self._finish(list(self._connections), SHUTTING_DOWN)
        await self._services.background.finish()
        await self._ports.wait_closed()

    async def _finish(self, connections: Sequence[ImapConnection], why: str) -> None:
        """Let connections end what is under way within the grace, and cut off the rest."""
        if not connections:
            return
        grace = asyncio.ensure_future(self._services.clock.sleep(self._settings.stop_grace_s))
        everyone = [asyncio.ensure_future(one.finish(why)) for one in connections]
        finished = asyncio.ensure_future(asyncio.wait(everyone))
        await asyncio.wait((grace, finished), return_when=asyncio.FIRST_COMPLETED)
        for task in (grace, finished, *everyone):
            task.cancel()
        await asyncio.gather(grace, finished, *everyone, return_exceptions=True)
        for connection in self._connections:
            if connection in connections:
                connection.abort()

    def _connection(self, listen: Listen) -> ImapConnection:
        return ImapConnection(
            self._services,
            self._settings,
            self._tls,
            implicit_tls=listen.implicit_tls,
            connections=self._connections,
        )

    async def _watch_time(self) -> None:
        clock = self._services.clock
        while True:
            await clock.sleep(CHECK_INTERVAL_S)
            now_s = clock.monotonic()
            for connection in list(self._connections):
                connection.check_time(now_s)
