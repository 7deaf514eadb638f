"""Logging in and out."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from bridge.web.page import Look, PageRoutes
from bridge.web.people import ADMINISTRATOR
from bridge.web.session import door_of, is_private, stranger_csrf

NAME_CHARS, PASSWORD_CHARS = 320, 1024


class Entrance:
    """The login form, and what it leads to.

    Args:
        pages: makes the routes.
    """

    def __init__(self, pages: PageRoutes) -> None:
        self._pages = pages

    def routes(self) -> list[BaseRoute]:
        """Return its routes."""
        return [
            self._pages.anybody("/login", self._show),
            self._pages.anybody("/login", self._enter, methods=("POST",)),
            self._pages.member("/logout", self._leave, methods=("POST",)),
        ]

    async def _show(self, look: Look) -> Response:
        if look.visitor is not None:
            return RedirectResponse(_inside(look.asked("next")), 303)
        return _form(look)

    async def _enter(self, look: Look) -> Response:
        if not is_private(look.request):
            return _form(look, 403, fault="clear")
        peer = look.request.client.host if look.request.client else ""
        name = look.form.get("name", "")[:NAME_CHARS].strip()
        password = look.form.get("password", "")[:PASSWORD_CHARS]
        account = await look.services.logins.enter("web", peer, name, password)
        if account is None:
            if (door := door_of(look.request)) is not None:
                door.guesses += 1
            return _form(look, 403, fault="wrong", name=name)
        response = RedirectResponse(_inside(look.form.get("next", "")), 303)
        who = None if account == ADMINISTRATOR else account
        await self._pages.sessions.begin(look.request, response, who)
        return response

    async def _leave(self, look: Look) -> Response:
        response = RedirectResponse("/login", 303)
        await self._pages.sessions.end(look.request, response)
        return response


def _form(look: Look, status: int = 200, *, fault: str = "", name: str = "") -> Response:
    wanted = look.asked("next") or look.form.get("next", "")
    probe = Response()
    csrf = stranger_csrf(look.request, probe)
    response = look.render(
        "login.html",
        status,
        csrf=csrf,
        fault=fault if is_private(look.request) else "clear",
        name=name,
        next=_inside(wanted),
    )
    for header, value in probe.raw_headers:
        if header == b"set-cookie":
            response.raw_headers.append((header, value))
    return response


def _inside(path: str) -> str:
    """Return where to go after login: a path of ours, never another site's page."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if fine and path.isascii() and "\\" not in path else "/"
