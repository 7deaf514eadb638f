"""Arrivals, deletions, expunges, faults and restarts in any order: nothing is lost or mixed up."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.policy import default
from pathlib import Path
from random import Random
from zlib import crc32

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bridge.api.client import PecClient
from bridge.api.errors import ApiError
from bridge.api.schema import InboxPage, InboxRow, UnreadableRow
from bridge.mailbox import FlagChange
from bridge.model import ARCHIVE, FLAGGED, Uid
from bridge.simulator import (
    SEQUENCE_READING,
    Errors,
    Failure,
    Ids,
    ListingOrder,
    Operation,
    PageCount,
    PageCounts,
    PastEnd,
    Phase,
    Simulator,
)
from bridge.store.base import ReadTransaction
from bridge.store.deletions import DeletionState
from tests.fakes import FakeClock
from tests.selected import some
from tests.stories import Story, tell, tell_one
from tests.sync.client import Passing
from tests.sync.world import ADDRESS, World

FAULTS = [
    (phase, failure)
    for phase in (Phase.BEFORE, Phase.AFTER)
    for failure in (Failure.CONNECT_ERROR, Failure.TIMEOUT, Failure.TRUNCATED)
    if not (phase is Phase.AFTER and failure is Failure.CONNECT_ERROR)
]
READS = [Operation.INBOX_LIST, Operation.INBOX_GET, Operation.INBOX_DELETE]
TWINS = "CONSEGNA: uguale"
MANY = "CONSEGNA: a molti"
FIRST_DAY = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)


@dataclass
class Haze:
    """What the API hides for a while: nothing, half of its rows, or all of them."""

    share: float = 0.0

    def hides(self, row: InboxRow | UnreadableRow) -> bool:
        subject = row.subject if isinstance(row, InboxRow) else row.raw
        return self.share == 1 or (self.share > 0 and crc32(subject.encode()) % 2 == 0)


class Hazy(Passing):
    """A client of an API that hides rows, and counts only those that it shows."""

    def __init__(self, client: PecClient, haze: Haze) -> None:
        super().__init__(client)
        self._haze = haze

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        shown = await super().inbox_page(page, query)
        if not self._haze.share:
            return shown
        rows = tuple(row for row in shown.rows if not self._haze.hides(row))
        total = int((shown.total or 0) * (1 - self._haze.share))
        return replace(shown, rows=rows, total=None if shown.total is None else total)


class WhateverHappens(RuleBasedStateMachine):
    """The API's inbox, changed by everybody, and the one here."""

    @initialize(
        ids=st.sampled_from(Ids),
        base=st.sampled_from([0, 1]),
        order=st.sampled_from(ListingOrder),
        count=st.sampled_from(PageCount),
        past_end=st.sampled_from(PastEnd),
        counts=st.sampled_from(PageCounts),
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
        self.haze = Haze()
        self.has_hidden = False
        self.world.wrap = lambda client: Hazy(client, self.haze)
        self.runner.run(self.world.start())
        self.tokens = 0
        self.twins_minute = 1
        self.twin_came = self.twin_went = False
        self.many_came = 0
        self.is_many_new = False
        self.flagged: set[str] = set()
        self.born: dict[str, tuple[str, datetime]] = {}
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
        self.born[token] = (subject or token, at)

    def vanish(self, which: float) -> None:
        listed = self.world.simulator.inbox(ADDRESS)
        if listed:
            row = listed[int(which * len(listed))].row
            if row.subject == TWINS and self.twin_came:
                return
            if row.subject == MANY and self.is_many_new:
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

    @precondition(lambda self: not self.many_came)
    @rule(count=st.sampled_from([26, 61, 90]))
    def many_twins_arrive(self, count: int) -> None:
        self.many_came, self.is_many_new = count, True
        minute = self.tokens + 1
        for _ in range(count):
            self.arrive(MANY, minute)

    @rule(share=st.sampled_from([0.5, 1.0]), hours=st.integers(1, 3))
    def the_api_hides_rows_for_hours(self, share: float, hours: int) -> None:
        self.haze.share, self.has_hidden = share, True
        for _ in range(hours):
            self.sync()
            self.runner.run(self.clock.advance(3600.0))
        self.haze.share = 0.0

    @rule(which=st.floats(0, 0.999))
    def one_vanishes(self, which: float) -> None:
        self.vanish(which)

    @rule(after=st.integers(1, 12), which=st.floats(0, 0.999))
    def one_will_vanish_between_requests(self, after: int, which: float) -> None:
        self.world.surprises[after] = lambda: self.vanish(which)

    @rule(after=st.integers(1, 12), count=st.integers(1, 4))
    def some_will_arrive_between_requests(self, after: int, count: int) -> None:
        def arrive() -> None:
            for _ in range(count):
                self.arrive()

        self.world.surprises[after] = arrive

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
            if not self.haze.share:
                self.twin_came = self.twin_went = self.is_many_new = False
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
    def flag_one(self, which: float) -> None:
        found = self.pick(which)
        if found is not None:
            uid, token = found
            self.flagged.add(token)
            flags = frozenset({FLAGGED})
            change = self.world.mailboxes.change_flags
            self.runner.run(change(self.world.inbox_id, [uid], FlagChange.ADD, flags))

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
                self.check_body(text)

    def check_body(self, text: str) -> None:
        """The body that a message shows belongs to its row."""
        subject, at = self.born[self.token(text)]
        message = message_from_string(text, policy=default)
        assert subject in message["Subject"]
        assert message["Date"].datetime == at

    async def flagged_here(self) -> set[str]:
        messages = await self.world.messages()

        async def work(tx: ReadTransaction) -> set[str]:
            found = await tx.flags_of(self.world.inbox_id, list(messages))
            return {
                self.token(messages[uid]) for uid, (_, flags) in found.items() if FLAGGED in flags
            }

        return await self.world.store.read(work)

    def settle_and_compare(self) -> None:
        self.world.simulator.faults.clear()
        self.haze.share = 0.0
        self.world.surprises.clear()
        for hours in (3, 13, 25, 25, 25):  # without totals it takes daily passes
            self.runner.run(self.clock.advance(3600.0 * hours))
            self.runner.run(self.world.sync_now())
        self.note_meanings()
        listed = [one.row.text for one in self.world.simulator.inbox(ADDRESS)]
        shown = Counter(map(self.token, self.runner.run(self.world.messages()).values()))
        expected = Counter(listed) - Counter(self.expunged | self.moved)
        assert shown == expected, (shown - expected, expected - shown)
        assert self.runner.run(self.flagged_here()) == self.flagged & set(shown)
        kept = {self.token(text) for text in self.runner.run(self.world.messages(ARCHIVE)).values()}
        assert kept == self.moved
        gone = self.arrived - set(listed)
        assert gone <= self.deleted_elsewhere | self.expunged
        assert self.expunged & set(listed) <= self.runner.run(self.doubted())

    async def doubted(self) -> set[str]:
        """Return what stays at the API because of a doubt.

        Only twins may give rise to one, and what the API had hidden: that may be another one.
        """
        account = self.world.account

        async def work(tx: ReadTransaction) -> set[str]:
            doubts = await tx.deletions(account, DeletionState.DOUBTED)
            alone = {doubt.remote.subject for doubt in doubts} - {TWINS, MANY}
            assert not alone or self.has_hidden
            told = {alarm.key for alarm in await tx.alarms(account) if alarm.kind == "deletion"}
            assert {str(doubt.remote.id) for doubt in doubts} <= told
            return {str(await tx.remote_body(doubt.remote.id)) for doubt in doubts}

        return await self.world.store.read(work)


ROWS_MOVE_UNDER_PAGES_FULL_OF_TWINS: Story = [
    (
        "begin",
        {
            "counts": PageCounts.ABSENT,
            "past_end": PastEnd.NOT_FOUND,
            "base": 1,
            "errors": Errors.NESTED,
            "ids": Ids.SEQUENCE,
            "count": PageCount.FLOOR,
            "size": 5,
            "order": ListingOrder.OLDEST,
        },
    ),
    ("some_will_arrive_between_requests", {"after": 7, "count": 4}),
    ("the_api_hides_rows_for_hours", {"hours": 3, "share": 1.0}),
    ("many_twins_arrive", {"count": 26}),
    ("one_will_vanish_between_requests", {"after": 10, "which": 0.05333943336569292}),
    ("one_vanishes", {"which": 0.0}),
    ("one_vanishes", {"which": 0.0}),
    ("the_api_hides_rows_for_hours", {"hours": 1, "share": 0.5}),
]
TWINS_ON_BOTH_PAGES: Story = [
    (
        "begin",
        {
            "ids": Ids.STABLE,
            "size": 25,
            "count": PageCount.CEIL,
            "order": ListingOrder.NEWEST,
            "past_end": PastEnd.EMPTY,
            "counts": PageCounts.NUMBERS,
            "base": 0,
            "errors": Errors.STATUS,
        },
    ),
    ("twins_arrive", {"count": 2, "is_late": True}),
    (
        "the_api_will_fail",
        {"fault": (Phase.BEFORE, Failure.TIMEOUT), "operation": Operation.INBOX_GET, "skip": 1},
    ),
    ("some_will_arrive_between_requests", {"after": 11, "count": 1}),
    ("the_api_hides_rows_for_hours", {"hours": 1, "share": 0.5}),
    ("many_twins_arrive", {"count": 26}),
    ("twins_arrive", {"count": 1, "is_late": True}),
]


A_PAGE_OF_IDS_NOTED_AT_DIFFERENT_TIMES: Story = [
    (
        "begin",
        {
            "ids": Ids.SEQUENCE,
            "size": 25,
            "past_end": PastEnd.EMPTY,
            "base": 0,
            "order": ListingOrder.NEWEST,
            "counts": PageCounts.NUMBERS,
            "count": PageCount.CEIL,
            "errors": Errors.STATUS,
        },
    ),
    ("some_arrive", {"count": 7}),
    ("the_api_hides_rows_for_hours", {"hours": 2, "share": 0.5}),
    ("move_one", {"which": 0.0}),
    ("expunge_one", {"which": 0.258}),
    ("move_one", {"which": 0.4734}),
    ("some_arrive", {"count": 3}),
    ("twins_arrive", {"count": 2, "is_late": True}),
    ("twins_arrive", {"count": 2, "is_late": False}),
    ("some_arrive", {"count": 2}),
    ("twins_arrive", {"count": 2, "is_late": True}),
    ("some_arrive", {"count": 12}),
    ("the_api_hides_rows_for_hours", {"hours": 3, "share": 0.5}),
    ("some_arrive", {"count": 4}),
]

A_TWIN_ON_THE_NEXT_PAGE_WHILE_ONE_IS_FETCHED: Story = [
    (
        "begin",
        {
            "ids": Ids.STABLE,
            "size": 5,
            "past_end": PastEnd.EMPTY,
            "base": 1,
            "order": ListingOrder.NEWEST,
            "counts": PageCounts.NUMBERS,
            "count": PageCount.CEIL,
            "errors": Errors.STATUS,
        },
    ),
    ("twins_arrive", {"count": 1, "is_late": False}),
    ("some_arrive", {"count": 4}),
    ("twins_arrive", {"count": 1, "is_late": True}),
]


def vanishing(after: int, which: float) -> tuple[str, dict[str, object]]:
    return "one_will_vanish_between_requests", {"after": after, "which": which}


OTHERS_DELETE_WHILE_TWENTY_SIX_TWINS_ARE_READ: Story = [
    (
        "begin",
        {
            "ids": Ids.SEQUENCE,
            "base": 0,
            "order": ListingOrder.NEWEST,
            "size": 3,
            "count": PageCount.CEIL,
            "past_end": PastEnd.EMPTY,
            "counts": PageCounts.NUMBERS,
            "errors": Errors.STATUS,
        },
    ),
    vanishing(11, 0.9015778838332538),
    ("many_twins_arrive", {"count": 26}),
    vanishing(8, 0.31184729839333813),
    vanishing(8, 0.6009975338745663),
    vanishing(8, 0.07837563180285963),
    (
        "the_api_will_fail",
        {
            "fault": (Phase.BEFORE, Failure.TRUNCATED),
            "operation": Operation.INBOX_GET,
            "skip": 1,
        },
    ),
    ("sync", {}),
    ("sync", {}),
    ("sync", {}),
    vanishing(8, 0.5),
    ("sync", {}),
    vanishing(3, 0.2594751417994147),
    vanishing(8, 0.6021784198591114),
    vanishing(4, 0.6120034487537366),
    vanishing(6, 0.3684544463811517),
    vanishing(5, 0.39828876925734374),
]


@pytest.mark.parametrize(
    "story",
    [
        ROWS_MOVE_UNDER_PAGES_FULL_OF_TWINS,
        TWINS_ON_BOTH_PAGES,
        A_PAGE_OF_IDS_NOTED_AT_DIFFERENT_TIMES,
        A_TWIN_ON_THE_NEXT_PAGE_WHILE_ONE_IS_FETCHED,
        OTHERS_DELETE_WHILE_TWENTY_SIX_TWINS_ARE_READ,
    ],
)
def test_a_story_that_once_went_wrong(story: Story) -> None:
    tell_one(WhateverHappens, story)


@pytest.mark.parametrize("examples", some([5, 15], 1))
def test_nothing_is_lost_or_mixed_up(examples: int) -> None:
    tell(WhateverHappens, examples, steps=20, same=True)


@pytest.mark.byhand
def test_nothing_is_lost_or_mixed_up_at_length() -> None:
    tell(WhateverHappens, examples=200, steps=50)
