"""An inbox that lacks all or much for hours and then has it again: what returns is what it was."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.api.errors import ApiError
from bridge.mailbox import FlagChange
from bridge.model import ARCHIVE, FLAGGED, SEEN, Flag, Flags, Uid
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
from bridge.store.base import ReadTransaction
from bridge.sync.service import SyncSettings
from tests.selected import some
from tests.sync.world import ADDRESS, World, world

STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE)
BOTH = pytest.mark.parametrize("options", [SEQUENCE_READING, STABLE], ids=["sequence", "stable"])
LABEL = Flag("$Label1")
_NUMBER = re.compile(r"\((\d+|nuovo|other)\)")


def arrive(here: World, count: int) -> None:
    first = here.clock.now() - timedelta(days=1)
    for number in range(count):
        at = first + timedelta(minutes=number)
        here.simulator.inject(ADDRESS, subject=f"N. {number}", body=f"({number})", at=at)


def numbered(messages: dict[Uid, str]) -> dict[str, Uid]:
    return {_NUMBER.findall(text)[-1]: uid for uid, text in messages.items()}


async def flags(here: World) -> dict[str, Flags]:
    known = numbered(await here.messages())

    async def work(tx: ReadTransaction) -> dict[Uid, Flags]:
        found = await tx.flags_of(here.inbox_id, list(known.values()))
        return {uid: flags for uid, (_, flags) in found.items()}

    by_uid = await here.store.read(work)
    return {number: by_uid[uid] for number, uid in known.items()}


async def used(here: World) -> None:
    """Do what people do: read, flag, move 1 away and expunge 2."""
    uids = numbered(await here.messages())
    change = here.mailboxes.change_flags
    await change(here.inbox_id, [uids["0"]], FlagChange.ADD, frozenset({SEEN}))
    await change(here.inbox_id, [uids["3"]], FlagChange.ADD, frozenset({FLAGGED, LABEL}))
    archive = await here.mailboxes.find(here.account, ARCHIVE)
    assert archive is not None
    await here.mailboxes.move(here.inbox_id, [uids["1"]], archive)
    await here.mailboxes.expunge(here.inbox_id, [uids["2"]])


def page_says(body: object, status: int = 200) -> Callable[[World], FaultRule]:
    """Return what lets the API answer so to whatever page is asked for."""

    def begin(here: World) -> FaultRule:
        return here.simulator.faults.add(
            FaultRule(
                phase=Phase.INSTEAD,
                result=FixedAnswer(status, body),
                operation=Operation.INBOX_LIST,
                times=None,
            )
        )

    return begin


OUTAGES: dict[str, Callable[[World], FaultRule]] = {
    "empty": page_says({"data": [], "success": True, "total": 0, "n_of_pages": 0}),
    "empty, no total": page_says({"data": [], "success": True}),
    "empty, with a total": page_says({"data": [], "success": True, "total": 6, "n_of_pages": 1}),
    "404 empty": page_says({"success": False, "message": "Mailbox is empty"}, 404),
    "404": page_says({"success": False, "message": "Not found"}, 404),
    "500": page_says(b"MySQL Error 2002", 500),
}


async def look(here: World) -> None:
    with contextlib.suppress(ApiError):
        await here.sync_now()


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
@pytest.mark.parametrize("delete", ["expunge", "never"])
@pytest.mark.parametrize("count", some([40, 6], 1))
async def test_two_hours_without_an_inbox_change_nothing(
    tmp_path: Path, outage: Callable[[World], FaultRule], delete: str, count: int
) -> None:
    settings = SyncSettings(delete=delete)  # type: ignore[arg-type]
    async with world(tmp_path, STABLE, settings=settings) as here:
        arrive(here, count)
        await here.sync_now()
        await used(here)
        await here.sync_now()
        before, kept = await here.messages(), await flags(here)
        rule = outage(here)
        for _ in range(5):
            await look(here)
            await here.clock.advance(1500)
        assert await here.messages() == before
        here.simulator.faults.remove(rule)
        for _ in range(2):
            await here.sync_now()
        assert (await here.messages(), await flags(here)) == (before, kept)
        assert await here.alarms() == []


UNCOUNTED = STABLE.replace(counts=PageCounts.ABSENT)
LISTED = {
    "with totals": STABLE,
    "without, newest first": UNCOUNTED.replace(order=ListingOrder.NEWEST),
    "without, newest page first": UNCOUNTED,
    "without, oldest first": UNCOUNTED.replace(order=ListingOrder.OLDEST),
}


@pytest.mark.parametrize("options", LISTED.values(), ids=LISTED)
async def test_a_loss_that_lasts_is_told_and_believed_in_the_end(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        arrive(here, 60)
        await here.sync_now()
        here.simulator.delete_where(ADDRESS, lambda row: row.number % 2 == 0)
        await here.sync_now()
        assert await here.alarms() == []
        for _ in range(23):
            await here.clock.advance(3600)
            await here.sync_now()
            assert len(await here.messages()) == 60
            assert [(one.kind, one.key) for one in await here.alarms()] == [("reading", "missing")]
        await here.clock.advance(3700)
        for _ in range(2):
            await here.sync_now()
        assert len(await here.messages()) == 30
        assert await here.alarms() == []


async def test_a_bridge_that_was_off_has_to_see_a_loss_several_times(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 60)
        await here.sync_now()
        here.simulator.delete_where(ADDRESS, lambda row: True)
        await here.sync_now()
        await here.clock.advance(3 * 86_400)
        await here.restart()
        await here.sync_now()
        assert len(await here.messages()) == 60


@BOTH
async def test_what_arrives_while_much_is_missing_is_shown(
    tmp_path: Path, options: Options
) -> None:
    async with world(tmp_path, options) as here:
        arrive(here, 60)
        await here.sync_now()
        lost = here.simulator.inbox(ADDRESS)[:40]
        for one in lost:
            here.simulator.delete(ADDRESS, one.row)
        here.simulator.inject(ADDRESS, subject="Nuovo", body="(nuovo)")
        await here.sync_now()
        assert len(await here.messages()) == 61
        before = len(here.simulator.calls())
        for _ in range(10):
            await here.clock.advance(60)
            await here.sync_now()
        assert len(here.simulator.calls()) - before <= 15


@BOTH
@pytest.mark.parametrize("counts", [PageCounts.NUMBERS, PageCounts.ABSENT])
async def test_what_left_and_returns_has_its_flags_and_its_place(
    tmp_path: Path, options: Options, counts: PageCounts
) -> None:
    async with world(tmp_path, options.replace(counts=counts)) as here:
        arrive(here, 8)
        await here.sync_now()
        await used(here)
        with contextlib.suppress(ApiError):
            await here.sync_now()
        before, kept = await here.messages(), await flags(here)
        rows = [one.row for one in here.simulator.inbox(ADDRESS)]
        here.simulator.delete_where(ADDRESS, lambda row: True)
        for _ in range(8):
            await here.clock.advance(13 * 3600)
            await here.sync_now()
        assert await here.messages() == {}
        for row in rows:
            here.simulator.inject(
                ADDRESS, subject=row.subject, body=row.text, at=row.at, sender=row.sender
            )
        await here.sync_now()
        after = await here.messages()
        assert not after.keys() & before.keys()  # those UIDs were told to be gone
        assert sorted(after.values()) == sorted(before.values())
        assert await flags(here) == kept
        assert len(await here.messages(ARCHIVE)) == 1


async def test_what_was_expunged_and_returns_may_be_another_and_is_kept(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 5)
        await here.sync_now()
        gone = here.simulator.inbox(ADDRESS)[2].row
        uids = numbered(await here.messages())
        await here.mailboxes.expunge(here.inbox_id, [uids["2"]])
        here.simulator.delete(ADDRESS, gone)  # before we come to it
        await here.sync_now()
        here.simulator.inject(
            ADDRESS, subject=gone.subject, body=gone.text, at=gone.at, sender=gone.sender
        )
        for _ in range(2):
            await here.sync_now()
        assert len(await here.messages()) == 4
        assert "N. 2" in here.listed()
        assert [alarm.kind for alarm in await here.alarms()] == ["deletion"]


async def test_the_like_of_what_we_deleted_is_another_message(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 5)
        await here.sync_now()
        gone = here.simulator.inbox(ADDRESS)[2].row
        await here.mailboxes.expunge(here.inbox_id, [numbered(await here.messages())["2"]])
        await here.sync_now()
        assert "N. 2" not in here.listed()
        here.simulator.inject(
            ADDRESS, subject=gone.subject, body=gone.text, at=gone.at, sender=gone.sender
        )
        await here.sync_now()
        assert len(await here.messages()) == 5
        assert "N. 2" in here.listed()


async def test_another_text_under_the_same_fields_is_another_message(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 5)
        await here.sync_now()
        await used(here)
        one = next(one.row for one in here.simulator.inbox(ADDRESS) if one.row.text == "(1)")
        here.simulator.delete(ADDRESS, one)
        for _ in range(3):
            await here.sync_now()
        here.simulator.inject(
            ADDRESS, subject=one.subject, body="(other)", at=one.at, sender=one.sender
        )
        await here.sync_now()
        assert "other" in numbered(await here.messages())
