"""Texts of messages: taken apart when they come, and later indexed, worked out anew, forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from bridge.apart.process import Apart
from bridge.clock import Clock
from bridge.mailbox.taking import take_apart
from bridge.mime.ingest import Ingested, ingest
from bridge.model import AccountId, ContentId
from bridge.store.base import ReadTransaction, Store, Transaction

INLINE_LIMIT_BYTES = 64 * 1024
"""Larger messages are taken apart on a thread, so that no session waits for them."""

APART_FROM_BYTES = 1024 * 1024
"""Larger ones of a user's are taken apart in a process of their own."""

ORPHAN_AGE = timedelta(days=1)
"""A text outlives its last copy by this: a session that was not told yet may still fetch it."""

ORPHAN_BATCH = 200

INDEX_BATCH = 16
"""Texts indexed in one commit, which nobody else's waits for long."""

RENEWAL_BATCH = 16
RENEWAL_BATCH_BYTES = 4 * 1024 * 1024
"""The same for texts worked out anew; the second is passed by one text at most."""


async def _whole_text(content: ContentId, tx: ReadTransaction) -> bytes:
    return await tx.raw(content, 0, 1 << 31)


class MessageTexts:
    """See the module.

    Args:
        store: where they are.
        clock: time.
        apart: where large messages are taken apart; None for one of its own.
    """

    def __init__(self, store: Store, clock: Clock, apart: Apart | None = None) -> None:
        self._store = store
        self._clock = clock
        self._apart = apart or Apart()

    async def prepare(self, raw: bytes) -> Ingested:
        """Take a message apart, away from the loop when it is large."""
        if len(raw) <= INLINE_LIMIT_BYTES:
            return ingest(raw)
        return await asyncio.to_thread(ingest, raw)

    async def prepare_large(self, account: AccountId, raw: bytes) -> Ingested:
        """Take a message of an account apart, a large one in a process of its own.

        Raises:
            TooCostly: that takes too much time or memory.
            ApartFailed, OSError: it cannot be done now.
        """
        if len(raw) <= APART_FROM_BYTES:
            return await self.prepare(raw)
        return await take_apart(self._apart.of(account), raw)

    async def drop_orphans(self) -> int:
        """Forget a batch of texts whose last copy went a day ago; returns how many went."""
        before = self._clock.now() - ORPHAN_AGE

        async def work(tx: Transaction) -> int:
            return await tx.drop_orphans(before, ORPHAN_BATCH)

        return await self._store.write(work)

    async def index_bodies(self) -> int:
        """Put a batch of new texts into the search's index; returns how many those were."""

        async def work(tx: Transaction) -> int:
            return await tx.index_bodies(INDEX_BATCH)

        return await self._store.write(work)

    async def renew_texts(self) -> int:
        """Work out a batch of stale texts and keys anew; returns how many those were."""
        stale = await self._store.read(lambda tx: tx.stale_contents(RENEWAL_BATCH))
        renewed: list[tuple[ContentId, Ingested]] = []
        size_bytes = 0
        for content in stale:
            raw = await self._store.read(partial(_whole_text, content))
            renewed.append((content, await self.prepare(raw)))
            size_bytes += len(raw)
            if size_bytes > RENEWAL_BATCH_BYTES:
                break

        async def work(tx: Transaction) -> None:
            for content, message in renewed:
                await tx.renew_content(content, message)

        if renewed:
            await self._store.write(work)
        return len(renewed)
