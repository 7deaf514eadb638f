"""Answers of the API: bounded by what they are for, and one that is too long stops no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.errors import TooLong
from bridge.api.schema import InboxRow, UnreadableRow
from bridge.limits import (
    API_ANSWER_BYTES,
    API_FIELD_CHARS,
    API_LISTING_BYTES,
    API_MESSAGE_BYTES,
    API_ROW_CHARS,
    MIB,
)
from bridge.simulator import SEQUENCE_READING, Ids, Operation
from bridge.store.remote import DeletionState
from tests.costs.measure import peak
from tests.fakes import FakeClock
from tests.sync.test_deletion import arrive, expunge, left, states
from tests.sync.world import ADDRESS, world

ROW: dict[str, Any] = {
    "id": 1,
    "sender": "a@x.invalid",
    "recipient": ADDRESS,
    "date": "Thu, 15 Jan 2026 09:00:00 +0100",
    "object": "Oggetto",
}
STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE)


def client(content: bytes, clock: FakeClock) -> PecClient:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=content))
    connection = ApiConnection("http://127.0.0.1", "token", clock=clock, transport=transport)
    return PecClient(connection, username=ADDRESS, password="parola", clock=clock)


def says(data: object, size_bytes: int = 0) -> bytes:
    """Return an answer, filled up with blanks."""
    return json.dumps({"success": True, "data": data}).encode().ljust(size_bytes)


async def test_each_purpose_has_its_limit(clock: FakeClock) -> None:
    long = client(says([ROW], API_ANSWER_BYTES + 1), clock)
    with pytest.raises(TooLong):
        await long.quota()
    assert len((await long.inbox_page()).rows) == 1
    longer = client(says({**ROW, "body": "x"}, API_LISTING_BYTES + 1), clock)
    with pytest.raises(TooLong):
        await longer.inbox_page()
    assert (await longer.inbox_message("1")).body == "x"
    longest = client(says({**ROW, "body": "x"}, API_MESSAGE_BYTES + 1), clock)
    with pytest.raises(TooLong):
        await longest.inbox_message("1")


@pytest.mark.parametrize("size_mib", [8, 16, 32])
async def test_a_body_is_held_four_times_at_most(clock: FakeClock, size_mib: int) -> None:
    content = says({**ROW, "body": "x" * size_mib * MIB})
    api = client(content, clock)
    with peak() as held:
        await api.inbox_message("1")
    assert held.size_bytes < 4.2 * size_mib * MIB


@pytest.mark.parametrize("name", ["sender", "recipient", "date", "object"])
async def test_the_fields_of_a_row_are_cut(clock: FakeClock, name: str) -> None:
    rows = [{**ROW, name: "x" * MIB + end} for end in "ab"] + [ROW]
    page = await client(says(rows), clock).inbox_page()
    assert all(len(row.raw) <= API_ROW_CHARS for row in page.rows)
    assert len({row.raw for row in page.rows}) == 3
    first = page.rows[0]
    assert isinstance(first, InboxRow)
    lengths = [first.sender, first.recipient, first.date_text, first.subject]
    assert max(map(len, lengths)) == API_FIELD_CHARS


@pytest.mark.parametrize("depth", [100, 300, 900])
async def test_a_row_nested_too_deeply_stops_no_other(clock: FakeClock, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    content = says([{**ROW, "object": "?"}, ROW]).replace(b'"?"', deep.encode())
    page = await client(content, clock).inbox_page()
    assert isinstance(page.rows[1], InboxRow)
    assert isinstance(page.rows[0], InboxRow | UnreadableRow)


async def test_a_message_too_long_is_shown_as_unreadable_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.api.client.API_MESSAGE_BYTES", 20_000)
    async with world(tmp_path, STABLE) as here:
        arrive(here, 2)
        here.simulator.inject(ADDRESS, subject="lungo", body="x" * 30_000, at=here.clock.now())
        assert await here.sync_now() == 3
        (long,) = [raw for raw in (await here.messages()).values() if "lungo" in raw]
        assert "X-Pec-Bridge-Unreadable: The API's answer is longer than 20000 bytes." in long
        await here.clock.advance(86_400)
        await here.sync_now()
        assert here.made(Operation.INBOX_GET) == 3


async def test_a_message_too_long_to_be_read_again_holds_up_no_deletion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, STABLE) as here:
        arrive(here, 4)
        here.simulator.inject(
            ADDRESS, subject="N. 9", body="(9)" + "x" * 30_000, at=here.clock.now()
        )
        await here.sync_now()
        monkeypatch.setattr("bridge.api.client.API_MESSAGE_BYTES", 20_000)
        await expunge(here, "1")
        uid = next(uid for uid, raw in (await here.messages()).items() if "(9)" in raw)
        await here.mailboxes.expunge(here.inbox_id, [uid])
        await here.sync_now()
        assert "1" not in left(here)
        assert await states(here) == {DeletionState.DONE: 1, DeletionState.DOUBTED: 1}
