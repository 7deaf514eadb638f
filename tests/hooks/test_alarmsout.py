"""Alarms told outside: once each, in few messages, over restarts and days by a virtual clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm
from bridge.alarms.notices import day_in_rome
from bridge.hooks.alarmsout import QUICK_A_DAY, AlarmsOut, AlarmWay, open_ways
from bridge.hooks.digest import (
    AlarmNews,
    Digest,
    digest,
    facts_of,
    sample_digest,
    subject_of,
    text_of,
)
from bridge.hooks.schedule import TryReport
from bridge.hooks.states import TryOutcome
from bridge.language import Language
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId
from bridge.store.hooks import AlarmsOutRow
from bridge.store.sqlite import SqliteStore
from tests.english import english_in
from tests.fakes import FakeClock, settle

ADDRESS = "azienda@pec.example"
ENTRY = "65F0C0FFEE00000001"
TAKEN, DOWN = TryReport(TryOutcome.TAKEN), TryReport(TryOutcome.DOWN, "nobody there")
DAY_S = 86_400.0


@dataclass
class Reader:
    """Who is told."""

    report: TryReport = TAKEN
    told: list[tuple[datetime, Digest]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    tries: int = 0

    async def tell(self, name: str, told: Digest, at: datetime) -> TryReport:
        self.tries += 1
        if self.report is TAKEN:
            self.told.append((at, told))
            self.names.append(name)
        return self.report

    async def aclose(self) -> None:
        """Nothing is held."""

    def by_day(self) -> Counter[date]:
        return Counter(day_in_rome(at) for at, _ in self.told)

    def kinds(self) -> list[tuple[list[str], list[str]]]:
        return [
            ([one.news.kind for one in told.raised], [one.news.kind for one in told.ended])
            for _, told in self.told
        ]


class World:
    def __init__(self, mailboxes: Mailboxes, store: SqliteStore, clock: FakeClock) -> None:
        self.mailboxes = mailboxes
        self.store = store
        self.clock = clock
        self.account = AccountId(0)
        self.reader = Reader()
        self._task: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] = mailboxes.on_commit(_ignore)

    async def start(self, *ways: str) -> None:
        now = self.clock.now()
        await self.store.write(lambda tx: open_ways(tx, ways or ("mail",), now))
        way = AlarmWay("mail", "x@y.example", self.reader)
        out = AlarmsOut(way, self.store, self.clock, Random(1), "life")
        self._unwatch = self.mailboxes.on_commit(out.wake.call)
        self._task = asyncio.create_task(out.run())
        await self.quiet()

    async def stop(self) -> None:
        self._unwatch()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def quiet(self) -> None:
        for _ in range(5):
            await settle()
            await self.store.write(_nothing)
            await self.store.scan(_nothing)

    async def pass_time(self, duration_s: float) -> None:
        end_s = self.clock.monotonic() + duration_s
        while (left_s := end_s - self.clock.monotonic()) > 0:
            await self.quiet()
            wake_s = self.clock.next_wake_s
            await self.clock.advance(left_s if wake_s is None else min(left_s, max(wake_s, 0.01)))
        await self.quiet()
        if self._task is not None and self._task.done():
            self._task.result()

    async def begins(self, kind: AlarmKind, key: str = "", subject: str = "Oggetto") -> None:
        alarm = Alarm(self.account, kind, key, Notice(subject, "it", "en"))
        now = self.clock.now()
        await self.mailboxes.write(lambda mtx: raise_alarm(mtx, alarm, now))

    async def ends(self, kind: AlarmKind, key: str = "") -> None:
        now = self.clock.now()
        await self.mailboxes.write(lambda mtx: clear_alarm(mtx, self.account, kind, key, now))

    async def row(self) -> AlarmsOutRow:
        return (await self.store.read(lambda tx: tx.alarms_out()))[0]


def _ignore() -> None:
    """Nobody listens yet."""


async def _nothing(tx: object) -> None:
    assert tx


@pytest.fixture
async def world(tmp_path: Path, clock: FakeClock) -> AsyncIterator[World]:
    store = await SqliteStore.open(tmp_path)
    mailboxes = Mailboxes(store, clock)
    one = World(mailboxes, store, clock)
    one.account = await mailboxes.open_account(ADDRESS)
    yield one
    await one.stop()
    await store.close()


async def test_an_alarm_is_told_when_it_begins_and_when_it_ends(world: World) -> None:
    await world.start()
    await world.begins(AlarmKind.CREDENTIALS, subject="Token rifiutato / Token refused")
    await world.begins(AlarmKind.CREDENTIALS, subject="Token rifiutato / Token refused")
    await world.pass_time(3)
    assert world.reader.kinds() == [(["credentials"], [])]
    assert world.reader.told[0][1].raised[0].news.text == "Token rifiutato / Token refused"
    await world.pass_time(DAY_S)
    assert len(world.reader.told) == 1
    await world.ends(AlarmKind.CREDENTIALS)
    await world.ends(AlarmKind.CREDENTIALS)
    await world.pass_time(3)
    assert world.reader.kinds() == [(["credentials"], []), ([], ["credentials"])]
    assert len(set(world.reader.names)) == 2


async def test_what_was_raised_before_is_not_told(world: World) -> None:
    await world.begins(AlarmKind.CREDENTIALS)
    await world.start()
    await world.pass_time(60)
    assert world.reader.told == []


async def test_a_restart_tells_nothing_twice_and_misses_nothing(world: World) -> None:
    await world.start()
    await world.begins(AlarmKind.CREDENTIALS)
    await world.pass_time(3)
    await world.stop()
    await world.begins(AlarmKind.DISK)
    await world.pass_time(3600)
    await world.start()
    await world.pass_time(3)
    assert world.reader.kinds() == [(["credentials"], []), (["disk"], [])]


@pytest.mark.slow
async def test_a_flood_is_few_messages_that_name_all(world: World) -> None:
    await world.start()
    for number in range(200):
        await world.begins(AlarmKind.FAILURE, f"65F0C0FFEE{number:08d}")
        await world.pass_time(DAY_S / 200)
    await world.pass_time(DAY_S)
    named = [one.news.key for _, told in world.reader.told for one in told.raised]
    assert len(named) == len(set(named)) == 200
    assert max(world.reader.by_day().values()) < 20


@pytest.mark.slow
async def test_what_is_about_the_whole_does_not_wait_for_hours_behind_messages(
    world: World,
) -> None:
    await world.start()
    for number in range(60):
        await world.begins(AlarmKind.FAILURE, f"65F0C0FFEE{number:08d}")
        await world.pass_time(600)
    before = len(world.reader.told)
    await world.begins(AlarmKind.CREDENTIALS)
    await world.pass_time(400)
    assert len(world.reader.told) == before + 1
    assert "credentials" in world.reader.kinds()[-1][0]


@pytest.mark.slow
async def test_one_that_comes_and_goes_all_day_is_a_bounded_number_of_messages(
    world: World,
) -> None:
    await world.start()
    for _ in range(500):
        await world.begins(AlarmKind.DISK)
        await world.pass_time(60)
        await world.ends(AlarmKind.DISK)
        await world.pass_time(60)
    assert max(world.reader.by_day().values()) <= QUICK_A_DAY + 15
    told = world.reader.told[-1][1]
    assert len(told.raised) + len(told.ended) == 1


@pytest.mark.slow
async def test_a_way_that_fails_is_tried_again_and_says_so(world: World) -> None:
    world.reader.report = DOWN
    await world.start()
    await world.begins(AlarmKind.CREDENTIALS)
    await world.pass_time(DAY_S)
    row = await world.row()
    assert (row.error, row.failures) == ("nobody there", world.reader.tries)
    assert 40 < row.failures < 100
    world.reader.report = TAKEN
    await world.ends(AlarmKind.CREDENTIALS)
    await world.pass_time(2400)
    assert world.reader.kinds() == [([], ["credentials"])]
    (told,) = world.reader.told[0][1].ended
    assert told.began_at is not None
    assert (await world.row()).error == ""


async def test_a_way_that_was_taken_out_begins_anew(world: World) -> None:
    await world.start()
    await world.stop()
    await world.start("webhook other")
    await world.stop()
    await world.begins(AlarmKind.CREDENTIALS)
    await world.start()
    await world.pass_time(60)
    assert world.reader.told == []


async def test_an_alarm_that_ends_before_it_was_told_is_told_once(world: World) -> None:
    await world.begins(AlarmKind.DISK)
    await world.ends(AlarmKind.DISK)
    await world.start()

    async def both(mtx: MailboxTransaction) -> None:
        alarm = Alarm(world.account, AlarmKind.CLOCK, "", Notice("s", "i", "e"))
        await raise_alarm(mtx, alarm, world.clock.now())
        await clear_alarm(mtx, world.account, AlarmKind.CLOCK, "", world.clock.now())

    await world.mailboxes.write(both)
    await world.pass_time(5)
    assert world.reader.kinds() == [([], ["clock"])]


AT = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


def news(kind: str, *, key: str = "", id: str | None = None, end: bool = False) -> AlarmNews:
    return AlarmNews(ADDRESS, kind, key, id, AT, end, "Fattura segreta 17")


def test_the_subject_of_a_message_goes_nowhere() -> None:
    told = digest([news("failure", key=ENTRY, id=ENTRY), news("waiting", key=ENTRY, id=ENTRY)])
    for text in (
        text_of(told, "host", "both"),
        subject_of(told, "both"),
        str(facts_of(told, AT, "both")),
    ):
        assert "segreta" not in text
    assert ENTRY in text_of(told, "host", "both")
    assert "segreta" in text_of(digest([news("disk")]), "host", "both"), (
        "that is the alarm's own text"
    )


@pytest.mark.parametrize(
    ("language", "subject", "words", "others"),
    [
        (
            "it",
            "pec-bridge: 2 allarmi, 1 cessato: disk, failure, clock",
            ("Allarmi del bridge PEC", "Iniziati: 2", "Cessati: 1", "disk: Il disco è pieno: /x"),
            ("Alarms", "Begun", "not delivered", "disk is full"),
        ),
        (
            "en",
            "pec-bridge: 2 alarms, 1 ended: disk, failure, clock",
            ("Alarms of the PEC bridge", "Begun: 2", "Ended: 1", "disk: The disk is full: /x"),
            ("Allarmi", "Iniziati", "non consegnati", "Il disco"),
        ),
    ],
)
def test_alarms_are_told_in_the_language_of_the_settings_alone(
    language: Language, subject: str, words: tuple[str, ...], others: tuple[str, ...]
) -> None:
    full = replace(news("disk"), text="Il disco è pieno / The disk is full: /x")
    told = digest([full, news("failure", key=ENTRY, id=ENTRY), news("clock", end=True)])
    assert subject_of(told, language) == subject
    text = text_of(told, "host", language) + str(facts_of(told, AT, language))
    assert [one for one in words if one not in text] == []
    assert [one for one in others if one in text] == []
    assert english_in(text_of(told, "bridge", "it")) <= {"disk", "clock", "failure"}


def test_a_digest_names_so_many_and_counts_the_rest() -> None:
    told = digest([news("failure", key=f"{ENTRY}{n}", id=ENTRY) for n in range(1000)])
    assert "(+ 900)" in text_of(told, "host", "both")
    facts = facts_of(told, AT, "both")
    assert (len(facts["raised"]), facts["left_out"]) == (100, 900)
    assert len(text_of(told, "host", "both")) < 20_000


def test_the_subject_says_how_many_and_which() -> None:
    told = digest([news("disk"), news("plan"), news("clock", end=True)])
    assert subject_of(told, "both") == (
        "pec-bridge: 2 allarmi, 1 cessato / 2 alarms, 1 ended: disk, plan, clock"
    )
    assert subject_of(digest([news("disk")]), "both") == "pec-bridge: 1 allarme / 1 alarm: disk"
    assert facts_of(digest([news("disk")]), AT, "both")["raised"] == [
        {
            "account": ADDRESS,
            "kind": "disk",
            "id": None,
            "began_at": "2026-01-15T09:00:00.000Z",
            "ended_at": None,
            "text": "Fattura segreta 17",
        }
    ]


def test_a_sample_says_that_it_is_one() -> None:
    assert "nothing to do" in text_of(sample_digest(ADDRESS, AT), "host", "both")
