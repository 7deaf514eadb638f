"""Each guard before a message is deleted, leaves INBOX or is taken for another: one case for each.

What happens between two requests is tried between any two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.api.client import PecClient
from bridge.api.schema import InboxPage, InboxRow, UnreadableRow
from bridge.model import Uid
from bridge.simulator import SEQUENCE_READING, Ids, ListingOrder, Options, PastEnd
from bridge.simulator.inbox import ListedRow
from bridge.sync.paging import Layout
from bridge.sync.parts import Parts
from bridge.sync.twinreading import AGAIN_S
from tests.sync.client import Passing
from tests.sync.world import ADDRESS, World, world

STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE)
ALIKE = "CONSEGNA: uguale"
Rows = list[InboxRow | UnreadableRow]


def inject(here: World, subject: str, text: str, minute: int) -> None:
    at = here.clock.now() - timedelta(days=1) + timedelta(minutes=minute)
    here.simulator.inject(ADDRESS, subject=subject, body=f"Testo {text}.", at=at)


def texts(here: World) -> list[str]:
    return [one.row.text.removeprefix("Testo ").removesuffix(".") for one in inbox(here)]


def inbox(here: World) -> tuple[ListedRow, ...]:
    return here.simulator.inbox(ADDRESS)


def oldest_goes(here: World) -> Callable[[], object]:
    return lambda: here.simulator.delete(ADDRESS, inbox(here)[0].row)


async def expunge(here: World, text: str) -> None:
    uid = next(uid for uid, raw in (await here.messages()).items() if f"Testo {text}." in raw)
    await here.mailboxes.expunge(here.inbox_id, [uid])


async def suspect_all(parts: Parts, layout: Layout) -> set[bytes]:
    """Take all that the first page lists to be in doubt; returns their fingerprints."""
    page = await parts.asked.snapshot(layout.base, layout)
    names = {one.fingerprint for one in page.rows}
    parts.memory.suspect_on(names, page)
    return names


async def shown(here: World) -> list[str]:
    raws = (await here.messages()).values()
    return sorted(raw.rpartition("Testo ")[2].split(".")[0] for raw in raws)


# -- before a deletion -----------------------------------------------------------------------


@pytest.mark.parametrize("after", range(1, 8))
async def test_of_one_text_under_two_subjects_the_right_one_is_deleted(
    tmp_path: Path, after: int
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        for minute, subject in enumerate(["vecchio", "fattura 7", "fattura 8", "nuovo"]):
            inject(here, subject, "in allegato", minute)
        await here.sync_now()
        uids = {
            raw.partition("Subject: ")[2].split("\r\n")[0]: uid
            for uid, raw in (await here.messages()).items()
        }
        await here.mailboxes.expunge(here.inbox_id, [uids["fattura 7"]])
        here.surprises[after] = oldest_goes(here)
        for _ in range(4):
            await here.sync_now()
            await here.clock.advance(60)
        assert set(here.listed()) >= {"fattura 8", "nuovo"}


@pytest.mark.parametrize("after", range(1, 10))
async def test_a_twin_that_moved_while_its_like_was_read_is_not_mistaken(
    tmp_path: Path, after: int
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        for number in range(2):
            inject(here, f"vecchio {number}", "vecchio", number)
        for text in "abc":
            inject(here, ALIKE, text, 5)
        inject(here, "nuovo", "nuovo", 6)
        await here.sync_now()
        await expunge(here, "b")
        here.surprises[after] = lambda: [oldest_goes(here)(), oldest_goes(here)()]
        for _ in range(4):
            await here.sync_now()
            await here.clock.advance(60)
        assert set(texts(here)) >= {"a", "c", "nuovo"}


class Counting(Passing):
    """A client that notes how many rows of a subject are listed at each deletion."""

    def __init__(self, client: PecClient, listed: Callable[[], int], noted: list[int]) -> None:
        super().__init__(client)
        self._listed, self._noted = listed, noted

    async def delete_inbox(self, api_id: str) -> None:
        self._noted.append(self._listed())
        await super().delete_inbox(api_id)


@pytest.mark.parametrize("after", [1, 2])
async def test_none_is_deleted_while_one_just_like_it_is_listed_that_is_not_wanted_gone(
    tmp_path: Path, after: int
) -> None:
    noted = list[int]()
    here: World

    def listed() -> int:
        return texts(here).count("uguale")

    def wrap(client: PecClient) -> Counting:
        return Counting(client, listed, noted)

    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        for minute, text in enumerate(["vecchio", "uguale", "nuovo"]):
            inject(here, ALIKE if text == "uguale" else text, text, minute)
        await here.sync_now()
        await expunge(here, "uguale")
        here.surprises[after] = lambda: inject(here, ALIKE, "uguale", 1)
        for _ in range(4):
            await here.sync_now()
            await here.clock.advance(60)
        assert noted in ([], [1])
        assert listed() >= 1


# -- before a message is taken for another ---------------------------------------------------


@pytest.mark.parametrize("after", range(1, 14))
async def test_twins_that_move_while_they_are_read_are_shown_once(
    tmp_path: Path, after: int
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        inject(here, "vecchio", "vecchio", 0)
        for text in "abcdefghij":
            inject(here, ALIKE, text, 1)
        here.surprises[after] = oldest_goes(here)
        uids: dict[Uid, str] = {}
        for _ in range(4):
            await here.sync_now()
            uids |= await here.messages()
            await here.clock.advance(3600)
        assert await shown(here) == sorted(texts(here))
        assert len([raw for raw in uids.values() if ALIKE in raw]) == 10


@pytest.mark.parametrize("after", range(1, 14))
async def test_twins_that_move_while_all_are_read_keep_their_places(
    tmp_path: Path, after: int
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        for number in range(2):
            inject(here, f"vecchio {number}", "vecchio", number)
        for text in "abcdefghij":
            inject(here, ALIKE, text, 5)
        await here.sync_now()
        before = await here.messages()
        here.simulator.delete_where(ADDRESS, lambda row: row.text == "Testo d.")
        here.surprises[after] = oldest_goes(here)
        for _ in range(5):
            await here.sync_now()
            await here.clock.advance(3600)
        assert await shown(here) == sorted(texts(here))
        assert (await here.messages()).items() <= before.items()


async def test_a_twin_that_comes_as_all_ids_move_is_found(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        inject(here, "vecchio", "vecchio", 0)
        for text in "abcdefghij":
            inject(here, ALIKE, text, 1)
        await here.sync_now()
        before = await here.messages()
        oldest_goes(here)()
        inject(here, ALIKE, "k", 1)
        for _ in range(3):
            await here.sync_now()
        assert await shown(here) == sorted(texts(here)) == list("abcdefghijk")
        assert len((await here.messages()).keys() - before.keys()) == 1


# -- before a message leaves INBOX -----------------------------------------------------------


class Arranged(Passing):
    """A client of an API that lists its rows as it is told to; ``cut`` changes a page."""

    def __init__(
        self,
        client: PecClient,
        arrange: Callable[[Rows], Rows],
        cut: Callable[[Rows], Rows] = lambda rows: rows,
        *,
        has_total: bool = True,
    ) -> None:
        super().__init__(client)
        self._arrange = arrange
        self._cut = cut
        self._has_total = has_total

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        rows: Rows = []
        for number in range(1, 6):
            rows += (await super().inbox_page(number)).rows
        rows = self._arrange(rows)
        first = max((page or 1) - 1, 0) * 25
        total = len(rows) if self._has_total else None
        return InboxPage(tuple(self._cut(rows[first : first + 25])), None, total, None)


NEWEST_FIRST: Options = STABLE.replace(
    order=ListingOrder.NEWEST, page_base=1, past_end=PastEnd.EMPTY
)


async def kept(
    tmp_path: Path,
    arrange: Callable[[Rows], Rows],
    cut: Callable[[Rows], Rows] = lambda rows: rows,
    looks: int = 1,
    *,
    has_total: bool = True,
) -> int:
    """Return how many of 60 messages never left INBOX in looks at a listing rearranged."""
    is_on = False

    def switched(change: Callable[[Rows], Rows]) -> Callable[[Rows], Rows]:
        return lambda rows: change(rows) if is_on else rows

    def wrap(client: PecClient) -> Arranged:
        return Arranged(client, switched(arrange), switched(cut), has_total=has_total)

    async with world(tmp_path, NEWEST_FIRST, wrap=wrap) as here:
        for number in range(60):
            inject(here, f"N. {number}", str(number), number)
        await here.sync_now()
        before = await here.messages()
        is_on = True
        for _ in range(looks):
            await here.sync_now()
        return len(before.keys() & (await here.messages()).keys())


async def test_rows_listed_in_another_order_do_not_leave(tmp_path: Path) -> None:
    assert await kept(tmp_path, lambda rows: rows[:3] + rows[15:] + rows[3:15]) == 60


async def test_rows_listed_in_another_order_do_not_leave_with_one_that_is_gone(
    tmp_path: Path,
) -> None:
    assert await kept(tmp_path, lambda rows: rows[:3] + rows[16:] + rows[3:15]) >= 59


async def test_a_row_listed_elsewhere_does_not_leave_with_all_but_it_that_are_gone(
    tmp_path: Path,
) -> None:
    assert await kept(tmp_path, lambda rows: rows[:3] + rows[15:] + rows[3:4]) >= 49


async def test_rows_that_a_second_look_lists_do_not_leave_with_those_that_are_gone(
    tmp_path: Path,
) -> None:
    answers = iter([True])

    def flicker(rows: Rows) -> Rows:
        return rows[:3] + rows[15:48] if next(answers, False) else rows[:36]

    assert await kept(tmp_path, flicker) == 36


async def test_rows_that_are_counted_again_at_the_second_look_do_not_leave(tmp_path: Path) -> None:
    answers = iter([True])

    def flicker(rows: Rows) -> Rows:
        return rows[:3] + rows[15:] + (rows[:0] if next(answers, False) else rows[3:15])

    assert await kept(tmp_path, flicker) == 60


async def test_a_second_look_that_shows_nothing_proves_nothing(tmp_path: Path) -> None:
    listings, pages = iter([True, True]), iter([False, True])

    def flicker(rows: Rows) -> Rows:
        return rows[:3] + rows[15:] if next(listings, False) else rows

    def cut(rows: Rows) -> Rows:
        return [] if next(pages, False) else rows

    assert await kept(tmp_path, flicker, cut) == 60


async def test_rows_that_one_answer_lacks_do_not_leave(tmp_path: Path) -> None:
    answers = iter([True])

    def flicker(rows: Rows) -> Rows:
        return rows[:3] + rows[15:] if next(answers, False) else rows

    assert await kept(tmp_path, flicker) == 60


@pytest.mark.parametrize("answers", range(3, 7))
async def test_without_totals_rows_that_one_pass_lacks_do_not_leave(
    tmp_path: Path, answers: int
) -> None:
    few = iter(range(answers))

    def flicker(rows: Rows) -> Rows:
        return rows[:3] + rows[6:] if next(few, None) is not None else rows

    assert await kept(tmp_path, flicker, looks=3, has_total=False) == 60


@pytest.mark.parametrize("answers", range(7, 12))
async def test_without_totals_twins_that_one_pass_lacks_do_not_leave(
    tmp_path: Path, answers: int
) -> None:
    """The API shows one less for as long as a pass takes, and what is read after it."""
    few: Iterator[int] = iter(())

    def flicker(rows: Rows) -> Rows:
        return rows[:1] + rows[2:] if next(few, None) is not None else rows

    def wrap(client: PecClient) -> Arranged:
        return Arranged(client, flicker, has_total=False)

    async with world(tmp_path, NEWEST_FIRST, wrap=wrap) as here:
        for text in "abc":
            inject(here, ALIKE, text, 1)
        await here.sync_now()
        before = await here.messages()
        assert len(before) == 3
        few = iter(range(answers))
        for _ in range(3):
            await here.clock.advance(25 * 3600)
            await here.sync_now()
        assert before == await here.messages()


async def test_a_great_loss_of_twins_is_doubted_as_well(tmp_path: Path) -> None:
    is_on = False

    def wrap(client: PecClient) -> Arranged:
        return Arranged(client, lambda rows: rows[:3] if is_on else rows)

    async with world(tmp_path, NEWEST_FIRST, wrap=wrap) as here:
        for number in range(40):
            inject(here, ALIKE, str(number), 1)
        await here.sync_now()
        before = await here.messages()
        assert len(before) == 40
        is_on = True
        for _ in range(4):
            await here.sync_now()
            await here.clock.advance(3600)
        assert await here.messages() == before


async def test_twins_that_were_mixed_up_do_not_leave_while_one_of_them_is_not_listed(
    tmp_path: Path,
) -> None:
    """How many there are was not counted by a pass to the end."""
    is_on = False

    def wrap(client: PecClient) -> Arranged:
        return Arranged(client, lambda rows: rows[:1] + rows[2:] if is_on else rows)

    async with world(tmp_path, NEWEST_FIRST, wrap=wrap) as here:
        for text in "abc":
            inject(here, ALIKE, text, 1)
        await here.sync_now()
        before = await here.messages()
        parts = here.parts()
        await parts.memory.load()
        name = (await parts.rows.between(None, None))[0].fingerprint
        parts.memory.mix_up(name, 1)
        is_on = True
        layout = parts.memory.state.layout
        assert layout is not None
        assert await parts.twins.settle(parts.memory.doubts, layout) == [name]
        assert await here.messages() == before
        assert len(before) == 3


async def test_twins_that_went_to_another_page_before_they_were_read_are_told_apart(
    tmp_path: Path,
) -> None:
    """The one that is known could be taken for the other once it has left."""
    async with world(tmp_path, NEWEST_FIRST.replace(page_size=5, ids=Ids.SEQUENCE)) as here:
        inject(here, ALIKE, "a", 1)
        await here.sync_now()
        inject(here, ALIKE, "b", 1)
        parts = here.parts()
        await parts.memory.load()
        layout = parts.memory.state.layout
        assert layout is not None
        await suspect_all(parts, layout)
        for number in range(7):
            inject(here, f"Nuova {number}", "c", 2)
        await parts.twins.settle(parts.memory.doubts, layout)
        oldest_goes(here)()
        while parts.memory.doubts:
            await parts.twins.settle(parts.memory.doubts, layout)
        await here.sync_now()
        assert await shown(here) == ["b", *"ccccccc"]


async def test_twins_that_were_mixed_up_stay_in_doubt_until_they_are_listed_again(
    tmp_path: Path,
) -> None:
    is_on = False

    def wrap(client: PecClient) -> Arranged:
        return Arranged(client, lambda rows: [] if is_on else rows)

    async with world(tmp_path, NEWEST_FIRST, wrap=wrap) as here:
        inject(here, ALIKE, "a", 1)
        await here.sync_now()
        inject(here, ALIKE, "b", 1)
        parts = here.parts()
        await parts.memory.load()
        layout = parts.memory.state.layout
        assert layout is not None
        (name,) = await suspect_all(parts, layout)
        parts.memory.mix_up(name, layout.base)
        is_on = True
        for _ in range(2):
            await parts.twins.settle(parts.memory.doubts, layout)
        assert parts.twins.is_waiting(name, parts.memory.doubts[name])
        is_on = False
        oldest_goes(here)()
        await here.clock.advance(AGAIN_S[0])
        await parts.twins.settle(parts.memory.doubts, layout)
        assert not parts.memory.doubts
        assert "b" in await shown(here)


async def test_a_row_that_the_api_still_shows_does_not_leave(tmp_path: Path) -> None:
    assert await kept(tmp_path, lambda rows: rows[:3] + rows[4:]) == 60


@pytest.mark.parametrize(("missing", "left"), [(10, 60), (11, 49)])
async def test_ten_that_are_missing_are_asked_for_and_no_more(
    tmp_path: Path, missing: int, left: int
) -> None:
    assert await kept(tmp_path, lambda rows: rows[:3] + rows[3 + missing :], looks=3) == left


async def test_rows_that_are_really_gone_leave(tmp_path: Path) -> None:
    assert await kept(tmp_path, lambda rows: rows[:3] + rows[15:], looks=3) == 48
