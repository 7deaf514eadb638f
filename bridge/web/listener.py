"""Listening for browsers and programs: addresses, limits, time, and an orderly end. Knows no path.

Each connection is a ``Door``: it begins TLS, is counted as a stranger until a request of it shows
who asks (``Door.is_known``), and hands what comes to what speaks HTTP (``web.speakers``).

Failure: a client that is slow or gone ends its connection and nothing else.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import structlog

from bridge.clock import Clock
from bridge.limits import (
    TLS_HANDSHAKE_S,
    WEB_CONNECTIONS,
    WEB_CONNECTIONS_PER_ACCOUNT,
    WEB_IDLE_S,
    WEB_REQUEST_S,
    WEB_STRANGER_REQUEST_S,
)
from bridge.model import AccountId
from bridge.net.listen import Listen
from bridge.net.ports import Ports
from bridge.net.tls import begin_tls
from bridge.net.turnstile import Turnstile
from bridge.net.visitors import Crowd, Visitors
from bridge.web.speakers import Speakers

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from uvicorn.protocols.http.h11_impl import H11Protocol

log = structlog.get_logger()

CHECK_INTERVAL_S = 5.0
"""How often connections are asked whether their time is up."""

DOOR = "bridge.door"
"""The extension of a request's scope that holds the ``Door`` it came through."""


class Door(asyncio.Protocol):
    """One connection.

    Args:
        speakers: makes what speaks HTTP on it.
        tls: begins TLS from the first byte; None for none.
        doors: the server's; this one is among them while it lasts.
        clock: for how long things take.
        ending: is set when the server stops: what only waits is to end then.

    Attributes:
        is_known: whether a request on it showed who asks, and he has no more than his share.
        guesses: how many wrong passwords came through it; likewise.
    """

    def __init__(
        self,
        speakers: Speakers,
        tls: ssl.SSLContext | None,
        doors: Visitors[Door],
        clock: Clock,
        ending: asyncio.Event,
    ) -> None:
        self._speakers = speakers
        self._http: H11Protocol | None = None
        self._tls = tls
        self._doors = doors
        self._clock = clock
        self.ending = ending
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._beginning: asyncio.Task[None] | None = None
        self._requests = 0
        self._since_s = clock.monotonic()
        self.is_known = False
        self.account: AccountId | None = None
        self.guesses = 0
        self.address = ""

    @property
    def is_counted(self) -> bool:
        """Whether it is a stranger's."""
        return not self.is_known

    def know(self, account: AccountId | None) -> None:
        """Take it for an account's from here on, or for the administrator's (None).

        One beyond the account's share stays a stranger's: it is answered, and makes room.
        """
        if self.is_known:
            return
        if account is not None:
            his = sum(one.is_known and one.account == account for one in self._doors)
            if his >= WEB_CONNECTIONS_PER_ACCOUNT:
                return
        self.is_known, self.account = True, account

    def connection_made(self, made: asyncio.BaseTransport) -> None:
        """Let the client in, or not."""
        transport = self._transport = cast(
            asyncio.Transport, made
        )  # uvloop's is one in all but name
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        verdict = self._doors.enter(self, self._clock.monotonic())
        if verdict.goes is not None:
            verdict.goes.abort()
        if not verdict.stays:
            log.warning("web_connection_refused", peer=self.address, reason="too many connections")
            transport.abort()
        elif self._tls is None and self._speakers.is_loaded:
            self._open(transport)
        else:
            self._beginning = asyncio.get_running_loop().create_task(self._begin(transport))

    def data_received(self, data: bytes) -> None:
        """Hand on what came."""
        if self._http is not None:
            self._http.data_received(data)
        else:
            self._early.append(data)  # before TLS has begun, or has told that it has

    def eof_received(self) -> None:
        """Let the transport close."""

    def pause_writing(self) -> None:
        """Hold answers back."""
        if self._http is not None:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        """Let answers go on."""
        if self._http is not None:
            self._http.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self._doors.leave(self)
        if self._http is not None:
            http, self._http = self._http, None
            http.connection_lost(error)

    def abort(self) -> None:
        """Hang up without a word."""
        if self._beginning is not None:
            self._beginning.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._doors.leave(self)

    def finish(self) -> None:
        """Hang up after the request in hand."""
        if self._http is not None:
            self._http.shutdown()
        else:
            self.abort()

    def check_time(self, now_s: float) -> None:
        """Hang up if the client has taken too long."""
        if not self._requests:
            most_s = WEB_IDLE_S if self.is_known else WEB_STRANGER_REQUEST_S
        else:
            most_s = WEB_REQUEST_S if self.is_known else WEB_STRANGER_REQUEST_S
        if now_s - self._since_s > most_s:
            log.info("web_timeout", peer=self.address)
            self.abort()

    def _open(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        http = self._http = self._speakers.one()
        http.app = self._through(http.app)
        http.connection_made(transport)
        if early := self._take_early():
            http.data_received(early)

    def _take_early(self) -> bytes:
        early, self._early = self._early, []
        return b"".join(early)

    async def _begin(self, transport: asyncio.Transport) -> None:
        if not self._speakers.is_loaded:
            transport.pause_reading()
            await self._speakers.load()
            if transport.is_closing():
                return
            transport.resume_reading()
        if self._tls is None:
            self._beginning = None
            self._open(transport)
        else:
            await self._encrypt(transport, self._tls)

    async def _encrypt(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        try:
            encrypted = await begin_tls(
                transport, self, tls, handshake_s=TLS_HANDSHAKE_S, early=self._take_early
            )
        except (OSError, asyncio.CancelledError):  # TimeoutError and SSLError among them
            transport.abort()
            self._doors.leave(self)
            return
        self._beginning = None
        if encrypted is None or encrypted.is_closing():
            self._doors.leave(self)
            return
        self._open(encrypted)

    def _through(self, app: ASGIApp) -> ASGIApp:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            self._requests += 1
            self._since_s = self._clock.monotonic()
            try:
                extensions = {**scope.get("extensions", {}), DOOR: self}
                await app({**scope, "extensions": extensions}, receive, send)
            finally:
                self._requests -= 1
                self._since_s = self._clock.monotonic()

        return counted


class WebServer:
    """The HTTP server.

    Args:
        app: answers requests.
        clock: for limits of time.
        tls: for listeners that want it; None if there is no certificate.
        stop_grace_s: how long requests in hand may take after ``stop``.
        most: how many connections there may be.
    """

    def __init__(
        self,
        app: ASGIApp,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        stop_grace_s: float = 7.0,
        most: int = WEB_CONNECTIONS,
    ) -> None:
        self._clock = clock
        self._tls = tls
        self._stop_grace_s = stop_grace_s
        self._turnstile = Turnstile()
        self._speakers = Speakers(self._in_turn(app))
        self._ports = Ports(self._door, tls)
        self._doors: Visitors[Door] = Visitors(most)
        self._watch: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()

    @property
    def crowd(self) -> Crowd:
        """How full it is."""
        return self._doors.crowd

    @property
    def connected(self) -> int:
        """How many are connected."""
        return len(self._doors)

    async def start(self, listeners: Sequence[Listen]) -> list[tuple[str, int]]:
        """Listen on every address; returns host and port of each, in order.

        Raises:
            OSError: an address cannot be had; none is listened on then.
            ValueError: TLS is asked for and there is no certificate.
        """
        addresses = await self._ports.open(listeners)
        self._watch = asyncio.get_running_loop().create_task(self._watch_time())
        return addresses

    async def stop(self) -> None:
        """Stop listening, end requests in hand (within the grace), hang up; idempotent."""
        self._ending.set()
        self._ports.close()
        if self._watch is not None:
            self._watch.cancel()
        for door in self._doors:
            door.finish()
        tasks = set(self._speakers.tasks)
        grace = asyncio.ensure_future(self._clock.sleep(self._stop_grace_s))
        while tasks and not grace.done():
            await asyncio.wait((*tasks, grace), return_when=asyncio.FIRST_COMPLETED)
            tasks = {task for task in tasks if not task.done()}
        for task in (grace, *tasks):
            task.cancel()
        await asyncio.gather(grace, *tasks, return_exceptions=True)
        for door in self._doors:
            door.abort()
        await self._ports.wait_closed()

    def _in_turn(self, app: ASGIApp) -> ASGIApp:
        """Begin one request each time the loop comes round, on however many connections."""

        async def in_turn(scope: Scope, receive: Receive, send: Send) -> None:
            await self._turnstile.passed()
            await app(scope, receive, send)

        return in_turn

    def _door(self, listen: Listen) -> Door:
        tls = self._tls if listen.implicit_tls else None
        return Door(self._speakers, tls, self._doors, self._clock, self._ending)

    async def _watch_time(self) -> None:
        while True:
            await self._clock.sleep(CHECK_INTERVAL_S)
            now_s = self._clock.monotonic()
            for door in self._doors:
                door.check_time(now_s)
