"""Arrivals, deletions, expunges, faults and restarts in any order: nothing is lost or mixed up."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bridge.api.errors import ApiError
from bridge.model import ARCHIVE, Uid
from bridge.simulator import (
    SEQUENCE_READING,
    Counts,
    Errors,
    Failure,
    Ids,
    Operation,
    Order,
    PageCount,
    PastEnd,
    Phase,
    Simulator,
)
from bridge.store.base import ReadTransaction
from bridge.store.remote import DeletionState
from tests.fakes import FakeClock
from tests.sync.world import ADDRESS, World

FAULTS = [
    (phase, failure)
    for phase in (Phase.BEFORE, Phase.AFTER)
    for failure in (Failure.CONNECT_ERROR, Failure.TIMEOUT, Failure.TRUNCATED)
    if not (phase is Phase.AFTER and failure is Failure.CONNECT_ERROR)
]
READS = [Operation.INBOX_LIST, Operation.INBOX_GET, Operation.INBOX_DELETE]
TWINS = "CONSEGNA: uguale"
FIRST_DAY = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)


class WhateverHappens(RuleBasedStateMachine):
    """The API's inbox, changed by everybody, and the one here."""

    @initialize(
        ids=st.sampled_from(Ids),
        base=st.sampled_from([0, 1]),
        order=st.sampled_from(Order),
        count=st.sampled_from(PageCount),
        past_end=st.sampled_from(PastEnd),
        counts=st.sampled_from(Counts),
        errors=st.sampled_from(Errors),
        size=st.sampled_from([3, 5, 25]),
    )
    def begin(self, **reading: object) -> None:
        renamed = {
            "ids": reading["ids"],
            "page_base": reading["base"],
            "order": reading["order"],
            "page_count": reading["count"],
            "past_end": reading["past_end"],
            "counts": reading["counts"],
            "errors": reading["errors"],
            "page_size": reading["size"],
        }
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        simulator = Simulator(SEQUENCE_READING.replace(**renamed), self.clock, Random(1))
        self.world = World(self.clock, simulator, self.folder)
        self.runner.run(self.world.start())
        self.tokens = 0
        self.twins_minute = 1
        self.twin_came = self.twin_went = False
        self.expunged: set[str] = set()
        self.moved: set[str] = set()
        self.deleted_elsewhere: set[str] = set()
        self.arrived: set[str] = set()
        self.meaning: dict[tuple[str, Uid], str] = {}

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.settle_and_compare()
        finally:
            self.runner.run(self.world.stop())
            self.runner.close()
            shutil.rmtree(self.folder)

    # -- what happens at the API -------------------------------------------------------------

    def arrive(self, subject: str = "", minute: int | None = None) -> None:
        self.tokens += 1
        token = f"token-{self.tokens}-"
        at = FIRST_DAY + timedelta(minutes=minute or self.tokens)
        self.world.simulator.inject(ADDRESS, subject=subject or token, body=token, at=at)
        self.arrived.add(token)

    def vanish(self, which: float) -> None:
        listed = self.world.simulator.inbox(ADDRESS)
        if listed:
            row = listed[int(which * len(listed))].row
            if row.subject == TWINS and self.twin_came:
                return
            self.twin_went = self.twin_went or row.subject == TWINS
            self.deleted_elsewhere.add(row.text)
            self.world.simulator.delete(ADDRESS, row)

    @rule(count=st.integers(1, 12))
    def some_arrive(self, count: int) -> None:
        for _ in range(count):
            self.arrive()

    @rule(count=st.integers(1, 3), is_late=st.booleans())
    def twins_arrive(self, count: int, is_late: bool) -> None:
        # One goes and its like comes between two looks: nothing listed would differ at all.
        if not is_late or self.twin_went:
            self.twins_minute = self.tokens + 1
        self.twin_came = True
        for _ in range(count):
            self.arrive(TWINS, self.twins_minute)

    @rule(which=st.floats(0, 0.999))
    def one_vanishes(self, which: float) -> None:
        self.vanish(which)

    @rule(after=st.integers(1, 12), which=st.floats(0, 0.999))
    def one_will_vanish_between_requests(self, after: int, which: float) -> None:
        self.world.surprises[after] = lambda: self.vanish(which)

    @rule(after=st.integers(1, 12), count=st.integers(1, 4))
    def some_will_arrive_between_requests(self, after: int, count: int) -> None:
        self.world.surprises[after] = lambda: [self.arrive() for _ in range(count)]

    @rule(operation=st.sampled_from(READS), fault=st.sampled_from(FAULTS), skip=st.integers(0, 4))
    def the_api_will_fail(
        self, operation: Operation, fault: tuple[Phase, Failure], skip: int
    ) -> None:
        phase, failure = fault
        self.world.simulator.faults.fail(operation, phase, failure, skip=skip)

    # -- what happens here -------------------------------------------------------------------

    @rule()
    def sync(self) -> None:
        with contextlib.suppress(ApiError):
            self.runner.run(self.world.sync_now())
            self.twin_came = self.twin_went = False
        self.note_meanings()

    @rule()
    def restart(self) -> None:
        self.runner.run(self.world.restart())

    @rule(hours=st.sampled_from([1, 30]))
    def time_passes(self, hours: int) -> None:
        self.runner.run(self.clock.advance(3600.0 * hours))

    @rule(which=st.floats(0, 0.999))
    def expunge_one(self, which: float) -> None:
        found = self.pick(which)
        if found is not None:
            uid, token = found
            self.expunged.add(token)
            self.runner.run(self.world.mailboxes.expunge(self.world.inbox_id, [uid]))

    @rule(which=st.floats(0, 0.999))
    def move_one(self, which: float) -> None:
        found = self.pick(which)
        if found is not None:
            uid, token = found
            self.moved.add(token)
            self.runner.run(self.move(uid))

    async def move(self, uid: Uid) -> None:
        archive = await self.world.mailboxes.find(self.world.account, ARCHIVE)
        assert archive is not None
        await self.world.mailboxes.move(self.world.inbox_id, [uid], archive)

    def pick(self, which: float) -> tuple[Uid, str] | None:
        messages = self.runner.run(self.world.messages())
        if not messages:
            return None
        uid = sorted(messages)[int(which * len(messages))]
        return uid, self.token(messages[uid])

    # -- what must hold ----------------------------------------------------------------------

    def token(self, text: str) -> str:
        found = [word for word in text.split() if word.startswith("token-") and word[-1] == "-"]
        return found[-1]

    def note_meanings(self) -> None:
        for mailbox in ("INBOX", ARCHIVE):
            for uid, text in self.runner.run(self.world.messages(mailbox)).items():
                assert self.meaning.setdefault((mailbox, uid), text) == text

    def settle_and_compare(self) -> None:
        self.world.simulator.faults.clear()
        self.world.surprises.clear()
        for hours in (3, 13, 25, 25, 25):  # without totals it takes daily passes
            self.runner.run(self.clock.advance(3600.0 * hours))
            self.runner.run(self.world.sync_now())
        self.note_meanings()
        listed = [one.row.text for one in self.world.simulator.inbox(ADDRESS)]
        shown = Counter(map(self.token, self.runner.run(self.world.messages()).values()))
        expected = Counter(listed) - Counter(self.expunged | self.moved)
        assert shown == expected, (shown - expected, expected - shown)
        kept = {self.token(text) for text in self.runner.run(self.world.messages(ARCHIVE)).values()}
        assert kept == self.moved
        gone = self.arrived - set(listed)
        assert gone <= self.deleted_elsewhere | self.expunged
        assert self.expunged & set(listed) <= self.runner.run(self.doubted())

    async def doubted(self) -> set[str]:
        """Return what stays at the API because of a doubt, which only twins may give rise to."""
        account = self.world.account

        async def work(tx: ReadTransaction) -> set[str]:
            doubts = await tx.deletions(account, DeletionState.DOUBTED)
            assert {doubt.remote.subject for doubt in doubts} <= {TWINS}
            told = {alarm.key for alarm in await tx.alarms(account) if alarm.kind == "deletion"}
            assert {str(doubt.remote.id) for doubt in doubts} <= told
            return {str(await tx.remote_body(doubt.remote.id)) for doubt in doubts}

        return await self.world.store.read(work)


def run(examples: int, steps: int) -> None:
    WhateverHappens.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    WhateverHappens.TestCase().runTest()


def test_nothing_is_lost_or_mixed_up() -> None:
    run(examples=15, steps=20)


@pytest.mark.slow
def test_nothing_is_lost_or_mixed_up_at_length() -> None:
    run(examples=300, steps=50)
