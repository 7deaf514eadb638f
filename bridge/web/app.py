"""The application: routes in the order given, behind the guard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp

from bridge.web.guard import Guard
from bridge.web.services import NotReady


def web_app(routes: Sequence[BaseRoute], names: Iterable[str] = ()) -> ASGIApp:
    """Return the application that answers ``routes``.

    Args:
        routes: what it answers; each says itself who may ask (``page.PageRoutes``, or a key of its
            own).
        names: the host names that are ours, besides every address and ``localhost``.
    """
    router = Router(list(routes), redirect_slashes=False)
    return Guard(ExceptionMiddleware(router, {NotReady: _not_ready}), names)


async def _not_ready(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("The bridge is starting.\n", 503, {"Retry-After": "1"})
