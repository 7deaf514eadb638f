"""The application: routes in the order given, behind the guard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.language import LanguageSetting, say
from bridge.web.guard import Guard
from bridge.web.language import for_people
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

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        # With an application named, the router raises what it has no answer to.
        await router({**scope, "app": router}, receive, send)

    handlers: dict[Any, Any] = {NotReady: not_ready, HTTPException: _unanswered}
    return Guard(ExceptionMiddleware(routed, handlers), names, language)


_SENTENCES = {404: say("There is no such page."), 405: say("This method is not used here.")}


async def _unanswered(request: Request, error: HTTPException) -> Response:
    """Say what the router has no answer to, in the language of who asks."""
    sentence = _SENTENCES.get(error.status_code, error.detail)
    return for_people(request, sentence, error.status_code, error.headers)
