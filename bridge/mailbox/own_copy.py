"""Finds in ``Sent`` the other copy of one message: the client's own, or the submission's.

Only for messages that lack a Message-ID; those that have one are known by it. Looks at the
newest messages, since a client files its copy right before or after it submits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge.mime.strict.own_copy import adds_only
from bridge.model import Mailbox, MessageRow, Uid
from bridge.store.base import ReadTransaction

NEWEST = 50
MOST_ADDED_BYTES = 256 * 1024
"""A To field that the bridge added names everybody the plan allows at most."""


async def submitted_copy(tx: ReadTransaction, box: Mailbox, own: bytes) -> MessageRow | None:
    """Return the submission in ``Sent`` that is ``own`` but for what the bridge added."""
    async for row in _newest(tx, box, len(own) - MOST_ADDED_BYTES, len(own) + MOST_ADDED_BYTES):
        if not await tx.submissions_of_content(box.account, row.content):
            continue
        if adds_only(await tx.raw(row.content, 0, row.size_bytes), own):
            return row
    return None


async def clients_copy(tx: ReadTransaction, box: Mailbox, submitted: bytes) -> MessageRow | None:
    """Return the client's own copy in ``Sent`` of a submission that lacked a Message-ID.

    Such a one begins with the Message-ID it was given; of all others there is nothing to look for.
    """
    if not submitted.startswith(b"Message-ID:"):
        return None
    size_bytes = len(submitted)
    async for row in _newest(tx, box, size_bytes - MOST_ADDED_BYTES, size_bytes + MOST_ADDED_BYTES):
        if await tx.submissions_of_content(box.account, row.content):
            continue
        if adds_only(submitted, await tx.raw(row.content, 0, row.size_bytes)):
            return row
    return None


async def _newest(
    tx: ReadTransaction, box: Mailbox, least_bytes: int, most_bytes: int
) -> AsyncIterator[MessageRow]:
    uids = [Uid(uid) for uid in range(max(1, box.uid_next - NEWEST), box.uid_next)]
    for row in reversed(await tx.message_rows(box.id, uids)):
        if least_bytes <= row.size_bytes <= most_bytes:
            yield row
