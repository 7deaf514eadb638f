"""Listings without pages: work in proportion to their rows, and not on the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bridge.api import client as api_client
from bridge.api.client import _opened_by_rows
from bridge.api.lenient import text_of
from bridge.api.schema import InboxPage, InboxRow
from bridge.simulator import SEQUENCE_READING, Operation
from bridge.store.remote import Place, RemoteId
from bridge.store.sql.remote import SqlRemoteReads
from bridge.sync import paging
from bridge.sync.absence import Absence, Span
from bridge.sync.alignment import Alignment, missing
from bridge.sync.aside import ROWS_A_TURN
from bridge.sync.listed import Listed, listed
from bridge.sync.matching import align
from bridge.sync.memory import AccountMemory
from bridge.sync.pages import Pages
from bridge.sync.paging import Layout, Snapshot
from bridge.sync.ranking import ranked
from bridge.sync.rows import Rows
from bridge.sync.shifts import is_replaced
from tests.costs.measure import FLOOR_S, others, steps
from tests.selected import some
from tests.sync.world import ADDRESS, world

ROWS = 300
GROWTH = 2.5
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
Lines = list[tuple[str, str]]
"""Subject and id of each row, newest first."""


def rows(count: int) -> Lines:
    return [(f"N. {number}", str(number)) for number in reversed(range(count))]


def twins(count: int) -> Lines:
    return [(f"N. {number // 2}", str(number)) for number in reversed(range(count))]


def threes(count: int) -> Lines:
    return [(f"N. {number // 3}", str(number)) for number in reversed(range(count))]


def alike(count: int) -> Lines:
    return [("N.", str(number)) for number in reversed(range(count))]


def shuffled(known: Lines) -> Lines:
    return Random(1).sample(known, len(known))


def turned(known: Lines) -> Lines:
    return known[::-1]


def shifted(known: Lines) -> Lines:
    return [(subject, str(int(api_id) - 1)) for subject, api_id in known]


def jumbled(known: Lines) -> Lines:
    ids = shuffled(known)
    return [(subject, id) for (subject, _), (_, id) in zip(known, ids, strict=True)]


def every_other(known: Lines) -> Lines:
    return known[::2]


def unknown(known: Lines) -> Lines:
    return [(f"altro {subject}", id) for subject, id in known]


def one(subject: str, api_id: str) -> Listed:
    return listed(
        InboxRow(
            api_id,
            sender="a@x.invalid",
            recipient="b@x.invalid",
            date_text="",
            subject=subject,
            raw="{}",
            date=NOON,
        )
    )


def places(known: Lines, turn: Callable[[int], int] = lambda at: 0) -> list[Place]:
    return [
        Place(RemoteId(at), one(subject, id).fingerprint, id, float(len(known) - at), b"", turn(at))
        for at, (subject, id) in enumerate(known)
    ]


def look(page: Sequence[Listed], known: Sequence[Place]) -> None:
    alignment = align(page, known)
    ranked(alignment, None, None)
    missing(alignment, known)


def pushed(known: Lines) -> Lines:
    newest = (known[0][0], str(len(known)))
    return [newest, *known[:-1]]


@pytest.mark.parametrize("begin", [rows, twins, threes, alike])
@pytest.mark.parametrize(
    "change",
    some([shuffled, turned, jumbled, list, shifted, every_other, unknown, pushed], 3),
    ids=lambda f: f.__name__,
)
def test_a_page_of_any_length_is_matched_in_linear_time(
    begin: Callable[[int], Lines], change: Callable[[Lines], Lines]
) -> None:
    costs = []
    for count in (ROWS, 2 * ROWS, 4 * ROWS):
        known = begin(count)
        page, kept = [one(*row) for row in change(known)], places(known)
        costs.append(steps(lambda page=page, kept=kept: look(page, kept)))  # type: ignore[misc]
    assert costs[1] <= GROWTH * costs[0]
    assert costs[2] <= GROWTH * costs[1]


@pytest.mark.parametrize("turn", [int, lambda at: -at], ids=["older last", "older first"])
@pytest.mark.parametrize("change", [shifted, jumbled], ids=lambda f: f.__name__)
def test_rows_whose_ids_were_noted_each_at_a_turn_of_its_own_cost_no_more(
    change: Callable[[Lines], Lines], turn: Callable[[int], int]
) -> None:
    costs = []
    for count in (ROWS, 2 * ROWS, 4 * ROWS):
        page, kept = [one(*row) for row in change(rows(count))], places(rows(count), turn)
        costs.append(steps(lambda page=page, kept=kept: look(page, kept)))  # type: ignore[misc]
    assert costs[1] <= GROWTH * costs[0]
    assert costs[2] <= GROWTH * costs[1]


@pytest.mark.parametrize("edge", [0, 1], ids=["between", "at the edge"])
def test_what_a_known_row_was_replaced_by_is_seen_in_linear_time(edge: int) -> None:
    costs = []
    for count in (ROWS, 2 * ROWS, 4 * ROWS):
        page, kept = [one(*row) for row in shifted(rows(count))], places(rows(count))
        partners = {at: kept[at] for at in range(0, count // (1 + edge), 2)}
        found = Alignment(tuple(page), partners, (), frozenset())
        others = [at for at in range(1, count, 2) if at not in partners]

        def judge(found: Alignment = found, others: list[int] = others) -> None:
            for at in others:
                is_replaced(kept[at], found, at)  # noqa: B023 - called in this round

        costs.append(steps(judge))
    assert costs[1] <= GROWTH * costs[0]
    assert costs[2] <= GROWTH * costs[1]


UNPAGED = SEQUENCE_READING.replace(page_size=100_000)


async def _sync_groups(folder: Path, count: int, alike: int) -> tuple[int, int]:
    """Bring in an inbox of groups alike, let one row come and one of each group go; count GETs."""
    async with world(folder, UNPAGED) as here:
        at = here.clock.now() - timedelta(days=1)
        for number in range(count):
            name = f"N. {number // alike}"
            here.simulator.inject(ADDRESS, subject=name, body=f"testo {number}", at=at)
        await here.sync_now()
        assert len(await here.messages()) == count
        first = here.made(Operation.INBOX_LIST)
        here.simulator.inject(ADDRESS, subject="N. 0", body="testo", at=at)
        gone = {f"testo {number}" for number in range(0, count, alike)}
        here.simulator.delete_where(ADDRESS, lambda row: row.text in gone)
        for _ in range(3):
            await here.sync_now()
            await here.clock.advance(86_400)
        assert len(await here.messages()) == len(here.simulator.inbox(ADDRESS))
        return first, here.made(Operation.INBOX_LIST) - first


@pytest.mark.slow
@pytest.mark.parametrize("alike", [2, 3, ROWS])
def test_groups_alike_in_a_listing_without_pages_take_linear_time(
    tmp_path: Path, alike: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.sync.twins.CHUNK_ROWS", 8)
    costs, asked = [], []
    for count in (48, 96, 192):
        folder = tmp_path / str(count)
        work = partial(_sync_groups, folder, count, min(alike, count))
        costs.append(steps(lambda: asked.append(asyncio.run(work()))))  # noqa: B023
    assert costs[2] <= GROWTH**2 * costs[0]
    assert max(first for first, _ in asked) <= 20
    assert max(later for _, later in asked) <= 40


async def test_others_run_while_a_long_listing_is_matched(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        known = Rows(here.store, AccountMemory(here.store, here.account), here.clock)
        page = Snapshot(1, tuple(one(*row) for row in rows(10_000)), None)
        for _ in range(2):  # new, then known
            async with others() as turns:
                await known.take(await known.align(page), None)
            assert turns.count > 100


class Unmoved:
    """Pages that list the same whenever they are read."""

    def __init__(self, page: Snapshot) -> None:
        self._page = page

    async def snapshot(self, number: int, layout: Layout) -> Snapshot:
        """List it."""
        return self._page


async def _seconds_to_miss(folder: Path, count: int) -> float:
    """Let a listing lack every other one of ``count`` rows; return the least the loop computed."""
    async with world(folder, SEQUENCE_READING) as here:
        parts = here.parts()
        state = replace(parts.memory.state, layout=Layout(1, count, True, True, single=True))
        parts.memory.remember(state)
        known = Snapshot(1, tuple(one(*row) for row in rows(count)), None)
        await parts.rows.take(await parts.rows.align(known), None)
        page = Snapshot(1, known.rows[::2], None)
        pages: Any = Unmoved(page)
        absence = Absence(pages, parts.rows, parts.filer, parts.memory, here.clock)
        taken = await parts.rows.take(await parts.rows.align(page), None)
        await absence.remember(taken.alignment, page)
        seconds = []
        for _ in range(3):
            begun_s = time.thread_time()
            assert await absence.look_for(page, taken, Span(None, True, None))
            seconds.append(time.thread_time() - begun_s)
        return min(seconds)


@pytest.mark.slow
async def test_rows_missing_from_a_long_listing_are_looked_for_in_linear_time(
    tmp_path: Path,
) -> None:
    """At most 2,000 of them at once (``rows.BETWEEN_LIMIT``), however long the listing is."""
    few_s = await _seconds_to_miss(tmp_path / "few", 2_500)
    many_s = await _seconds_to_miss(tmp_path / "many", 10_000)
    assert many_s <= GROWTH * max(few_s, FLOOR_S)


async def test_an_inbox_without_pages_is_read_whole(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING.replace(page_size=100_000)) as here:
        for number in range(ROWS):
            at = here.clock.now() - timedelta(minutes=ROWS - number)
            here.simulator.inject(ADDRESS, subject=f"N. {number}", body=f"testo {number}", at=at)
        assert await here.sync_now() == ROWS
        assert len(await here.messages()) == ROWS


async def test_what_is_known_between_the_rows_of_a_long_page_is_read_beside_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    read = SqlRemoteReads.places_between

    async def noting(*arguments: Any) -> list[Place]:
        threads.append(threading.get_ident())
        return await read(*arguments)

    async with world(tmp_path, SEQUENCE_READING.replace(page_size=100_000)) as here:
        here.simulator.seed(ADDRESS, ROWS)
        await here.sync_now()
        monkeypatch.setattr(SqlRemoteReads, "places_between", noting)
        await here.parts().listing.look()
    assert threads
    assert threading.get_ident() not in threads


class AlwaysTheSame:
    """An API that knows no pages, tells no total, and whose rows say nothing of their order."""

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        """List all, whichever page is asked for."""
        made = [
            InboxRow(
                "x",
                sender="a@x",
                recipient="b@x",
                date_text="",
                subject=f"N. {at}",
                raw="{}",
                date=NOON,
            )
            for at in range(300)
        ]
        return InboxPage(tuple(made), None, None, None)


async def test_a_long_page_is_worked_on_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    seen: set[str] = set()

    def noted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*arguments: Any) -> Any:
            threads.add(threading.get_ident())
            seen.add(name)
            return work(*arguments)

        return noting

    for name in ("discover", "with_next"):
        monkeypatch.setattr(paging, name, noted(name, getattr(paging, name)))
    client: Any = AlwaysTheSame()
    pages = Pages(client)
    layout = replace(await pages.discover(), single=False)
    async with others() as turns:
        page = await pages.snapshot(0, layout)
    assert len(page.rows) == 300
    assert turns.count >= 300 / ROWS_A_TURN
    assert {"ids", "indexes"} <= set(vars(page))  # what is looked up in it, too
    assert seen == {"discover", "with_next"}
    assert threading.get_ident() not in threads


async def test_a_long_listing_is_read_with_turns_for_others() -> None:
    rows = b",".join(b'{"id": "%d", "object": "N."}' % number for number in range(1_000))
    async with others() as turns:
        reply = await _opened_by_rows(b'{"success": true, "data": [' + rows + b"]}")
    assert reply.rows is not None
    assert len(reply.rows) == 1_000
    assert turns.count >= 1_000 / api_client.ROWS_A_TURN


async def test_a_long_listing_is_decoded_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in no charset that it says takes a second for 32 MiB."""
    threads: list[int] = []

    def noting(content: bytes) -> str:
        threads.append(threading.get_ident())
        return text_of(content)

    monkeypatch.setattr(api_client, "text_of", noting)
    for size_bytes in (10, api_client.OFF_LOOP_BYTES):
        await _opened_by_rows(
            b'{"success": true, "data": [], "x": "' + b"\xe8" * size_bytes + b'"}'
        )
    assert threads[0] == threading.get_ident() != threads[1]
