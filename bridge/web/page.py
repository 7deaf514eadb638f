"""What every page has: who looks at it, in which language, its frame, and forms that are ours.

A page is an ``async def page(look: Look) -> Response``; ``PageRoutes.member`` makes a route of it
that asks strangers to log in, and refuses a form that does not carry its token. ``Look.render``
fills a template; whatever it shows is escaped by Jinja2.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bridge.clock import MovableClock
from bridge.language import Sentence, Title, said_in
from bridge.operations.control import OperationFailed
from bridge.web.format import Formats
from bridge.web.language import COOKIE, LANGUAGES, Language, catalogue, language_of
from bridge.web.services import WebServices
from bridge.web.session import PageVisitor, Sessions, is_from_our_form
from bridge.web.static import static_url

_FIELDS = 20
BETWEEN_DETAILS = "; "
"""What ``receipts`` puts between details of a recipient."""

LANGUAGE_LASTS_S = 365 * 86_400


class PageNotFound(Exception):
    """There is no such thing, or it is not for the visitor's eyes: he is not told which."""


@dataclass(slots=True)
class Look:
    """One look at a page: the request, who looks, and what he filled in."""

    request: Request
    services: WebServices
    visitor: PageVisitor | None
    language: Language
    form: Mapping[str, str]
    frames: Environment

    @property
    def me(self) -> PageVisitor:
        """Who looks, on a page that strangers don't see."""
        assert self.visitor is not None  # noqa: S101 - see ``PageRoutes.member``
        return self.visitor

    def asked(self, name: str) -> str:
        """Return a parameter of the query, "" if it is not there."""
        return self.request.query_params.get(name, "").strip()

    def translate(self, text: str) -> str:
        """Return a text of the page in the visitor's language."""
        return catalogue(self.language).gettext(text)

    def say(self, text: str) -> str:
        """Return what the bridge says in the visitor's language; others' words as they stand."""
        parts = [text] if isinstance(text, Sentence | Title) else str(text).split(BETWEEN_DETAILS)
        return BETWEEN_DETAILS.join(said_in(part, self.language) for part in parts)

    def mine(self, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return an operation's arguments, bound to the account of who looks."""
        bound = dict(arguments or {})
        if not self.me.is_administrator:
            bound["account"] = self.me.address
        return bound

    async def accounts(self) -> list[str]:
        """Return the addresses between which the administrator can choose; [] for others."""
        if not self.me.is_administrator:
            return []
        status = await self.services.do("status")
        return [one["address"] for one in status["accounts"]]

    def render(self, template: str, status: int = 200, /, **facts: Any) -> HTMLResponse:
        """Fill a template in."""
        response = HTMLResponse("", status)
        response.body = self.text(template, **facts).encode("utf-8", "replace")
        response.headers["Content-Length"] = str(len(response.body))
        response.headers["Content-Language"] = self.language
        return response

    def text(self, template: str, /, **facts: Any) -> str:
        """Return a template filled in."""
        words = catalogue(self.language)
        frame = self.frames.overlay()
        translated: Any = frame  # its extension for gettext adds a method that has no type
        translated.install_gettext_translations(words, newstyle=True)
        formats = Formats(self.language, self.services.zone, self.services.clock.now())
        frame.filters.update(formats.filters())
        frame.filters["say"] = self.say
        return frame.get_template(template).render(
            visitor=self.visitor,
            language=self.language,
            languages=LANGUAGES,
            path=self.request.url.path,
            here=self._here,
            static=static_url,
            has_tour=isinstance(self.services.clock, MovableClock),
            **facts,
        )

    def _here(self, **changes: Any) -> str:
        """Return this page's address with other parameters; None takes one away."""
        query = {name: value for name, value in self.request.query_params.items() if value}
        query |= {name: str(value) for name, value in changes.items() if value is not None}
        for name, value in changes.items():
            if value is None:
                query.pop(name, None)
        return f"{quote(self.request.url.path)}?{urlencode(query)}"


Page = Callable[[Look], Awaitable[Response]]


class PageRoutes:
    """Makes routes of pages.

    Args:
        services: what they work with.
    """

    def __init__(self, services: WebServices) -> None:
        self.sessions = Sessions(services.store, services.clock, services.people)
        self._services = services
        self._frames = Environment(
            loader=PackageLoader("bridge.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )

    def member(self, path: str, page: Page, *, methods: tuple[str, ...] = ("GET",)) -> Route:
        """Return the route of a page for who has logged in."""

        async def answer(request: Request) -> Response:
            look = await self.look(request)
            if look.visitor is None:
                return _to_login(request)
            if request.method == "POST" and not _is_own(look):
                return look.render("error.html", 403, sentence=_STALE)
            return await self._answered(look, page)

        return Route(path, answer, methods=list(methods))

    def anybody(self, path: str, page: Page, *, methods: tuple[str, ...] = ("GET",)) -> Route:
        """Return the route of a page for everybody; a form's token is the login form's."""

        async def answer(request: Request) -> Response:
            look = await self.look(request)
            if request.method == "POST" and not is_from_our_form(
                request, look.form.get("csrf", "")
            ):
                return look.render("error.html", 403, sentence=_STALE)
            return await self._answered(look, page)

        return Route(path, answer, methods=list(methods))

    async def look(self, request: Request) -> Look:
        """Find out who asks, in which language and with what."""
        form = await _form(request) if request.method == "POST" else {}
        visitor = await self.sessions.visitor(request)
        return Look(request, self._services, visitor, language_of(request), form, self._frames)

    async def _answered(self, look: Look, page: Page) -> Response:
        try:
            response = await page(look)
        except PageNotFound:
            response = look.render("error.html", 404, sentence=_MISSING)
        except OperationFailed as failure:
            response = look.render("error.html", 409, sentence=look.say(failure.args[0]))
        if (wanted := look.request.query_params.get("lang")) in LANGUAGES:
            response.set_cookie(
                COOKIE,
                str(wanted),
                max_age=LANGUAGE_LASTS_S,
                path="/",
                samesite="strict",
                httponly=True,
                secure=look.request.url.scheme == "https",
            )
        return response


def _(text: str) -> str:
    """Mark a text for the catalogues."""
    return text


_STALE = _("This form is too old. Go back, load the page anew and try again.")
_MISSING = _("There is no such page, or it is not yours.")


def _is_own(look: Look) -> bool:
    return hmac.compare_digest(look.me.csrf.encode(), look.form.get("csrf", "").encode())


def _to_login(request: Request) -> Response:
    there = request.url.path
    if request.method == "GET" and request.url.query:
        there += f"?{request.url.query}"
    query = urlencode({"next": there}) if there != "/" and request.method == "GET" else ""
    return RedirectResponse(f"/login?{query}".rstrip("?"), 303)


async def _form(request: Request) -> dict[str, str]:
    """Read a form's fields, the last of each name; only the plain encoding is taken."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/x-www-form-urlencoded":
        return {}
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}
