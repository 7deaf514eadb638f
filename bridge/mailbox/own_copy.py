"""Finds in ``Sent`` the other copy of one message: the client's own, or the submission's.

Only for messages that lack a Message-ID; those that have one are known by it. Looks at the
newest messages, since a client files its copy right before or after it submits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge.mime.grammar.held import Held
from bridge.mime.ingest import Ingested
from bridge.mime.strict.own_copy import bodies
from bridge.model import Mailbox, MessageRow, Uid
from bridge.store.base import ReadTransaction

NEWEST = 50
MOST_ADDED_BYTES = 256 * 1024
"""A To field that the bridge added names everybody the plan allows at most."""

HEAD_BYTES = 2 * 1024 * 1024
"""No header that may be sent is longer."""

SLICE_BYTES = 1024 * 1024


async def submitted_copy(tx: ReadTransaction, box: Mailbox, own: Ingested) -> MessageRow | None:
    """Return the submission in ``Sent`` that is ``own`` but for what the bridge added."""
    async for row in _newest(tx, box, own.size_bytes):
        if not await tx.submissions_of_content(box.account, row.content):
            continue
        stored = await tx.raw(row.content, 0, HEAD_BYTES)
        starts = bodies(stored, _slice(own.raw, 0, HEAD_BYTES))
        if starts and await _is_same(tx, row, starts[0], own, starts[1]):
            return row
    return None


async def clients_copy(tx: ReadTransaction, box: Mailbox, submitted: Ingested) -> MessageRow | None:
    """Return the client's own copy in ``Sent`` of a submission that lacked a Message-ID.

    Such a one begins with the Message-ID it was given; of all others there is nothing to look for.
    """
    if not submitted.header.startswith(b"Message-ID:"):
        return None
    async for row in _newest(tx, box, submitted.size_bytes):
        if await tx.submissions_of_content(box.account, row.content):
            continue
        stored = await tx.raw(row.content, 0, HEAD_BYTES)
        starts = bodies(_slice(submitted.raw, 0, HEAD_BYTES), stored)
        if starts and await _is_same(tx, row, starts[1], submitted, starts[0]):
            return row
    return None


async def _is_same(
    tx: ReadTransaction, row: MessageRow, at: int, message: Ingested, start: int
) -> bool:
    """Compare a stored text from ``at`` on with a message from ``start`` on, slice by slice."""
    if row.size_bytes - at != message.size_bytes - start:
        return False
    for done in range(0, row.size_bytes - at, SLICE_BYTES):
        stored = await tx.raw(row.content, at + done, SLICE_BYTES)
        if stored != _slice(message.raw, start + done, SLICE_BYTES):
            return False
    return True


def _slice(raw: bytes | Held, at: int, length_bytes: int) -> bytes:
    return raw[at : at + length_bytes] if isinstance(raw, bytes) else raw.read(at, length_bytes)


async def _newest(tx: ReadTransaction, box: Mailbox, size_bytes: int) -> AsyncIterator[MessageRow]:
    uids = [Uid(uid) for uid in range(max(1, box.uid_next - NEWEST), box.uid_next)]
    for row in reversed(await tx.message_rows(box.id, uids)):
        if abs(row.size_bytes - size_bytes) <= MOST_ADDED_BYTES:
            yield row
