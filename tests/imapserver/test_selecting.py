"""Opening and closing mailboxes: what is told, and that nothing is told twice."""

from __future__ import annotations

import asyncio

import pytest

from bridge.store.base import Store
from tests.imapserver.client import Rig


async def test_what_is_published_after_it_was_loaded_is_told_once(
    rig: Rig, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await rig.client()
    committed, publish = asyncio.Event(), asyncio.Event()
    write = store.write

    async def late(work: object, done: object) -> object:
        """Commit at once, publish when told to."""
        monkeypatch.setattr(store, "write", write)
        results: list[object] = []
        result = await write(work, results.append)  # type: ignore[arg-type]
        committed.set()
        await publish.wait()
        done(result)  # type: ignore[operator]
        return result

    monkeypatch.setattr(store, "write", late)
    adding = asyncio.ensure_future(rig.add("in volo"))
    await committed.wait()
    assert "* 1 EXISTS" in await client.ok("SELECT INBOX")
    publish.set()
    await adding
    assert await client.ok("NOOP") == []
    await rig.add("dopo")
    assert "* 2 EXISTS" in await client.ok("NOOP")


CLOSED = "* OK [CLOSED] the previous mailbox is closed"


@pytest.mark.parametrize("enable", ["", "ENABLE QRESYNC", "ENABLE IMAP4rev2"])
@pytest.mark.parametrize("first", ["SELECT INBOX", "EXAMINE INBOX"])
@pytest.mark.parametrize(
    "second", ["SELECT Drafts", "EXAMINE Drafts", "SELECT INBOX", "SELECT Nowhere", 'EXAMINE ""']
)
async def test_a_mailbox_that_another_closes_is_said_to_be_closed(
    rig: Rig, enable: str, first: str, second: str
) -> None:
    client = await rig.client()
    if enable:
        await client.ok(enable)
    assert CLOSED not in await client.ask(first)
    assert (await client.ask(second))[0] == CLOSED
    if "Nowhere" in second or '""' in second:
        assert (await client.tagged("FETCH 1 UID")).startswith("BAD")
        assert CLOSED not in await client.ask("SELECT INBOX")


async def test_closed_is_said_only_of_what_is_open(rig: Rig) -> None:
    client = await rig.client("INBOX")
    await client.ok("CLOSE")
    assert CLOSED not in await client.ask("SELECT INBOX")
    await client.ok("UNSELECT")
    assert CLOSED not in await client.ask("EXAMINE INBOX")


async def test_a_select_that_may_not_be_given_closes_nothing(rig: Rig) -> None:
    await rig.add()
    client = await rig.client("INBOX")
    answers = await client.ask("SELECT Drafts (QRESYNC (1 1))")
    assert [line[:3] for line in answers] == ["BAD"]
    assert await client.ok("FETCH 1 UID") == ["* 1 FETCH (UID 1)"]
