"""Telling alarms outside, once each when they begin and once when they end, by one way.

What is to be told is read from the event log behind a cursor that moves when something was taken:
so nothing is told twice but after a crash, and nothing is missed. The first of a day is told at
once, what comes after it in fewer and fewer messages: about an account or the machine after five
minutes, ``QUICK_A_DAY`` times, all else after one minute, then two, up to four hours. A way that
fails is tried again for ever; it is said in the log and by ``status``.

Failure: ``StoreFailed`` ends ``run``; who runs it begins again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Protocol

import structlog

from bridge.alarms.notices import day_in_rome
from bridge.clock import Backoff, Clock, spread_s
from bridge.hooks.digest import AlarmNews, Digest, digest, facts_of
from bridge.hooks.hook import HookTarget, body_of
from bridge.hooks.schedule import TryReport
from bridge.hooks.states import TryOutcome
from bridge.language import LanguageSetting
from bridge.model import EventKind
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.events import EventRow
from bridge.store.hooks import AlarmsOutRow
from bridge.wake import Wake, rest

log = structlog.get_logger()

AT_ONCE = 1_000
"""Events that one message tells of at the most; the next tells of the others."""

APART = Backoff(60.0, 4 * 3600.0)
QUICK_APART = timedelta(minutes=5)
QUICK_A_DAY = 30
FAILED_WAITS = Backoff(30.0, 1800.0)
LOOK_EVERY_S = 60.0
APART_S = 1.0
"""Between two looks, and after what wakes: what begins together is told together."""

LONGEST_APART = timedelta(seconds=APART.last_s * 2)


class AlarmTarget(Protocol):
    """A way out for alarms."""

    async def tell(self, name: str, told: Digest, at: datetime) -> TryReport:
        """Tell alarms once; whatever goes wrong is in the report."""

    async def aclose(self) -> None:
        """Let go of what is held."""


class AsJson:
    """Alarms for a program: ``target`` is told them as JSON."""

    def __init__(self, target: HookTarget, language: LanguageSetting) -> None:
        self._target = target
        self._language = language

    async def tell(self, name: str, told: Digest, at: datetime) -> TryReport:
        """See ``AlarmTarget``."""
        return await self._target.tell(name, body_of(facts_of(told, at, self._language)))

    async def aclose(self) -> None:
        """See ``AlarmTarget``."""
        await self._target.aclose()


@dataclass(frozen=True, slots=True)
class AlarmWay:
    """A way by its name in the store; ``place`` says where it leads, for people."""

    name: str
    place: str
    target: AlarmTarget


def due_at(row: AlarmsOutRow, told: Digest, now: datetime) -> datetime:
    """Return when so much is to be told. Pure.

    Args:
        row: how far things are.
        told: what is to be told.
        now: aware.
    """
    at = row.next_at
    if at is None or at - now > LONGEST_APART:
        return now
    if told.is_urgent and not row.failures and row.sent_at and row.sent < QUICK_A_DAY:
        at = min(at, row.sent_at + QUICK_APART)
    return max(at, now)


def after(
    row: AlarmsOutRow, report: TryReport, read_to: int, now: datetime, chance: float
) -> AlarmsOutRow:
    """Return how things stand after a try. Pure.

    Args:
        row: as before.
        report: what came of it.
        read_to: the last event that it told of.
        now: aware.
        chance: a random number in [0, 1).
    """
    if report.outcome is not TryOutcome.TAKEN:
        wait_s = spread_s(FAILED_WAITS.wait_s(row.failures), None, chance)
        return replace(
            row,
            failures=row.failures + 1,
            error=report.reason,
            next_at=now + timedelta(seconds=wait_s),
        )
    today = day_in_rome(now)
    sent = (row.sent if row.day == today else 0) + 1
    return replace(
        row,
        cursor=read_to,
        day=today,
        sent=sent,
        next_at=now + timedelta(seconds=APART.wait_s(sent - 1)),
        failures=0,
        error="",
        sent_at=now,
    )


class AlarmsOut:
    """See the module.

    Args:
        way: the way out.
        store: what happened.
        clock: time.
        random: spreads waits.
        life: what the store's life is called.
    """

    def __init__(
        self, way: AlarmWay, store: Store, clock: Clock, random: Random, life: str
    ) -> None:
        self.way = way
        self._store = store
        self._clock = clock
        self._random = random
        self._life = life
        self.wake = Wake()

    async def run(self) -> None:
        """Tell what there is to tell, for ever."""
        while True:
            wait_s = await self.look()
            await rest(self.wake, self._clock, wait_s)
            await self._clock.sleep(APART_S)

    async def look(self) -> float:
        """Tell what is due; return in how many seconds to look again."""
        row, events, news = await self._store.scan(self._read)
        if row is None or not events:
            return LOOK_EVERY_S
        told, now = digest(news), self._clock.now()
        at = due_at(row, told, now)
        if at > now:
            return min((at - now).total_seconds(), LOOK_EVERY_S)
        name = f"alarms_{self._life}_{events[-1].number}"
        report = await self.way.target.tell(name, told, now)
        await self._write_down(report, events[-1].number)
        return 0.0

    async def _read(
        self, tx: ReadTransaction
    ) -> tuple[AlarmsOutRow | None, Sequence[EventRow], list[AlarmNews]]:
        row = await self._row(tx)
        if row is None:
            return None, (), []
        events = await tx.alarm_events(row.cursor, AT_ONCE)
        return row, events, [await _news(tx, one) for one in events]

    async def _row(self, tx: ReadTransaction) -> AlarmsOutRow | None:
        return next((one for one in await tx.alarms_out() if one.way == self.way.name), None)

    async def _write_down(self, report: TryReport, read_to: int) -> None:
        now, chance = self._clock.now(), self._random.random()

        async def work(tx: Transaction) -> tuple[AlarmsOutRow, AlarmsOutRow] | None:
            row = await self._row(tx)
            if row is None:
                return None
            new = after(row, report, read_to, now, chance)
            await tx.keep_alarms_out(new)
            return row, new

        changed = await self._store.write(work)
        if changed is None:
            return
        before, now_so = changed
        if now_so.error and now_so.error != before.error:
            log.warning("alarms_not_told", way=self.way.name, reason=now_so.error)
        if before.error and not now_so.error:
            log.info("alarms_told_again", way=self.way.name)


async def open_ways(tx: Transaction, names: Sequence[str], now: datetime) -> None:
    """Take up the ways of the settings: a new one is told what is new from here on.

    Args:
        tx: the commit to join.
        names: the ways of the settings.
        now: aware.
    """
    known = {row.way: row for row in await tx.alarms_out()}
    _, newest = await tx.event_numbers()
    for name in names:
        row = known.get(name)
        if row is None:
            await tx.keep_alarms_out(_new(name, newest, day_in_rome(now)))
        elif row.left_at is not None:
            await tx.keep_alarms_out(replace(_new(name, newest, row.day), sent=row.sent))
        elif row.failures:
            await tx.keep_alarms_out(replace(row, next_at=None))  # it may have been mended
    for name, row in known.items():
        if name not in names and row.left_at is None:
            await tx.keep_alarms_out(replace(row, left_at=now))


def _new(name: str, newest: int, day: date) -> AlarmsOutRow:
    return AlarmsOutRow(name, newest, day)


async def _news(tx: ReadTransaction, row: EventRow) -> AlarmNews:
    event = row.event
    alarm = await tx.alarm(event.account, event.detail, event.alarm_key)
    return AlarmNews(
        await tx.address(event.account) or "?",
        event.detail,
        event.alarm_key,
        event.submission,
        event.at,
        event.kind is EventKind.ALARM_ENDED,
        alarm.text if alarm else "",
    )
