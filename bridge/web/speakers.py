"""What speaks HTTP on the connections: uvicorn's HTTP/1.1, loaded with the first of them.

uvicorn's own server is not used: it would own the process, its signals and its sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set
from importlib import import_module
from typing import TYPE_CHECKING

from bridge.limits import WEB_HEAD_BYTES, WEB_IDLE_S

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from uvicorn.config import Config
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.server import ServerState


class Speakers:
    """See the module.

    Args:
        app: answers requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._shared: tuple[Config, ServerState] | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether ``one`` may be asked for."""
        return self._shared is not None

    async def load(self) -> None:
        """Load uvicorn, away from the loop."""
        for module in ("uvicorn.protocols.http.h11_impl", "uvicorn.server"):
            await asyncio.to_thread(import_module, module)
        self._shared = self._shared or self._make()

    def one(self) -> H11Protocol:
        """Return what speaks on one connection."""
        from uvicorn.protocols.http.h11_impl import H11Protocol

        config, state = self._shared or self._make()
        return H11Protocol(config, state, {}, asyncio.get_running_loop())

    @property
    def tasks(self) -> Set[asyncio.Task[None]]:
        """The requests in hand."""
        return frozenset() if self._shared is None else self._shared[1].tasks

    def _make(self) -> tuple[Config, ServerState]:
        from uvicorn.config import Config
        from uvicorn.protocols.http.h11_impl import H11Protocol
        from uvicorn.server import ServerState

        config = Config(
            self._app,
            http=H11Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",  # what strangers send is no news
            access_log=False,
            proxy_headers=False,  # or anybody could say where he comes from
            server_header=False,
            h11_max_incomplete_event_size=WEB_HEAD_BYTES,
            timeout_keep_alive=int(WEB_IDLE_S),
        )
        config.load()
        return config, ServerState()
