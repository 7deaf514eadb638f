"""The page's server, built from the settings; loaded only where there is one.

What it answers (``app.site``) is loaded with the first request.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.app.resources import Resources
from bridge.app.room import Room
from bridge.app.servers import PART_GRACE_S
from bridge.clock import Clock, MovableClock, SystemClock
from bridge.login import GuessGuard
from bridge.model import AccountId
from bridge.net.listening import Listening
from bridge.operations.control import Perform
from bridge.web.lag import LoopLag
from bridge.web.late import LateApp
from bridge.web.listener import WebServer
from bridge.web.password import AdministratorPassword
from bridge.web.people import AccountPasswords, PagePeople
from bridge.web.services import WebServices

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class WebPage:
    """The page's server and what it works with.

    Args:
        resources: what works on the data.
        authenticator: knows the accounts' passwords.
        guard: counts guesses of all protocols together.
        tls: the servers' certificate.
        room: how many connections there may be.
        sessions: how many are connected by the other protocols.

    Attributes:
        server: not started.
        lag: measures the loop, once it runs.
    """

    def __init__(
        self,
        resources: Resources,
        authenticator: AccountPasswords,
        guard: GuessGuard,
        tls: ssl.SSLContext,
        room: Room,
        sessions: Callable[[], Mapping[str, int]],
    ) -> None:
        self._resources = resources
        config = resources.config
        administrator = AdministratorPassword(config.data_dir)
        people = self._people = PagePeople(authenticator, resources.addresses, administrator)
        self._services = WebServices(
            store=resources.store,
            clock=resources.clock,
            people=people,
            logins=people.gate(guard),
            zone=ZoneInfo(config.display.timezone),
            requested=resources.api_results,
        )
        self.lag = LoopLag(resources.clock)
        self._sessions = sessions
        self.server = WebServer(
            LateApp(self._load),
            _connections_clock(resources.clock),
            tls=tls,
            stop_grace_s=PART_GRACE_S,
            most=room.web,
        )

    async def take_over(
        self, authenticator: AccountPasswords, ended: Collection[AccountId]
    ) -> None:
        """Go by the accounts that there are now.

        Args:
            authenticator: knows their passwords.
            ended: those whose browsers have to log in again.
        """
        self._people.take_over(authenticator, self._resources.addresses)
        for account in ended:
            await self._end_sessions(account)

    async def _end_sessions(self, account: AccountId) -> None:
        await self._resources.store.write(lambda tx: tx.end_web_sessions(account))

    def open(self, perform: Perform, listening: Listening) -> None:
        """Answer from here on; before, requests are told to come again.

        Args:
            perform: carries out operations.
            listening: what the bridge listens on.
        """
        self._services.perform, self._services.listening = perform, listening

    async def _load(self) -> ASGIApp:
        # On a thread: what waits for the loop is not to wait for the disk.
        await asyncio.to_thread(import_module, "bridge.app.site")
        from bridge.app.site import site_app

        return site_app(self._resources, self._services, self.lag, self._connected)

    def _connected(self) -> Mapping[str, int]:
        return {**self._sessions(), "http": self.server.connected}


def _connections_clock(clock: Clock) -> Clock:
    """Return what connections are timed by: one that is moved on would end that very request."""
    return SystemClock() if isinstance(clock, MovableClock) else clock
