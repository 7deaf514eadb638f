"""Where mail programs ask by themselves how to set an account up: autoconfig and Autodiscover.

Nobody has logged in yet, so the answer is the same for every address, whether it is served here or
not, and says what a look at the ports would: where the bridge listens, as far as whoever asks can
reach it. A bridge that only its own machine reaches answers nobody else.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bridge.language import say
from bridge.net.address import is_loopback
from bridge.operations.autoconfig import (
    FORMATS,
    Facts,
    address_in,
    is_complete,
    outlook_fault,
    outlook_json,
)
from bridge.operations.autodiscover import AutodiscoverFault, asked_address
from bridge.operations.mailprograms import connection
from bridge.web.evidence import attachment
from bridge.web.language import for_people
from bridge.web.services import NotReady, WebServices

XML = "application/xml; charset=utf-8"
_NOBODY = "%EMAILADDRESS%"


class Discovery:
    """See the module.

    Args:
        services: what tells where the bridge listens.
        machine: gives this machine's name.
    """

    def __init__(
        self, services: WebServices, machine: Callable[[], str] = socket.gethostname
    ) -> None:
        self._services = services
        self._machine = machine

    def routes(self) -> list[BaseRoute]:
        """Return its routes; Outlook spells them in capitals or not."""
        return [
            Route("/mail/config-v1.1.xml", self._thunderbird),
            Route("/.well-known/autoconfig/mail/config-v1.1.xml", self._thunderbird),
            Route("/mail/pec.mobileconfig", self._apple),
            _CaselessRoute("/autodiscover/autodiscover.xml", self._outlook, ["POST"]),
            _CaselessRoute("/autodiscover/autodiscover.json", self._outlook_json, ["GET"]),
            _CaselessRoute(
                "/autodiscover/autodiscover.json/v1.0/{address}", self._outlook_json, ["GET"]
            ),
        ]

    async def _thunderbird(self, request: Request) -> Response:
        facts = self._facts(request, _NOBODY)
        if facts is None:
            return _nothing(request)
        address = request.query_params.get("emailaddress", "")
        return Response(FORMATS["thunderbird"].write(facts, address), media_type=XML)

    async def _apple(self, request: Request) -> Response:
        address = address_in(request.query_params.get("emailaddress", ""))
        if address is None:
            return PlainTextResponse("Say ?emailaddress=…\n", 400)
        facts = self._facts(request, address)
        if facts is None:
            return _nothing(request)
        apple = FORMATS["apple"]
        return Response(
            apple.write(facts, address),
            media_type=apple.media_type,
            headers={"Content-Disposition": attachment(apple.file_name)},
        )

    async def _outlook(self, request: Request) -> Response:
        now = self._services.clock.now()
        try:
            address = asked_address(await request.body())
        except AutodiscoverFault as fault:
            at = f"{now:%H:%M:%S}"
            return Response(outlook_fault(fault.code, fault.args[0], at=at), media_type=XML)
        facts = self._facts(request, address)
        if facts is None:
            return _nothing(request)
        return Response(FORMATS["outlook"].write(facts, address), media_type=XML)

    async def _outlook_json(self, request: Request) -> Response:
        asked = {name.casefold(): value for name, value in request.query_params.items()}
        url = str(request.url.replace(path="/autodiscover/autodiscover.xml", query=""))
        status, body = outlook_json(asked.get("protocol", ""), url)
        return Response(body, status, media_type="application/json")

    def _facts(self, request: Request, address: str) -> Facts | None:
        """Return the servers that whoever asks can reach, None if there are not all of them.

        Raises:
            NotReady: the bridge is starting.
        """
        if self._services.listening is None:
            raise NotReady
        ports: list[dict[str, Any]] = self._services.listening.as_json()["listeners"]
        peer = request.client.host if request.client else ""
        if not is_loopback(peer):
            ports = [one for one in ports if not is_loopback(one["host"])]
        facts = connection(address, ports, self._machine())
        return facts if is_complete(facts) else None


class _CaselessRoute(Route):
    """A route whose path may be spelled in capitals or not."""

    def __init__(
        self, path: str, endpoint: Callable[[Request], Awaitable[Response]], methods: list[str]
    ) -> None:
        super().__init__(path, endpoint, methods=methods)
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)


def _nothing(request: Request) -> Response:
    return for_people(request, say("Other machines do not reach the mail servers here."), 404)
