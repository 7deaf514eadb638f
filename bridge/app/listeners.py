"""The listeners of a bridge: IMAP, SMTP and the page, and what they share.

Passwords and guesses at them, the certificate, and the room for connections are the same for all
three. Clients stay connected while the settings change (``take_over``).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from bridge.app.certificate import Identity
from bridge.app.resources import Resources
from bridge.app.room import Room, make_room
from bridge.app.servers import (
    CurrentQuota,
    append_limit_bytes,
    imap_server,
    smtp_server,
    smtp_settings,
)
from bridge.app.throttles import throttle_facts
from bridge.config import Listen
from bridge.config.values import WEB_USUAL
from bridge.credentials import Authenticator, Login, Secrets
from bridge.login import ADMINISTRATOR_NAME, GuessGuard, LoginGate
from bridge.model import AccountId
from bridge.net.listening import CannotListen, Listener, ProtocolName, TlsUse
from bridge.outbox.queue import Outbox
from bridge.sync.service import Sync

if TYPE_CHECKING:
    from bridge.app.web import WebPage
    from bridge.imapserver.server import ImapServer
    from bridge.smtpserver.server import SmtpServer
    from bridge.web.listener import WebServer

log = structlog.get_logger()


class Stoppable(Protocol):
    """What ends when it is told to."""

    async def stop(self) -> None:
        """Let what is in hand end."""


class Listeners:
    """See the module.

    Args:
        resources: what works on the data.
        secrets: the accounts' passwords.
        random: ids of submissions.
        tls: the certificate.

    Attributes:
        page: the page, None where there is none.
    """

    def __init__(
        self, resources: Resources, secrets: Secrets, random: Random, tls: ssl.SSLContext
    ) -> None:
        self.page: WebPage | None = None
        self._resources = resources
        self._random = random
        self._tls = tls
        self._room: Room = make_room()
        self._authenticator = _authenticator(resources, secrets)
        self._guard = GuessGuard(resources.clock, _names(resources))
        self._logins = LoginGate(self._authenticator, self._guard)
        self._quota: CurrentQuota | None = None
        self._imap: ImapServer | None = None
        self._smtp: SmtpServer | None = None

    async def open(self, outbox: Outbox, sync: Sync) -> tuple[Listener, ...]:
        """Listen, as the settings say.

        Args:
            outbox: where submissions are queued.
            sync: knows the accounts' quota.

        Raises:
            CannotListen: what listens already is to be stopped.
        """
        config, resources = self._resources.config, self._resources
        self._quota = CurrentQuota(sync)
        self._imap = imap_server(resources, self._logins, self._quota, self._tls, self._room)
        self._smtp = smtp_server(
            resources, outbox, self._logins, self._random, self._tls, self._room
        )
        return (
            *await _open("imap", config.imap.listen, self._imap),
            *await _open("smtp", config.smtp.listen, self._smtp),
            *await self._open_page(),
        )

    async def let_in_by(
        self, identity: Identity, secrets: Secrets, ended: Collection[AccountId]
    ) -> None:
        """Go by another certificate and other passwords from here on.

        Args:
            identity: the certificate.
            secrets: the accounts' passwords.
            ended: the accounts whom nobody is logged in to on the page any more.
        """
        identity.put_into(self._tls)
        self._authenticator = _authenticator(self._resources, secrets)
        self._logins.take_over(self._authenticator, _names(self._resources))
        if self.page is not None:
            await self.page.take_over(self._authenticator, ended)

    async def take_over(self, outbox: Outbox, sync: Sync, ended: Collection[AccountId]) -> None:
        """Go by the changed settings; connections stay but for those of the ``ended`` accounts."""
        if self._quota is not None:
            self._quota.sync = sync
        if self._imap is not None and self._smtp is not None:
            settings = smtp_settings(self._resources, self._room)
            await asyncio.gather(
                self._imap.take_over(append_limit_bytes(self._resources.config), ended),
                self._smtp.take_over(outbox, settings, ended),
            )

    async def accept_no_more(self) -> None:
        """Take no further submission."""
        if self._smtp is not None:
            await self._smtp.stop()

    @property
    def parts(self) -> list[Stoppable]:
        """What listens, each to be stopped."""
        web = None if self.page is None else self.page.server
        return [part for part in (self._smtp, self._imap, web) if part is not None]

    def throttles(self) -> dict[str, Any]:
        """Return what slows or limits clients just now."""
        web = None if self.page is None else self.page.server
        servers = {"imap": self._imap, "smtp": self._smtp, "http": web}
        crowds = {name: one.crowd for name, one in servers.items() if one is not None}
        return throttle_facts(self._guard.slowed(), crowds)

    def _connected(self) -> dict[str, int]:
        servers = {"imap": self._imap, "smtp": self._smtp}
        return {name: one.connected for name, one in servers.items() if one is not None}

    async def _open_page(self) -> list[Listener]:
        """Open the page's listeners; where no settings ask for it, nothing depends on it."""
        wanted = self._resources.config.web.listen
        if wanted == ():
            return []
        # Several MB that a bridge without the page need not have.
        from bridge.app.web import WebPage

        page = WebPage(
            self._resources, self._authenticator, self._guard, self._tls, self._room,
            self._connected,
        )  # fmt: skip
        try:
            listeners = await _open("http", wanted or WEB_USUAL, page.server)
        except CannotListen as error:
            if wanted is not None:
                raise
            log.warning("web_absent", reason=str(error))
            return []
        self.page = page
        return listeners


def _authenticator(resources: Resources, secrets: Secrets) -> Authenticator:
    return Authenticator(
        Login(one.id, one.settings.address, its.password, its.local_password)
        for one, its in zip(resources.accounts, secrets.accounts, strict=True)
    )


def _names(resources: Resources) -> tuple[str, ...]:
    """Return the names that one logs in by."""
    return (*resources.addresses.values(), ADMINISTRATOR_NAME)


_TABLES: dict[str, str] = {"http": "web"}
"""The settings of a protocol that are not called like it."""


async def _open(
    protocol: ProtocolName, settings: Sequence[Listen], server: ImapServer | SmtpServer | WebServer
) -> list[Listener]:
    try:
        addresses = await server.start(settings)
    except OSError as error:
        wanted = [(listen.host, listen.port) for listen in settings]
        raise CannotListen(_TABLES.get(protocol, protocol), wanted, error) from error
    upgrade: TlsUse = "none" if protocol == "http" else "starttls"
    return [
        Listener(protocol, host, port, "implicit" if listen.implicit_tls else upgrade)
        for listen, (host, port) in zip(settings, addresses, strict=True)
    ]
