"""FETCH's items as columns over a batch: a template, and for each message what goes into it.

The templates of all items make one template of a line, and one ``%`` fills the lines of a batch.

RFC 3501 §7.4.2; RFC 7162 §3.1.4.2 (MODSEQ); RFC 8474 §5; RFC 8514 §4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import cast

from bridge.imap import responses
from bridge.imap.sections import Item
from bridge.imapserver.dataitems.batch import Batch, take
from bridge.imapserver.selected import Selected
from bridge.model import Flags
from bridge.store.messages import Part

PIECES = {
    Item.ENVELOPE: Part.ENVELOPE,
    Item.BODY: Part.BODY,
    Item.BODYSTRUCTURE: Part.BODYSTRUCTURE,
    Item.PREVIEW: Part.PREVIEW,
}
"""Items that the store has ready for the wire, or nearly so."""

_LITERAL_END = b"\r\n%b"
"""How the template of a column of literals ends."""

LONG_BYTES = 1024
"""Longer texts, on average, are sent as they are; of shorter ones whole lines cost less."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Column:
    """One item: its name and value with a ``%d`` or ``%b`` for each sequence of ``values``."""

    template: bytes
    values: tuple[Sequence[object], ...] = ()

    def part(self, messages: slice) -> Column:
        """Return the same of some of the messages."""
        if messages == slice(None):
            return self
        return Column(self.template, tuple(values[messages] for values in self.values))


def lines(numbers: Sequence[int], columns: Sequence[Column], tails: Sequence[bytes]) -> bytes:
    """Return the FETCH lines of messages; ``tails`` are put after the columns, if given."""
    shown = b" ".join(column.template for column in columns)
    template = b"* %d FETCH (" + shown + (b"%b" if tails else b"") + b")\r\n"
    # The template has %d for the number and one mark for each sequence, in their order.
    sequences: list[Sequence[object]] = [
        numbers,
        *(values for column in columns for values in column.values),
    ]
    if tails:
        sequences.append(tails)
    marks, count = len(sequences), len(numbers)
    filling: list[object] = [None] * (marks * count)
    for at, sequence in enumerate(sequences):
        filling[at::marks] = sequence
    return (template * count) % tuple(filling)


def pieces(
    numbers: Sequence[int], columns: Sequence[Column], tails: Sequence[bytes]
) -> Sequence[bytes]:
    """Return what ``lines`` does, in pieces: long texts of the last column are not copied."""
    last = columns[-1]
    if tails or not last.template.endswith(_LITERAL_END):
        return [lines(numbers, columns, tails)]
    *values, texts = [values for column in columns for values in column.values]
    if sum(map(len, cast(Sequence[bytes], texts))) < LONG_BYTES * len(texts):
        return [lines(numbers, columns, tails)]
    shown = b" ".join(column.template for column in columns).removesuffix(b"%b")
    template = b")\r\n* %d FETCH (" + shown
    heads = [template % row for row in zip(numbers, *values, strict=True)]
    heads[0] = heads[0].removeprefix(b")\r\n")
    pieces: list[bytes] = [b""] * (2 * len(heads))
    pieces[::2] = heads
    pieces[1::2] = cast(Sequence[bytes], texts)
    return [*pieces, b")\r\n"]


def literals(name: str, texts: Sequence[bytes | None], *, binary: bool) -> Column:
    """Return texts as literals under ``name``; None is NIL, a NUL makes a literal8 (RFC 3516)."""
    marked = name.replace("%", "%%").encode()
    if None not in texts and not (binary and any(b"\0" in text for text in texts if text)):
        sizes = [len(text) for text in texts if text is not None]
        return Column(marked + b" {%d}" + _LITERAL_END, (sizes, texts))
    return Column(marked + b" %b", ([_literal(text, binary=binary) for text in texts],))


def _literal(text: bytes | None, *, binary: bool) -> bytes:
    if text is None:
        return b"NIL"
    mark = b"~" if binary and b"\0" in text else b""
    return b"%b{%d}\r\n%b" % (mark, len(text), text)


def index_column(item: Item, selected: Selected, batch: Batch) -> Column:
    """Return an item that the index answers."""
    index, at = selected.view.index, batch.positions
    match item:
        case Item.UID:
            return Column(b"UID %d", (take(index.uids, at),))
        case Item.FLAGS:
            return Column(b"FLAGS %b", (shown_flags(selected, batch),))
        case Item.INTERNALDATE:
            moments = zip(take(index.internal_dates, at), take(index.zones, at), strict=True)
            return Column(b"INTERNALDATE %b", ([date_time(*moment) for moment in moments],))
        case Item.RFC822_SIZE:
            return Column(b"RFC822.SIZE %d", (take(index.sizes, at),))
        case Item.MODSEQ:
            return Column(b"MODSEQ (%d)", (take(index.modseqs, at),))
        case Item.EMAILID:
            return Column(b"EMAILID (M%d)", (batch.contents,))
        case Item.SAVEDATE:
            saved = [date_time(moment, 0) for moment in take(index.saved_dates, at)]
            return Column(b"SAVEDATE %b", (saved,))
        case Item.THREADID:
            return Column(b"THREADID NIL")
    raise AssertionError(f"{item} is a piece")


def piece_column(item: Item, pieces: Sequence[object]) -> Column:
    """Return an item that the store has ready."""
    name = item.value.encode() + b" %b"
    if item is Item.PREVIEW:
        return Column(name, ([responses.nstring(str(text)) for text in pieces],))
    return Column(name, (pieces,))


def shown_flags(selected: Selected, batch: Batch) -> Sequence[bytes]:
    r"""Return the flag lists of a batch as this session sees them, ``\\Recent`` among them."""
    index = selected.view.index
    flags = take(index.flags, batch.positions)
    recent = selected.recent
    if not recent:
        return list(map(_flag_list, flags))
    uids = take(index.uids, batch.positions)
    return [
        _recent_flag_list(held) if uid in recent else _flag_list(held)
        for uid, held in zip(uids, flags, strict=True)
    ]


@lru_cache(maxsize=4096)
def _flag_list(flags: Flags) -> bytes:
    return responses.flags(flags)


@lru_cache(maxsize=4096)
def _recent_flag_list(flags: Flags) -> bytes:
    return responses.flags([*flags, "\\Recent"])


def date_time(moment: int, zone_minutes: int) -> bytes:
    """Return a date-time (RFC 3501 §9) of seconds since 1970 in a zone, minutes east of UTC."""
    hour, second = divmod(moment + zone_minutes * 60, 3600)
    return _hour(hour) + _MINUTE_SECOND[second] + _zone(zone_minutes)


_MINUTE_SECOND = [b":%02d:%02d " % divmod(second, 60) for second in range(3600)]


@lru_cache(maxsize=8192)
def _hour(hour: int) -> bytes:
    """Return the front of a date-time, up to the hour, of hours since 1970."""
    return responses.date_time(_EPOCH + timedelta(hours=hour))[:15]


@lru_cache(maxsize=128)
def _zone(minutes: int) -> bytes:
    hours, rest = divmod(abs(minutes), 60)
    return b'%b%02d%02d"' % (b"-" if minutes < 0 else b"+", hours, rest)
