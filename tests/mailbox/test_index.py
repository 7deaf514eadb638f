"""The index in memory equals the store, whatever was done to the mailboxes, in any order."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.mailbox import FlagChange, Mailboxes, MailboxIndex, MailboxTransaction
from bridge.mailbox.transaction import TooManyKeywords
from bridge.model import (
    DELETED,
    FLAGGED,
    SEEN,
    AccountId,
    Added,
    Change,
    ContentId,
    Expunged,
    Flag,
    Flags,
    FlagsChanged,
    Mailbox,
    MailboxId,
    MessageChange,
    ModSeq,
    SpecialUse,
    Uid,
)
from bridge.store.base import ReadTransaction
from bridge.store.sqlite import SqliteStore
from tests.fakes import FakeClock
from tests.store.made import NOW, ingested

NAMES = ("INBOX", "Sent", "Gare", "Gare/2026")
FLAGS = st.frozensets(
    st.sampled_from([SEEN, FLAGGED, DELETED, Flag("$PecAccepted"), Flag("$Work")])
)
UIDS = st.sets(st.integers(1, 8), min_size=1, max_size=4).map(sorted)
NAME = st.sampled_from(NAMES)

Shown = dict[Uid, tuple[ContentId, Flags]]
"""A mailbox as a client knows it that heard of every change."""

COLUMNS = [name for name in MailboxIndex.__slots__ if name != "keywords" and name[0] != "_"]


def replay(shown: Shown, change: MessageChange) -> None:
    match change:
        case Added(messages=messages):
            for message in messages:
                assert not shown or message.uid > max(shown)
                shown[message.uid] = (message.content, message.flags)
        case FlagsChanged(flags=changed):
            for uid, flags in changed:
                shown[uid] = (shown[uid][0], flags)
        case Expunged(uids=uids):
            for uid in uids:
                del shown[uid]


class Account(RuleBasedStateMachine):
    """One account over a real store, with a client that only listens to changes."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.heard: dict[MailboxId, Shown] = defaultdict(dict)
        self.modseqs: dict[MailboxId, int] = defaultdict(lambda: 1)
        self.highest_uid: dict[MailboxId, int] = defaultdict(int)
        self.validities: dict[MailboxId, int] = {}

    @initialize()
    def start(self) -> None:
        self.runner.run(self._start())

    async def _start(self) -> None:
        self.store = await SqliteStore.open(Path(self.folder.name))
        self.mailboxes = Mailboxes(self.store, self.clock)
        self.mailboxes.subscribe(self._hear)
        self.account: AccountId = await self.mailboxes.open_account("a@pec.example")

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    def _hear(self, change: Change) -> None:
        if isinstance(change, Added | FlagsChanged | Expunged):
            assert change.modseq > self.modseqs[change.mailbox]
            self.modseqs[change.mailbox] = change.modseq
            if isinstance(change, Added):
                assert change.messages[0].uid > self.highest_uid[change.mailbox]
                self.highest_uid[change.mailbox] = change.messages[-1].uid
            replay(self.heard[change.mailbox], change)

    def box(self, name: str) -> Mailbox | None:
        return self.runner.run(self.mailboxes.find(self.account, name))

    # -- what can happen -----------------------------------------------------------------------

    @rule(name=NAME, number=st.integers(0, 6), flags=FLAGS)
    def append(self, name: str, number: int, flags: Flags) -> None:
        box = self.box(name)
        if box is not None:
            message = ingested(f"n. {number}", message_id=f"<{number}@x>")
            self.runner.run(self.mailboxes.append(box.id, message, flags, NOW))

    @rule(name=NAME, uids=UIDS, how=st.sampled_from(FlagChange), flags=FLAGS)
    def change_flags(self, name: str, uids: list[Uid], how: FlagChange, flags: Flags) -> None:
        box = self.box(name)
        if box is not None:
            self.runner.run(self.mailboxes.change_flags(box.id, uids, how, flags))

    @rule(source=NAME, goal=NAME, uids=UIDS, move=st.booleans())
    def copy_or_move(self, source: str, goal: str, uids: list[Uid], move: bool) -> None:
        here, there = self.box(source), self.box(goal)
        if here is not None and there is not None:
            act = self.mailboxes.move if move else self.mailboxes.copy
            self.runner.run(act(here.id, uids, there))

    @rule(name=NAME, uids=UIDS)
    def expunge(self, name: str, uids: list[Uid]) -> None:
        box = self.box(name)
        if box is not None:
            self.runner.run(self.mailboxes.expunge(box.id, uids))

    @rule(number=st.integers(0, 6), flags=FLAGS)
    def several_things_in_one_commit(self, number: int, flags: Flags) -> None:
        inbox = self.box("INBOX")
        assert inbox is not None

        async def work(transaction: MailboxTransaction) -> None:
            row = await transaction.append(inbox.id, ingested(f"n. {number}"), flags, NOW)
            await transaction.flag_sent(
                self.account, row.content, "", frozenset({SEEN}), frozenset({FLAGGED})
            )
            await transaction.withdraw(inbox.id, row.content)
            await transaction.append(inbox.id, ingested(f"n. {number + 1}"), flags, NOW)

        self.runner.run(self.mailboxes.write(work))

    @rule(name=NAME)
    def several_at_once(self, name: str) -> None:
        box = self.box(name)
        if box is None:
            return

        async def run() -> None:
            append = self.mailboxes.append
            await asyncio.gather(
                append(box.id, ingested("at once, 1"), frozenset(), NOW),
                self.mailboxes.expunge(box.id, [Uid(1), Uid(2)]),
                append(box.id, ingested("at once, 2"), frozenset({SEEN}), NOW),
                self.mailboxes.change_flags(box.id, [Uid(3)], FlagChange.ADD, frozenset({FLAGGED})),
            )

        self.runner.run(run())

    @precondition(lambda self: self.box("Gare") is None)
    @rule(use=st.sampled_from([None, SpecialUse.JUNK]))
    def create(self, use: SpecialUse | None) -> None:
        self.runner.run(self.mailboxes.write(lambda one: one.create(self.account, "Gare", use)))

    @precondition(lambda self: self.box("Gare") is not None)
    @rule()
    def delete(self) -> None:
        box = self.box("Gare")
        assert box is not None
        self.runner.run(self.mailboxes.write(lambda one: one.delete(box.id)))
        assert self.heard.pop(box.id, {}) == {}

    @precondition(lambda self: self.box("Gare") is not None and self.box("Gare/2026") is None)
    @rule()
    def rename(self) -> None:
        box = self.box("Gare")
        assert box is not None
        self.runner.run(self.mailboxes.write(lambda one: one.rename(box.id, "Gare/2026")))

    @rule()
    def restart(self) -> None:
        self.runner.run(self.store.close())
        self.start()

    # -- what must hold ------------------------------------------------------------------------

    @invariant()
    def the_index_is_the_store(self) -> None:
        self.runner.run(self._compare())

    async def _compare(self) -> None:
        for box in await self.mailboxes.mailboxes(self.account):
            live = await self.mailboxes.index(box.id)

            async def load(tx: ReadTransaction, box: Mailbox = box) -> MailboxIndex:
                stored = await tx.mailbox(box.id)
                assert stored is not None
                index, last = MailboxIndex(stored), 0
                while rows := await tx.index_rows(box.id, after=last, limit=2):
                    index.load(rows)
                    last = rows[-1][0]
                return index

            fresh = await self.store.scan(load)
            for column in COLUMNS:
                assert getattr(live, column) == getattr(fresh, column), (box.name, column)
            for position, uid in enumerate(live.uids):
                assert live.position(uid) == position
            known = zip(live.contents, live.flags, strict=True)
            assert dict(zip(live.uids, known, strict=True)) == self.heard[box.id], box.name
            assert self.validities.setdefault(box.id, box.uid_validity) == box.uid_validity


Account.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
TestAccount = Account.TestCase


def test_flags_of_what_is_not_there_are_no_other_messages() -> None:
    rows = [(uid, 1, "", 0, 0, 0, 10, uid) for uid in (1, 3)]
    index = MailboxIndex(Mailbox(MailboxId(1), AccountId(1), "INBOX", 1, Uid(4), ModSeq(1)), rows)
    seen = frozenset({SEEN})
    index.apply(FlagsChanged(MailboxId(1), ModSeq(2), ((Uid(2), seen), (Uid(4), seen))))
    assert index.flags == [frozenset(), frozenset()]


def test_keywords_that_no_message_has_any_more_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.mailbox.index.KEYWORDS", 2)
    box = Mailbox(MailboxId(1), AccountId(1), "INBOX", 1, Uid(2), ModSeq(1))
    index = MailboxIndex(box, [(1, 1, "$Uno $Due", 0, 0, 0, 10, 1)])
    three = [Flag("$Tre")]
    with pytest.raises(TooManyKeywords):
        index.check_room(three)
    index.apply(FlagsChanged(box.id, ModSeq(2), ((Uid(1), frozenset({Flag("$Uno")})),)))
    index.check_room(three)
    assert set(index.keywords) == {"$uno"}
