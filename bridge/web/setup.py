"""Set-up: what to type into mail programs, or to give them, and the certificate to trust."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from pathlib import Path

from starlette.responses import Response
from starlette.routing import BaseRoute

from bridge.operations.autoconfig import FORMATS, is_complete
from bridge.operations.mailprograms import connection, steps
from bridge.web.evidence import attachment
from bridge.web.page import Look, PageNotFound, PageRoutes

_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?"
)


class Setup:
    """See the module.

    Args:
        pages: makes the routes.
        certificate: the file of it; its key, which may be in there too, is never given out.
        machine: gives this machine's name.
    """

    def __init__(
        self,
        pages: PageRoutes,
        certificate: Path,
        machine: Callable[[], str] = socket.gethostname,
    ) -> None:
        self._pages = pages
        self._certificate = certificate
        self._machine = machine

    def routes(self) -> list[BaseRoute]:
        """Return its routes."""
        return [
            self._pages.member("/setup", self._show),
            self._pages.member("/setup/certificate.pem", self._give),
            self._pages.member("/setup/servers", self._give_servers),
        ]

    async def _show(self, look: Look) -> Response:
        status = await look.services.do("status")
        accounts = []
        for one in status["accounts"]:
            if look.me.may_see(one["address"]):
                facts = connection(one["address"], status["listeners"], self._machine())
                files = FORMATS if is_complete(facts) else ()
                accounts.append({**facts, "steps": steps(facts), "files": files})
        fingerprint = status["tls"]["fingerprint"]
        return look.render("setup.html", accounts=accounts, fingerprint=fingerprint)

    async def _give_servers(self, look: Look) -> Response:
        """Give an account's servers out in one of the forms that mail programs read."""
        form, address = FORMATS.get(look.asked("form")), look.asked("account")
        status = await look.services.do("status")
        known = {one["address"] for one in status["accounts"]}
        if form is None or address not in known or not look.me.may_see(address):
            raise PageNotFound
        facts = connection(address, status["listeners"], self._machine())
        if not is_complete(facts):
            raise PageNotFound
        return Response(
            form.write(facts, address),
            media_type=form.media_type,
            headers={"Content-Disposition": attachment(form.file_name)},
        )

    async def _give(self, _look: Look) -> Response:
        try:
            text = await asyncio.to_thread(self._certificate.read_text, "ascii", "replace")
        except OSError:
            raise PageNotFound from None
        found = _CERTIFICATE.findall(text)
        if not found:
            raise PageNotFound
        return Response(
            "".join(found),
            media_type="application/x-pem-file",
            headers={"Content-Disposition": attachment("pec-bridge.pem")},
        )
