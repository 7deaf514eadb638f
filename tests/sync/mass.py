"""Days of mass mail on a virtual clock: what comes when, and when it is known and shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.alarms.collector import Collector
from bridge.api import forecast as forecast_of
from bridge.api.client import PecClient
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxMessage, InboxPage
from bridge.clock import ROME
from bridge.model import Uid
from bridge.receipts.overdue import Overdue
from bridge.simulator import SEQUENCE_READING, Options
from bridge.simulator.wording import NetworkKind
from bridge.store.deletions import DeletionState
from bridge.sync.volume import volume
from tests.fakes import FakeClock
from tests.sync.client import Passing
from tests.sync.test_rows import know_issuer, receipt, submit
from tests.sync.test_service import running
from tests.sync.world import ADDRESS, World, world

MIDNIGHT = datetime(2026, 1, 14, 23, 0, tzinfo=UTC)
"""In Rome."""

STEP_S = 20
MOST_ASKED = 40
"""So many requests are answered in a step, or a few more."""
DAY_S = 86_400
BEGIN_S = 8 * 3_600
INCOMING_EVERY_S = 1_200
ALIKE_S, EXPUNGED_S = 10 * 3_600, 12 * 3_600
DAYTIME = (7, 22)
BLIND_AFTER = {True: timedelta(minutes=15), False: timedelta(minutes=60)}
"""Without a look for longer than that, by day and at night, a minute is blind."""


@dataclass(frozen=True)
class Volume:
    """What is sent on a day: ``sends`` over ``length_s`` from eight, each to ``recipients``.

    Of a hundred sends ``failures`` fail, and to ``replies`` somebody replies. At ten one more goes
    to ``alike`` recipients whose deliveries are alike in all that is listed; at twelve a person
    expunges the oldest ``expunged`` receipts that are shown.
    """

    sends: int
    recipients: int = 1
    length_s: int = 10 * 3_600
    failures: int = 0
    replies: int = 0
    alike: int = 0
    expunged: int = 0


@dataclass
class Figures:
    """What became of one day."""

    sent: int = 0
    rows: int = 0
    late: list[timedelta] = field(default_factory=list)
    unknown: int = 0
    mail: list[timedelta] = field(default_factory=list)
    unshown: int = 0
    texts: int = 0
    requests: dict[str, int] = field(default_factory=dict)
    notices: int = 0
    alarms: list[str] = field(default_factory=list)
    blind_min: float = 0.0
    deletions_left: int = 0
    forecast: str = ""

    def facts(self) -> dict[str, Any]:
        """Return the figures as JSON can say them; times in minutes."""
        return {
            "sent": self.sent,
            "rows": self.rows,
            "requests": self.requests,
            "requests_in_all": sum(self.requests.values()),
            "states_late_min": _spread(self.late),
            "states_unknown": self.unknown,
            "mail_late_min": _spread(self.mail),
            "mail_not_shown": self.unshown,
            "receipts_texts": self.texts,
            "notices": self.notices,
            "alarms": sorted(set(self.alarms)),
            "blind_min": round(self.blind_min, 1),
            "deletions_left": self.deletions_left,
            "forecast": self.forecast,
        }


SOON_MIN = 5
"""States are known and mail is shown that soon, 99 of a hundred."""

MOST_NOTICES = 20


def shortfalls(facts: Mapping[str, Any]) -> list[str]:
    """Return what a day of ``Figures.facts`` lacks of what is wanted of one."""
    _, states_min, _ = facts["states_late_min"]
    _, mail_min, _ = facts["mail_late_min"]
    per_day = facts.get("per_day")
    wanted = {
        "all is sent": facts["sent"] == facts.get("sends", facts["sent"]),
        "states known within five minutes": states_min <= SOON_MIN,
        "no state unknown at midnight": facts["states_unknown"] == 0,
        "mail shown within five minutes": mail_min <= SOON_MIN,
        "no mail not shown at midnight": facts["mail_not_shown"] == 0,
        "no blind minute": facts["blind_min"] == 0,
        "alarms for true failures only": set(facts["alarms"]) <= {"failure"},
        "at most twenty notices": facts["notices"] <= MOST_NOTICES,
        "within the day's requests": not per_day or facts["requests_in_all"] <= per_day,
    }
    return [what for what, is_so in wanted.items() if not is_so]


def _spread(late: Sequence[timedelta]) -> list[float]:
    """Return median, 99 % and worst."""
    ranked = sorted(late) or [timedelta(0)]
    places = (len(ranked) // 2, min(len(ranked) * 99 // 100, len(ranked) - 1), len(ranked) - 1)
    return [round(ranked[place].total_seconds() / 60, 1) for place in places]


class Noting(Passing):
    """A client that notes when was looked, and when texts came."""

    def __init__(self, client: PecClient, mass: Mass) -> None:
        super().__init__(client)
        self._mass = mass

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        self._mass.asked()
        if self.purpose is Purpose.LOOK:
            self._mass.looked_at(self._mass.clock.now())
        return await super().inbox_page(page, query)

    async def inbox_message(self, api_id: str) -> InboxMessage:
        self._mass.asked()
        message = await super().inbox_message(api_id)
        self._mass.read(message.row.subject)
        return message


class Mass:
    """Days of a volume; ``pass_day`` lets one pass and says what became of it."""

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.clock = FakeClock(MIDNIGHT)
        self._number = 0
        self._waiting: dict[str, datetime] = {}
        self._mail: dict[str, datetime] = {}
        self._last_look: datetime | None = None
        self._asked = 0
        self._today = Figures()

    @asynccontextmanager
    async def running(
        self, data_dir: Path, per_day: int, options: Options = SEQUENCE_READING
    ) -> AsyncIterator[World]:
        """Give a world in which all runs that reads and tells, watched by a mail program."""
        wrap = lambda client: Noting(client, self)  # noqa: E731
        async with world(data_dir, options, self.clock, per_day=per_day, wrap=wrap) as here:
            await know_issuer(here)
            client = here.accounts[0].client.charged(Purpose.STATUS)
            overdue = Overdue(
                here.store,
                here.mailboxes,
                self.clock,
                [here.account],
                clients={here.account: client},  # type: ignore[dict-item]
                seen_until=here.sync.seen_until,
            )
            collector = Collector(here.store, here.mailboxes, self.clock)
            beside = [asyncio.ensure_future(one.run()) for one in (overdue, collector)]
            end = here.mailboxes.subscribe_mailbox(here.account, here.inbox_id, lambda _: None)
            async with running(here):
                yield here
            end()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    # -- what is noted -----------------------------------------------------------------------

    def asked(self) -> None:
        """Note that something was asked for."""
        self._asked += 1

    def looked_at(self, now: datetime) -> None:
        """Note a look, and how long nobody had looked."""
        last, self._last_look = self._last_look, now
        if last is not None:
            is_day = DAYTIME[0] <= last.astimezone(ROME).hour < DAYTIME[1]
            blind = now - last - BLIND_AFTER[is_day]
            self._today.blind_min += max(blind.total_seconds() / 60, 0.0)

    def read(self, subject: str) -> None:
        """Note that a text came."""
        at = self._mail.pop(subject, None)
        if at is not None:
            self._today.mail.append(self.clock.now() - at)
        elif subject.startswith(("ACCETTAZIONE", "CONSEGNA")):
            self._today.texts += 1

    # -- what happens ------------------------------------------------------------------------

    async def pass_day(self, here: World) -> Figures:
        """Let a day pass."""
        self._today = today = Figures()
        told = await _notices(here)
        for step in range(DAY_S // STEP_S):
            if step == DAY_S // STEP_S - 1:  # the day's requests are looked at in it
                use = await here.accounts[0].budget.use()
                today.requests = {one.value: count for one, count in use.made.items()}
            await here.let_pass(STEP_S)
            await self._answer(here)
            await self._see_what_is_known(here)
            await self._send(here, step * STEP_S)
        today.unknown, today.unshown = len(self._waiting), len(self._mail)
        today.notices = await _notices(here) - told
        today.alarms = [alarm.kind for alarm in await here.alarms()]
        await self._look_back(here)
        return today

    async def _answer(self, here: World) -> None:
        """Let what was asked for be answered, as much as could be within a step."""
        begun, before = self._asked, -1
        while before < self._asked < begun + MOST_ASKED:
            before = self._asked
            await here.let_pass(0)

    async def _look_back(self, here: World) -> None:
        """Note what waits to be deleted, and what ``status`` would say of the day."""

        async def work(tx: Any) -> tuple[int, forecast_of.Volume]:
            wanted = await tx.deletions(here.account, DeletionState.WANTED)
            return len(wanted), await volume(tx, here.account, self.clock.now())

        left, mail = await here.store.read(work)
        per_day = (await here.accounts[0].budget.use()).per_day
        self._today.deletions_left = left
        self._today.forecast = forecast_of.forecast(mail, per_day).sentence

    async def _send(self, here: World, second: int) -> None:
        volume, today = self.volume, self._today
        length_s = volume.length_s
        due = volume.sends * min(max(second - BEGIN_S, 0), length_s) // length_s
        while today.sent < due:
            await self._one(here)
        if second == ALIKE_S and volume.alike:
            await self._one(here, volume.alike, apart_s=0)
        if second == EXPUNGED_S and volume.expunged:
            await self._expunge(here)
        if BEGIN_S <= second < BEGIN_S + 10 * 3_600 and second % INCOMING_EVERY_S == 0:
            self._come(here, f"POSTA CERTIFICATA: {self.clock.now().isoformat()}")

    def _come(self, here: World, subject: str) -> None:
        now = self.clock.now()
        here.simulator.inject(ADDRESS, subject=subject, at=now)
        self._mail[subject] = now
        self._today.rows += 1

    async def _expunge(self, here: World) -> None:
        """Let a person throw the oldest receipts away."""

        async def work(tx: Any) -> list[Uid]:
            rows = tx._rows(
                "SELECT uid FROM message JOIN remote ON remote.content = message.content"
                " WHERE mailbox = ? AND kind <> '' AND remote.gone_at IS NULL"
                " ORDER BY uid LIMIT ?",
                (here.inbox_id, self.volume.expunged),
            )
            return [Uid(uid) for (uid,) in rows]

        uids = await here.store.read(work)
        await here.mailboxes.expunge(here.inbox_id, uids)

    async def _one(self, here: World, recipients: int = 0, apart_s: float = 1) -> None:
        volume, number = self.volume, self._number
        self._number += 1
        people = [f"p{one}@pec.invalid" for one in range(recipients or volume.recipients)]
        id = await submit(here, number, *people)
        self._waiting[id] = self.clock.now()
        receipt(here, number, NetworkKind.ACCEPTANCE, *people)
        fails = number % 100 < volume.failures
        for place, one in enumerate(people):
            kind = NetworkKind.FAILURE if fails and place == 0 else NetworkKind.DELIVERY
            receipt(here, number, kind, one, later_s=1 + apart_s * place)
        self._today.sent += not recipients
        self._today.rows += 1 + len(people)
        if number % 100 >= 100 - volume.replies:
            self._come(here, f"POSTA CERTIFICATA: Re: Diffida {number}")
        here.sync.wake(here.account)

    async def _see_what_is_known(self, here: World) -> None:
        now, waiting = self.clock.now(), json.dumps(list(self._waiting))

        async def work(tx: Any) -> list[str]:
            rows = tx._rows(
                "SELECT id FROM submission WHERE id IN (SELECT value FROM json_each(?))"
                " AND accepted > 0 AND delivered + failed >= recipient_count",
                (waiting,),
            )
            return [id for (id,) in rows]

        for id in await here.store.read(work) if self._waiting else ():
            self._today.late.append(now - self._waiting.pop(id))


async def _notices(here: World) -> int:
    """Return how many notices INBOX has had."""

    async def work(tx: Any) -> int:
        rows = tx._rows("SELECT singly + writes FROM notice_day")
        return sum(count for (count,) in rows)

    return await here.store.read(work)
