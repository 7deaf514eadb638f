"""What every request passes before anything else sees it, and every answer on its way out.

- The ``Host`` is one of ours: an address, or a name that was given to us. A page elsewhere whose
  name is made to point here (DNS rebinding) is refused.
- A request says once how long it is: one with both Content-Length and Transfer-Encoding ends its
  connection (RFC 9112 §6.1), or a proxy before us might read two requests in it as one.
- What changes anything does not come from another site's page (``Origin``, ``Sec-Fetch-Site``).
- A body has a limit and a time.
- Answers carry a strict Content-Security-Policy and its like, and are kept by nobody. There is no
  CORS: no other site's page may read anything.
- Who hangs up amid a request is no news. What goes wrong inside is logged and said in one sentence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.language import LanguageSetting, Sentence, say
from bridge.limits import WEB_BODY_BYTES, WEB_STRANGER_REQUEST_S
from bridge.web.problem import ProblemKind, is_for_programs, refused

log = structlog.get_logger()

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
NOT_KEPT = "no-store"
SAFE = frozenset({"GET", "HEAD"})
METHODS = SAFE | {"POST", "PUT", "DELETE"}


class BodyTooLong(Exception):
    """A request has more body than is read."""


class Guard:
    """See the module; an ASGI application around another.

    Args:
        app: what it guards.
        names: the host names that are ours, besides every address and ``localhost``.
        language: gives what the settings say, for refusals that programs read.
    """

    def __init__(
        self, app: ASGIApp, names: Iterable[str], language: Callable[[], LanguageSetting]
    ) -> None:
        self._app = app
        self._language = language
        self._names = {"localhost", *(name.casefold().rstrip(".") for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        refusal = self._refusal(Request(scope))
        if refusal is not None:
            await refusal(scope, receive, _dressed(send))
            return
        await self._pass(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if {"content-length", "transfer-encoding"} <= set(request.headers):
            return self._refused(
                request,
                ProblemKind.BAD_REQUEST,
                say("This has both a Content-Length and a Transfer-Encoding."),
                Connection="close",
            )
        if not self._is_ours(host):
            return self._refused(
                request,
                ProblemKind.HOST,
                say(
                    "This bridge has no such name. Use its address, or add the name to "
                    "[web] hosts in its configuration."
                ),
            )
        if request.method not in METHODS and not is_for_programs(request.url.path):
            return self._refused(
                request,
                ProblemKind.METHOD,
                say("This method is not used here."),
                Allow=", ".join(sorted(METHODS)),
            )
        if request.method not in SAFE and _is_foreign(request, host):
            return self._refused(
                request,
                ProblemKind.FOREIGN,
                say("This came from another site's page."),
            )
        length = request.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:20]) > WEB_BODY_BYTES:
            return self._refused(request, ProblemKind.TOO_LONG, say("This is too long."))
        return None

    def _refused(
        self, request: Request, kind: ProblemKind, sentence: Sentence, **headers: str
    ) -> Response:
        return refused(request, kind, sentence, self._language(), **headers)

    def _is_ours(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, _port = parts.hostname, parts.port
        except ValueError:
            return False
        if not name or parts.netloc != host or "@" in host:
            return False
        try:
            ip_address(name)
        except ValueError:
            return name.rstrip(".") in self._names
        return True

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        started = False
        dressed = _dressed(send)

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await dressed(message)

        try:
            await self._app(scope, _bounded(receive), noted)
        except ClientDisconnect:  # before its body was whole; nobody is there to answer
            return
        except BodyTooLong:
            answer = self._refused(request, ProblemKind.TOO_LONG, say("This is too long."))
        except TimeoutError:
            answer = self._refused(request, ProblemKind.TOO_SLOW, say("This took too long."))
        except Exception:
            log.exception("web_request_failed", path=scope["path"])
            words = say("The bridge could not do that; its log says why.")
            answer = self._refused(request, ProblemKind.FAILED, words)
        else:
            return
        if started:
            raise ConnectionError("an answer broke off")  # the client is to see that
        answer.headers["Connection"] = "close"
        await answer(scope, receive, dressed)


def _is_foreign(request: Request, host: str) -> bool:
    """Tell whether a browser says that another site's page asked."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc.casefold() != host.casefold()
    except ValueError:  # it is no address
        return True


def _bounded(receive: Receive) -> Receive:
    seen_bytes, is_whole = 0, False

    async def bounded() -> Message:
        nonlocal seen_bytes, is_whole
        if is_whole:  # what is waited for now is the client's end
            return await receive()
        async with asyncio.timeout(WEB_STRANGER_REQUEST_S):
            message = await receive()
        seen_bytes += len(message.get("body", b""))
        if seen_bytes > WEB_BODY_BYTES:
            raise BodyTooLong
        is_whole = not message.get("more_body", False)
        return message

    return bounded


def _dressed(send: Send) -> Send:
    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message.get("headers", ())}
            wanted = {**HEADERS, "Cache-Control": NOT_KEPT}
            message = {
                **message,
                "headers": [
                    *message.get("headers", ()),
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in wanted.items()
                        if name.lower().encode() not in given
                    ),
                ],
            }
        await send(message)

    return dressed
