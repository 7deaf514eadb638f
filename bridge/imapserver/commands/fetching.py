"""FETCH: from the index, from pieces made at ingest, and from slices of the text, in that order.

Messages are taken in batches: one read of the store and one write to the connection each, then
the loop is let go and a slow client waited for. RFC 3501 §6.4.5, §7.4.2; RFC 3516 (BINARY);
RFC 7162 §3.1.4 (CHANGEDSINCE, VANISHED); RFC 9394 (PARTIAL).
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.imap import responses
from bridge.imap.commands import Fetch
from bridge.imap.sections import FetchItem, Item, Section
from bridge.imapserver.commands.batch import Batch, batch_of, batches, take
from bridge.imapserver.commands.body import BodyItems
from bridge.imapserver.commands.changing import uids_of
from bridge.imapserver.commands.column import (
    PIECES,
    Column,
    index_column,
    lines,
    piece_column,
)
from bridge.imapserver.commands.large import LARGE_BYTES, LargeMessage
from bridge.imapserver.commands.selecting import vanished_since
from bridge.imapserver.partial import partial_of
from bridge.imapserver.reply import No
from bridge.imapserver.session import Selected, Session
from bridge.mailbox import FlagChange
from bridge.model import SEEN, ModSeq, Uid


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
    body = BodyItems(session, command.items)
    missed = 0
    for turn, batch in enumerate(batches(selected.view, numbers, heavy=body.heavy)):
        if turn:
            await session.output.drain()
        missed += batch.missed
        seen = await _mark_seen(session, selected, command, batch)
        if seen:  # positions may have moved while the commit was waited for
            batch = batch_of(selected.view, batch.numbers)
        if batch.numbers:
            await _send_batch(session, selected, command.items, batch, body, seen)
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
        numbers = [
            number
            for number in numbers
            if (at := view.position(number)) is not None and index.modseqs[at] > since
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


async def _send_batch(
    session: Session,
    selected: Selected,
    items: Sequence[FetchItem],
    batch: Batch,
    body: BodyItems,
    seen: frozenset[int],
) -> None:
    # The index's columns are taken before anything is waited for, so that they fit each other.
    ready = {
        item: index_column(item, selected, batch)
        for item in items
        if isinstance(item, Item) and item not in PIECES
    }
    tails = _tails(selected, batch, seen, items) if seen else []
    is_large = body.heavy and selected.view.index.sizes[batch.positions[0]] > LARGE_BYTES
    ready |= await _pieces(session, items, batch)
    columns = [ready[item] for item in items if isinstance(item, Item)]
    if is_large:
        (line,) = lines(batch.numbers, columns, [])  # a batch of its own: see ``batches``
        head, tail = line.removesuffix(b")\r\n"), b"".join([*tails, b")\r\n"])
        await LargeMessage(session, batch.contents[0]).send(head, items, tail)
        return
    columns += await body.columns(batch.contents)
    session.send(b"".join(lines(batch.numbers, columns, tails)))


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


async def _pieces(session: Session, items: Sequence[FetchItem], batch: Batch) -> dict[Item, Column]:
    wanted = [item for item in items if isinstance(item, Item) and item in PIECES]
    if not wanted:
        return {}
    contents, parts = batch.contents, [PIECES[item] for item in wanted]
    found = await session.services.store.read(lambda tx: tx.pieces(contents, parts))
    by_content = {row[0]: row for row in found}
    _, *columns = zip(*(by_content[content] for content in contents), strict=True)
    return {item: piece_column(item, column) for item, column in zip(wanted, columns, strict=True)}
