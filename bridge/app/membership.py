"""One bridge among those on its database: what others do is taken in, and the lead when it is free.

What another commits is told here within milliseconds (``store.news``): clients hear of it, and who
waits for something to do looks again. Once a second it is seen to that the database is the one that
this bridge knows. On a file there are no others, and nothing here does anything.

Failure: ``TermOver`` and ``PutBack`` end the bridge: it begins anew as one that was just started.
While the store fails, nothing can be taken in; it is made up for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bridge.app.resources import Resources
from bridge.lead.leadership import LAPSES_S
from bridge.outbox.lineage import PutBack
from bridge.store.base import StoreFailed
from bridge.store.news import ANYTHING, News
from bridge.wake import Wake, first_of, rest

log = structlog.get_logger()

LOOK_EVERY_S = 1.0


class Membership:
    """See the module.

    Args:
        resources: what works on the data.
        told: is told what another changed, once it was taken in.
        leads: has this bridge lead from here on.
    """

    def __init__(
        self,
        resources: Resources,
        told: Callable[[News], None],
        leads: Callable[[], Awaitable[None]],
    ) -> None:
        self._resources = resources
        self._told = told
        self._leads = leads
        self._wake = Wake()
        self._pending: News | None = None
        self._left = asyncio.Event()

    async def run(self) -> None:
        """Take in what others do, and lead when nobody does; for ever.

        Raises:
            TermOver: another leads, though this one did not let it.
            PutBack: the database is not the one that this bridge knows.
        """
        self._resources.held.listen(self._hear)
        await first_of(self._resources.held.lost(), self._take_in(), self._succeed())

    def has_left(self) -> None:
        """Take note that this bridge let another lead."""
        self._left.set()

    def _hear(self, news: News) -> None:
        self._pending = news if self._pending is None else self._pending.with_more(news)
        self._wake.call()

    async def _take_in(self) -> None:
        resources, told = self._resources, ""
        while resources.held.is_shared:
            news, self._pending = self._pending, None
            try:
                resources.held.tell_watched(resources.mailboxes.watched())
                if news is not None:
                    resources.mailboxes.watched_elsewhere(news.watched)
                if news is not None and news.of_commit:
                    await resources.mailboxes.catch_up(news.mailboxes, news.accounts)
                    self._told(news)
                await resources.lineage.keep_in_step(leads=resources.held.leads)
                told = ""
            except PutBack:
                raise
            except StoreFailed as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("news_not_taken_in", reason=told)
                self._pending = ANYTHING
                await resources.clock.sleep(LOOK_EVERY_S)
            if self._pending is None:
                await rest(self._wake, resources.clock, LOOK_EVERY_S)
        await asyncio.get_running_loop().create_future()

    async def _succeed(self) -> None:
        rests_s = 0.0
        while True:
            if not self._resources.held.leads:
                await self._resources.clock.sleep(rests_s)
                await self._resources.held.succeed(self._resources.lineage.lead)
                await self._leads()
            self._left.clear()
            await self._left.wait()
            rests_s = LAPSES_S  # who let go takes it again only if nobody else does
