"""One way to the API for all accounts of a token: exchanges requests for whole answers.

``exchange`` returns an answer of any status, or raises ``NotSent`` or ``OutcomeUnknown`` when
there was none. It never repeats a request, follows no redirect, keeps no cookie (accounts share
the connection, and a session must not), and goes the way it is told (``way``): what was asked is
what was sent, once.

Connections: reads share a pool with keep-alive. Whatever changes something opens its own
connection: a kept one that the server is just closing could swallow the request, and nobody
would know whether it was read. (httpcore repeats a request only while it has no connection.)

Limits: an answer is cut off at its caller's limit; a request ends at the latest after
``DEADLINE_FACTOR`` timeouts and the time its body needs at ``SLOWEST_BYTES_PER_S``.

Secrets: the token lives in the request's headers. No httpx object is chained to an error (it
would hold them), and only method, path, status and duration are logged.
"""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
import structlog

from bridge.allowance import Allowance
from bridge.apart.process import Apart
from bridge.api.date import parse_date
from bridge.api.encoding import plain
from bridge.api.errors import ANSWER_LIMIT_CHARS, AnswerTooLong, ApiError, NotSent, from_exception
from bridge.api.ratelimit import Start
from bridge.api.unreachable import shown_host
from bridge.api.way import ApiRoute
from bridge.clock import Clock
from bridge.language import say
from bridge.limits import ANSWER_SPOOLED_FROM_BYTES, ANSWERS_READ_BYTES, API_ANSWER_BYTES
from bridge.spool import Spooled, SpoolFile

log = structlog.get_logger()

DIRECT = ApiRoute()
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

DEADLINE_FACTOR = 4
SLOWEST_BYTES_PER_S = 20_000
MAX_CONNECTIONS = 20
KEEP_ALIVE_S = 4.0
"""Below the 5 s after which common servers hang up, so that a read rarely meets a closing one."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request: ``path`` begins with ``/`` and is quoted already; ``headers`` are secret.

    ``shown`` stands for the path in the log where a secret is part of it. ``changes`` marks a GET
    that is no mere read: it gets a connection of its own, as everything that changes something.
    ``may_spool`` lets a large answer be on the disk.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes] = field(repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    body: AsyncIterator[bytes] | None = field(default=None, repr=False)
    body_bytes: int = 0
    limit_bytes: int = API_ANSWER_BYTES
    shown: str = ""
    changes: bool = False
    may_spool: bool = False


@dataclass(frozen=True, slots=True)
class Basic:
    """A name and a key in place of a bearer token, as the token host wants them."""

    name: str
    key: str = field(repr=False)

    @property
    def encoded(self) -> str:
        """Both as they stand in the Authorization field."""
        return base64.b64encode(f"{self.name}:{self.key}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; unless ``whole`` it broke off, and ``content`` is as much as came.

    A large success that may be is ``spooled``, and ``content`` its beginning.
    """

    status: int
    retry_after: str | None
    content: bytes = field(repr=False)
    whole: bool = True
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    spooled: Spooled | None = None


class Begun:
    """Whether the first byte of a request was about to be written to the API itself.

    What is written to a proxy before that (``CONNECT``) asks for a way and holds nothing of ours.

    Args:
        start: is awaited just before.
        may_begin: tells whether it may be.
    """

    def __init__(self, start: Start | None, may_begin: Callable[[], bool]) -> None:
        self.start = start
        self.may_begin = may_begin
        self.is_so = False

    async def trace(self, name: str, info: Mapping[str, Any]) -> None:
        """Take note of a step of httpcore's.

        Raises:
            NotSent: the request may not begin any more.
        """
        if not name.endswith("send_request_headers.started"):
            return
        if getattr(info.get("request"), "method", b"") == b"CONNECT":
            return
        if not self.may_begin():  # to connect took too long
            raise not_leading()
        self.is_so = True
        if self.start is not None:
            await self.start()


class ApiConnection:
    """The HTTP side of the API, shared by the clients of all accounts with this token.

    Args:
        base_url: ``https://…``, or ``http://…`` on loopback; may have a path.
        token: the bearer token, or a name and key.
        clock: for durations in the log.
        timeout_s: for connecting, and for each wait for the other side.
        transport: where requests go instead of the network.
        apart: where large answers are read; None reads all in memory.
        way: proxy and authorities.
        results: counts requests by what came of them: the HTTP status, ``not sent`` or ``unknown``.
        may_change: tells, right before a request that may change something, whether it may begin.
    """

    def __init__(
        self,
        base_url: str,
        token: str | Basic,
        *,
        clock: Clock,
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
        apart: Apart | None = None,
        way: ApiRoute = DIRECT,
        results: Counter[str] | None = None,
        may_change: Callable[[], bool] = lambda: True,
    ) -> None:
        self._may_change = may_change
        self._results: Counter[str] = Counter() if results is None else results
        self.apart = apart
        self.room = Allowance(ANSWERS_READ_BYTES)
        self.base_url = base_url.rstrip("/")
        if isinstance(token, Basic):
            scheme, value = b"Basic ", token.encoded
            self.secrets: tuple[str, ...] = (token.key, value)
        else:
            scheme, value = b"Bearer ", token
            self.secrets = (token,)
        self.secrets += way.secrets
        self._clock = clock
        self._timeout_s = timeout_s
        headers = {
            b"Authorization": scheme + header_value(value, "the token"),
            b"Accept": b"application/json",
            b"Accept-Encoding": b"identity",
            b"User-Agent": b"pec-bridge",
        }
        tls = way.tls(self.base_url)
        proxy = None if transport is not None else way.proxy_to(self.base_url)
        self._through = "" if proxy is None else shown_host(str(proxy.url))
        self._reads, self._changes = (
            httpx.AsyncClient(
                transport=transport
                or httpx.AsyncHTTPTransport(
                    verify=tls,
                    trust_env=False,
                    limits=_limits(kept_connections),
                    proxy=proxy,
                ),
                headers=headers,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                timeout=httpx.Timeout(timeout_s),
                trust_env=False,
                follow_redirects=False,
            )
            for kept_connections in (MAX_CONNECTIONS, 0)
        )

    def __repr__(self) -> str:
        """Name the address, never the token."""
        return f"<ApiConnection to {self.base_url}>"

    async def aclose(self) -> None:
        """Close every connection; idempotent."""
        await self._reads.aclose()
        await self._changes.aclose()

    async def exchange(self, call: ApiRequest, start: Start | None = None) -> Answer:
        """Make one request and return its answer, whatever the status.

        ``start`` is awaited just before the first byte of the request is written.

        Raises:
            NotSent: no connection came about.
            OutcomeUnknown: the request may have arrived, but no status came back, or the answer
                is longer than the call's limit.
        """
        began_s = self._clock.monotonic()
        outcome = await self._attempt(call, start)
        took_s = round(self._clock.monotonic() - began_s, 3)
        shown = {"method": call.method, "path": call.shown or call.path, "took_s": took_s}
        self._results[_kind(outcome)] += 1
        if isinstance(outcome, ApiError):
            log.info("api_request_failed", **shown, reason=outcome.reason)
            raise outcome
        log.debug("api_request", **shown, status=outcome.status)
        return outcome

    async def _attempt(self, call: ApiRequest, start: Start | None) -> Answer | ApiError:
        """Return what came of it. Errors are returned, so none is chained to an httpx one."""
        deadline_s = DEADLINE_FACTOR * self._timeout_s + call.body_bytes / SLOWEST_BYTES_PER_S
        client = self._reads if call.method == "GET" and not call.changes else self._changes
        heard: list[httpx.Response] = []
        may_begin = self._may_change if call.method != "GET" else _always
        if not may_begin():
            return not_leading()
        begun = Begun(start, may_begin)
        content = bytearray()
        try:
            request = self._request(client, call, begun)
            async with asyncio.timeout(deadline_s):
                response = await client.send(request, stream=True)
                try:
                    heard.append(response)
                    self._note_time(response)
                    if call.may_spool and self.apart is not None and response.is_success:
                        return await self._spooled(response, content, call, self.apart)
                    return await _read(response, content, call.limit_bytes)
                finally:
                    await response.aclose()
        except NotSent as error:
            return error
        except Exception as error:
            if heard and 400 <= heard[0].status_code < 500:  # the no was heard, not all its words
                return _answer(heard[0], content, whole=False)
            if self._through and not begun.is_so and not isinstance(error, _NO_CONNECTION):
                error = httpx.ProxyError(str(error))  # it was asked for a way, and no more
            return from_exception(error, self._shown_way())

    def _shown_way(self) -> str:
        host = shown_host(self.base_url)
        if not self._through:
            return host
        return say("{host} through {proxy}", host=host, proxy=self._through)

    def _note_time(self, response: httpx.Response) -> None:
        """Let the clock know what time it is there; a cache's answer is as old as its Age."""
        at = parse_date(response.headers.get("Date", ""))
        if at is not None and "Age" not in response.headers:
            self._clock.heard(at)

    async def _spooled(
        self, response: httpx.Response, content: bytearray, call: ApiRequest, apart: Apart
    ) -> Answer | ApiError:
        """Read an answer, all of it onto the disk if it is large; ``content`` has its beginning."""
        file: SpoolFile | None = None
        size_bytes = 0
        waiting = content
        async for chunk in plain(response):
            waiting += chunk
            if size_bytes + len(waiting) > call.limit_bytes:
                return _too_long(response, call.limit_bytes)
            if len(waiting) >= ANSWER_SPOOLED_FROM_BYTES:
                if file is None:
                    file = await asyncio.to_thread(SpoolFile, apart.folder)
                    waiting = bytearray(content)
                    del content[ANSWER_LIMIT_CHARS * 4 :]
                await asyncio.to_thread(file.append, bytes(waiting))
                size_bytes += len(waiting)
                waiting = bytearray()
        if file is None:
            return _answer(response, content, whole=True)
        await asyncio.to_thread(file.append, bytes(waiting))
        spooled = Spooled(file, 0, size_bytes + len(waiting))
        return replace(_answer(response, content, whole=True), spooled=spooled)

    def _request(self, client: httpx.AsyncClient, call: ApiRequest, begun: Begun) -> httpx.Request:
        headers = dict(call.headers)
        content = call.body
        is_watched = self._through or begun.start or call.method != "GET"
        if content is not None:
            headers[b"Content-Type"] = b"application/json"
            headers[b"Content-Length"] = str(call.body_bytes).encode()
            if begun.start is not None:
                content = _after(begun.start, content)
        return client.build_request(
            call.method,
            self.base_url + call.path,
            params=dict(call.params) or None,
            headers=headers,
            content=content,
            extensions={"trace": begun.trace} if is_watched else None,
        )


def _always() -> bool:
    return True


def not_leading() -> NotSent:
    """Return why a request that changes something was not begun."""
    return NotSent(
        say("This bridge could not make sure in time that it still leads."), kind="unreachable"
    )


def _kind(outcome: Answer | ApiError) -> str:
    """Return what came of a request in a word: the HTTP status, or whether it may have arrived."""
    if outcome.status is not None:
        return str(outcome.status)
    return "not sent" if isinstance(outcome, NotSent) else "unknown"


async def _read(
    response: httpx.Response, content: bytearray, limit_bytes: int
) -> Answer | ApiError:
    """Read the whole answer into ``content``, or say that it is too long."""
    async for chunk in plain(response):
        content += chunk
        if len(content) > limit_bytes:
            return _too_long(response, limit_bytes)
    return _answer(response, content, whole=True)


def _too_long(response: httpx.Response, limit_bytes: int) -> AnswerTooLong:
    words = say("The API's answer is longer than {limit_bytes} bytes.", limit_bytes=limit_bytes)
    return AnswerTooLong(words, status=response.status_code)


def _answer(response: httpx.Response, content: bytearray, *, whole: bool) -> Answer:
    return Answer(
        response.status_code,
        response.headers.get("Retry-After"),
        bytes(content),
        whole=whole,
        fields=response.headers,
    )


def header_value(text: str, name: str) -> bytes:
    """Return ``text`` as the value of a header field (RFC 9110 §5.5).

    Raises:
        ValueError: it holds a control character or begins or ends with a blank; the message
            names ``name``, never the value.
    """
    if text != text.strip() or any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError(say("{name} has blanks around it or a control character in it", name=name))
    return text.encode()


async def _after(start: Start, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give ``content``, its first byte not before ``start``: transports without hooks."""
    await start()
    async for chunk in content:
        yield chunk


def _limits(kept_connections: int) -> httpx.Limits:
    return httpx.Limits(
        max_connections=MAX_CONNECTIONS,
        max_keepalive_connections=kept_connections,
        keepalive_expiry=KEEP_ALIVE_S,
    )
