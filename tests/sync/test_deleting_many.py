"""Many deletions at once: what they cost, and that whatever moves meanwhile hits nobody else."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from bridge.api.budget import RequestBudget
from bridge.api.client import PecClient
from bridge.api.errors import ApiError, NotSent, OutcomeUnknown
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxMessage, InboxPage
from bridge.simulator import (
    SEQUENCE_READING,
    Failure,
    Ids,
    ListingOrder,
    Missing,
    Operation,
    Options,
    Phase,
)
from bridge.store.deletions import DeletionState
from bridge.sync.deleting import Gone
from bridge.sync.deletion import TOGETHER, _highest_first
from bridge.sync.listed import Listed
from bridge.sync.locating import Locator
from bridge.sync.sight import LISTED_FOR_S
from tests.fakes import FakeClock
from tests.selected import some
from tests.sync.client import Passing
from tests.sync.test_deletion import arrive, expunge, left, states, twins
from tests.sync.world import ADDRESS, World, world

STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE, missing=Missing.NOT_FOUND)
READINGS = [
    pytest.param(options.replace(order=order), id=f"{options.ids.value} {order.value}")
    for options in (SEQUENCE_READING, STABLE)
    for order in ListingOrder
]
MANY = [str(number) for number in range(20, 45)]


def reads(here: World) -> int:
    """Return how many requests read the inbox."""
    return sum(here.made(one) for one in (Operation.INBOX_LIST, Operation.INBOX_GET))


@pytest.mark.parametrize("options", READINGS)
async def test_many_cost_two_reads_each_at_the_most(tmp_path: Path, options: Options) -> None:
    async with world(tmp_path, options) as here:
        arrive(here, 120)
        await here.sync_now()
        await expunge(here, *MANY)
        before = reads(here)
        deleted = here.sync._accounts[here.account]._parts
        assert await deleted.deleter.carry_out() == len(MANY)
        assert reads(here) - before <= 2 * len(MANY)
        assert left(here) == [str(number) for number in range(120) if str(number) not in MANY]
        assert await states(here) == {DeletionState.DONE: len(MANY)}
        await here.sync_now()
        assert len(await here.messages()) == 120 - len(MANY)


@pytest.mark.parametrize("options", READINGS)
async def test_what_is_scattered_over_many_pages_costs_hardly_more(
    tmp_path: Path, options: Options
) -> None:
    """Where a look shows that all that is listed is known, only the page afterwards is read."""
    scattered = [str(number) for number in range(5, 290, 12)]
    async with world(tmp_path, options) as here:
        arrive(here, 300)
        await here.sync_now()
        await expunge(here, *scattered)
        before = reads(here)
        deleted = here.sync._accounts[here.account]._parts
        assert await deleted.deleter.carry_out() == len(scattered)
        pages = 300 // 25
        assert reads(here) - before <= len(scattered) + pages + 9
        assert left(here) == [str(number) for number in range(300) if str(number) not in scattered]


@pytest.mark.parametrize("come", [0, 49])
@pytest.mark.parametrize("options", READINGS)
async def test_rows_that_earlier_deletions_moved_are_found_by_counting(
    tmp_path: Path, options: Options, come: int
) -> None:
    """No page but the newest, and those afterwards, tells where they are by now."""
    before, after = ([str(one) for one in range(first, 290, 12)] for first in (5, 11))
    async with world(tmp_path, options) as here:
        arrive(here, 300)
        await here.sync_now()
        deleter = here.sync._accounts[here.account]._parts.deleter
        await expunge(here, *before)
        assert await deleter.carry_out() == len(before)
        for number in range(come):
            at = here.clock.now() + timedelta(seconds=number)
            here.simulator.inject(ADDRESS, subject=f"nuovo {number}", body=f"nuovo {number}", at=at)
        await here.clock.advance(3_600)
        await here.sync_now()
        await expunge(here, *after)
        read = reads(here)
        assert await deleter.carry_out() == len(after)
        pages = 300 // 25
        assert reads(here) - read <= len(after) + pages + 9
        assert not {*before, *after} & {*left(here)}
        assert len(left(here)) == 300 + come - len(before) - len(after)


async def test_what_is_noted_after_a_deletion_has_not_moved_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where trouble puts off that it is seen gone, and a look comes between."""
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 20)
        await here.sync_now()
        await expunge(here, "5")
        parts = here.sync._accounts[here.account]._parts

        async def seen_later(gone: Gone, locator: Locator) -> tuple[Listed, ...]:
            parts.memory.next_turn()
            return ()

        monkeypatch.setattr(parts.deleter._afterwards, "still_listed", seen_later)
        assert await parts.deleter.carry_out() == 1
        newest = (await parts.rows.between(None, None))[0]
        for turn, count in ((parts.memory.turn - 1, 1), (parts.memory.turn, 0)):
            assert parts.memory.departures.below(replace(newest, turn=turn)) == count


@pytest.mark.parametrize(
    ("ids", "order"),
    [
        pytest.param(["9", "7", "8", "1"], [0, 1, 2, 3], id="as rows are listed"),
        pytest.param(["1", "8", "7", "9"], [3, 2, 1, 0], id="where the newest has the lowest"),
        pytest.param(["x", "y"], [0, 1], id="no numbers"),
        pytest.param([], [], id="none"),
    ],
)
def test_deletions_go_from_the_highest_id_down(ids: list[str], order: list[int]) -> None:
    wishes: Any = [
        SimpleNamespace(remote=SimpleNamespace(api_id=api_id, rank=float(-at)))
        for at, api_id in enumerate(ids)
    ]
    assert [-wish.remote.rank for wish in _highest_first(wishes)] == order


async def test_a_text_alone_proves_nothing_of_one_that_has_its_like(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 1)
        twins(here, "a", "b")
        await here.sync_now()
        await expunge(here, "0", "a")
        parts = here.sync._accounts[here.account]._parts
        alone, twin = sorted(await parts.deletions.wanted(), key=lambda wish: wish.remote.id)
        proof = parts.deleter._proof
        assert await proof.by_text(twin.remote) is None
        found = await proof.by_text(alone.remote)
        assert found is not None
        assert found.row.id == alone.remote.id


async def test_what_was_asked_for_is_seen_to_where_no_more_may_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each look would go through the list, which lacks what was not called deleted yet."""
    midnight = FakeClock(datetime(2026, 1, 14, 23, 0, tzinfo=UTC))
    async with world(tmp_path, STABLE, midnight, per_day=200) as here:
        arrive(here, 60)
        await here.sync_now()
        await expunge(here, *MANY)
        budget = here.accounts[0].budget
        assert isinstance(budget, RequestBudget)
        while await budget.has_room(Purpose.DELETION, 8):
            await budget.spend(Purpose.LOOK)
        deleter = here.sync._accounts[here.account]._parts.deleter
        monkeypatch.setattr(budget, "has_room", AsyncMock(return_value=True))
        with contextlib.suppress(NotSent):
            await deleter.carry_out()
        found = await states(here)
        assert 0 < found[DeletionState.DONE] < len(MANY)
        assert found[DeletionState.DONE] == 60 - len(left(here)), (
            "all that went is known to be gone"
        )


async def test_no_page_is_read_for_deletions_that_would_be_refused(tmp_path: Path) -> None:
    midnight = FakeClock(datetime(2026, 1, 14, 23, 0, tzinfo=UTC))
    async with world(tmp_path, STABLE, midnight, per_day=200) as here:
        arrive(here, 60)
        await here.sync_now()
        await expunge(here, *MANY)
        budget = here.accounts[0].budget
        assert isinstance(budget, RequestBudget)
        while await budget.has_room(Purpose.DELETION, 5):
            await budget.spend(Purpose.LOOK)
        before = here.made(Operation.INBOX_LIST)
        assert await here.sync._accounts[here.account]._parts.deleter.carry_out() == 0
        assert here.made(Operation.INBOX_LIST) == before


@pytest.mark.slow
@pytest.mark.parametrize("options", READINGS)
async def test_what_was_not_listed_where_it_should_be_is_looked_for_there_first(
    tmp_path: Path, options: Options
) -> None:
    """Before all pages are read for it: they are many, and it is there again most often."""
    async with world(tmp_path, options) as here:
        arrive(here, 600)
        await here.sync_now()
        await expunge(here, "300")
        parts = here.sync._accounts[here.account]._parts
        (wish,) = await parts.deletions.wanted()
        parts.deleter._patience.begin(wish.remote.id)
        before = here.made(Operation.INBOX_LIST)
        assert await parts.deleter.carry_out() == 1
        assert here.made(Operation.INBOX_LIST) - before < 600 // 25
        assert "300" not in left(here)


@pytest.mark.parametrize("after", some([4, 19, 34, 1, 7, 10, 13, 16, 22, 25, 28, 31, 37], 3))
@pytest.mark.parametrize("which", [0, 30, 59])
async def test_what_goes_elsewhere_meanwhile_moves_no_deletion(
    tmp_path: Path, which: int, after: int
) -> None:
    """Ids are positions: all that are newer get another when one goes."""
    wanted = [str(number) for number in range(10, 50, 2)]
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 60)
        await here.sync_now()
        gone = here.simulator.inbox(ADDRESS)[which].row
        await expunge(here, *wanted)

        def goes_elsewhere() -> None:
            if any(one.row is gone for one in here.simulator.inbox(ADDRESS)):
                here.simulator.delete(ADDRESS, gone)

        here.surprises[after] = goes_elsewhere
        for _ in range(6):
            await here.sync_now()
            await here.clock.advance(60)
        kept = [str(number) for number in range(60) if str(number) not in wanted]
        assert left(here) == [one for one in kept if one != gone.text.strip("()")]
        assert set(await states(here)) == {DeletionState.DONE}


async def test_the_first_goes_alone_and_stops_the_rest_if_it_stays_listed(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 60)
        await here.sync_now()
        await expunge(here, *MANY)
        here.simulator.faults.answer(
            Operation.INBOX_DELETE, 200, {"success": True, "message": "Message deleted"}, times=None
        )
        await here.sync_now()
        assert here.made(Operation.INBOX_DELETE) == 1
        assert len(left(here)) == 60


async def test_an_answer_that_is_lost_ends_its_batch(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 60)
        await here.sync_now()
        await expunge(here, *MANY)
        for _ in range(2 * TOGETHER):
            here.simulator.faults.answer(Operation.INBOX_DELETE, 500, b"", times=1)
            await here.sync_now()
            await here.clock.advance(60)
        for _ in range(4):
            await here.sync_now()
            await here.clock.advance(60)
        assert left(here) == [str(number) for number in range(60) if str(number) not in MANY]


@pytest.mark.parametrize("options", READINGS)
async def test_trouble_amid_a_batch_leaves_nothing_to_be_deleted_twice(
    tmp_path: Path, options: Options
) -> None:
    """One just like a message that is deleted comes before that was seen to be gone."""
    newest = [str(number) for number in range(40, 60)]
    async with world(tmp_path, options) as here:
        arrive(here, 60)
        await here.sync_now()
        await expunge(here, *newest)
        rows = {one.row.text.strip("()"): one.row for one in here.simulator.inbox(ADDRESS)}
        here.simulator.faults.fail(
            Operation.INBOX_DELETE, Phase.BEFORE, Failure.CONNECT_ERROR, skip=5
        )
        with pytest.raises(ApiError):
            await here.sync_now()
        gone = [text for text in newest if text not in left(here)]
        assert len(gone) == 5
        come_again = {gone[0], gone[-1]}
        for text in come_again:
            old = rows[text]
            here.simulator.inject(ADDRESS, subject=old.subject, body=old.text, at=old.at)
        for _ in range(4):
            await here.sync_now()
            await here.clock.advance(3_700)
        kept = {str(number) for number in range(60) if str(number) not in newest}
        assert set(left(here)) == kept | come_again


@pytest.mark.parametrize("options", READINGS)
@pytest.mark.parametrize("after", some(range(6), 3))
async def test_what_comes_while_a_lost_answer_is_looked_into_stays(
    tmp_path: Path, after: int, options: Options
) -> None:
    """The deletion took effect; one just like it comes amid the look at what became of it."""
    async with world(tmp_path, options) as here:
        arrive(here, 10)
        await here.sync_now()
        await expunge(here, "9")
        (old,) = [one.row for one in here.simulator.inbox(ADDRESS) if one.row.text == "(9)"]
        here.simulator.faults.fail(Operation.INBOX_DELETE, Phase.AFTER, Failure.TIMEOUT)
        parts = here.sync._accounts[here.account]._parts
        with contextlib.suppress(ApiError):
            await parts.deleter.carry_out()
        assert "9" not in left(here)
        here.surprises[after] = lambda: here.simulator.inject(
            ADDRESS, subject=old.subject, body=old.text, at=old.at
        )
        await here.clock.advance(60)
        await parts.deleter.carry_out()
        for _ in range(4):
            with contextlib.suppress(ApiError):
                await here.sync_now()
            await here.clock.advance(3_700)
        assert "9" in left(here)


async def test_what_its_like_may_stand_in_for_is_not_called_deleted(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 10)
        await here.sync_now()
        await expunge(here, "8", "9")
        parts = here.sync._accounts[here.account]._parts
        wanted = await parts.deletions.wanted()
        await parts.filer.replace([wish.remote.id for wish in wanted])
        assert await states(here) == {DeletionState.DOUBTED: 2}
        assert {alarm.kind for alarm in await here.alarms()} == {"deletion"}


async def test_what_was_asked_for_before_trouble_is_seen_to_at_once(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 60)
        await here.sync_now()
        await expunge(here, *MANY)
        here.simulator.faults.fail(
            Operation.INBOX_GET, Phase.BEFORE, Failure.TIMEOUT, skip=5, times=2
        )
        with pytest.raises(ApiError):
            await here.sync_now()
        gone = 60 - len(left(here))
        assert gone > 1
        assert (await states(here))[DeletionState.DONE] == gone
        assert await here.alarms() == []


def made_between(here: World, first: int) -> list[list[Operation]]:
    """Return what was asked of the API before each deletion, since the one before it."""
    found: list[list[Operation]] = [[]]
    for call in here.simulator.calls()[first:]:
        if call.operation is Operation.INBOX_DELETE:
            found.append([])
        else:
            found[-1].append(call.operation)
    return found


async def test_after_an_answer_that_is_lost_the_list_is_read_first(tmp_path: Path) -> None:
    """It may be carried out late: what it moves is seen before anything else is deleted."""
    async with world(tmp_path, STABLE) as here:
        arrive(here, 60)
        await here.sync_now()
        await expunge(here, *MANY)
        first = len(here.simulator.calls())
        here.simulator.faults.fail(
            Operation.INBOX_DELETE, Phase.BEFORE, Failure.TIMEOUT, skip=4
        )  # the first goes alone, so it is the fourth of its batch
        await here.sync_now()
        asked = made_between(here, first)
        assert all(Operation.INBOX_LIST not in one for one in asked[2:5])
        assert asked[5][0] is Operation.INBOX_LIST
        assert await states(here) == {DeletionState.DONE: len(MANY)}


async def test_a_twin_goes_alone_by_lists_of_its_own(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 10)
        twins(here, "a", "b")
        now = here.clock.now()
        for number in range(10, 20):
            here.simulator.inject(ADDRESS, subject=f"N. {number}", body=f"({number})", at=now)
        await here.sync_now()
        twin = next(str(one.id) for one in here.simulator.inbox(ADDRESS) if one.row.text == "(a)")
        await expunge(here, *map(str, range(20)), "a")
        first = len(here.simulator.calls())
        await here.sync_now()
        assert left(here) == ["b"]
        targets = [one.target for one in here.simulator.calls(Operation.INBOX_DELETE)]
        asked, at = made_between(here, first), targets.index(twin)
        assert 1 < at < len(targets) - 2
        assert Operation.INBOX_LIST in asked[at]
        assert Operation.INBOX_LIST in asked[at + 1]


class Slow(Passing):
    """A client whose texts take a while before a deletion."""

    def __init__(self, client: PecClient, clock: FakeClock) -> None:
        super().__init__(client)
        self._clock = clock

    async def inbox_message(self, api_id: str) -> InboxMessage:
        if self.purpose is Purpose.DELETION:
            await self._clock.advance(LISTED_FOR_S / 2)
        return await super().inbox_message(api_id)


async def test_a_list_that_has_grown_old_is_read_anew(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path, STABLE, clock, wrap=lambda client: Slow(client, clock)) as here:
        arrive(here, 60)
        await here.sync_now()
        await expunge(here, *MANY)
        first = len(here.simulator.calls())
        await here.sync_now()
        assert left(here) == [str(number) for number in range(60) if str(number) not in MANY]
        is_listed = [Operation.INBOX_LIST in asked for asked in made_between(here, first)]
        assert all(any(is_listed[at : at + 3]) for at in range(len(MANY)))


async def test_what_is_asked_for_is_written_down_before(tmp_path: Path) -> None:
    """Killed amid the request, the bridge has to look first at what came of it."""
    here: World
    noted: list[bool] = []

    class Watching(Passing):
        async def delete_inbox(self, api_id: str) -> None:
            (wish,) = await here.sync._accounts[here.account]._parts.deletions.wanted()
            noted.append(wish.asked_after is not None)
            await super().delete_inbox(api_id)

    async with world(tmp_path, STABLE, wrap=Watching) as here:
        arrive(here, 3)
        await here.sync_now()
        await expunge(here, "1")
        await here.sync_now()
        assert noted == [True]
        assert left(here) == ["0", "2"]


async def test_a_doubt_is_not_taken_up_while_one_just_like_it_is_to_stay(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        twins(here, "a", "a", "a")
        await here.sync_now()
        with capture_logs() as logs:
            await expunge(here, "a")
            await here.sync_now()
            await expunge(here, "a")
            await here.sync_now()
        doubted = [one["remote"] for one in logs if one["event"] == "deletion_doubted"]
        assert len(doubted) == len(set(doubted)) == 2
        assert left(here) == ["a", "a", "a"]


@pytest.mark.parametrize("status", [401, 403])
async def test_what_the_api_does_not_allow_does_not_count_as_asked_for(
    tmp_path: Path, status: int
) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 3)
        await here.sync_now()
        await expunge(here, "1")
        here.simulator.faults.answer(Operation.INBOX_DELETE, status, b"", times=None)
        with contextlib.suppress(ApiError):
            await here.sync_now()
        assert here.made(Operation.INBOX_DELETE) == 1
        (wish,) = await here.sync._accounts[here.account]._parts.deletions.wanted()
        assert wish.asked_after is None


async def test_of_two_twins_none_is_deleted_by_an_id_that_moved_once_both_were_read(
    tmp_path: Path,
) -> None:
    here: World
    read: list[str] = []

    class Moving(Passing):
        async def inbox_message(self, api_id: str) -> InboxMessage:
            shown = await super().inbox_message(api_id)
            if self.purpose is Purpose.DELETION:
                read.append(api_id)
                if len(read) == 2:
                    here.simulator.delete(ADDRESS, here.simulator.inbox(ADDRESS)[0].row)
            return shown

    async with world(tmp_path, SEQUENCE_READING, wrap=Moving) as here:
        arrive(here, 2)
        twins(here, "a", "b")
        here.simulator.inject(ADDRESS, subject="nuovo", body="(nuovo)", at=here.clock.now())
        await here.sync_now()
        await expunge(here, "b")
        await here.sync_now()
        assert len(read) >= 2
        assert {"a", "nuovo"} <= set(left(here))


class Losing(Passing):
    """Loses the first deletion; from then on lists read for deletions lack its row."""

    def __init__(self, client: PecClient, lost: list[str]) -> None:
        super().__init__(client)
        self._lost = lost
        self._is_first = iter([True])

    async def delete_inbox(self, api_id: str) -> None:
        if next(self._is_first, False):
            self._lost.append(api_id)
            raise OutcomeUnknown("Nobody knows.")
        await super().delete_inbox(api_id)

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        found = await super().inbox_page(page, query)
        if self.purpose is not Purpose.DELETION:
            return found
        rows = [one for one in found.rows if getattr(one, "api_id", "") not in self._lost]
        return replace(found, rows=tuple(rows))


async def test_without_an_answer_a_list_that_lacks_a_row_does_not_say_it_is_deleted(
    tmp_path: Path,
) -> None:
    """It may just have moved while the list was read; and it is still to be deleted."""
    lost: list[str] = []
    async with world(tmp_path, STABLE, wrap=lambda client: Losing(client, lost)) as here:
        arrive(here, 5)
        await here.sync_now()
        await expunge(here, "2")
        await here.sync_now()
        assert (len(lost), await states(here)) == (1, {DeletionState.WANTED: 1})
        lost.clear()
        await here.sync_now()
        assert left(here) == ["0", "1", "3", "4"]
        assert await states(here) == {DeletionState.DONE: 1}
