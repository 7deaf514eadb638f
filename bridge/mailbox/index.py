"""One mailbox in memory: all that SELECT, STATUS, FLAGS and UID ask for, shared by all sessions.

Parallel arrays in UID order, loaded once, kept current by applying each committed change. A
session never copies them: additions extend the arrays in place (a session remembers how many
messages it knows of), an expunge builds new ones, so a session that was not told yet keeps
reading the old ``uids``. 10,000 messages take about 500 KB, once.

Only ``mailbox.indexes`` may call ``apply`` and ``follow``.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone

from bridge.limits import KEYWORDS
from bridge.mailbox.transaction import TooManyKeywords
from bridge.model import (
    DELETED,
    SEEN,
    Added,
    ContentId,
    Expunged,
    Flag,
    Flags,
    FlagsChanged,
    Mailbox,
    MessageChange,
    MessageRow,
    ModSeq,
    Uid,
)
from bridge.store.messages import IndexRow

SHARED_SPARE = 1000
"""Sets of flags that may be remembered beyond those in use."""


class MailboxIndex:
    """A mailbox's messages by position (0 is the first); read-only for its users.

    Attributes:
        uids, modseqs, flags, sizes, contents, internal_dates, zones, saved_dates: one entry per
            message. Dates are seconds since 1970 UTC, zones minutes east of it.
        keywords: each keyword in use, by its folded name, as first spelled here.
        uid_next, highest_modseq: as after the last commit told.
        unseen, deleted, size_bytes: counts over all messages.
    """

    __slots__ = (
        "_shared",
        "contents",
        "deleted",
        "flags",
        "highest_modseq",
        "internal_dates",
        "keywords",
        "mailbox",
        "modseqs",
        "saved_dates",
        "size_bytes",
        "sizes",
        "uid_next",
        "uids",
        "unseen",
        "zones",
    )

    def __init__(self, mailbox: Mailbox, rows: Sequence[IndexRow] = ()) -> None:
        self.mailbox = mailbox.id
        self.uid_next = mailbox.uid_next
        self.highest_modseq = mailbox.highest_modseq
        self.uids = array("I")
        self.modseqs = array("Q")
        self.flags: list[Flags] = []
        self.internal_dates = array("q")
        self.zones = array("h")
        self.saved_dates = array("q")
        self.sizes = array("Q")
        self.contents = array("q")
        self._shared: dict[Flags, Flags] = {}
        self.keywords: dict[str, Flag] = {}
        self.unseen = self.deleted = self.size_bytes = 0
        self.load(rows)

    def load(self, rows: Sequence[IndexRow]) -> None:
        """Take in the stored messages that come next; nobody else may know the index yet."""
        if not rows:
            return
        uids, modseqs, names, dates, zones, saved, sizes, contents = zip(*rows, strict=True)
        flags = self._interned(names)
        self.uids.extend(uids)
        self.modseqs.extend(modseqs)
        self.flags.extend(flags)
        self.internal_dates.extend(dates)
        self.zones.extend(zones)
        self.saved_dates.extend(saved)
        self.sizes.extend(sizes)
        self.contents.extend(contents)
        self.unseen += sum(SEEN not in one for one in flags)
        self.deleted += sum(DELETED in one for one in flags)
        self.size_bytes += sum(sizes)

    def __len__(self) -> int:
        return len(self.uids)

    def position(self, uid: int) -> int | None:
        """Return where ``uid`` stands; None if it doesn't."""
        position = bisect_left(self.uids, uid)
        if position < len(self.uids) and self.uids[position] == uid:
            return position
        return None

    def row(self, position: int) -> MessageRow:
        """Return one message as a value."""
        zone = timezone(timedelta(minutes=self.zones[position]))
        return MessageRow(
            Uid(self.uids[position]),
            ModSeq(self.modseqs[position]),
            self.flags[position],
            datetime.fromtimestamp(self.internal_dates[position], zone),
            datetime.fromtimestamp(self.saved_dates[position], UTC),
            self.sizes[position],
            ContentId(self.contents[position]),
        )

    def spelled(self, flags: Iterable[Flag]) -> Flags:
        """Return flags with each keyword as this mailbox spells it already."""
        return frozenset(self.keywords.get(flag.casefold(), flag) for flag in flags)

    def check_room(self, flags: Iterable[Flag]) -> None:
        """Make sure that there is room for the keywords among ``flags``.

        Raises:
            TooManyKeywords: there would be more than ``KEYWORDS`` in use.
        """
        new = {flag.casefold() for flag in flags if not flag.startswith("\\")}
        new -= self.keywords.keys()
        if not new or len(self.keywords) + len(new) <= KEYWORDS:
            return
        self.keywords.clear()
        for held in set(self.flags):  # what is not in use any more makes room
            self._learn_keywords(held)
        if len(self.keywords | dict.fromkeys(new)) > KEYWORDS:
            raise TooManyKeywords

    def apply(self, change: MessageChange) -> None:
        """Take a committed change in; one that was loaded with the rest is passed over."""
        if change.modseq <= self.highest_modseq:
            return
        self.highest_modseq = change.modseq
        self._take(change)

    def follow(self, changes: Sequence[MessageChange], mailbox: Mailbox) -> None:
        """Take in all that was changed elsewhere until the mailbox stood as it does in the store.

        Args:
            changes: those, see ``mailbox.following``.
            mailbox: its numbers then.
        """
        for change in changes:
            self._take(change)
        self.uid_next = mailbox.uid_next
        self.highest_modseq = mailbox.highest_modseq

    def _take(self, change: MessageChange) -> None:
        match change:
            case Added():
                for message in change.messages:
                    self._add(message)
            case FlagsChanged():
                self._set_flags(change.flags, change.modseq)
            case Expunged():
                self._remove(change.uids)

    def _add(self, message: MessageRow) -> None:
        offset = message.internal_date.utcoffset() or timedelta()
        self.uids.append(message.uid)
        self.modseqs.append(message.modseq)
        self.flags.append(self._share(message.flags))
        self.internal_dates.append(int(message.internal_date.timestamp()))
        self.zones.append(int(offset.total_seconds() // 60))
        self.saved_dates.append(int(message.saved_at.timestamp()))
        self.sizes.append(message.size_bytes)
        self.contents.append(message.content)
        self.uid_next = Uid(message.uid + 1)
        self.size_bytes += message.size_bytes
        self._count(message.flags, 1)
        self._learn_keywords(message.flags)

    def _set_flags(self, changed: Sequence[tuple[Uid, Flags]], modseq: ModSeq) -> None:
        uids, held, count = self.uids, self.flags, len(self.uids)
        at = 0
        for uid, flags in changed:
            if at == count or uids[at] != uid:  # not the neighbour of the one before
                at = bisect_left(uids, uid)
                if at == count or uids[at] != uid:
                    continue
            old = held[at]
            new = held[at] = self._share(flags)
            self.unseen += (SEEN in old) - (SEEN in new)
            self.deleted += (DELETED in new) - (DELETED in old)
            self.modseqs[at] = modseq
            at += 1
        for new in {new for _, new in changed}:
            self._learn_keywords(new)

    def _remove(self, uids: Sequence[Uid]) -> None:
        gone = {self.position(uid) for uid in uids}
        gone.discard(None)
        for position in gone:
            if position is not None:
                self._count(self.flags[position], -1)
                self.size_bytes -= self.sizes[position]
        kept = [position for position in range(len(self.uids)) if position not in gone]
        self.uids = array("I", [self.uids[position] for position in kept])
        self.modseqs = array("Q", [self.modseqs[position] for position in kept])
        self.flags = [self.flags[position] for position in kept]
        self.internal_dates = array("q", [self.internal_dates[position] for position in kept])
        self.zones = array("h", [self.zones[position] for position in kept])
        self.saved_dates = array("q", [self.saved_dates[position] for position in kept])
        self.sizes = array("Q", [self.sizes[position] for position in kept])
        self.contents = array("q", [self.contents[position] for position in kept])

    def _share(self, flags: Flags) -> Flags:
        """Return the one object kept for all equal sets of flags."""
        if len(self._shared) > SHARED_SPARE + 2 * len(self.flags):  # most are no message's now
            self._shared = {held: held for held in self.flags}
        return self._shared.setdefault(flags, flags)

    def _interned(self, joined: Sequence[str]) -> list[Flags]:
        """Return the flags that each text names, and learn the keywords among them."""
        known = {}
        for names in dict.fromkeys(joined):
            flags = known[names] = self._share(frozenset(map(Flag, names.split())))
            self._learn_keywords(flags)
        return [known[names] for names in joined]

    def _count(self, flags: Flags, by: int) -> None:
        if SEEN not in flags:
            self.unseen += by
        if DELETED in flags:
            self.deleted += by

    def _learn_keywords(self, flags: Flags) -> None:
        for flag in flags:
            if not flag.startswith("\\"):
                self.keywords.setdefault(flag.casefold(), flag)
