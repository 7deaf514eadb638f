"""Telling by HTTP: one POST to the configured URL, signed, and nothing else anywhere.

No redirect is followed, no cookie kept, no answer read further than to its end or ``ANSWER_BYTES``,
nothing unpacked. The environment's proxies do not count. A try ends in time whatever the receiver
does. Reasons name the host and never the URL, which may hold a secret.

Names are looked up by a thread of this target's own first: a lookup that hangs holds its thread,
and those that all lookups of the process share are few and needed for sending.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from bridge.api.encoding import raw_pieces
from bridge.api.errors import retry_after_s
from bridge.api.unreachable import shown_host, why_unreachable
from bridge.api.way import ApiRoute
from bridge.clock import Clock
from bridge.hooks.schedule import TryReport
from bridge.hooks.signature import signed_fields
from bridge.hooks.states import TryOutcome
from bridge.language import say
from bridge.limits import WEBHOOK_ANSWER_BYTES

BUSY = frozenset({408, 425, 429})
"""What says that the receiver cannot just now, whatever it is sent (RFC 9110, 8470, 6585)."""


@dataclass(frozen=True, slots=True)
class WebhookPlace:
    """Where a webhook goes: ``keys`` sign, the current one first; ``way`` has the authorities."""

    url: str
    keys: tuple[bytes, ...] = field(repr=False)
    timeout_s: float
    way: ApiRoute


class WebhookTarget:
    """See the module.

    Args:
        place: where to.
        clock: the time stamp.
        transport: where requests go instead of the network.

    Raises:
        OSError: the authorities cannot be used.
    """

    def __init__(
        self,
        place: WebhookPlace,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._place = place
        self._clock = clock
        self._host = shown_host(place.url)
        self._lookups = ThreadPoolExecutor(1, thread_name_prefix="webhook-name")
        self._client = httpx.AsyncClient(
            transport=transport or _transport(place, place.way.tls(place.url)),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(place.timeout_s),
            trust_env=False,
            follow_redirects=False,
        )

    async def aclose(self) -> None:
        """Close its connections."""
        self._lookups.shutdown(wait=False, cancel_futures=True)
        await self._client.aclose()

    async def _look_up(self) -> None:
        """Find out whether the name of the host, or of the proxy to it, can be looked up now.

        Raises:
            OSError: it cannot.
        """
        proxy = self._place.way.proxy_to(self._place.url)
        host = (proxy.url if proxy else httpx.URL(self._place.url)).host
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._lookups, socket.getaddrinfo, host, None)

    async def tell(self, name: str, body: bytes) -> TryReport:
        """See ``HookTarget``."""
        now_s = int(self._clock.now().timestamp())
        fields = {
            "Content-Type": "application/json",
            "User-Agent": "pec-bridge",
            "Accept-Encoding": "identity",
            **signed_fields(self._place.keys, name, now_s, body),
        }
        try:
            async with asyncio.timeout(self._place.timeout_s):
                await self._look_up()
                async with self._client.stream(
                    "POST", self._place.url, content=body, headers=fields
                ) as response:
                    await _read(response)
        except TimeoutError:
            return _down(
                say(
                    "{host} did not answer within {timeout_s} s",
                    host=self._host,
                    timeout_s=f"{self._place.timeout_s:g}",
                )
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError) as error:
            return _down(
                say(
                    "{host} {error}",
                    host=self._host,
                    error=why_unreachable(error) or say("broke off without an answer"),
                )
            )
        return self._report(response)

    def _report(self, response: httpx.Response) -> TryReport:
        status = response.status_code
        if response.is_success:
            return TryReport(TryOutcome.TAKEN)
        answered = (
            say(
                "{host} answered with status {status}: redirects are not followed; write where it "
                "leads to as url"
            )
            if response.has_redirect_location
            else say("{host} answered with status {status}")
        )
        reason = answered.filled_with(host=self._host, status=status)
        if status not in BUSY and status < 500:
            return TryReport(TryOutcome.REFUSED, reason)
        asked_s = retry_after_s(response.headers.get("retry-after"), self._clock.now())
        return TryReport(TryOutcome.DOWN, reason, asked_s)


def _transport(place: WebhookPlace, tls: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
    return httpx.AsyncHTTPTransport(
        verify=tls,
        trust_env=False,
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=4.0),
        proxy=place.way.proxy_to(place.url),
    )


async def _read(response: httpx.Response) -> None:
    """Read to the end, so that the connection can be used again, but not without end."""
    left_bytes = WEBHOOK_ANSWER_BYTES
    async for piece in raw_pieces(response):
        left_bytes -= len(piece)
        if left_bytes < 0:
            return


def _down(reason: str) -> TryReport:
    return TryReport(TryOutcome.DOWN, reason)
