"""Which message has which number: a table, and a client that replays what it is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.imap.sequence import SequenceSet
from bridge.imapserver.view import View
from bridge.mailbox import MailboxIndex
from bridge.model import (
    INBOX,
    AccountId,
    Added,
    ContentId,
    Expunged,
    Flag,
    Flags,
    FlagsChanged,
    Mailbox,
    MailboxId,
    MessageChange,
    MessageRow,
    ModSeq,
    Uid,
)
from tests.store.made import NOW

BOX = MailboxId(1)
NONE: Flags = frozenset()
SEEN: Flags = frozenset({Flag("\\Seen")})


def row(uid: int, modseq: int) -> MessageRow:
    return MessageRow(Uid(uid), ModSeq(modseq), NONE, NOW, NOW, 10, ContentId(uid))


@dataclass(slots=True)
class Box:
    """A mailbox whose changes reach its index and every view, as ``Mailboxes`` does it."""

    index: MailboxIndex
    views: list[View] = field(default_factory=list)
    published: list[MessageChange] = field(default_factory=list)

    @classmethod
    def of(cls, count: int) -> Box:
        mailbox = Mailbox(BOX, AccountId(1), INBOX, 1, Uid(count + 1), ModSeq(1))
        rows = [(uid, 1, "", 0, 0, 0, 10, uid) for uid in range(1, count + 1)]
        return cls(MailboxIndex(mailbox, rows))

    def view(self) -> View:
        view = View(self.index)
        self.views.append(view)
        return view

    def publish(self, change: MessageChange) -> None:
        self.index.apply(change)
        self.published.append(change)
        for view in self.views:
            view.note(change)

    @property
    def next(self) -> ModSeq:
        return ModSeq(self.index.highest_modseq + 1)

    def add(self, count: int = 1) -> None:
        first, modseq = self.index.uid_next, self.next
        rows = tuple(row(first + at, modseq) for at in range(count))
        self.publish(Added(BOX, modseq, rows))

    def expunge(self, *uids: int) -> None:
        self.publish(Expunged(BOX, self.next, tuple(map(Uid, uids))))

    def flag(self, flags: Flags, *uids: int) -> None:
        self.publish(FlagsChanged(BOX, self.next, tuple((Uid(uid), flags) for uid in uids)))


def told(view: View, *, allow_expunge: bool = True, flags: bool = True) -> list[str]:
    lines = view.flush(lambda _, held: sorted(held), allow_expunge=allow_expunge, flags=flags)
    return [line.decode().removeprefix("* ").removesuffix("\r\n") for line in lines]


def test_nothing_happened() -> None:
    assert told(Box.of(3).view()) == []


def test_additions_are_told_as_one() -> None:
    box = Box.of(2)
    view = box.view()
    box.add(2)
    box.add()
    assert len(view) == 2
    assert told(view) == ["5 EXISTS"]
    assert len(view) == 5


def test_expunges_are_told_from_the_last() -> None:
    box = Box.of(5)
    view = box.view()
    box.expunge(2)
    box.expunge(3, 5)
    assert told(view) == ["5 EXPUNGE", "3 EXPUNGE", "2 EXPUNGE"]
    assert [view.uid(number) for number in (1, 2)] == [1, 4]


def test_expunges_wait_and_numbers_stay() -> None:
    box = Box.of(3)
    view = box.view()
    box.expunge(1)
    box.add()
    assert told(view, allow_expunge=False) == ["4 EXISTS"]
    assert [view.uid(number) for number in range(1, 5)] == [1, 2, 3, 4]
    assert view.position(1) is None
    assert view.position(4) == 2
    assert told(view) == ["1 EXPUNGE"]
    assert view.uid(3) == 4


def test_a_message_that_came_and_went_is_not_spoken_of() -> None:
    box = Box.of(1)
    view = box.view()
    box.add()
    box.flag(SEEN, 2)
    box.expunge(2)
    assert told(view, allow_expunge=False) == []
    assert told(view) == []
    assert not view.pending


def test_flags_are_told_as_they_are_now() -> None:
    box = Box.of(2)
    view = box.view()
    view.condstore = True
    box.flag(SEEN, 1)
    box.flag(SEEN, 2)
    box.flag(NONE, 1)
    assert told(view) == [
        "2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (3))",
        "1 FETCH (UID 1 FLAGS () MODSEQ (4))",
    ]


def test_own_flags_are_not_told_again() -> None:
    box = Box.of(2)
    view, other = box.view(), box.view()
    box.flag(SEEN, 1)
    view.forget_flags(box.index.highest_modseq)
    assert told(view) == []
    assert told(other) == ["1 FETCH (FLAGS (\\Seen))"]


def test_what_another_flagged_meanwhile_is_told_beside_own_flags() -> None:
    box = Box.of(2)
    view = box.view()
    box.flag(SEEN, 2)
    box.flag(SEEN, 1)
    view.forget_flags(box.index.highest_modseq)
    assert told(view) == ["2 FETCH (FLAGS (\\Seen))"]


CHANGES: dict[str, Callable[[Box], None]] = {
    "added": lambda box: box.add(2),
    "flagged": lambda box: box.flag(SEEN, 1),
    "expunged": lambda box: box.expunge(2),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_it_was_made_with_is_not_told(change: Callable[[Box], None]) -> None:
    box = Box.of(3)
    change(box)
    late = box.view()
    late.note(box.published[-1])  # committed before, and published after it was loaded
    assert told(late) == []
    box.add()
    assert told(late) == [f"{len(box.index)} EXISTS"]


def test_flags_can_wait() -> None:
    box = Box.of(1)
    view = box.view()
    box.flag(SEEN, 1)
    box.add()
    assert told(view, flags=False) == ["2 EXISTS"]
    assert told(view) == ["1 FETCH (FLAGS (\\Seen))"]


def test_qresync_speaks_of_uids() -> None:
    box = Box.of(5)
    view = box.view()
    view.condstore = view.qresync = True
    box.expunge(2, 3)
    box.flag(SEEN, 4)
    assert told(view) == ["VANISHED 2:3", "2 FETCH (UID 4 FLAGS (\\Seen) MODSEQ (3))"]


def test_a_ghost_keeps_its_last_state() -> None:
    box = Box.of(2)
    view = box.view()
    box.flag(SEEN, 1)
    box.expunge(1)
    ghost = view.ghost(1)
    assert ghost is not None
    columns, at = ghost
    assert (columns.uids[at], columns.flags[at]) == (1, SEEN)


def test_of_what_came_and_went_untold_no_other_is_shown_in_its_place() -> None:
    """Its EXISTS was told while an EXPUNGE had to wait: no last state of it was kept."""
    box = Box.of(2)
    view = box.view()
    box.expunge(1)
    box.add(2)
    assert told(view, allow_expunge=False) == ["4 EXISTS"]
    box.expunge(3)
    assert view.position(3) is None
    assert view.ghost(3) is None


@pytest.mark.parametrize("is_told", [True, False])
def test_a_number_stands_where_its_uid_does(is_told: bool) -> None:
    box = Box.of(4)
    view = box.view()
    box.expunge(2)
    if is_told:
        assert told(view) == ["2 EXPUNGE"]
    places = {view.uid(number): view.position(number) for number in range(1, len(view) + 1)}
    assert places == {1: 0, 3: 1, 4: 2} | ({} if is_told else {2: None})


NUMBERS = {
    "all": (((1, 0),), False, [1, 2, 3]),
    "by UID": (((2, 9),), True, [2, 3]),
    "unknown UIDs": (((7, 9),), True, []),
    "star by UID": (((9, 0),), True, [3]),
    "several": (((3, 3), (1, 1)), False, [1, 3]),
}


@pytest.mark.parametrize(("ranges", "uid", "expected"), NUMBERS.values(), ids=NUMBERS.keys())
def test_numbers(ranges: tuple[tuple[int, int], ...], uid: bool, expected: list[int]) -> None:
    assert list(Box.of(3).view().numbers(SequenceSet(ranges), uid=uid)) == expected


@pytest.mark.parametrize("numbers", [range(2, 4), [2, 4], range(4, 5), [], range(1, 1)], ids=repr)
def test_the_uids_of_numbers(numbers: range | list[int]) -> None:
    """By these messages are expunged and moved."""
    box = Box.of(5)
    box.expunge(1)
    view = box.view()
    assert view.uids(numbers) == [number + 1 for number in numbers]


@pytest.mark.parametrize("uid", [True, False])
@pytest.mark.parametrize(
    ("wanted", "spans"),
    [((3, 3), [(3, 3)]), ((2, 9), [(2, 3)]), ((4, 9), []), ((1, 1), [(1, 1)])],
)
def test_spans_end_with_the_mailbox(
    wanted: tuple[int, int], spans: list[tuple[int, int]], uid: bool
) -> None:
    assert Box.of(3).view().spans(SequenceSet((wanted,)), uid=uid) == spans


def test_a_number_beyond_the_mailbox() -> None:
    with pytest.raises(IndexError):
        Box.of(3).view().numbers(SequenceSet(((2, 4),)), uid=False)


@pytest.mark.parametrize(("uid", "number"), [(1, 1), (2, None), (3, 2), (5, None)])
def test_a_uid_that_the_client_does_not_know_has_no_number(uid: int, number: int | None) -> None:
    box = Box.of(4)
    view = box.view()
    box.expunge(2)
    assert told(view) == ["2 EXPUNGE"]
    box.add()  # UID 5, and nobody was told
    assert view.number(uid) == number
    assert list(view.numbers(SequenceSet(((uid, uid + 3),)), uid=True)) == [
        at for at in range(1, 4) if uid <= view.uid(at) <= uid + 3
    ]


def test_so_many_flags_are_told_at_once_and_the_rest_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.imapserver.view.MOST_FLAGS", 2)
    view = (box := Box.of(3)).view()
    box.flag(SEEN, 1, 2, 3)
    assert told(view) == [f"{number} FETCH (FLAGS (\\Seen))" for number in (1, 2)]
    assert (view.behind, view.pending) == (True, True)
    assert told(view) == ["3 FETCH (FLAGS (\\Seen))"]
    assert (view.behind, view.pending) == (False, False)


@dataclass(slots=True)
class ModelClient:
    """Knows only what it was told."""

    uids: list[int | None]
    flags: dict[int, frozenset[str]] = field(default_factory=dict)

    def hear(self, lines: list[str]) -> None:
        for line in lines:
            if match := re.fullmatch(r"(\d+) EXISTS", line):
                assert int(match[1]) > len(self.uids)
                self.uids += [None] * (int(match[1]) - len(self.uids))
            elif match := re.fullmatch(r"(\d+) EXPUNGE", line):
                del self.uids[int(match[1]) - 1]
            elif match := re.fullmatch(r"VANISHED (\S+)", line):
                gone = _numbers(match[1])
                assert gone <= {uid for uid in self.uids if uid is not None}
                self.uids = [uid for uid in self.uids if uid not in gone]
            else:
                match = re.fullmatch(r"(\d+) FETCH \((?:UID (\d+) )?FLAGS \((.*)\)\)", line)
                assert match is not None, line
                number = int(match[1])
                assert number <= len(self.uids)
                if match[2]:
                    assert self.uids[number - 1] in (None, int(match[2]))
                uid = self.uids[number - 1]
                if uid is not None:
                    self.flags[uid] = frozenset(match[3].split())

    def learn(self, view: View) -> None:
        """Ask for the UIDs of what it was told of, as FETCH UID does."""
        for at, known in enumerate(self.uids):
            assert known in (None, view.uid(at + 1))
            self.uids[at] = view.uid(at + 1)


def _numbers(written: str) -> set[int]:
    spans = [part.split(":") for part in written.split(",")]
    return {number for span in spans for number in range(int(span[0]), int(span[-1]) + 1)}


EVENTS = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 3)),
    st.tuples(st.just("expunge"), st.sets(st.integers(1, 12), min_size=1, max_size=4)),
    st.tuples(st.just("flag"), st.sets(st.integers(1, 12), min_size=1, max_size=3)),
    st.tuples(st.just("flush"), st.booleans(), st.booleans()),
)


@given(st.integers(0, 6), st.booleans(), st.lists(EVENTS, max_size=25))
def test_a_client_that_replays_what_it_is_told_agrees(
    count: int, qresync: bool, events: list[tuple[object, ...]]
) -> None:
    box = Box.of(count)
    view = box.view()
    view.qresync = qresync
    client = ModelClient(list(range(1, count + 1)))
    seen: set[int] = set()
    for kind, *arguments in events:
        there = set(box.index.uids)
        if kind == "add":
            box.add(arguments[0])  # type: ignore[arg-type]
        elif kind == "flush":
            client.hear(told(view, allow_expunge=bool(arguments[0]), flags=bool(arguments[1])))
            client.learn(view)
        elif uids := sorted(there & arguments[0]):  # type: ignore[operator]
            if kind == "expunge":
                box.expunge(*uids)
            else:
                new = [uid for uid in uids if uid not in seen]
                seen.update(uids)
                if new:
                    box.flag(SEEN, *new)
    client.hear(told(view))
    client.learn(view)
    assert client.uids == list(box.index.uids)
    assert not view.pending
    known = {uid for uid, flags in client.flags.items() if "\\Seen" in flags}
    assert known & set(box.index.uids) <= seen


def test_a_client_that_was_told_as_much_as_may_be_is_not_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.imapserver.view.MOST_FLAGS", 2)
    box = Box.of(3)
    view = box.view()
    box.flag(SEEN, 1, 2)
    assert len(told(view)) == 2
    assert (view.behind, view.pending) == (False, False)
