"""Answers of the API: bounded by what they are for, and one that is too long stops no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.apart.process import Apart, ApartFailed, TooCostly
from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.errors import AnswerTooLong, ApiError
from bridge.api.schema import InboxRow, UnreadableRow
from bridge.limits import (
    API_ANSWER_BYTES,
    API_FIELD_CHARS,
    API_LISTING_BYTES,
    API_MESSAGE_BYTES,
    API_ROW_CHARS,
    MIB,
)
from bridge.model import body_digest
from bridge.simulator import SEQUENCE_READING, Ids, Operation
from bridge.store.base import ReadTransaction, StoreFailed
from bridge.store.deletions import DeletionState
from bridge.store.remote import RemoteId
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
    with pytest.raises(AnswerTooLong):
        await long.quota()
    assert len((await long.inbox_page()).rows) == 1
    longer = client(says({**ROW, "body": "x"}, API_LISTING_BYTES + 1), clock)
    with pytest.raises(AnswerTooLong):
        await longer.inbox_page()
    assert (await longer.inbox_message("1")).body == "x"
    longest = client(says({**ROW, "body": "x"}, API_MESSAGE_BYTES + 1), clock)
    with pytest.raises(AnswerTooLong):
        await longest.inbox_message("1")


@pytest.mark.parametrize("size_mib", [8, 16, 32])
async def test_a_body_is_held_four_times_at_most(clock: FakeClock, size_mib: int) -> None:
    content = says({**ROW, "body": "x" * size_mib * MIB})
    api = client(content, clock)
    with peak() as held:
        await api.inbox_message("1")
    assert held.size_bytes < 4.2 * size_mib * MIB


async def test_a_listing_is_never_read_in_one_step(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """See ``tests.api.test_items`` for what the other way costs."""
    monkeypatch.delattr("bridge.api.schema.load_json")
    page = await client(
        says([{**ROW, "id": str(number)} for number in range(300)]), clock
    ).inbox_page()
    assert [row.api_id for row in page.rows if isinstance(row, InboxRow)] == list(
        map(str, range(300))
    )


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


# -- large messages, on the disk ------------------------------------------------------------------


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work on all messages of the API as on those that are large."""
    monkeypatch.setattr("bridge.api.connection.ANSWER_SPOOLED_FROM_BYTES", 100)
    monkeypatch.setattr("bridge.api.client.ANSWER_READ_APART_FROM_BYTES", 100)


def reading_apart(content: bytes | AsyncIterator[bytes], clock: FakeClock, at: Path) -> PecClient:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=content))
    connection = ApiConnection(
        "http://127.0.0.1", "token", clock=clock, transport=transport, apart=Apart(at)
    )
    return PecClient(connection, username=ADDRESS, password="parola", clock=clock)


async def outcome(api: PecClient) -> object:
    try:
        message = await api.inbox_message("1")
    except ApiError as error:
        return type(error), error.reason, error.status
    body = message.body
    beginning = body[:5] if isinstance(body, str) else body.beginning(5)
    return message.row, body_digest(body), beginning


@pytest.mark.parametrize(
    "content",
    [
        says({**ROW, "body": "x" * 1000}),
        says({**ROW, "body": "perch\u00e9 \U0001f600" * 100}),
        says({**ROW, "body": "\ud800" * 100}),
        says({**ROW, "date": "x" * 100_000, "body": ""}),
        says({**ROW, "body": None}, 1000),
        says([], 1000),
        b"no JSON " * 100,
        b'{"success": false, "message": "token \xc3\xa8"}'.ljust(1000),
    ],
    ids=["ascii", "letters", "half letters", "no body", "null", "nothing", "no JSON", "a no"],
)
@pytest.mark.usefixtures("small_is_large")
async def test_a_large_message_is_read_like_any_other(
    clock: FakeClock, tmp_path: Path, content: bytes
) -> None:
    assert await outcome(reading_apart(content, clock, tmp_path)) == (
        await outcome(client(content, clock))
    )


async def test_a_large_message_is_never_in_memory(clock: FakeClock, tmp_path: Path) -> None:
    async def content() -> AsyncIterator[bytes]:
        beginning = says({**ROW, "body": "!"})
        yield beginning.partition(b"!")[0]
        for _ in range(20 * 16):
            yield b"x" * (MIB // 16)
        yield beginning.partition(b"!")[2]

    api = reading_apart(content(), clock, tmp_path)
    with peak() as held:
        message = await api.inbox_message("1")
    assert len(message.body) == 20 * MIB
    assert held.size_bytes < 8 * MIB


async def test_so_much_is_read_at_once(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.api.connection.ANSWER_SPOOLED_FROM_BYTES", 100)
    monkeypatch.setattr("bridge.api.connection.ANSWERS_READ_BYTES", 2_500)
    most, now = 0, 0
    read_message = PecClient._value

    async def counted(self: PecClient, *rest: Any) -> Any:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1
        return await read_message(self, *rest)

    monkeypatch.setattr(PecClient, "_value", counted)
    api = reading_apart(says({**ROW, "body": "x" * 1000}), clock, tmp_path)
    await asyncio.gather(*(api.inbox_message("1") for _ in range(6)))
    assert most == 2


LARGE_BODIES = [
    "<p>Citt\u00e0 " + "x" * 1000,
    "testo " * 300,
    "Content-Type: text/plain\nMIME-Version: 1.0\n\n" + "x\n" * 300,
    "Citt%C3%A0+" * 100,
]


async def shown(tmp_path: Path, apart: Apart | None) -> tuple[list[str], list[str]]:
    async with world(tmp_path, STABLE) as here:
        here.apart = apart
        await here.restart()
        for body in [*LARGE_BODIES, LARGE_BODIES[0]]:  # the last is told apart from the first
            here.simulator.inject(ADDRESS, subject="grande", body=body, at=here.clock.now())
        await here.sync_now()
        messages = await here.messages()
        rows = await here.store.read(lambda tx: tx.remote_rows(here.account))
        bodies = [await here.store.read(partial(_body, row.id)) for row in rows]
    return sorted(messages.values()), sorted(map(str, bodies))


async def _body(remote: RemoteId, tx: ReadTransaction) -> str | None:
    return await tx.remote_body(remote)


@pytest.mark.slow
async def test_a_large_message_becomes_what_any_other_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = await shown(tmp_path / "usual", None)
    monkeypatch.setattr("bridge.api.connection.ANSWER_SPOOLED_FROM_BYTES", 100)
    monkeypatch.setattr("bridge.api.client.ANSWER_READ_APART_FROM_BYTES", 100)
    assert await shown(tmp_path / "large", Apart(tmp_path)) == usual
    assert len(usual[0]) == len(LARGE_BODIES) + 1


@pytest.mark.parametrize("where", ["bridge.api.client.read_apart", "compose_apart"])
@pytest.mark.usefixtures("small_is_large")
async def test_a_message_too_costly_is_shown_as_unreadable_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    async def costs_too_much(*_: object) -> object:
        raise TooCostly("it takes longer than 60 seconds")

    name = where if "." in where else f"bridge.receipts.filing.{where}"
    monkeypatch.setattr(name, costs_too_much)
    async with world(tmp_path, STABLE) as here:
        here.apart = Apart(tmp_path)
        await here.restart()
        here.simulator.inject(ADDRESS, subject="grande", body="x" * 1000, at=here.clock.now())
        assert await here.sync_now() == 1
        (raw,) = (await here.messages()).values()
        assert "X-Pec-Bridge-Unreadable" in raw
        assert "longer than 60 seconds" in raw
        await here.clock.advance(86_400)
        await here.sync_now()
        assert here.made(Operation.INBOX_GET) == 1


@pytest.mark.usefixtures("small_is_large")
async def test_a_message_that_cannot_be_composed_now_is_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> object:
        raise ApartFailed("the disk is full or fails")

    async with world(tmp_path, STABLE) as here:
        here.apart = Apart(tmp_path)
        await here.restart()
        here.simulator.inject(ADDRESS, subject="grande", body="x" * 1000, at=here.clock.now())
        with monkeypatch.context() as patched:
            patched.setattr("bridge.receipts.filing.compose_apart", fails)
            with pytest.raises(StoreFailed, match="disk"):
                await here.sync_now()
        assert not await here.messages()
        assert await here.sync_now() == 1
        (raw,) = (await here.messages()).values()
        assert "X-Pec-Bridge-Unreadable" not in raw
