"""One message to many addressees: rows alike in all that is listed hold up nothing."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.api.client import PecClient
from bridge.api.schema import SendRequest
from bridge.simulator import (
    SEQUENCE_READING,
    FaultRule,
    FixedAnswer,
    Ids,
    ListingOrder,
    Operation,
    Options,
    PageCounts,
    Phase,
)
from tests.selected import some
from tests.sync.test_deletion import arrive
from tests.sync.world import ADDRESS, PASSWORD, World, world

STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE)
BOTH = pytest.mark.parametrize("options", [SEQUENCE_READING, STABLE], ids=["sequence", "stable"])
BOTH_AT_LENGTH = pytest.mark.parametrize(
    "options",
    [
        pytest.param(SEQUENCE_READING, id="sequence"),
        pytest.param(STABLE, id="stable", marks=pytest.mark.slow),
    ],
)
_TEXT = re.compile(r"Testo ([a-z]+-\d+)\.")


def group(here: World, name: str, count: int, first: int = 0) -> None:
    """Put rows in that agree in all but their texts, which are numbered."""
    at = here.clock.now().replace(hour=1, minute=ord(name[0]) % 60, second=0, microsecond=0)
    for number in range(first, first + count):
        text = f"Testo {name}-{number}."
        here.simulator.inject(ADDRESS, subject=f"CONSEGNA: {name}", body=text, at=at)


async def shown(here: World) -> Counter[str]:
    texts = "\n".join((await here.messages()).values())
    return Counter(_TEXT.findall(texts))


def there(here: World) -> Counter[str]:
    return Counter(_TEXT.findall("\n".join(row.row.text for row in here.simulator.inbox(ADDRESS))))


def unreadable(here: World, *texts: str) -> FaultRule:
    """Let the API not show these texts, under whatever ids; all if none is named."""

    def is_meant(target: str) -> bool:
        rows = [one for one in here.simulator.inbox(ADDRESS) if str(one.id) == target]
        return not texts or any(f"Testo {text}." in rows[0].row.text for text in texts if rows)

    return here.simulator.faults.add(
        FaultRule(
            phase=Phase.INSTEAD,
            result=FixedAnswer(500, b"oops"),
            operation=Operation.INBOX_GET,
            times=None,
            when=lambda call: is_meant(call.target or ""),
        )
    )


@BOTH
@pytest.mark.parametrize("order", ListingOrder)
@pytest.mark.parametrize("count", some([25, 61, 100], 2))
async def test_twins_in_any_number_are_shown_and_what_is_older_too(
    tmp_path: Path, options: Options, order: ListingOrder, count: int
) -> None:
    async with world(tmp_path, options.replace(order=order)) as here:
        here.simulator.seed(ADDRESS, 30, newest=here.clock.now() - timedelta(days=3))
        group(here, "a", count)
        await here.sync_now()
        assert await shown(here) == there(here)
        assert len(await here.messages()) == count + 30
        gets = here.made(Operation.INBOX_GET)
        assert gets <= 1.2 * (count + 30)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("count", [300, 1000])
async def test_very_many_twins_are_shown(tmp_path: Path, options: Options, count: int) -> None:
    async with world(tmp_path, options) as here:
        here.simulator.seed(ADDRESS, 30, newest=here.clock.now() - timedelta(days=3))
        group(here, "a", count)
        await here.sync_now()
        assert await shown(here) == there(here)
        assert len(await here.messages()) == count + 30
        made = len(here.simulator.calls())
        assert made <= 1.6 * count
        group(here, "a", 2, first=count)
        await here.sync_now()
        assert await shown(here) == there(here)
        assert len(here.simulator.calls()) - made <= 15


@BOTH
async def test_groups_over_several_pages_and_between_others_are_all_shown(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options.replace(page_size=10)) as here:
        for number in range(4):
            group(here, "abcd"[number], 15 + 4 * number)
            here.simulator.inject(ADDRESS, subject=f"Altro {number}", body="Altro.")
            group(here, "a", 3, first=100 + 10 * number)
        await here.sync_now()
        assert await shown(here) == there(here)
        assert len(await here.messages()) == len(here.listed())
        gone = there(here)
        here.simulator.delete_where(ADDRESS, lambda row: row.text in ("Testo a-3.", "Testo d-26."))
        for _ in range(3):
            await here.sync_now()
        assert sorted((gone - await shown(here)).elements()) == ["a-3", "d-26"]
        assert await shown(here) == there(here)


@BOTH_AT_LENGTH
async def test_one_of_many_that_cannot_be_read_holds_up_nothing(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        here.simulator.seed(ADDRESS, 30, newest=here.clock.now() - timedelta(days=3))
        group(here, "a", 30)
        rule = unreadable(here, "a-12")
        await here.sync_now()
        assert len(await here.messages()) == 59
        assert await shown(here) == there(here) - Counter(["a-12"])
        group(here, "a", 2, first=30)
        await here.sync_now()
        assert await shown(here) == there(here) - Counter(["a-12"])
        before = here.made(Operation.INBOX_GET)
        await here.sync_now()
        assert here.made(Operation.INBOX_GET) == before
        await here.clock.advance(2 * 3600)
        await here.sync_now()
        assert here.made(Operation.INBOX_GET) <= before + 2
        await here.sync_now()
        assert [(alarm.kind, alarm.key) for alarm in await here.alarms()] == [("reading", "unread")]
        here.simulator.faults.remove(rule)
        await here.clock.advance(3600)
        await here.sync_now()
        assert await shown(here) == there(here)
        await here.sync_now()
        assert await here.alarms() == []


@BOTH
async def test_some_that_cannot_be_read_at_all_are_shown_without_a_text(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        group(here, "a", 40)
        unreadable(here, "a-0", "a-20", "a-39")
        for _ in range(4):
            await here.sync_now()
            await here.clock.advance(5 * 3600)
        assert len(await here.messages()) == 40
        assert await shown(here) == there(here) - Counter(["a-0", "a-20", "a-39"])
        group(here, "a", 1, first=40)
        await here.sync_now()
        assert len(await here.messages()) == 41


@pytest.mark.slow
@BOTH_AT_LENGTH
async def test_while_none_can_be_read_what_is_older_is_and_the_api_is_spared(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        here.simulator.seed(ADDRESS, 30, newest=here.clock.now() - timedelta(days=3))
        await here.sync_now()
        group(here, "a", 80)
        rule = unreadable(here)
        before = here.made(Operation.INBOX_GET)
        for _ in range(10):
            await here.sync_now()
            await here.clock.advance(3600)
        assert len(await here.messages()) == 30
        assert here.made(Operation.INBOX_GET) - before <= 10 * 3 * 8
        here.simulator.faults.remove(rule)
        await here.sync_now()
        assert await shown(here) == there(here)


@BOTH_AT_LENGTH
async def test_many_twins_alike_in_their_texts_too_are_as_many_messages(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        at = here.clock.now()
        for _ in range(70):
            here.simulator.inject(ADDRESS, subject="CONSEGNA: a", body="Testo a-1.", at=at)
        await here.sync_now()
        assert await shown(here) == {"a-1": 70}
        here.simulator.inject(ADDRESS, subject="CONSEGNA: a", body="Testo a-1.", at=at)
        await here.sync_now()
        assert await shown(here) == {"a-1": 71}
        here.simulator.delete(ADDRESS, here.simulator.inbox(ADDRESS)[9].row)
        for _ in range(3):
            await here.sync_now()
        assert await shown(here) == {"a-1": 70}


@pytest.mark.parametrize("counts", PageCounts)
async def test_a_send_to_61_at_one_provider_brings_all_its_receipts(
    tmp_path: Path, counts: PageCounts
) -> None:
    people = tuple(f"persona-{number}@uno.invalid" for number in range(61))
    async with world(tmp_path, SEQUENCE_READING.replace(counts=counts)) as here:
        client = PecClient(here.connection, username=ADDRESS, password=PASSWORD, clock=here.clock)
        group(here, "vecchio", 3)
        await client.send(SendRequest(ADDRESS, people, "A tutti", "<p>Testo.</p>"))
        for _ in range(4):
            await here.clock.advance(3600)
            await here.sync_now()
        rows = [one.row for one in here.simulator.inbox(ADDRESS)]
        alike = Counter((row.sender, row.subject, row.at) for row in rows)
        assert max(alike.values()) == 61
        texts = list((await here.messages()).values())
        assert len(texts) == len(rows) == 65
        for person in people:
            assert any(re.search(rf"CONSEGNA(.|\n)*{person}", text) for text in texts)


async def test_of_a_group_over_many_pages_hardly_a_text_is_read_twice(tmp_path: Path) -> None:
    """Its texts cost a request each, its pages a few readings each, whatever comes meanwhile."""
    async with world(tmp_path, STABLE) as here:
        arrive(here, 60)
        await here.sync_now()
        texts, pages = here.made(Operation.INBOX_GET), here.made(Operation.INBOX_LIST)
        group(here, "a", 300)
        for after in range(20, 320, 20):
            here.surprises[after] = lambda: here.simulator.inject(ADDRESS, subject="Nuovo")
        await here.sync_now()
        assert sum((await shown(here)).values()) == 300
        assert here.made(Operation.INBOX_GET) - texts <= 300 + 15
        assert here.made(Operation.INBOX_LIST) - pages <= 5 * 300 // 25


async def test_rows_that_wait_to_be_told_apart_are_no_reason_to_read_on(tmp_path: Path) -> None:
    """They explain the total: on the pages beyond is nothing that would tell them apart."""
    async with world(tmp_path, STABLE) as here:
        arrive(here, 60)
        await here.sync_now()
        group(here, "a", 3)
        parts = here.parts()
        await parts.memory.load()
        before = here.made(Operation.INBOX_LIST)
        await parts.listing.look()
        assert len(parts.memory.doubts) == 1
        assert not parts.listing.sweeping
        assert here.made(Operation.INBOX_LIST) - before == 1


async def test_a_look_reads_on_through_a_group_that_its_page_ends_amid(tmp_path: Path) -> None:
    """It may be new as far as it goes, and further pages may be refused for hours."""
    async with world(tmp_path, STABLE) as here:
        arrive(here, 60)
        await here.sync_now()
        group(here, "a", 60)
        parts = here.parts()
        await parts.memory.load()
        await parts.listing.look()
        assert await parts.rows.undecided() == 60
        assert not parts.listing.sweeping
