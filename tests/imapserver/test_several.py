"""Two servers on one store: a client of one is told at once what was done on the other.

Neither hears of the other by itself here: what is told was looked for when a command came.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import AsyncMock

import pytest

from bridge.mailbox import mailboxes
from bridge.store.base import Store, StoreFailed
from tests.fakes import FakeClock
from tests.imapserver.client import Client, Rig
from tests.imapserver.conftest import NewRig
from tests.stores import open_store


@pytest.fixture
async def here(new_rig: NewRig) -> Rig:
    return await new_rig(shared=True)


@pytest.fixture
async def elsewhere(tmp_path: Path, here: Rig, clock: FakeClock) -> AsyncIterator[Rig]:
    """Another bridge on the same store."""
    store = await open_store(tmp_path / "data")
    rig = await Rig.start(store, clock, shared=True)
    yield rig
    await rig.stop()
    await store.close()


@pytest.fixture
async def client(here: Rig) -> Client:
    """A client of ours, which has two messages and knows them, and the mailboxes."""
    await here.add("a")
    await here.add("b")
    client = await here.client("INBOX")
    await client.ok('LIST "" *')
    return client


@pytest.fixture
async def other(client: Client, elsewhere: Rig) -> Client:
    return await elsewhere.client("INBOX")


@pytest.mark.parametrize("command", ["NOOP", "CHECK"])
async def test_a_client_that_asks_is_told_in_the_order_of_commits(
    client: Client, other: Client, elsewhere: Rig, command: str
) -> None:
    await other.ok("STORE 2 FLAGS (\\Flagged)")
    await other.ok("STORE 1 FLAGS (\\Deleted)")
    await other.ok("EXPUNGE")
    await elsewhere.add("c")
    assert [line for line in await client.ok(command) if "RECENT" not in line] == [
        "* 1 EXPUNGE",
        "* 2 EXISTS",
        "* 1 FETCH (FLAGS (\\Flagged \\Recent))",
    ]


@pytest.mark.parametrize("command", ["EXPUNGE", "UID EXPUNGE 1", "CLOSE"])
async def test_what_was_marked_elsewhere_is_expunged(
    client: Client, other: Client, command: str
) -> None:
    await other.ok("STORE 1 +FLAGS (\\Deleted)")
    await client.ok(command)
    assert "* 1 EXPUNGE" in await other.ok("NOOP")


async def test_mailboxes_are_as_they_were_left_elsewhere(client: Client, other: Client) -> None:
    await other.ok("CREATE Gare")
    assert any("Gare" in line for line in await client.ok('LIST "" *'))
    await client.ok("STATUS Gare (MESSAGES)")
    await other.ok("RENAME Gare Bandi")
    assert (await client.tagged("STATUS Gare (MESSAGES)")).startswith("NO [NONEXISTENT]")
    assert (await client.ok("STATUS Bandi (MESSAGES)")) == ["* STATUS Bandi (MESSAGES 0)"]
    await other.ok("COPY 1 Bandi")
    assert (await client.ok("STATUS Bandi (MESSAGES)")) == ["* STATUS Bandi (MESSAGES 1)"]
    await other.ok("COPY 1 Bandi")
    listed = await client.ok('LIST "" Bandi RETURN (STATUS (MESSAGES))')
    assert listed[1:] == ["* STATUS Bandi (MESSAGES 2)"]
    await other.ok("COPY 1 Bandi")
    assert "* 3 EXISTS" in await client.ok("SELECT Bandi")


async def test_a_mailbox_made_elsewhere_takes_messages(client: Client, other: Client) -> None:
    await other.ok("CREATE Gare")
    await client.ok("COPY 1 Gare")
    assert (await client.tagged("COPY 1 Niente")).startswith("NO [TRYCREATE]")


async def test_a_client_is_answered_though_the_store_fails_or_hangs(
    client: Client, here: Rig, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "read", AsyncMock(side_effect=StoreFailed("out of reach")))
    assert await client.ok("NOOP") == []
    monkeypatch.setattr(mailboxes, "LOOK_MOST_S", 0.01)

    async def hangs(_work: object) -> None:
        await here.clock.sleep(3600)

    monkeypatch.setattr(store, "read", hangs)
    assert await client.ok("NOOP") == []


async def test_one_that_is_alone_on_its_store_asks_nothing(
    rig: Rig, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await rig.client("INBOX")
    reads = AsyncMock(wraps=store.read)
    monkeypatch.setattr(store, "read", reads)
    for command in ("NOOP", "CHECK", "EXPUNGE", "STATUS INBOX (MESSAGES)"):
        await client.ok(command)
    assert reads.await_count == 0


async def test_a_message_is_recent_to_one_session_on_all_bridges(
    client: Client, other: Client, here: Rig, elsewhere: Rig
) -> None:
    for rig in (here, elsewhere):
        await rig.add("c")
    claims = []
    for one in (client, other):
        lines = await one.ok("NOOP")
        found = [line for line in await one.ok("FETCH 1:* (UID FLAGS)") if "\\Recent" in line]
        assert f"* {len(found)} RECENT" in lines
        claims.append({int(line.split()[1]) for line in found})
    assert sorted([*claims[0], *claims[1]]) == [1, 2, 3, 4]  # each to one, whoever was quicker
    third = await elsewhere.client("INBOX")
    assert not any("\\Recent" in line for line in await third.ok("FETCH 1:* FLAGS"))


async def test_a_client_in_idle_is_told_what_is_recent_once_that_is_known(
    client: Client, other: Client, elsewhere: Rig
) -> None:
    await other.send(b"i IDLE\r\n")
    assert await other.line() == b"+ idling"
    await elsewhere.add("c")
    assert [await other.line(), await other.line()] == [b"* 3 EXISTS", b"* 1 RECENT"]


async def test_while_the_store_fails_a_message_is_recent(
    client: Client, here: Rig, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        here.services.mailboxes, "claim_recent", AsyncMock(side_effect=StoreFailed("full"))
    )
    await here.add("c")
    assert "* 3 RECENT" in await client.ok("NOOP")
