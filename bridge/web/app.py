"""The application: routes in the order given, behind the guard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp

from bridge.language import LanguageSetting, say
from bridge.web.guard import Guard
from bridge.web.problem import ProblemKind, refused
from bridge.web.services import NotReady


def web_app(
    routes: Sequence[BaseRoute],
    names: Iterable[str] = (),
    language: Callable[[], LanguageSetting] = lambda: "both",
) -> ASGIApp:
    """Return the application that answers ``routes``.

    Args:
        routes: what it answers; each says itself who may ask (``page.PageRoutes``, or a key of its
            own).
        names: the host names that are ours, besides every address and ``localhost``.
        language: gives what the settings say, for refusals that programs read.
    """

    async def not_ready(request: Request, _error: Exception) -> Response:
        sentence = say("The bridge is starting.")
        return refused(request, ProblemKind.STARTING, sentence, language(), Retry_After="1")

    router = Router(list(routes), redirect_slashes=False)
    return Guard(ExceptionMiddleware(router, {NotReady: not_ready}), names, language)
