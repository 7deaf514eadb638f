"""The check of recipients' domains, put together where the settings want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.api.connection import ApiConnection
from bridge.api.mailboxes import MailboxClient
from bridge.app.domain_check import DomainCheck
from bridge.app.resources import Resources
from bridge.app.way import way
from bridge.app.worker import Work
from bridge.credentials import Secrets

if TYPE_CHECKING:
    import httpx


class Domains:
    """Holds the connection to the mailbox host while ``[send] check_domains`` is on."""

    def __init__(
        self,
        resources: Resources,
        secrets: Secrets,
        http_transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._connection: ApiConnection | None = None
        self._check: DomainCheck | None = None
        if resources.config.send.check_domains == "off":
            return
        api = resources.config.api
        self._connection = ApiConnection(
            api.admin_url,
            (secrets.admin_token or secrets.token).reveal(),
            clock=resources.clock,
            timeout_s=api.timeout_s,
            transport=http_transport,
            way=way(api, secrets.proxy_login),
        )
        client = MailboxClient(self._connection, resources.clock)
        self._check = DomainCheck(resources.store, resources.mailboxes, resources.clock, client)

    def works(self) -> dict[str, Work]:
        """Return the background work by name; none where the check is off."""
        return {} if self._check is None else {"domains": self._check.run}

    async def aclose(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.aclose()
