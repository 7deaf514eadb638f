"""An application that is loaded with its first request: megabytes that a page nobody opens spares.

Failure: what cannot be loaded is tried again with the next request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class LateApp:
    """See the module.

    Args:
        load: loads it, away from the loop, and makes it.
    """

    def __init__(self, load: Callable[[], Awaitable[ASGIApp]]) -> None:
        self._load = load
        self._turn = asyncio.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._app is None:
            async with self._turn:
                self._app = self._app or await self._load()
        await self._app(scope, receive, send)
