"""Two bridges write to one store: each index, and what each client hears, is the store's."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from bridge.mailbox import FlagChange, Mailboxes, NoSuchMailbox
from bridge.mailbox.indexes import LITTLE
from bridge.model import (
    FLAGGED,
    SEEN,
    AccountId,
    Added,
    Change,
    Expunged,
    Flags,
    FlagsChanged,
    Mailbox,
    MailboxCreated,
    MailboxDeleted,
    MailboxId,
    MailboxRenamed,
    ModSeq,
    Uid,
)
from bridge.store.base import ReadWork, Store, StoreFailed, Work
from bridge.store.sqlite import SqliteStore
from tests.fakes import FakeClock
from tests.mailbox.test_index import FLAGS, NAME, UIDS, Account, Shown, replay
from tests.store.made import NOW, ingested
from tests.stores import open_store


class TwoBridges(Account):
    """Whatever is done is done by one of two bridges, which take turns."""

    async def _start(self) -> None:
        await super()._start()
        self.other_store = await SqliteStore.open(Path(self.folder.name))
        self.other = Mailboxes(self.other_store, self.clock)
        self.elsewhere: dict[MailboxId, Shown] = defaultdict(dict)
        self.mailboxes.subscribe(_into(self.heard))
        self.other.subscribe(_into(self.elsewhere))
        await self._select_all(self.other, self.elsewhere)

    async def _select_all(self, mailboxes: Mailboxes, heard: dict[MailboxId, Shown]) -> None:
        """Let a client know each mailbox that it did not know yet."""
        for box in await mailboxes.mailboxes(self.account):
            index = await mailboxes.index(box.id)
            if box.id not in heard:
                rows = map(index.row, range(len(index)))
                heard[box.id] = {row.uid: (row.content, row.flags) for row in rows}

    def teardown(self) -> None:
        self.runner.run(self.other_store.close())
        super().teardown()

    def _hear(self, change: Change) -> None:
        """Each bridge's client hears what that one tells: see ``_start``."""

    @rule()
    def restart(self) -> None:
        """Bring one bridge up anew."""
        self.runner.run(self.other_store.close())
        super().restart()

    @rule()
    def take_turns(self) -> None:
        self.store, self.other_store = self.other_store, self.store
        self.mailboxes, self.other = self.other, self.mailboxes
        self.heard, self.elsewhere = self.elsewhere, self.heard
        self.runner.run(self.mailboxes.catch_up())
        self.runner.run(self._select_all(self.mailboxes, self.heard))

    @rule(name=NAME, uids=UIDS, how=st.sampled_from(FlagChange), flags=FLAGS)
    def one_writes_what_the_other_did_not_hear_of(
        self, name: str, uids: list[Uid], how: FlagChange, flags: Flags
    ) -> None:
        box = self.box(name)
        if box is None:
            return

        async def run() -> None:
            await self.other.append(box.id, ingested("elsewhere"), flags, NOW)
            await self.other.change_flags(box.id, uids, how, flags)
            await self.other.expunge(box.id, uids[:1])
            await self.mailboxes.append(box.id, ingested("here"), flags, NOW)

        self.runner.run(run())


def _into(heard: dict[MailboxId, Shown]) -> Callable[[Change], None]:
    def hear(change: Change) -> None:
        if isinstance(change, Added | FlagsChanged | Expunged):
            replay(heard[change.mailbox], change)

    return hear


TwoBridges.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
TestTwoBridges = TwoBridges.TestCase


# -- by example --------------------------------------------------------------------------------


@pytest.fixture
async def elsewhere(tmp_path: Path, store: Store, clock: FakeClock) -> AsyncIterator[Mailboxes]:
    """Another bridge on the same store."""
    other = await open_store(tmp_path)
    yield Mailboxes(other, clock)
    await other.close()


def heard_by(mailboxes: Mailboxes) -> list[Change]:
    changes: list[Change] = []
    mailboxes.subscribe(changes.append)
    return changes


async def test_what_another_bridge_did_is_told_in_the_words_of_changes(
    mailboxes: Mailboxes, elsewhere: Mailboxes, inbox: Mailbox
) -> None:
    rows = [
        await mailboxes.append(inbox.id, ingested(text), frozenset(), NOW) for text in ("a", "b")
    ]
    await mailboxes.index(inbox.id)
    changes = heard_by(mailboxes)
    came = await elsewhere.append(inbox.id, ingested("c"), frozenset({SEEN}), NOW)
    await elsewhere.append(inbox.id, ingested("came and went"), frozenset(), NOW)
    await elsewhere.change_flags(inbox.id, [rows[1].uid], FlagChange.ADD, frozenset({FLAGGED}))
    await elsewhere.expunge(inbox.id, [rows[0].uid, Uid(4)])
    await mailboxes.catch_up()
    assert changes == [
        Expunged(inbox.id, ModSeq(4), (rows[0].uid,)),
        Added(inbox.id, came.modseq, (came,)),
        FlagsChanged(inbox.id, ModSeq(6), ((rows[1].uid, frozenset({FLAGGED})),)),
    ]
    index = await mailboxes.index(inbox.id)
    assert (list(index.uids), index.uid_next, index.highest_modseq) == ([2, 3], 5, 7)
    await mailboxes.catch_up()
    assert len(changes) == 3  # nothing is told twice


async def test_what_is_written_here_after_it_is_told_after_it_and_once(
    mailboxes: Mailboxes, elsewhere: Mailboxes, inbox: Mailbox
) -> None:
    await mailboxes.index(inbox.id)
    changes = heard_by(mailboxes)
    first = await elsewhere.append(inbox.id, ingested("a"), frozenset(), NOW)
    second = await mailboxes.append(inbox.id, ingested("b"), frozenset(), NOW)
    assert changes == [Added(inbox.id, second.modseq, (first, second))]
    assert list((await mailboxes.index(inbox.id)).uids) == [first.uid, second.uid]
    third = await mailboxes.append(inbox.id, ingested("c"), frozenset(), NOW)
    assert changes[1:] == [Added(inbox.id, third.modseq, (third,))]


async def test_a_write_stands_though_what_came_before_it_cannot_be_read(
    mailboxes: Mailboxes,
    elsewhere: Mailboxes,
    inbox: Mailbox,
    store: SqliteStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await mailboxes.index(inbox.id)
    await elsewhere.append(inbox.id, ingested("a"), frozenset(), NOW)
    with monkeypatch.context() as patched:
        patched.setattr(store, "scan", AsyncMock(side_effect=StoreFailed("out of reach")))
        row = await mailboxes.append(inbox.id, ingested("b"), frozenset(), NOW)
    assert row.uid == 2
    await mailboxes.catch_up()
    assert list((await mailboxes.index(inbox.id)).uids) == [1, 2]


async def test_mailboxes_that_another_bridge_made_renamed_and_deleted(
    mailboxes: Mailboxes, elsewhere: Mailboxes, account: AccountId
) -> None:
    old = await elsewhere.write(lambda one: one.create(account, "Gare", None))
    await mailboxes.mailboxes(account)
    changes = heard_by(mailboxes)
    new = await elsewhere.write(lambda one: one.rename(old.id, "Gare/2026"))
    made = await elsewhere.write(lambda one: one.create(account, "Gare", None))
    await mailboxes.catch_up()
    assert changes == [MailboxRenamed(new, "Gare"), MailboxCreated(made)]
    await mailboxes.index(made.id)
    await elsewhere.write(lambda one: one.delete(made.id))
    await mailboxes.catch_up()
    assert changes[2:] == [MailboxDeleted(made)]
    assert await mailboxes.find(account, "Gare") is None
    with pytest.raises(NoSuchMailbox):
        await mailboxes.index(made.id)


async def test_names_that_changed_here_while_the_store_was_read_stay(
    mailboxes: Mailboxes, account: AccountId, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mailboxes.mailboxes(account)
    read = store.read

    async def slow(work: ReadWork[object]) -> object:
        found = await read(work)
        monkeypatch.setattr(store, "read", read)
        await mailboxes.write(lambda one: one.create(account, "Gare", None))
        return found

    monkeypatch.setattr(store, "read", slow)
    changes = heard_by(mailboxes)
    await mailboxes.catch_up()
    assert [type(change) for change in changes] == [MailboxCreated]
    assert await mailboxes.find(account, "Gare") is not None


async def test_what_is_committed_here_while_it_is_followed_is_told_once(
    mailboxes: Mailboxes, inbox: Mailbox, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mailboxes.index(inbox.id)
    changes = heard_by(mailboxes)
    read = store.read

    async def late(work: ReadWork[object]) -> object:
        monkeypatch.setattr(store, "read", read)
        await mailboxes.append(inbox.id, ingested("a"), frozenset(), NOW)
        return await read(work)

    monkeypatch.setattr(store, "read", late)
    await mailboxes.catch_up()
    assert [type(change) for change in changes] == [Added]


async def test_what_is_followed_before_its_commit_is_told_of_here_is_told_once(
    mailboxes: Mailboxes, inbox: Mailbox, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mailboxes.index(inbox.id)
    changes = heard_by(mailboxes)
    write = store.write

    async def late(work: Work[object], committed: Callable[[object], None]) -> object:
        result = await write(work)
        await mailboxes.catch_up()
        committed(result)
        return result

    monkeypatch.setattr(store, "write", late)
    await mailboxes.append(inbox.id, ingested("a"), frozenset(), NOW)
    assert [type(change) for change in changes] == [Added]


async def test_a_list_that_was_read_as_a_mailbox_came_has_it(
    mailboxes: Mailboxes, account: AccountId, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = Mailboxes(store, FakeClock())
    read = store.read

    async def late(work: ReadWork[object]) -> object:
        found = await read(work)
        monkeypatch.setattr(store, "read", read)
        await fresh.write(lambda one: one.create(account, "Gare", None))
        return found

    monkeypatch.setattr(store, "read", late)
    assert "Gare" in [box.name for box in await fresh.mailboxes(account)]


async def test_what_another_did_while_a_mailbox_was_read_is_not_missed(
    mailboxes: Mailboxes,
    elsewhere: Mailboxes,
    inbox: Mailbox,
    store: SqliteStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scan = store.scan

    async def late(work: ReadWork[object]) -> object:
        found = await scan(work)
        await elsewhere.append(inbox.id, ingested("a"), frozenset(), NOW)
        await mailboxes.catch_up({inbox.id}, ())
        return found

    monkeypatch.setattr(store, "scan", late)
    assert len(await mailboxes.index(inbox.id)) == 1


async def test_much_that_another_did_is_read_apart(
    mailboxes: Mailboxes,
    elsewhere: Mailboxes,
    inbox: Mailbox,
    store: SqliteStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = await mailboxes.index(inbox.id)
    scans = AsyncMock(wraps=store.scan)
    monkeypatch.setattr(store, "scan", scans)
    for count, times in ((LITTLE, 0), (LITTLE + 1, 1)):
        for number in range(count):
            await elsewhere.append(inbox.id, ingested(f"{count} {number}"), frozenset(), NOW)
        await mailboxes.catch_up()
        assert scans.await_count == times
    assert len(index) == 2 * LITTLE + 1


async def test_who_asks_while_the_store_is_read_shares_one_read_that_comes_after(
    mailboxes: Mailboxes,
    elsewhere: Mailboxes,
    inbox: Mailbox,
    store: SqliteStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each has been answered elsewhere before it asks here: a read under way may be too old."""
    index = await mailboxes.index(inbox.id)
    read, begun, goes_on = store.read, asyncio.Event(), asyncio.Event()
    asked: list[str] = []

    async def held(work: ReadWork[object]) -> object:
        asked.append(work.__qualname__.split(".")[-3])
        result = await read(work)
        begun.set()
        await goes_on.wait()
        return result

    monkeypatch.setattr(store, "read", held)
    first = asyncio.ensure_future(mailboxes.catch_up({inbox.id}, ()))
    await begun.wait()
    await elsewhere.append(inbox.id, ingested("a"), frozenset(), NOW)
    others = [asyncio.ensure_future(mailboxes.catch_up({inbox.id}, ())) for _ in range(20)]
    await asyncio.sleep(0)
    others.pop().cancel()
    goes_on.set()
    await asyncio.gather(first, *others)
    assert len(index) == 1
    assert asked == ["_stored", "_stored", "_news"]


async def test_who_waits_reads_for_himself_when_another_could_not(
    mailboxes: Mailboxes,
    elsewhere: Mailboxes,
    inbox: Mailbox,
    store: SqliteStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = await mailboxes.index(inbox.id)
    await elsewhere.append(inbox.id, ingested("a"), frozenset(), NOW)
    read = store.read

    async def fails(_work: ReadWork[object]) -> object:
        monkeypatch.setattr(store, "read", read)
        await asyncio.sleep(0)
        raise StoreFailed("gone")

    monkeypatch.setattr(store, "read", fails)
    both = [asyncio.ensure_future(mailboxes.catch_up({inbox.id}, ())) for _ in range(2)]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert [type(one) for one in outcomes] == [StoreFailed, type(None)]
    assert len(index) == 1
