"""A final expunge deletes at the API the message meant, or nothing."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.api.errors import ApiError
from bridge.model import TRASH, Uid
from bridge.simulator import (
    SEQUENCE_READING,
    Failure,
    FaultRule,
    Hold,
    Ids,
    ListingOrder,
    Missing,
    Operation,
    Options,
    Phase,
)
from bridge.store.base import ReadTransaction
from bridge.store.deletions import DeletionState
from bridge.sync.account import TIDY_EVERY_S
from bridge.sync.service import SyncSettings
from tests.selected import some
from tests.sync.world import ADDRESS, World, world

STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE, missing=Missing.NOT_FOUND)
BOTH = pytest.mark.parametrize("options", [SEQUENCE_READING, STABLE], ids=["sequence", "stable"])


def arrive(here: World, count: int) -> None:
    """Put messages in, a minute apart; each holds its number."""
    first = here.clock.now() - timedelta(days=1)
    for number in range(count):
        at = first + timedelta(minutes=number)
        here.simulator.inject(ADDRESS, subject=f"N. {number}", body=f"({number})", at=at)


def twins(here: World, *texts: str) -> None:
    """Put in messages that agree in every listed field."""
    at = here.clock.now()
    for text in texts:
        here.simulator.inject(ADDRESS, subject="CONSEGNA: uguale", body=f"({text})", at=at)


def left(here: World) -> list[str]:
    """Return the texts at the API, oldest first."""
    return [one.row.text.strip("()") for one in here.simulator.inbox(ADDRESS)]


async def expunge(here: World, *texts: str) -> None:
    messages = await here.messages()
    uids = [next(uid for uid, raw in messages.items() if f"({text})" in raw) for text in texts]
    await here.mailboxes.expunge(here.inbox_id, uids)


async def states(here: World) -> dict[DeletionState, int]:
    async def work(tx: ReadTransaction) -> dict[DeletionState, int]:
        found = {state: len(await tx.deletions(here.account, state)) for state in DeletionState}
        return {state: count for state, count in found.items() if count}

    return await here.store.read(work)


@BOTH
@pytest.mark.parametrize("order", ListingOrder)
@pytest.mark.parametrize("number", some(["30", "0", "59"], 1))
async def test_the_expunged_message_and_no_other_is_deleted(
    tmp_path: Path, options: Options, order: ListingOrder, number: str
) -> None:
    async with world(tmp_path, options.replace(order=order)) as here:
        arrive(here, 60)
        await here.sync_now()
        await expunge(here, number)
        await here.sync_now()
        assert left(here) == [str(other) for other in range(60) if str(other) != number]
        assert await states(here) == {DeletionState.DONE: 1}
        assert len(await here.messages()) == 59


@BOTH
async def test_many_at_once_are_deleted_from_the_highest_id_down(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        arrive(here, 60)
        await here.sync_now()
        await expunge(here, "3", "58", "4", "27", "59")
        await here.sync_now()
        assert not {"3", "58", "4", "27", "59"} & set(left(here))
        assert len(left(here)) == 55
        ids = [int(call.target) for call in here.simulator.calls(Operation.INBOX_DELETE)]
        assert ids == sorted(ids, reverse=True)


async def test_it_is_listed_read_deleted_and_listed_again(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 5)
        await here.sync_now()
        await expunge(here, "2")
        before = len(here.simulator.calls())
        await here.sync_now()
        made = [call.operation for call in here.simulator.calls()[before:]]
        at = made.index(Operation.INBOX_DELETE)
        assert made[at - 2 : at + 2] == [
            Operation.INBOX_LIST,
            Operation.INBOX_GET,
            Operation.INBOX_DELETE,
            Operation.INBOX_LIST,
        ]


@BOTH
async def test_ids_that_shifted_since_the_last_look_hit_nobody_else(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        arrive(here, 30)
        await here.sync_now()
        await expunge(here, "20")
        for one in here.simulator.inbox(ADDRESS)[:3]:
            here.simulator.delete(ADDRESS, one.row)
        for _ in range(3):
            await here.sync_now()
        assert left(here) == [str(number) for number in range(3, 30) if number != 20]


@pytest.mark.parametrize("position", range(2))
@BOTH
async def test_of_twins_the_one_with_that_text_is_deleted(
    tmp_path: Path, options: Options, position: int
) -> None:
    async with world(tmp_path, options) as here:
        twins(here, "a", "b")
        arrive(here, 3)
        await here.sync_now()
        await expunge(here, "ab"[position])
        await here.sync_now()
        assert "ab"[position] not in left(here)
        assert len(left(here)) == 4


@BOTH
async def test_of_twins_alike_in_everything_none_is_deleted_and_a_person_is_told(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        twins(here, "a", "a")
        await here.sync_now()
        await expunge(here, "a")
        await here.sync_now()
        assert left(here) == ["a", "a"]
        assert await states(here) == {DeletionState.DOUBTED: 1}
        assert [alarm.kind for alarm in await here.alarms()] == ["deletion"]
        assert len(await here.messages()) == 1


async def test_twins_alike_in_everything_go_together(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        twins(here, "a", "a")
        await here.sync_now()
        await expunge(here, "a", "a")
        uids = list(await here.messages())
        await here.mailboxes.expunge(here.inbox_id, uids)
        await here.sync_now()
        assert left(here) == []
        assert await here.alarms() == []


@BOTH
async def test_twins_alike_in_everything_go_once_the_last_is_expunged_too(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        twins(here, "a", "a", "b")
        await here.sync_now()
        await expunge(here, "a")
        await here.sync_now()
        assert left(here) == ["a", "a", "b"]
        await expunge(here, "a")
        await here.sync_now()
        assert left(here) == ["b"]
        assert await here.alarms() == []


async def test_moving_to_trash_deletes_nothing_until_trash_is_emptied(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 3)
        await here.sync_now()
        trash = await here.mailboxes.find(here.account, TRASH)
        assert trash is not None
        moved = await here.mailboxes.move(here.inbox_id, [Uid(1)], trash)
        await here.sync_now()
        assert len(left(here)) == 3
        await here.mailboxes.expunge(trash.id, [new for _, new in moved.pairs])
        await here.sync_now()
        assert len(left(here)) == 2


async def test_never_keeps_everything_and_shows_it_no_more(tmp_path: Path) -> None:
    settings = SyncSettings(delete="never")
    async with world(tmp_path, SEQUENCE_READING, settings=settings) as here:
        arrive(here, 3)
        await here.sync_now()
        await expunge(here, "1")
        await here.sync_now()
        await here.restart()
        await here.clock.advance(90_000)
        await here.sync_now()
        assert left(here) == ["0", "1", "2"]
        assert len(await here.messages()) == 2
        assert await states(here) == {DeletionState.KEPT: 1}


@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.AFTER], ids=lambda phase: phase.value)
@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.RESET], ids=lambda one: one.value)
async def test_a_deletion_without_an_answer_is_looked_into(
    tmp_path: Path, phase: Phase, failure: Failure
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 5)
        await here.sync_now()
        await expunge(here, "2")
        here.simulator.faults.fail(Operation.INBOX_DELETE, phase, failure)
        await here.sync_now()
        await here.sync_now()
        assert left(here) == ["0", "1", "3", "4"]
        assert await here.alarms() == []


async def test_a_deletion_without_an_answer_is_not_called_done_by_one_list(tmp_path: Path) -> None:
    """Rows may just have moved while that was read: the next passes tell."""
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 5)
        await here.sync_now()
        await expunge(here, "2")
        here.simulator.faults.fail(Operation.INBOX_DELETE, Phase.AFTER, Failure.TIMEOUT)
        parts = here.parts()
        await parts.memory.load()
        assert await parts.deleter.carry_out() == 0
        assert left(here) == ["0", "1", "3", "4"]
        (wish,) = await parts.deletions.wanted()
        assert (wish.remote.subject, wish.remote.gone_at) == ("N. 2", None)
        await here.sync_now()
        assert await states(here) == {DeletionState.DONE: 1}


async def test_what_a_mailbox_shows_is_never_deleted(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 2)
        await here.sync_now()
        (row, *_) = await here.store.read(lambda tx: tx.remote_rows(here.account))
        content, now = row.content, here.clock.now()
        assert content is not None
        await here.store.write(lambda tx: tx.record_deletion_intent(here.account, content, now))
        await here.sync_now()
        assert left(here) == ["0", "1"]
        assert await states(here) == {DeletionState.KEPT: 1}


@BOTH
async def test_one_text_that_is_not_shown_in_time_holds_up_no_other(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        arrive(here, 5)
        await here.sync_now()
        await expunge(here, "1", "3")
        here.simulator.faults.fail(Operation.INBOX_GET, Phase.BEFORE, Failure.TIMEOUT)
        with pytest.raises(ApiError):
            await here.sync_now()
        assert left(here) == ["0", "2", "3", "4"]
        await here.sync_now()
        assert left(here) == ["0", "2", "4"]


async def test_with_the_api_down_the_wish_waits_also_over_a_restart(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 3)
        await here.sync_now()
        down = here.simulator.faults.fail(None, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
        await expunge(here, "1")
        assert len(await here.messages()) == 2
        with pytest.raises(ApiError):
            await here.sync_now()
        await here.restart()
        assert await states(here) == {DeletionState.WANTED: 1}
        here.simulator.faults.remove(down)
        await here.sync_now()
        assert left(here) == ["0", "2"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_token_that_may_not_delete_is_told_of_once_and_stops_nothing_else(
    tmp_path: Path, status: int
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 5)
        await here.sync_now()
        rule = here.simulator.faults.answer(
            Operation.INBOX_DELETE, status, {"success": False, "message": "no"}, times=None
        )
        await expunge(here, "1", "2", "3")
        here.simulator.inject(ADDRESS, subject="Nuovo")
        for _ in range(3):
            await here.sync_now()
        assert [(alarm.kind, alarm.key) for alarm in await here.alarms()] == [
            ("deletion", "not allowed")
        ]
        assert here.made(Operation.INBOX_DELETE) == 1
        assert len(await here.messages()) == 3
        here.simulator.faults.remove(rule)
        await here.clock.advance(3700)
        await here.sync_now()
        assert len(left(here)) == 3
        assert await here.alarms() == []


async def test_an_api_that_says_deleted_and_lists_it_still_is_not_believed(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 5)
        await here.sync_now()
        here.simulator.faults.answer(
            Operation.INBOX_DELETE, 200, {"success": True, "message": "Message deleted"}
        )
        await expunge(here, "2")
        await here.sync_now()
        await here.sync_now()
        assert await states(here) == {DeletionState.DOUBTED: 1}
        assert here.made(Operation.INBOX_DELETE) == 1
        assert [alarm.kind for alarm in await here.alarms()] == ["deletion"]


async def test_a_text_that_is_not_the_one_received_is_left_alone(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 3)
        await here.sync_now()
        listed = here.simulator.inbox(ADDRESS)[1].row
        here.simulator.delete(ADDRESS, listed)
        here.simulator.inject(ADDRESS, subject=listed.subject, body="(other)", at=listed.at)
        await expunge(here, "1")
        for _ in range(5):
            await here.sync_now()
            await here.clock.advance(60)
        assert "other" in left(here)


async def test_a_message_deleted_elsewhere_meanwhile_is_no_doubt(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 3)
        await here.sync_now()
        await expunge(here, "1")
        here.simulator.delete_where(ADDRESS, lambda row: row.text == "(1)")
        await here.sync_now()
        assert await states(here) == {DeletionState.DONE: 1}
        assert await here.alarms() == []
        assert left(here) == ["0", "2"]


async def test_what_is_expunged_while_the_page_is_read_waits_for_its_own_turn(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 3)
        await here.sync_now()
        await expunge(here, "2")
        hold = Hold()
        here.simulator.faults.add(
            FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.INBOX_DELETE, hold=hold)
        )
        syncing = asyncio.ensure_future(here.sync_now())
        await hold.reached.wait()
        await expunge(here, "0")
        hold.release.set()
        await syncing
        await here.sync_now()
        assert left(here) == ["1"]


async def test_raw_row_and_body_stay_in_the_archive_for_the_retention(tmp_path: Path) -> None:
    settings = SyncSettings(retention_days=30)
    async with world(tmp_path, SEQUENCE_READING, settings=settings) as here:
        arrive(here, 2)
        await here.sync_now()
        await expunge(here, "1")
        await here.sync_now()
        (gone,) = await deleted(here)
        assert await body(here, gone) is not None
        await here.clock.advance(29 * 86_400)
        await here.sync_now()
        assert await body(here, gone) is not None
        here.clock.wrong_by = timedelta(days=400)  # nothing is forgotten by a clock set wrong
        await here.clock.advance(TIDY_EVERY_S)
        await here.sync_now()
        assert await body(here, gone) is not None
        here.clock.wrong_by = timedelta(0)
        await here.clock.advance(2 * 86_400)
        await here.sync_now()
        assert await body(here, gone) is None


async def deleted(here: World) -> list[int]:
    async def work(tx: ReadTransaction) -> list[int]:
        return [one.remote.id for one in await tx.deletions(here.account, DeletionState.DONE)]

    return await here.store.read(work)


async def body(here: World, remote: int) -> str | None:
    async def work(tx: ReadTransaction) -> str | None:
        return await tx.remote_body(remote)  # type: ignore[arg-type]

    return await here.store.read(work)


# -- one goes elsewhere and another comes that is the same in all that is listed, and in its text --


@BOTH
@pytest.mark.parametrize("is_noticed_first", [True, False])
async def test_another_just_like_it_that_came_in_its_place_is_not_deleted(
    tmp_path: Path, options: Options, is_noticed_first: bool
) -> None:
    async with world(tmp_path, options) as here:
        twins(here, "uguale")
        arrive(here, 4)
        await here.sync_now()
        goes_and_its_like_comes(here)
        if is_noticed_first:
            for _ in range(2):
                await here.sync_now()
            assert "(uguale)" in "".join((await here.messages()).values())
            return
        await expunge(here, "uguale")
        for _ in range(5):
            with contextlib.suppress(ApiError):
                await here.sync_now()
            await here.clock.advance(60)
        assert "uguale" in left(here)
        assert not here.made(Operation.INBOX_DELETE)
        is_shown = "(uguale)" in "".join((await here.messages()).values())
        assert is_shown or await states(here) == {DeletionState.DOUBTED: 1}
        assert DeletionState.DONE not in await states(here)


@BOTH
async def test_expunged_after_its_like_was_noticed_only_what_was_seen_goes(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        twins(here, "uguale")
        arrive(here, 4)
        await here.sync_now()
        uid = next(uid for uid, raw in (await here.messages()).items() if "(uguale)" in raw)
        goes_and_its_like_comes(here)
        await here.sync_now()
        await here.mailboxes.expunge(here.inbox_id, [uid])  # by a client that has not heard of it
        for _ in range(3):
            await here.sync_now()
        assert "uguale" in left(here)


async def test_one_that_took_place_and_number_of_the_newest_cannot_be_told(tmp_path: Path) -> None:
    """The limit: positions as ids, and between two looks the newest goes and its like comes."""
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 4)
        twins(here, "uguale")
        await here.sync_now()
        goes_and_its_like_comes(here)
        await expunge(here, "uguale")
        await here.sync_now()
        assert "uguale" not in left(here)


def goes_and_its_like_comes(here: World) -> None:
    gone = next(one.row for one in here.simulator.inbox(ADDRESS) if one.row.text == "(uguale)")
    here.simulator.delete(ADDRESS, gone)
    here.simulator.inject(ADDRESS, subject=gone.subject, body=gone.text, at=gone.at)
