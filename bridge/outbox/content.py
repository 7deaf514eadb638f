"""An entry's stored text as the request that sends it.

Reads the text in slices and converts it on a thread. A large one is never held in memory: it goes
from the store to a file, from there through a process of its own to another, and is sent from it.
One with much text goes through a process too, which the loop would have to wait for.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from bridge.apart.process import Apart, ApartCrashed, ApartFailed, TooCostly
from bridge.api.schema import Attachment, SendRequest
from bridge.language import say
from bridge.limits import TEXT_APART_FROM_BYTES
from bridge.mime.strict.content import Content, Sealed, SignedPolicy, convert
from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.weight import text_bytes
from bridge.outbox.conversion import Converted, convert_apart
from bridge.spool import SpoolFile
from bridge.store.base import ReadTransaction, Store, StoreFailed
from bridge.store.outbox import SubmissionRow

log = structlog.get_logger()

SLICE_BYTES = 4 * 1024**2
OFF_LOOP_BYTES = 64 * 1024
LARGE_BYTES = 4 * 1024**2
"""Texts longer than this stay on the disk."""


class Unsendable(Exception):
    """The text cannot be put into a request; ``check`` at submission should have said so."""


class QueuedTexts:
    """The texts of entries, each as the request that sends it.

    Args:
        store: where they are.
        signed: what is done with a message that is signed or encrypted as a whole.
        apart: where large messages are converted; None for a place of its own.
    """

    def __init__(
        self, store: Store, signed: SignedPolicy = "refuse", apart: Apart | None = None
    ) -> None:
        self._store = store
        self._signed: SignedPolicy = signed
        self._apart = apart or Apart()

    async def is_longer(self, row: SubmissionRow, limit_bytes: int) -> bool:
        """See ``is_longer``."""
        return await is_longer(self._store, row, limit_bytes)

    async def request(self, row: SubmissionRow, sender: str) -> SendRequest:
        """See ``load_request``."""
        return await load_request(self._store, row, sender, self._signed, self._apart)


async def is_longer(store: Store, row: SubmissionRow, limit_bytes: int) -> bool:
    """Tell whether an entry's text is longer than ``limit_bytes``, without reading it.

    Raises:
        StoreFailed: the text cannot be looked at now.
    """

    async def byte_past_the_limit(tx: ReadTransaction) -> bytes:
        return await tx.raw(row.content, limit_bytes, 1)

    return bool(await store.read(byte_past_the_limit))


async def load_request(
    store: Store, row: SubmissionRow, sender: str, signed: SignedPolicy, apart: Apart
) -> SendRequest:
    """Return what ``POST /send`` is given for an entry.

    Args:
        store: where the text is.
        row: the entry.
        sender: the account's address.
        signed: what is done with a message that is signed or encrypted as a whole.
        apart: the place for processes that convert large messages.

    Raises:
        Unsendable: see the class.
        StoreFailed: the text cannot be read or converted now.
    """
    try:
        if await is_longer(store, row, LARGE_BYTES):
            return _request(row, sender, await _convert_large(store, row, signed, apart))
        raw = await _load(store, row)
        if not raw:
            raise Unsendable(say("its text is no longer in the store"))
        if await _is_heavy(raw):
            file = await asyncio.to_thread(SpoolFile.holding, apart.folder, (raw,))
            return _request(row, sender, await _apart(file, row, signed, apart))
        if len(raw) > OFF_LOOP_BYTES:
            return _request(row, sender, await asyncio.to_thread(convert, raw, signed))
        return _request(row, sender, convert(raw, signed))
    except (Unreadable, Sealed) as fault:
        raise Unsendable(fault.args[0]) from None
    except TooCostly as fault:
        raise Unsendable(say("it cannot be converted: {fault}", fault=fault)) from None
    except (StoreFailed, Unsendable, MemoryError):
        raise
    except Exception as fault:  # a message must not stand in the way of those behind it
        log.exception("conversion_failed", id=row.id, account=row.account)
        raise Unsendable(
            say("the bridge cannot convert it ({name})", name=type(fault).__name__)
        ) from None


async def _is_heavy(raw: bytes) -> bool:
    if len(raw) <= TEXT_APART_FROM_BYTES:
        return False
    return await asyncio.to_thread(text_bytes, raw) > TEXT_APART_FROM_BYTES


async def _convert_large(
    store: Store, row: SubmissionRow, signed: SignedPolicy, apart: Apart
) -> Converted:
    spooling = _Spooling(row, apart.folder)
    try:
        while await store.scan(spooling):
            pass
    except OSError as fault:
        raise StoreFailed(say("a message cannot be converted now: {fault}", fault=fault)) from fault
    return await _apart(spooling.file, row, signed, apart)


async def _apart(
    file: SpoolFile, row: SubmissionRow, signed: SignedPolicy, apart: Apart
) -> Converted:
    try:
        return await convert_apart(apart.of(row.account), file, signed)
    except ApartCrashed:
        raise
    except (ApartFailed, OSError) as fault:
        raise StoreFailed(say("a message cannot be converted now: {fault}", fault=fault)) from fault


async def _load(store: Store, row: SubmissionRow) -> bytes:
    """Read a small text at once, the rest of a larger one away from the event loop."""

    async def first(tx: ReadTransaction) -> bytes:
        return await tx.raw(row.content, 0, OFF_LOOP_BYTES + 1)

    raw = await store.read(first)
    if len(raw) <= OFF_LOOP_BYTES:
        return raw
    return raw + await store.scan(lambda tx: tx.raw(row.content, len(raw), LARGE_BYTES))


class _Spooling:
    """A work that puts the next slice of a text into a file, as often as it is carried out."""

    def __init__(self, row: SubmissionRow, folder: Path | None) -> None:
        self._row = row
        self._folder = folder
        self._at = 0
        self.file: SpoolFile

    async def __call__(self, tx: ReadTransaction) -> bool:
        """Return whether there was one."""
        if not self._at:
            self.file = SpoolFile(self._folder)
        piece = await tx.raw(self._row.content, self._at, SLICE_BYTES)
        self.file.append(piece)
        self._at += len(piece)
        return bool(piece)


def _request(row: SubmissionRow, sender: str, content: Content | Converted) -> SendRequest:
    return SendRequest(
        sender=sender,
        recipients=row.recipients,
        subject=row.subject,
        body=content.body,
        attachments=tuple(
            Attachment(file.name, file.media_type, file.content) for file in content.files
        ),
    )
