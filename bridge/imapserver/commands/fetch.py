"""FETCH: from the index, from pieces made at ingest, and from slices of the text, in that order.

Messages are taken in batches: one read of the store and one write to the connection each, then
the loop is let go and a slow client waited for. RFC 3501 §6.4.5, §7.4.2; RFC 3516 (BINARY);
RFC 7162 §3.1.4 (CHANGEDSINCE, VANISHED); RFC 9394 (PARTIAL).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.imap import responses
from bridge.imap.commands import Fetch
from bridge.imap.sections import FetchItem, Item, Section
from bridge.imapserver.commands.numbers import uids_of
from bridge.imapserver.commands.select import vanished_since
from bridge.imapserver.dataitems.ahead import ReadAhead
from bridge.imapserver.dataitems.batch import LARGE_BYTES, Batch, Batches, batch_of, take
from bridge.imapserver.dataitems.body import MOST_BYTES, BodyItems, begin_columns, read_columns
from bridge.imapserver.dataitems.column import (
    PIECES,
    Column,
    index_column,
    lines,
    piece_column,
    pieces,
)
from bridge.imapserver.dataitems.large import LargeMessage
from bridge.imapserver.partial import partial_of
from bridge.imapserver.reply import No
from bridge.imapserver.selected import Selected
from bridge.imapserver.session import Session
from bridge.mailbox import FlagChange
from bridge.model import SEEN, ContentId, ModSeq, Uid
from bridge.store.messages import Part


async def fetch(session: Session, command: Fetch) -> str | None:
    """FETCH and UID FETCH."""
    selected = session.open
    if command.changed_since is not None or Item.MODSEQ in command.items:
        session.enable_condstore()
    if command.vanished:
        if "QRESYNC" not in session.enabled:
            raise No("ENABLE QRESYNC first")
        since = ModSeq(command.changed_since or 0)
        gone = await vanished_since(session, selected, since, command.numbers)
        if gone:
            session.send(responses.vanished(gone, earlier=True))
    numbers = _numbers(session, selected, command)
    session.tell_keywords()
    ahead = ReadAhead(session.services.store)
    body = BodyItems(session, command.items, ahead)
    missed = 0
    turns = Batches(selected.view, numbers, texts=body.weight, field_sets=body.many)
    sending = Sending(session, selected, command.items, body, ahead, turns)
    for turn, batch in enumerate(turns):
        if turn:
            await session.output.give_way()
        missed += batch.missed
        seen = await _mark_seen(session, selected, command, batch)
        if seen:  # positions may have moved while the commit was waited for
            batch = batch_of(selected.view, batch.numbers)
        if batch.numbers:
            await _send_batch(sending, batch, seen)
    if missed and not command.uid:
        return "[EXPUNGEISSUED] some messages were expunged meanwhile"
    return None


def _numbers(session: Session, selected: Selected, command: Fetch) -> Sequence[int]:
    view, index = selected.view, selected.view.index
    if command.numbers.saved:
        uids = uids_of(session, command.numbers, uid=True)
        numbers: Sequence[int] = [view.number(uid) or 0 for uid in uids]
    else:
        numbers = view.numbers(command.numbers, uid=command.uid)
    if command.changed_since is not None:
        since = command.changed_since
        modseqs = index.modseqs
        if view.all_told():
            numbers = [number for number in numbers if modseqs[number - 1] > since]
        else:
            numbers = [
                number
                for number in numbers
                if (at := view.position(number)) is not None and modseqs[at] > since
            ]
    if command.partial is not None:
        numbers = partial_of(numbers, command.partial)
    return numbers


async def _mark_seen(
    session: Session, selected: Selected, command: Fetch, batch: Batch
) -> frozenset[int]:
    r"""Set ``\\Seen`` where a text is fetched without PEEK; return the UIDs it changed."""
    peeks = all(not isinstance(item, Section) or item.peek for item in command.items)
    if peeks or selected.read_only:
        return frozenset()
    index = selected.view.index
    unseen = [Uid(index.uids[at]) for at in batch.positions if SEEN not in index.flags[at]]
    if not unseen:
        return frozenset()
    outcome = await session.services.mailboxes.change_flags(
        selected.mailbox.id, unseen, FlagChange.ADD, frozenset({SEEN})
    )
    selected.view.forget_flags(outcome.modseq)
    return frozenset(outcome.changed)


@dataclass(frozen=True, slots=True)
class Sending:
    """One FETCH: what is sent of each batch, and what is read for the next one meanwhile."""

    session: Session
    selected: Selected
    items: Sequence[FetchItem]
    body: BodyItems
    ahead: ReadAhead
    turns: Batches

    def begin_next(self) -> None:
        """Begin to read for the next batch, but for a message that goes out in pieces."""
        batch = self.turns.upcoming()
        if batch is None:
            return
        if parts := _parts(self.items):
            begin_columns(self.ahead, batch.contents, parts, MOST_BYTES)
        if not self.is_large(batch):
            self.body.begin(batch.contents)

    def is_large(self, batch: Batch) -> bool:
        """Tell whether a batch is one message that goes out in pieces (see ``Batches``)."""
        return self.size_bytes(batch) * self.body.weight > LARGE_BYTES

    def size_bytes(self, batch: Batch) -> int:
        """Return how long the first message is."""
        return self.selected.view.index.sizes[batch.positions[0]]


async def _send_batch(sending: Sending, batch: Batch, seen: frozenset[int]) -> None:
    session, selected, items = sending.session, sending.selected, sending.items
    # The index's columns are taken before anything is waited for, so that they fit each other.
    ready = {
        item: index_column(item, selected, batch)
        for item in items
        if isinstance(item, Item) and item not in PIECES
    }
    tails = _tails(selected, batch, seen, items) if seen else []
    size_bytes, is_large = sending.size_bytes(batch), sending.is_large(batch)
    start = 0
    while start < len(batch.numbers):
        contents = batch.contents[start:] if start else batch.contents
        count, ready_pieces = await _pieces(sending, contents)
        texts: list[Column] = []
        if not is_large:
            count, texts = await sending.body.columns(contents[:count])
        is_whole = count == len(batch.numbers)
        if start + count == len(batch.numbers):
            sending.begin_next()
        part = slice(None) if is_whole else slice(start, start + count)
        begin = slice(None) if is_whole else slice(count)
        columns = [
            ready[item].part(part) if item in ready else ready_pieces[item].part(begin)
            for item in items
            if isinstance(item, Item)
        ]
        if is_large:
            told = lines(batch.numbers[part], columns, [])
            head, tail = told.removesuffix(b")\r\n"), b"".join([*tails, b")\r\n"])
            await LargeMessage(session, contents[0], size_bytes).send(head, items, tail)
            return
        session.send_all(pieces(batch.numbers[part], columns + texts, tails[part]))
        start += count
        if start < len(batch.numbers):
            await session.output.give_way()


def _tails(
    selected: Selected, batch: Batch, seen: frozenset[int], items: Sequence[FetchItem]
) -> list[bytes]:
    """Return what is told of messages that this very FETCH marked as seen, unless asked for.

    Their new flags, and with CONDSTORE their UID and MODSEQ (RFC 7162 §3.2.4).
    """
    wanted = [Item.UID, Item.FLAGS, Item.MODSEQ] if selected.view.condstore else [Item.FLAGS]
    columns = [index_column(one, selected, batch) for one in wanted if one not in items]
    if not columns:
        return []
    template = b"".join(b" " + column.template for column in columns)
    shown = zip(*(values for column in columns for values in column.values), strict=True)
    uids = take(selected.view.index.uids, batch.positions)
    return [
        template % values if uid in seen else b"" for uid, values in zip(uids, shown, strict=True)
    ]


def _parts(items: Sequence[FetchItem]) -> list[Part]:
    return [PIECES[item] for item in items if isinstance(item, Item) and item in PIECES]


async def _pieces(
    sending: Sending, contents: Sequence[ContentId]
) -> tuple[int, dict[Item, Column]]:
    """Return what the store has ready, of the first contents, and of how many, one at least."""
    parts = _parts(sending.items)
    if not parts:
        return len(contents), {}
    wanted = [item for item in sending.items if isinstance(item, Item) and item in PIECES]
    count, columns = await read_columns(sending.session, sending.ahead, contents, parts, MOST_BYTES)
    return count, {
        item: piece_column(item, column) for item, column in zip(wanted, columns, strict=True)
    }
