"""Listening for submissions: addresses, limits, and an orderly end.

Knows no SMTP command. ``stop`` stops listening, lets messages in hand be answered, and hangs up
on everybody else at once.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Sequence
from random import Random

from bridge.apart.process import Apart
from bridge.clock import Clock
from bridge.limits import SUBMISSIONS_BYTES, SUBMISSIONS_SPOOLED_BYTES
from bridge.login import LoginGate
from bridge.model import AccountId
from bridge.net.listen import Listen
from bridge.net.ports import Ports
from bridge.net.visitors import Crowd, Visitors
from bridge.outbox.queue import Outbox
from bridge.smtpserver.budget import Budgets, ByteBudget
from bridge.smtpserver.connection import LOG_IN_AGAIN, SHUTTING_DOWN, SmtpConnection
from bridge.smtpserver.delivery import Delivery
from bridge.smtpserver.session import SubmissionSession
from bridge.smtpserver.settings import SmtpSettings
from bridge.trace.tracing import Tracing

GOODBYE_S = 0.5
"""How long clients that were hung up on may take to close their side."""


class SmtpServer:
    """The submission server.

    Args:
        outbox: where messages go.
        logins: checks them.
        clock: for stamps.
        random: for Message-IDs.
        settings: see ``SmtpSettings``.
        tls: for STARTTLS and implicit TLS; None offers neither.
        apart: where large messages are checked; None for one of this server's own.
        tracing: see ``SmtpConnection``.
    """

    def __init__(
        self,
        outbox: Outbox,
        logins: LoginGate,
        clock: Clock,
        random: Random,
        settings: SmtpSettings,
        *,
        tls: ssl.SSLContext | None = None,
        apart: Apart | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing
        self._logins = logins
        self._clock = clock
        self._settings = settings
        self._tls = tls
        self._delivery = Delivery(
            outbox, settings.rules, clock, random, apart or Apart(settings.spool_dir)
        )
        largest_bytes = settings.rules.max_message_bytes
        self._budgets = Budgets(
            memory=ByteBudget(SUBMISSIONS_BYTES),
            disk=ByteBudget(max(SUBMISSIONS_SPOOLED_BYTES, 2 * largest_bytes)),
        )
        self._ports = Ports(self._session, tls)
        self._connections: Visitors[SmtpConnection] = Visitors(settings.max_sessions)

    @property
    def crowd(self) -> Crowd:
        """How full it is."""
        return self._connections.crowd

    @property
    def connected(self) -> int:
        """How many are connected."""
        return len(self._connections)

    async def start(self, listeners: Sequence[Listen]) -> list[tuple[str, int]]:
        """Listen on every address; returns host and port of each, in order.

        Raises:
            OSError: an address cannot be had; none is listened on then.
            ValueError: implicit TLS is asked for and there is no certificate.
        """
        return await self._ports.open(listeners)

    async def take_over(
        self, outbox: Outbox, settings: SmtpSettings, ended: Collection[AccountId]
    ) -> None:
        """Queue there and go by these settings from here on; connections stay.

        Args:
            outbox: where.
            settings: from here on.
            ended: accounts whose connections end, when what is in hand is answered or the grace
                is over.
        """
        self._settings = settings
        self._delivery.take_over(outbox, settings.rules)
        gone = [one for one in self._connections if not one.take_over(settings, ended)]
        for connection in await self._finish(gone, LOG_IN_AGAIN):
            connection.abort()

    async def stop(self) -> None:
        """Stop listening, answer what is in hand (within the grace), hang up; idempotent."""
        self._ports.close()
        await self._finish(list(self._connections), SHUTTING_DOWN)
        await self._close_all()
        await self._ports.wait_closed()

    async def _close_all(self) -> None:
        ends = [asyncio.ensure_future(one.wait_closed()) for one in self._connections]
        if ends:
            _done, open_still = await asyncio.wait(ends, timeout=GOODBYE_S)
            for end in open_still:
                end.cancel()
            await asyncio.gather(*open_still, return_exceptions=True)
        for connection in list(self._connections):
            connection.abort()

    async def _finish(
        self, connections: Sequence[SmtpConnection], last_words: str
    ) -> list[SmtpConnection]:
        """Let connections answer what is in hand and hang up; return who took beyond the grace."""
        if not connections:
            return []
        grace = asyncio.ensure_future(self._clock.sleep(self._settings.stop_grace_s))
        ends = {asyncio.ensure_future(one.finish(last_words)): one for one in connections}
        finished = asyncio.ensure_future(asyncio.wait(ends))
        await asyncio.wait((grace, finished), return_when=asyncio.FIRST_COMPLETED)
        late = [one for end, one in ends.items() if not end.done()]
        for task in (grace, finished, *ends):
            task.cancel()
        await asyncio.gather(grace, finished, *ends, return_exceptions=True)
        return late

    def _session(self, listen: Listen) -> SubmissionSession:
        return SubmissionSession(
            self._settings,
            self._logins,
            self._delivery,
            self._tls,
            asyncio.get_running_loop(),
            self._connections,
            implicit_tls=listen.implicit_tls,
            budgets=self._budgets,
            tracing=self._tracing,
        )
