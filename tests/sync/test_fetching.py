"""Bodies: each once, hostile rows beside good ones, trouble that is the API's or one row's."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from bridge.api.client import PecClient
from bridge.api.errors import ApiError
from bridge.api.schema import InboxMessage
from bridge.simulator import (
    SEQUENCE_READING,
    Failure,
    FaultRule,
    FixedAnswer,
    Hold,
    ListingOrder,
    Operation,
    Phase,
)
from bridge.store.remote import RemoteRow
from bridge.sync.fetching import CHUNK_ROWS
from tests.sync.client import Passing
from tests.sync.world import ADDRESS, World, world

GOOD = "POSTA CERTIFICATA: buono"
HEAD = {
    "sender": "a@x.invalid",
    "recipient": ADDRESS,
    "date": "Thu, 15 Jan 2026 09:00:00 +0100",
    "object": "Strano",
}
NULLS = dict.fromkeys(["sender", "recipient", "date", "object"])

HOSTILE: dict[str, tuple[object, object]] = {
    "null": (None, None),
    "a number": (7, 7),
    "a list": ([1, 2], []),
    "nothing in it": ({}, {}),
    "all nulls": (NULLS, {**NULLS, "body": None}),
    "no id": ({**HEAD, "id": None}, {**HEAD, "body": "x"}),
    "an object as id": ({**HEAD, "id": {"a": 1}}, {**HEAD, "body": "x"}),
    "an absurd id": ({**HEAD, "id": "../../x" * 200}, {**HEAD, "body": "x"}),
    "a huge number as id": ({**HEAD, "id": 10**400}, {**HEAD, "body": "x"}),
    "an id of dots": ({**HEAD, "id": ".."}, {**HEAD, "body": "x"}),
    "an id with slashes": ({**HEAD, "id": "a/b?c#d"}, {**HEAD, "body": "x"}),
    "a negative id": ({**HEAD, "id": -1}, {**HEAD, "body": "x"}),
    "a line break in the subject": (
        {**HEAD, "object": "Strano\r\nBcc: tutti@x.invalid"},
        {**HEAD, "object": "Strano\r\nBcc: tutti@x.invalid", "body": "x"},
    ),
    "control characters": (
        {**HEAD, "object": "a\0b\x1b[2J\x7f", "sender": "\0"},
        {**HEAD, "object": "a\0b\x1b[2J\x7f", "sender": "\0", "body": "\0\r\n.\r\n"},
    ),
    "a lone surrogate": ({**HEAD, "object": "\ud800"}, {**HEAD, "object": "\ud800", "body": "x"}),
    "a date that is none": ({**HEAD, "date": "ieri"}, {**HEAD, "date": "ieri", "body": "x"}),
    "a subject of 100,000": (
        {**HEAD, "object": "x" * 100_000},
        {**HEAD, "object": "x" * 100_000, "body": "x"},
    ),
    "a body of 10 MB": (HEAD, {**HEAD, "body": "%41+" * 2_500_000}),
    "a body that is a list": (HEAD, {**HEAD, "body": ["a", "b"]}),
    "a message that is null": (HEAD, None),
    "a message that is a list": (HEAD, [1, 2, 3]),
    "another message": (HEAD, {**HEAD, "object": "Altro", "body": "x"}),
}


async def settle(here: World) -> None:
    for hours in (0, 1, 1, 3, 7, 13, 25, 25):
        await here.clock.advance(3600 * hours)
        await here.sync_now()


async def good(here: World) -> int:
    return sum(GOOD in text for text in (await here.messages()).values())


@pytest.mark.parametrize(("listing", "single"), HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_row_is_shown_and_the_good_ones_around_it_arrive(
    tmp_path: Path, listing: object, single: object
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.inject(ADDRESS, subject=f"{GOOD} 1")
        here.simulator.inject_raw(ADDRESS, listing, single)
        here.simulator.inject(ADDRESS, subject=f"{GOOD} 2")
        await here.sync_now()
        assert await good(here) == 2
        await settle(here)
        assert len(await here.messages()) == 3
        here.simulator.inject(ADDRESS, subject=f"{GOOD} 3")
        await here.sync_now()
        assert await good(here) == 3


async def test_all_hostile_rows_at_once_stop_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING.replace(order=ListingOrder.OLDEST)) as here:
        for number, (listing, single) in enumerate(HOSTILE.values()):
            here.simulator.inject(ADDRESS, subject=f"{GOOD} {number}")
            here.simulator.inject_raw(ADDRESS, listing, single)
        await here.sync_now()
        assert await good(here) == len(HOSTILE)
        await settle(here)
        assert await good(here) == len(HOSTILE)


async def test_a_body_is_asked_for_once_whatever_comes_after(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 60)
        await here.sync_now()
        await here.restart()
        await here.clock.advance(90_000)
        await here.sync_now()
        assert here.made(Operation.INBOX_GET) == 60


async def test_trouble_in_the_middle_costs_no_body_twice(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 60)
        here.simulator.faults.fail(
            Operation.INBOX_GET, Phase.BEFORE, Failure.CONNECT_ERROR, skip=30, times=1
        )
        with pytest.raises(ApiError):
            await here.sync_now()
        assert len(await here.messages()) >= 25
        await here.sync_now()
        assert len(await here.messages()) == 60
        assert here.made(Operation.INBOX_GET) == 61


async def test_while_everything_fails_nothing_is_given_up(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 10)
        rule = here.simulator.faults.add(
            FaultRule(
                phase=Phase.INSTEAD,
                result=FixedAnswer(500, b"MySQL Error 2002"),
                operation=Operation.INBOX_GET,
                times=None,
            )
        )
        for _ in range(40):
            with contextlib.suppress(ApiError):
                await here.sync_now()
            await here.clock.advance(3600)
        assert await here.messages() == {}
        here.simulator.faults.remove(rule)
        await here.clock.advance(90_000)
        await here.sync_now()
        assert len(await here.messages()) == 10


async def test_one_row_that_fails_delays_no_other_and_is_shown_in_the_end(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 5)
        await here.sync_now()
        here.simulator.inject(ADDRESS, subject="Rotto")
        rule = here.simulator.faults.answer(Operation.INBOX_GET, 500, b"oops", times=None)
        await here.sync_now()
        here.simulator.faults.remove(rule)
        assert len(await here.messages()) == 5
        await here.clock.advance(120)
        await here.sync_now()
        assert len(await here.messages()) == 6


async def test_bodies_of_shifted_ids_are_looked_for_where_they_are(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 60)
        for request in (3, 6, 9):
            here.surprises[request] = lambda: here.simulator.delete(
                ADDRESS, here.simulator.inbox(ADDRESS)[0].row
            )
        for _ in range(3):
            await here.sync_now()
        texts = "".join((await here.messages()).values())
        assert len(await here.messages()) == len(here.listed()) == 57
        assert all(f"{number + 1}" in texts for number in range(3, 60))


# -- what a kill leaves ----------------------------------------------------------------------


async def bodiless(here: World, count: int) -> list[RemoteRow]:
    """Let rows be known whose bodies were never had, and start anew."""
    for number in range(count):
        here.simulator.inject(ADDRESS, subject=f"N. {number}", body=str(number))
        await here.clock.advance(60)
    here.simulator.faults.fail(Operation.INBOX_GET, Phase.BEFORE, Failure.TIMEOUT, times=None)
    with contextlib.suppress(ApiError):
        await here.sync_now()
    here.simulator.faults.clear()
    await here.restart()
    return await here.store.read(lambda tx: tx.remote_without_body(here.account))


async def kill(here: World, rows: list[RemoteRow], times: int) -> None:
    """Leave in the store what a kill leaves while these are read."""
    for _ in range(times):
        await here.store.write(lambda tx: tx.begin_reading([row.id for row in rows]))


async def test_what_is_read_is_written_down_until_that_has_ended(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 3)
        hold = Hold()
        here.simulator.faults.add(
            FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.INBOX_GET, hold=hold)
        )
        syncing = asyncio.ensure_future(here.sync_now())
        await hold.reached.wait()
        rows = await here.store.read(lambda tx: tx.remote_without_body(here.account))
        ids = [row.id for row in rows]
        assert await here.store.read(lambda tx: tx.readings(ids)) == dict.fromkeys(ids, 1)
        hold.release.set()
        await syncing
        assert await here.store.read(lambda tx: tx.readings(ids)) == {}


async def test_texts_that_are_being_fetched_are_not_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each chunk begins while up to three others are under way."""
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 4 * CHUNK_ROWS)
        parts = here.sync._accounts[here.account]._parts
        missing, found = parts.texts.missing, []

        async def noting(*arguments: Any, **options: Any) -> list[RemoteRow]:
            rows = await missing(*arguments, **options)
            found.append((len(rows), sum(parts.memory.is_under_way(row.id) for row in rows)))
            return rows

        monkeypatch.setattr(parts.texts, "missing", noting)
        await here.sync_now()
        assert len(await here.messages()) == 4 * CHUNK_ROWS
    assert sum(rows for rows, _ in found) >= 4 * CHUNK_ROWS
    assert {under_way for _, under_way in found} == {0}


async def test_an_end_in_good_order_leaves_nothing_behind(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 3)
        hold = Hold()
        here.simulator.faults.add(
            FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.INBOX_GET, hold=hold)
        )
        following = asyncio.ensure_future(here.sync.run())
        await hold.reached.wait()
        rows = await here.store.read(lambda tx: tx.remote_without_body(here.account))
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        hold.release.set()
        assert await here.store.read(lambda tx: tx.readings([row.id for row in rows])) == {}


async def test_what_a_kill_left_is_read_last_and_alone(tmp_path: Path) -> None:
    most: list[int] = []

    class Counting(Passing):
        """A client that notes how many texts are asked for at once, of those a kill left."""

        def __init__(self, client: PecClient) -> None:
            super().__init__(client)
            self.under_way: set[str] = set()

        async def inbox_message(self, api_id: str) -> InboxMessage:
            self.under_way.add(api_id)
            most.append(len(self.under_way & left))
            try:
                return await super().inbox_message(api_id)
            finally:
                self.under_way.discard(api_id)

    left: set[str] = set()
    async with world(tmp_path, SEQUENCE_READING, wrap=Counting) as here:
        rows = await bodiless(here, 12)
        most.clear()
        left |= {row.api_id for row in rows[:5]}
        await kill(here, rows[:5], 1)
        await here.sync_now()
        assert len(await here.messages()) == 12
        assert most == [0] * 7 + [1] * 5


@pytest.mark.parametrize(("kills", "is_read"), [(2, True), (3, False)])
async def test_what_kills_the_bridge_each_time_is_given_up(
    tmp_path: Path, kills: int, is_read: bool
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        rows = await bodiless(here, 2)
        before = here.made(Operation.INBOX_GET)
        await kill(here, rows[:1], kills)
        await here.sync_now()
        messages = list((await here.messages()).values())
        assert len(messages) == 2
        assert sum("X-Pec-Bridge-Unreadable" in raw for raw in messages) == (not is_read)
        assert here.made(Operation.INBOX_GET) == before + 1 + is_read
