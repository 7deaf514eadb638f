"""``[send] check_domains = "warn"``: whether recipients' domains belong to certified mail.

Looks beside the way of a message, never on it: what was submitted is told of here once it is on
disk, its domains are asked for, and a recipient outside PEC becomes a notice in INBOX (and in
``status``). No ``250`` waits for it, none is refused for it, no send is held for it: where the
queue is empty the message may have left before the notice is there.

A verdict is kept for a week; at most ``DOMAIN_LOOKUPS_PER_DAY`` are asked for, since they may
cost. What is not known then is not told of.

Failure: none reaches anybody; the log says once why nothing is checked.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bridge.alarms import Alarm, AlarmKind, Notice, raise_alarm
from bridge.api.errors import ApiError
from bridge.clock import Clock
from bridge.limits import DOMAIN_LOOKUPS_PER_DAY
from bridge.mailbox import Mailboxes
from bridge.mime.row.address import one_line
from bridge.model import Added, Change, QueueId
from bridge.store.base import ReadTransaction, Store, StoreFailed
from bridge.store.outbox import SubmissionRow

log = structlog.get_logger()

KEPT = timedelta(days=7)
LOOK_EVERY_S = 60.0
LOOK_BACK = timedelta(hours=1)
DOMAINS_KEPT = 10_000
PAUSE_AFTER_ERROR_S = 300.0
SHOWN_LIMIT = 20


class DomainClient(Protocol):
    """Who knows domains; see ``bridge.api.mailboxes``."""

    async def is_certified(self, domain: str) -> bool:
        """Tell whether a domain belongs to certified mail."""


class DomainCheck:
    """See the module.

    Args:
        store: the outbox.
        mailboxes: the single writer.
        clock: time.
        client: who knows domains.
    """

    def __init__(
        self, store: Store, mailboxes: Mailboxes, clock: Clock, client: DomainClient
    ) -> None:
        self._store = store
        self._mailboxes = mailboxes
        self._clock = clock
        self._client = client
        self._known: dict[str, tuple[bool, datetime]] = {}
        self._started = clock.now()
        self._done: set[QueueId] = set()
        self._asked_on = self._started.date()
        self._asked = 0
        self._quiet_until_s = 0.0
        self._told: set[str] = set()
        self._new = asyncio.Event()
        mailboxes.subscribe(self._notice)

    def _notice(self, change: Change) -> None:
        if isinstance(change, Added):
            self._new.set()

    async def run(self) -> None:
        """Look at each submission that is made from here on, for ever."""
        while True:
            try:
                await self.look()
            except StoreFailed as error:
                self._say_once(str(error))
            await self._something_new()

    async def _something_new(self) -> None:
        """Wait for a message; not for ever, since a submission may add none to a mailbox."""
        waits = [
            asyncio.ensure_future(self._new.wait()),
            asyncio.ensure_future(self._clock.sleep(LOOK_EVERY_S)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        self._new.clear()

    async def look(self) -> None:
        """Look at what was submitted and has not been looked at."""
        since = max(self._started, self._clock.now() - LOOK_BACK)

        async def work(tx: ReadTransaction) -> tuple[SubmissionRow, ...]:
            return await tx.submissions(since=since)

        rows = await self._store.read(work)
        for row in rows:
            if row.id not in self._done:
                await self._check(row)
        self._done = {row.id for row in rows}

    async def _check(self, row: SubmissionRow) -> None:
        outside = []
        for address in row.recipients:
            if await self._is_certified(address.rpartition("@")[2].casefold()) is False:
                outside.append(address)
        if outside:
            await self._tell(row, outside)

    async def _is_certified(self, domain: str) -> bool | None:
        """Return the verdict on a domain, None where there is none to be had."""
        now = self._clock.now()
        verdict, until = self._known.get(domain, (None, now))
        if verdict is not None and until > now:
            return verdict
        if not domain or not self._may_ask(now):
            return None
        self._asked += 1
        try:
            verdict = await self._client.is_certified(domain)
        except ApiError as error:
            self._say_once(error.reason)
            self._quiet_until_s = self._clock.monotonic() + PAUSE_AFTER_ERROR_S
            return None
        if len(self._known) >= DOMAINS_KEPT:
            self._known.clear()
        self._known[domain] = (verdict, now + KEPT)
        return verdict

    def _may_ask(self, now: datetime) -> bool:
        if now.date() != self._asked_on:
            self._asked_on, self._asked = now.date(), 0
        if self._asked >= DOMAIN_LOOKUPS_PER_DAY:
            self._say_once(f"{DOMAIN_LOOKUPS_PER_DAY} domains were asked for today")
            return False
        return self._clock.monotonic() >= self._quiet_until_s

    def _say_once(self, reason: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            log.info("domain_check_off", reason=reason)

    async def _tell(self, row: SubmissionRow, outside: list[str]) -> None:
        subject = one_line(row.subject)
        shown = "\n".join(f"    {one_line(address)}" for address in outside[:SHOWN_LIMIT])
        more = len(outside) - SHOWN_LIMIT
        listed = f"{shown}\n    (+ {more})" if more > 0 else shown
        now = self._clock.now()
        words = Notice(
            f"Destinatari non PEC / Recipients outside PEC: {subject}",
            "Questi destinatari del messaggio non hanno un indirizzo PEC: per loro non ci sarà "
            f"la ricevuta di consegna.\n\n{listed}\n\nSe il messaggio è ancora in coda si può "
            f"ritirare: pec-bridge queue cancel {row.id}",
            "These recipients of the message have no PEC address: there will be no delivery "
            f"receipt for them.\n\n{listed}\n\nWhile the message still waits it can be taken "
            f"back: pec-bridge queue cancel {row.id}",
        )
        alarm = Alarm(row.account, AlarmKind.NOT_CERTIFIED, row.id, words, row.message_id)
        await self._mailboxes.write(lambda mtx: raise_alarm(mtx, alarm, now))
