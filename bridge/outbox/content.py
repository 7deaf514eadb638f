"""An entry's stored text as the request that sends it.

Reads the text in slices and converts it on a thread, a large one in a process of its own, so that
a message of 30 MB makes nobody wait and is not held in memory longer than it takes.
"""

from __future__ import annotations

import asyncio

import structlog

from bridge.api.schema import Attachment, SendRequest
from bridge.mime.strict.content import Content, Sealed, SignedPolicy, convert
from bridge.mime.strict.field import Unreadable
from bridge.outbox.conversion import TooCostly, convert_apart
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import SubmissionRow

log = structlog.get_logger()

SLICE_BYTES = 4 * 1024**2
OFF_LOOP_BYTES = 64 * 1024
LARGE_BYTES = 4 * 1024**2
"""Of texts longer than this one at a time is held in memory."""


class Unsendable(Exception):
    """The text cannot be put into a request; ``check`` at submission should have said so."""


async def is_large(store: Store, row: SubmissionRow) -> bool:
    """Tell whether an entry's text is longer than ``LARGE_BYTES``, without reading it.

    Raises:
        StoreFailed: the text cannot be looked at now.
    """

    async def byte_past_the_limit(tx: ReadTransaction) -> bytes:
        return await tx.raw(row.content, LARGE_BYTES, 1)

    return bool(await store.read(byte_past_the_limit))


async def load_request(
    store: Store, row: SubmissionRow, sender: str, signed: SignedPolicy
) -> SendRequest:
    """Return what ``POST /send`` is given for an entry.

    Raises:
        Unsendable: see the class.
        StoreFailed: the text cannot be read now.
    """
    raw = await _load(store, row)
    if not raw:
        raise Unsendable("its text is no longer in the store")
    try:
        if len(raw) > LARGE_BYTES:
            content = await convert_apart(raw, signed)
        elif len(raw) > OFF_LOOP_BYTES:
            content = await asyncio.to_thread(convert, raw, signed)
        else:
            content = convert(raw, signed)
    except (Unreadable, Sealed, TooCostly) as fault:
        raise Unsendable(str(fault)) from None
    except MemoryError:
        raise
    except Exception as fault:  # a message must not stand in the way of those behind it
        log.exception("a message cannot be converted", id=row.id)
        raise Unsendable(f"the bridge cannot convert it ({type(fault).__name__})") from None
    return _request(row, sender, content)


async def _load(store: Store, row: SubmissionRow) -> bytes:
    """Read a small text at once; the rest of a large one away from the event loop."""

    async def first(tx: ReadTransaction) -> bytes:
        return await tx.raw(row.content, 0, OFF_LOOP_BYTES + 1)

    raw = await store.read(first)
    if len(raw) <= OFF_LOOP_BYTES:
        return raw
    slices = [raw]
    at = len(raw)
    while True:
        slice_bytes = await store.scan(_Slice(row, at))
        if not slice_bytes:
            return b"".join(slices)
        slices.append(slice_bytes)
        at += len(slice_bytes)


class _Slice:
    """A work that reads one slice of a text."""

    def __init__(self, row: SubmissionRow, at: int) -> None:
        self._row = row
        self._at = at

    async def __call__(self, tx: ReadTransaction) -> bytes:
        return await tx.raw(self._row.content, self._at, SLICE_BYTES)


def _request(row: SubmissionRow, sender: str, content: Content) -> SendRequest:
    return SendRequest(
        sender=sender,
        recipients=row.recipients,
        subject=row.subject,
        body=content.body,
        attachments=tuple(
            Attachment(file.name, file.media_type, file.content) for file in content.files
        ),
    )
