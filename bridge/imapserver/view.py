"""One session's mailbox: which message has which number, and what the client was not told yet.

Sequence numbers move only when an EXPUNGE (or VANISHED) is told, which is not allowed at every
moment (RFC 3501 §7.4.1). So committed changes wait here until ``flush``. As long as everything
was told, the view reads the mailbox's shared array of UIDs; only between a change and its telling
has it a copy of its own.

Pure: no I/O. A client that replays what ``flush`` returns agrees with ``uids`` after each step.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

from bridge.imap import responses
from bridge.imap.sequence import SequenceSet
from bridge.mailbox.index import MailboxIndex
from bridge.model import Added, Expunged, Flags, FlagsChanged, MessageChange, Uid

FlagsOf = Callable[[int, Flags], Sequence[str]]
"""A message's flags as this session sees them (UID, flags): with ``\\Recent`` where it is so."""


MOST_FLAGS = 2000
"""Messages whose flags are told at once."""


class Columns(NamedTuple):
    """A mailbox's messages as parallel sequences; an expunge leaves them as they are."""

    uids: Sequence[int]
    modseqs: Sequence[int]
    flags: Sequence[Flags]
    internal_dates: Sequence[int]
    zones: Sequence[int]
    saved_dates: Sequence[int]
    sizes: Sequence[int]
    contents: Sequence[int]


def columns_of(index: MailboxIndex) -> Columns:
    """Return the index's columns as they are now."""
    return Columns(
        index.uids,
        index.modseqs,
        index.flags,
        index.internal_dates,
        index.zones,
        index.saved_dates,
        index.sizes,
        index.contents,
    )


class View:
    """See the module.

    Attributes:
        condstore: UID and MODSEQ are shown with flags that nobody asked for (RFC 7162 §3.2.4).
        qresync: VANISHED instead of EXPUNGE (RFC 7162 §3.2.10).
        behind: ``flush`` had more to say than it says at once.
    """

    def __init__(self, index: MailboxIndex) -> None:
        self.condstore = False
        self.qresync = False
        self.behind = False
        self._index = index
        self._told = columns_of(index)
        self._uids = index.uids
        self._count = len(index.uids)
        self._loaded_modseq = index.highest_modseq
        self._pending: list[MessageChange] = []

    def __len__(self) -> int:
        return self._count

    @property
    def index(self) -> MailboxIndex:
        """The mailbox as it is, which may be ahead of what was told."""
        return self._index

    @property
    def pending(self) -> bool:
        """Whether something waits to be told."""
        return bool(self._pending)

    @property
    def largest_uid(self) -> int:
        """The UID of the last message known, 0 in an empty mailbox."""
        return self._uids[self._count - 1] if self._count else 0

    def uid(self, number: int) -> int:
        """Return the UID of sequence number ``number``."""
        return self._uids[number - 1]

    def uids(self, numbers: Sequence[int]) -> list[Uid]:
        """Return the UIDs of sequence numbers."""
        if isinstance(numbers, range):  # neighbours: one copy
            return cast(list[Uid], list(self._uids[numbers.start - 1 : numbers.stop - 1]))
        return [Uid(self._uids[number - 1]) for number in numbers]

    def number(self, uid: int) -> int | None:
        """Return the sequence number of ``uid``, None if the client knows of none."""
        at = bisect_left(self._uids, uid)
        return at + 1 if at < self._count and self._uids[at] == uid else None

    def numbers(self, wanted: SequenceSet, *, uid: bool) -> Sequence[int]:
        """Return the sequence numbers of a set, ascending; unknown UIDs are passed over.

        Raises:
            IndexError: a sequence number is beyond the mailbox.
        """
        spans = [self._span(*span, uid=uid) for span in self._resolved(wanted, uid=uid)]
        if len(spans) == 1:
            return spans[0]
        return [number for span in spans for number in span]

    def spans(self, wanted: SequenceSet, *, uid: bool) -> list[tuple[int, int]]:
        """Return the sequence numbers of a set as ascending ranges, as far as there are such."""
        spans = self._resolved(wanted, uid=uid)
        if not uid:
            return [(low, min(high, self._count)) for low, high in spans if low <= self._count]
        found = (self._span(low, high, uid=True) for low, high in spans)
        return [(one.start, one.stop - 1) for one in found if one]

    def _resolved(self, wanted: SequenceSet, *, uid: bool) -> tuple[tuple[int, int], ...]:
        return wanted.resolve(self.largest_uid if uid else self._count)

    def _span(self, low: int, high: int, *, uid: bool) -> range:
        if not uid:
            if high > self._count:
                raise IndexError(high)
            return range(low, high + 1)
        start = bisect_left(self._uids, low, 0, self._count)
        return range(start + 1, bisect_left(self._uids, high + 1, start, self._count) + 1)

    def all_told(self) -> bool:
        """Say whether numbers here are positions in the index."""
        return self._uids is self._index.uids

    def position(self, number: int) -> int | None:
        """Return where message ``number`` stands in the index; None if it was expunged."""
        if self._uids is self._index.uids:
            return number - 1
        return self._index.position(self._uids[number - 1])

    def ghost(self, number: int) -> tuple[Columns, int] | None:
        """Return where the last known state of an expunged message is kept, if it is."""
        uid = self._uids[number - 1]
        at = bisect_left(self._told.uids, uid)
        if at < len(self._told.uids) and self._told.uids[at] == uid:
            return self._told, at
        return None

    # -- changes -----------------------------------------------------------------------------

    def note(self, change: MessageChange) -> None:
        """Take in a committed change, to be told later.

        One that the index was loaded with may be published after that, and was told by SELECT.
        """
        if change.modseq > self._loaded_modseq:
            self._pending.append(change)

    def forget_flags(self, modseq: int) -> None:
        """Drop a change of flags that this session made and answers for itself."""
        self._pending = [
            change
            for change in self._pending
            if not (isinstance(change, FlagsChanged) and change.modseq == modseq)
        ]

    def flush(self, flags_of: FlagsOf, *, allow_expunge: bool, flags: bool = True) -> list[bytes]:
        """Return the lines that bring the client up to date, and take them as told.

        Expunges wait unless they are allowed, changes of flags without ``flags``, and beyond
        ``MOST_FLAGS`` of them.

        Expunges come first, then what was added, then flags in the order of their changes. A
        message that came and went since the last time is not spoken of.
        """
        if not self._pending:
            return []
        pending, self._pending = self._pending, []
        self.behind = False
        expunges = [change for change in pending if isinstance(change, Expunged)]
        gone = {uid for change in expunges for uid in change.uids}
        lines: list[bytes] = []
        if gone:
            self._uids = self._uids[: self._count]  # the shared array is not ours to change
            if allow_expunge:
                lines += self._expunge(gone)
            else:
                self._pending += expunges
        added: list[int] = []
        changed: set[int] = set()
        for change in pending:
            match change:
                case Added(messages=messages):
                    added += [one.uid for one in messages if one.uid not in gone]
                case FlagsChanged() if not flags:
                    self._pending.append(change)
                case FlagsChanged(flags=new):
                    room = max(MOST_FLAGS - len(changed), 0)
                    changed.update(uid for uid, _ in new[:room])
                    if room < len(new):
                        self._pending.append(replace(change, flags=new[room:]))
                        self.behind = True
        lines += self._add(added)
        lines += self._flag_lines(changed, flags_of)
        if not self._pending:
            self._told = columns_of(self._index)
            self._uids = self._index.uids
            self._count = len(self._uids)
        return lines

    def _add(self, uids: Sequence[int]) -> list[bytes]:
        if not uids:
            return []
        if self._uids is not self._index.uids:
            self._uids.extend(uids)
        self._count += len(uids)
        return [b"* %d EXISTS\r\n" % self._count]

    def _expunge(self, gone: set[Uid]) -> list[bytes]:
        places = [at for at, uid in enumerate(self._uids) if uid in gone]
        if not places:
            return []
        told = [self._uids[at] for at in places]
        self._uids = array("I", [uid for uid in self._uids if uid not in gone])
        self._count = len(self._uids)
        if self.qresync:
            return [responses.vanished(told, earlier=False)]
        return [b"* %d EXPUNGE\r\n" % (at + 1) for at in reversed(places)]

    def _flag_lines(self, changed: set[int], flags_of: FlagsOf) -> Iterator[bytes]:
        """Tell flags as they are now: a FETCH may have told newer ones than a change holds."""
        index = self._index
        places = [at for at in map(index.position, changed) if at is not None]
        for at in sorted(places, key=index.modseqs.__getitem__):
            uid = index.uids[at]
            number = self.number(uid)
            if number is not None:
                flags = flags_of(uid, index.flags[at])
                yield self.flags_line(number, uid, flags, index.modseqs[at], uid_too=False)

    def flags_line(
        self, number: int, uid: int, flags: Sequence[str], modseq: int, *, uid_too: bool
    ) -> bytes:
        """Return the FETCH line that tells a message's flags.

        Args:
            number: the message's sequence number.
            uid: its UID.
            flags: as this session sees them.
            modseq: shown if the client was told of MODSEQs.
            uid_too: whether the UID is shown where it need not be.
        """
        items = []
        if uid_too or self.condstore:
            items.append(b"UID %d" % uid)
        items.append(b"FLAGS " + responses.flags(flags))
        if self.condstore:
            items.append(b"MODSEQ (%d)" % modseq)
        return b"* %d FETCH (%b)\r\n" % (number, b" ".join(items))
