"""Many deletions at once: what they cost, and that whatever moves meanwhile hits nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.api.errors import ApiError
from bridge.simulator import (
    SEQUENCE_READING,
    Failure,
    Ids,
    Missing,
    Operation,
    Options,
    Order,
    Phase,
)
from bridge.store.remote import DeletionState
from bridge.sync.deletion import TOGETHER
from tests.sync.test_deletion import arrive, expunge, left, states
from tests.sync.world import ADDRESS, world

STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE, missing=Missing.NOT_FOUND)
READINGS = [
    pytest.param(options.replace(order=order), id=f"{options.ids.value} {order.value}")
    for options in (SEQUENCE_READING, STABLE)
    for order in Order
]
MANY = [str(number) for number in range(20, 45)]


@pytest.mark.parametrize("options", READINGS)
async def test_many_cost_two_reads_each_at_the_most(tmp_path: Path, options: Options) -> None:
    async with world(tmp_path, options) as here:
        arrive(here, 120)
        await here.sync_now()
        await expunge(here, *MANY)
        reads = (Operation.INBOX_LIST, Operation.INBOX_GET)
        before = sum(here.made(one) for one in reads)
        deleted = here.sync._accounts[here.account]._parts
        assert deleted is not None
        assert await deleted.deleter.carry_out() == len(MANY)
        made = sum(here.made(one) for one in reads) - before
        assert made <= 2 * len(MANY)
        assert left(here) == [str(number) for number in range(120) if str(number) not in MANY]
        assert await states(here) == {DeletionState.DONE: len(MANY)}
        await here.sync_now()
        assert len(await here.messages()) == 120 - len(MANY)


@pytest.mark.parametrize("after", range(1, 40, 3))
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
        here.surprises[after] = lambda: here.simulator.delete(ADDRESS, gone)
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
