"""The simulator on a port: uvicorn, with connections that can be broken on purpose.

Listens on loopback unless told otherwise; installs no signal handlers, since the caller owns the
process. A port that is taken raises ``OSError`` from ``start``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import Server, ServerState

from bridge.simulator.respond import TRANSPORT

_GRACE_S = 1.0
"""How long calls under way may take to end before ``stop`` breaks their connections."""


class _BreakableProtocol(H11Protocol):
    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        inner: ASGIApp = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = {**scope.get("extensions", {}), TRANSPORT: self.transport}
            await inner({**scope, "extensions": extensions}, receive, send)

        self.app = with_transport


class _Server(Server):
    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class SimulatorServer:
    """An ASGI app served over HTTP: ``async with SimulatorServer(simulator.app) as server``."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._server = _Server(
            uvicorn.Config(
                app,
                http=_BreakableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
            )
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The base URL, with the port that was found when 0 was asked for."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Listen; returns when requests are answered.

        Raises:
            OSError: the address can't be had.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, self._port), family=family, backlog=512)
        self._port = listener.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve([listener]))
        await self._server.ready.wait()

    async def stop(self) -> None:
        """Stop listening and break what is still open after a second."""
        if self._task is None:
            return
        self._server.should_exit = True
        done, _ = await asyncio.wait({self._task}, timeout=_GRACE_S)
        if not done:
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()
        await self._task
        self._task = None

    async def __aenter__(self) -> SimulatorServer:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Stop."""
        await self.stop()
