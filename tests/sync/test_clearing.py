"""Clearing at the API by the settings: what goes, what never does, and that it stays here."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bridge.alarms import Notice
from bridge.api.errors import ApiError
from bridge.model import Quota
from bridge.simulator import (
    SEQUENCE_READING,
    Failure,
    Ids,
    ListingOrder,
    Operation,
    Options,
    PageCount,
    PageCounts,
    PastEnd,
    Phase,
    Simulator,
)
from bridge.simulator.wording import NetworkKind
from bridge.store.base import ReadTransaction
from bridge.store.clearing import ClearedRow
from bridge.store.deletions import DeletionState
from bridge.store.remote import RemoteId
from bridge.sync.clearing import ClearingRule
from bridge.sync.deletions import Doubting
from bridge.sync.service import SyncSettings
from tests.fakes import FakeClock
from tests.selected import some
from tests.stories import tell
from tests.sync.test_rows import know_issuer, receipt, submit
from tests.sync.world import ADDRESS, World, world

AFTER_2D = SyncSettings(clear_at_api="receipts-after 2d")
OVER_70 = SyncSettings(clear_at_api="over 70%")
DAY_S = 86_400.0
MOSTLY = st.sampled_from([True, True, False])
READINGS = [SEQUENCE_READING.replace(ids=ids, order=order) for ids in Ids for order in ListingOrder]


async def log_of(here: World) -> list[ClearedRow]:
    async def work(tx: ReadTransaction) -> list[ClearedRow]:
        return await tx.cleared(here.account, here.clock.now() - timedelta(days=400), 10_000)

    return await here.store.read(work)


async def went(here: World) -> set[str]:
    return {one.subject for one in await log_of(here) if one.state is DeletionState.DONE}


async def rounds(here: World, count: int = 4) -> None:
    """Let that many rounds of sync pass, a minute apart."""
    for _ in range(count):
        with contextlib.suppress(ApiError):
            await here.sync_now()
        await here.clock.advance(61)


async def shown(here: World) -> list[str]:
    """Return the subjects in INBOX."""
    texts = (await here.messages()).values()
    lines = [line for text in texts for line in text.split("\r\n") if line.startswith("Subject: ")]
    return sorted(line.removeprefix("Subject: ") for line in lines)


def receive_all(here: World, number: int) -> list[str]:
    """Let both receipts of a send to one recipient come; returns their subjects."""
    kinds = (NetworkKind.ACCEPTANCE, NetworkKind.DELIVERY)
    return [receipt(here, number, kind, later_s=place) for place, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("text", "percent", "goes_after"),
    [
        ("never", 99, None),
        ("receipts-after 30d", None, timedelta(days=30)),
        ("receipts-after 1d", 10, timedelta(days=1)),
        ("receipts-after 0d", 99, timedelta(days=1)),
        ("over 70%", 70, None),
        ("over 70%", 71, timedelta(days=1)),
        ("over 70%", None, None),
    ],
)
def test_when_what_goes(text: str, percent: int | None, goes_after: timedelta | None) -> None:
    now = FakeClock().now()
    quota = None if percent is None else Quota(percent, 100)
    before = ClearingRule.parse(text).before(now, quota)
    assert before == (None if goes_after is None else now - goes_after)


@pytest.mark.parametrize("options", some(READINGS, 1))
async def test_receipts_that_are_over_go_and_their_messages_stay(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options, settings=AFTER_2D) as here:
        await know_issuer(here)
        over, still_open = [], []
        for number in range(15):
            await submit(here, number)
            over.append(receipt(here, number, NetworkKind.ACCEPTANCE))
            over.append(receipt(here, number, NetworkKind.DELIVERY, later_s=1))
            here.simulator.inject(ADDRESS, subject=f"POSTA CERTIFICATA: {number}", body="(x)")
        await submit(here, 90, "a@pec.invalid", "b@pec.invalid")
        still_open.append(
            receipt(here, 90, NetworkKind.ACCEPTANCE, "a@pec.invalid", "b@pec.invalid")
        )
        still_open.append(receipt(here, 90, NetworkKind.DELIVERY, "a@pec.invalid", later_s=1))
        foreign = receipt(here, 91, NetworkKind.DELIVERY)
        await here.sync_now()
        before = await shown(here)
        assert len(before) == 30 + 15 + 3
        await rounds(here)
        assert await log_of(here) == []
        await here.clock.advance(2 * DAY_S)
        await rounds(here, 5)
        assert await went(here) == set(over)
        mail = [f"POSTA CERTIFICATA: {number}" for number in range(15)]
        assert sorted(here.listed()) == sorted([*mail, *still_open, foreign])
        assert await shown(here) == before
        alarms = [alarm for alarm in await here.alarms() if alarm.kind == "clearing"]
        assert len(alarms) == 1
        assert alarms[0].text.endswith(f"{ADDRESS}: 30")
        await here.restart()
        await here.clock.advance(DAY_S + 61)
        await rounds(here, 2)
        assert await shown(here) == before
        assert "clearing" not in [alarm.kind for alarm in await here.alarms()]


async def test_what_went_can_be_read_and_expunged_here(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, settings=AFTER_2D) as here:
        await know_issuer(here)
        await submit(here, 1)
        subjects = [
            receipt(here, 1, NetworkKind.ACCEPTANCE),
            receipt(here, 1, NetworkKind.DELIVERY, later_s=1),
        ]
        await here.sync_now()
        await here.clock.advance(2 * DAY_S)
        await rounds(here, 2)
        assert await went(here) == set(subjects)
        made = here.made(Operation.INBOX_DELETE)
        await here.mailboxes.expunge(here.inbox_id, list(await here.messages()))
        await rounds(here, 2)
        assert await shown(here) == []
        assert here.made(Operation.INBOX_DELETE) == made == 2


async def test_a_mailbox_is_emptied_until_it_is_less_than_full(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, settings=OVER_70) as here:
        await know_issuer(here)
        for number in range(14):
            await submit(here, number)
            receipt(here, number, NetworkKind.ACCEPTANCE)
            receipt(here, number, NetworkKind.DELIVERY, later_s=1)
        here.simulator.set_quota(ADDRESS, used_bytes=60 * 10**7, limit_bytes=100 * 10**7)
        await here.sync_now()
        await here.clock.advance(2 * DAY_S)
        await rounds(here)
        assert await log_of(here) == []
        here.simulator.set_quota(ADDRESS, used_bytes=75 * 10**7, limit_bytes=100 * 10**7)
        await here.clock.advance(3_600)
        await rounds(here, 2)
        assert 0 < len(await went(here)) < 28
        here.simulator.set_quota(ADDRESS, used_bytes=69 * 10**7, limit_bytes=100 * 10**7)
        await here.clock.advance(3_600)
        await rounds(here, 2)
        made = len(await went(here))
        await rounds(here, 3)
        assert len(await went(here)) == made < 28


async def test_what_is_no_more_over_when_its_turn_comes_stays(tmp_path: Path) -> None:
    """It was chosen, and could not go then; meanwhile a text took the outcome back."""
    async with world(tmp_path, SEQUENCE_READING, settings=AFTER_2D) as here:
        await know_issuer(here)
        id = await submit(here, 1)
        subjects = [
            receipt(here, 1, NetworkKind.ACCEPTANCE),
            receipt(here, 1, NetworkKind.DELIVERY, later_s=1),
        ]
        await here.sync_now()
        await here.clock.advance(2 * DAY_S)
        here.simulator.faults.fail(
            Operation.INBOX_GET, Phase.BEFORE, Failure.CONNECT_ERROR, times=1
        )
        await rounds(here, 1)
        assert {one.state for one in await log_of(here)} == {DeletionState.WANTED}
        await here.store.write(lambda tx: tx.release_receipts(id))
        await rounds(here, 3)
        assert sorted(here.listed()) == sorted(subjects)
        assert {one.state for one in await log_of(here)} == {DeletionState.KEPT}


async def test_what_is_not_over_is_not_passed_over_for_good(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, settings=AFTER_2D) as here:
        await know_issuer(here)
        await submit(here, 1)
        acceptance = receipt(here, 1, NetworkKind.ACCEPTANCE)
        await here.sync_now()
        await here.clock.advance(3 * DAY_S)
        await rounds(here, 2)
        assert await log_of(here) == []
        delivery = receipt(here, 1, NetworkKind.DELIVERY, later_s=3 * DAY_S)
        await here.sync_now()
        await here.clock.advance(3 * DAY_S)
        await rounds(here)
        assert await went(here) == {acceptance, delivery}


async def test_a_text_that_is_not_here_whole_keeps_its_row(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, settings=AFTER_2D) as here:
        await know_issuer(here)
        await submit(here, 1)
        subject = receipt(here, 1, NetworkKind.ACCEPTANCE)
        receipt(here, 1, NetworkKind.DELIVERY, later_s=1)
        await here.sync_now()

        async def cut(tx: object) -> None:
            tx._row(  # type: ignore[attr-defined]
                "UPDATE remote_body SET body = substr(body, 2) WHERE remote ="
                " (SELECT id FROM remote WHERE subject = ?)",
                (subject,),
            )

        await here.store.write(cut)
        await here.clock.advance(2 * DAY_S)
        await rounds(here, 3)
        assert here.listed() == [subject]


@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.AFTER])
async def test_killed_right_after_a_deletion_the_message_stays_here(
    tmp_path: Path, phase: Phase
) -> None:
    """The row vanishes and nobody remembers that it was asked for: it is no loss all the same."""
    async with world(tmp_path, SEQUENCE_READING, settings=AFTER_2D) as here:
        await know_issuer(here)
        for number in range(6):
            await submit(here, number)
            receipt(here, number, NetworkKind.ACCEPTANCE)
            receipt(here, number, NetworkKind.DELIVERY, later_s=1)
        await here.sync_now()
        before = await shown(here)
        await here.clock.advance(2 * DAY_S)
        here.simulator.faults.fail(Operation.INBOX_DELETE, phase, Failure.TIMEOUT, skip=3, times=1)
        here.simulator.faults.fail(
            Operation.INBOX_LIST, Phase.BEFORE, Failure.CONNECT_ERROR, skip=4, times=4
        )
        with contextlib.suppress(ApiError):
            await here.sync_now()
        await here.restart()
        await rounds(here, 8)
        assert await shown(here) == before
        doubted = {one.subject for one in await log_of(here) if one.state is DeletionState.DOUBTED}
        assert set(here.listed()) == doubted  # nobody knows: one just like it may have come
        assert len(doubted) <= (phase is Phase.BEFORE)
        assert len(await went(here)) == 12 - len(doubted)


async def test_what_its_like_may_stand_in_for_is_not_called_cleared(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        await know_issuer(here)
        await submit(here, 1)
        receipt(here, 1, NetworkKind.ACCEPTANCE)
        receipt(here, 1, NetworkKind.DELIVERY, later_s=1)
        await here.sync_now()
        now = here.clock.now()
        rows = await here.store.read(
            lambda tx: tx.clearable(here.account, now + timedelta(1), RemoteId(0), 9)
        )
        doubted, gone = [row.id for row in rows]
        await here.store.write(lambda tx: tx.want_clearing([doubted, gone], now))
        filer = here.sync._accounts[here.account]._parts.filer
        doubting = Doubting("it may be listed", Notice("Titolo / Title", "Forse.", "Perhaps."))
        await filer.withdraw([doubted, gone], for_ever=True, doubts={doubted: doubting})
        states = {one.remote: one.state for one in await log_of(here)}
        assert states == {doubted: DeletionState.WANTED, gone: DeletionState.DONE}


class Clears(RuleBasedStateMachine):
    """Sends, receipts, mail, faults, kills and days in any order; what went is looked at."""

    @initialize(
        ids=st.sampled_from(Ids),
        base=st.sampled_from([0, 1]),
        order=st.sampled_from(ListingOrder),
        count=st.sampled_from(PageCount),
        past_end=st.sampled_from(PastEnd),
        counts=st.sampled_from(PageCounts),
        size=st.sampled_from([3, 25]),
        setting=st.sampled_from([AFTER_2D, OVER_70]),
    )
    def begin(self, **reading: object) -> None:
        options = SEQUENCE_READING.replace(
            ids=reading["ids"],
            page_base=reading["base"],
            order=reading["order"],
            page_count=reading["count"],
            past_end=reading["past_end"],
            counts=reading["counts"],
            page_size=reading["size"],
        )
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        clock = FakeClock()
        simulator = Simulator(options, clock, Random(1))
        assert isinstance(reading["setting"], SyncSettings)
        self.here = World(clock, simulator, Path(self.folder.name), reading["setting"])
        self.runner.run(self.here.start())
        self.runner.run(know_issuer(self.here))
        simulator.set_quota(ADDRESS, used_bytes=80 * 10**7, limit_bytes=100 * 10**7)
        self.number = 0
        self.people: dict[int, tuple[str, ...]] = {}
        self.accepted: set[int] = set()
        self.settled: dict[int, set[str]] = {}
        self.of_send: dict[str, int] = {}
        self.others: Counter[str] = Counter()
        self.seen: set[str] = set()

    def teardown(self) -> None:
        if not hasattr(self, "here"):
            return
        try:
            for _ in range(3):
                self.sync()
        finally:
            self.runner.run(self.here.stop())
            self.runner.close()
            self.folder.cleanup()

    # -- what comes --------------------------------------------------------------------------

    @rule(people=st.integers(1, 3), accepted=MOSTLY, settled=st.integers(0, 3))
    def send(self, people: int, accepted: bool, settled: int) -> None:
        number = self.number = self.number + 1
        names = self.people[number] = tuple(f"p{one}@pec.invalid" for one in range(people))
        self.settled[number] = set()
        self.runner.run(submit(self.here, number, *names))
        if accepted:
            self._accept(number)
        for name in names[:settled]:
            self._settle(number, name, NetworkKind.DELIVERY)

    def _accept(self, number: int) -> None:
        subject = receipt(self.here, number, NetworkKind.ACCEPTANCE, *self.people[number])
        self.of_send[subject] = number
        self.accepted.add(number)

    def _settle(self, number: int, name: str, kind: NetworkKind) -> None:
        self.of_send[receipt(self.here, number, kind, name, later_s=1)] = number
        self.settled[number].add(name)

    @rule(data=st.data(), kind=st.sampled_from([NetworkKind.DELIVERY, NetworkKind.FAILURE]))
    def go_on(self, data: st.DataObject, kind: NetworkKind) -> None:
        waiting = [one for one in self.people if set(self.people[one]) - self.settled[one]]
        if waiting:
            number = data.draw(st.sampled_from(waiting))
            name = sorted(set(self.people[number]) - self.settled[number])[0]
            self._settle(number, name, kind)

    @rule(subject=st.sampled_from(["POSTA CERTIFICATA: Re: Diffida", "CONSEGNA: falsa", "Ciao"]))
    def come(self, subject: str) -> None:
        self.number += 1
        whole = f"{subject} {self.number}"
        self.here.simulator.inject(ADDRESS, subject=whole, body="(x)", at=self.here.clock.now())
        self.others[whole] += 1

    @rule(kind=st.sampled_from([NetworkKind.ACCEPTANCE, NetworkKind.DELIVERY]))
    def come_of_what_was_sent_elsewhere(self, kind: NetworkKind) -> None:
        self.number += 1
        self.others[receipt(self.here, self.number, kind)] += 1

    @rule(data=st.data())
    def come_twice(self, data: st.DataObject) -> None:
        """One just like a receipt comes: nobody may take the one for the other."""
        rows = [one.row for one in self.here.simulator.inbox(ADDRESS)]
        if rows:
            row = data.draw(st.sampled_from(rows))
            self.here.simulator.inject(
                ADDRESS, subject=row.subject, sender=row.sender, body=row.text, at=row.at
            )
            if row.subject in self.others:
                self.others[row.subject] += 1

    # -- what is done ------------------------------------------------------------------------

    @rule(days=st.sampled_from([0.1, 1, 2, 3]))
    def wait(self, days: float) -> None:
        self.sync()
        self.runner.run(self.here.clock.advance(days * DAY_S))
        self.sync()

    @rule()
    def sync(self) -> None:
        with contextlib.suppress(ApiError):
            self.runner.run(self.here.sync_now())
        self.runner.run(self.here.clock.advance(61))
        self._compare()

    @rule(
        phase=st.sampled_from([Phase.BEFORE, Phase.AFTER]),
        operation=st.sampled_from([Operation.INBOX_GET, Operation.INBOX_DELETE]),
        skip=st.integers(0, 8),
    )
    def fail(self, phase: Phase, operation: Operation, skip: int) -> None:
        self.here.simulator.faults.fail(operation, phase, Failure.TIMEOUT, skip=skip)

    @rule(after=st.integers(1, 25))
    def kill(self, after: int) -> None:
        """End the bridge right before its so-manieth request, and begin anew."""

        async def killed() -> None:
            task = asyncio.ensure_future(self.here.sync_now())
            self.here.surprises[after] = task.cancel
            with contextlib.suppress(ApiError, asyncio.CancelledError):
                await task
            self.here.surprises.clear()
            await self.here.restart()

        self.runner.run(killed())
        self._compare()

    # -- what has to be so -------------------------------------------------------------------

    def _compare(self) -> None:
        counts = Counter(self.here.listed())
        listed = set(counts)
        gone = self.runner.run(went(self.here))
        others = {one: counts[one] for one in self.others}
        assert others == self.others, "what is no receipt of ours went"
        for subject in {one for one in self.of_send if one not in listed}:
            number = self.of_send[subject]
            assert set(self.people[number]) == self.settled[number], f"not over: {subject}"
        assert gone <= self.of_send.keys()
        self.seen |= set(self.runner.run(shown(self.here)))
        assert self.seen == set(self.runner.run(shown(self.here))), "gone here"
        missing = self.of_send.keys() - listed
        assert self.runner.run(_kept(self.here, sorted(missing))) == missing


async def _kept(here: World, subjects: Sequence[str]) -> set[str]:
    """Return those of these rows whose text is here to the last byte."""

    async def work(tx: object) -> set[str]:
        rows = tx._rows(  # type: ignore[attr-defined]
            "SELECT subject, body, body_sha256 FROM remote"
            " JOIN remote_body ON remote_body.remote = remote.id"
        )
        return {one for one, body, digest in rows if sha256(body.encode()).digest() == digest}

    return await here.store.read(work) & set(subjects)


@pytest.mark.parametrize("examples", some([3, 25], 1))
def test_what_goes_is_over_and_stays_here(examples: int) -> None:
    tell(Clears, examples, steps=20)


@pytest.mark.byhand
def test_what_goes_is_over_and_stays_here_at_length() -> None:
    tell(Clears, examples=300, steps=40)
