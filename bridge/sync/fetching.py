"""Fetching bodies: each once, the worthiest first, so many at once that only the API is waited for.

Rows are taken in chunks, by worth (``store.remote.Worth``) and then the newest first; a chunk is
filed as one batch, its last row first, while the next ones are being fetched. What was fetched is
filed also when a neighbour failed.

What only confirms a row is fetched when nothing else is, a chunk at a time, and for requests that
nobody else wants: that there are none left for it stops nothing. Nor does it stop anything that
there are none for what came long before, as an import brings it: what came lately is fetched.

A body counts only if its row agrees with the listed one (Q11); otherwise the page is listed again
and the new id tried. A row that keeps failing while others succeed is filed as unreadable, so
that a person sees it: at once if the API cannot even be asked for it or its text is longer than
what is read of one (``limits``), else after tries spread over hours (``tries``).

What is being read is written down before (``texts``). What a kill left there is read after all else
and alone, since one of them may have been the cause.

Failure: the first error that concerns the API as a whole ends ``drain`` and reaches its caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import Mapping, Sequence
from enum import Enum

import structlog

from bridge.api.errors import (
    AnswerTooLong,
    ApiError,
    NotSent,
    OutcomeUnknown,
    Refused,
    is_left_for_later,
)
from bridge.clock import Clock
from bridge.language import say
from bridge.receipts.arrival import Arrival
from bridge.store.base import StoreFailed
from bridge.store.remote import RemoteId, RemoteRow, Worth
from bridge.sync.agreement import agrees
from bridge.sync.demand import LATE
from bridge.sync.filer import Filer
from bridge.sync.locating import Way
from bridge.sync.memory import AccountMemory
from bridge.sync.rows import Rows
from bridge.sync.texts import RowTexts
from bridge.sync.tries import ANSWERED_PATIENCE, PATIENCE, Tries

log = structlog.get_logger()

AT_ONCE = 8
"""Requests of one account under way."""

CHUNK_ROWS = 25
CHUNKS = 4
"""Chunks in hand: while one waits for its slowest body, the others keep the requests going."""

HELD_LIMIT_BYTES = 16 * 1024**2
"""Fetched bodies that wait to be filed; no further one is asked for beyond this."""


KILLS = 3
"""A row that was being read, at last alone, at so many kills of the bridge is given up."""

ALL_FAILING = 3
"""So many failures in a row, none of them a plain no, mean that the API is in trouble."""


SPARE_PAUSE_S = 60.0
"""How long spare requests are left alone after one was refused without saying for how long."""


class TextKind(Enum):
    """What a text is fetched for.

    All but the first stop nothing if the day's requests do not allow for them: what comes in is not
    to wait for them.
    """

    LATELY = "somebody waits for it, and it was listed when it came"
    EARLIER = "it had come long before, or nothing says when"
    PROVING = "it is a receipt's that proves more with its text"
    CONFIRMING = "it only confirms its row"


def text_kind(row: RemoteRow) -> TextKind:
    """Return what a row's text is fetched for."""
    if row.worth is Worth.RECEIPT:
        return TextKind.PROVING
    if row.worth is Worth.CONFIRMATION:
        return TextKind.CONFIRMING
    is_known = row.received_at is not None and row.first_seen - row.received_at <= LATE
    return TextKind.LATELY if is_known else TextKind.EARLIER


Ways = Mapping[TextKind, Way]
"""How texts of each kind are asked for."""


class Fetcher:
    """Fetches one account's bodies; rows that share a fingerprint are left to ``Twins``.

    Args:
        ways: how they are asked for.
        texts: which are to be fetched.
        rows: what is known.
        filer: files what comes.
        memory: which are under way, and which rows are in doubt.
        clock: time.
    """

    def __init__(
        self,
        ways: Ways,
        texts: RowTexts,
        rows: Rows,
        filer: Filer,
        memory: AccountMemory,
        clock: Clock,
    ) -> None:
        self._ways = ways
        self._texts = texts
        self._rows = rows
        self._filer = filer
        self._memory = memory
        self._clock = clock
        self._draining = asyncio.Lock()
        self._more = asyncio.Event()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._chunks = asyncio.Semaphore(CHUNKS)
        self._ended: list[RemoteId] = []
        self._tries = Tries(clock)
        self._not_before_s: dict[TextKind, float] = {}
        self._left_for_later: ApiError | None = None
        self._failing = 0
        self._held_bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._trouble: Exception | None = None

    @property
    def waiting(self) -> int:
        """How many rows failed and wait for their next try."""
        return len(self._tries)

    def is_postponed(self, remote: RemoteId) -> bool:
        """Tell whether a row failed and waits for its next try."""
        return remote in self._tries

    def unread(self, since_s: float) -> int:
        """Count the rows that failed first before then and fail still."""
        return self._tries.since(since_s)

    async def drain(self) -> None:
        """Fetch until nothing is left that can be had now.

        Raises:
            ApiError: the API is in trouble.
            StoreFailed: the store is.
        """
        async with self._draining:
            self._trouble = self._left_for_later = None
            chunks: set[asyncio.Task[None]] = set()
            try:
                while rows := await self._next_rows(chunks):
                    self._memory.begin([row.id for row in rows])
                    chunks.add(asyncio.ensure_future(self._chunk(rows)))
            finally:
                for chunk in chunks:
                    chunk.cancel()
                await asyncio.gather(*chunks, return_exceptions=True)
                if self._ended:
                    with contextlib.suppress(StoreFailed):
                        await self._write_down([])
            if trouble := self._trouble or self._left_for_later:
                raise trouble

    def hint(self) -> None:
        """There may be new rows; one who drains looks again."""
        self._more.set()

    async def _next_rows(self, chunks: set[asyncio.Task[None]]) -> list[RemoteRow]:
        """Return the next rows to fetch, waiting for them while chunks are in hand."""
        while True:
            self._more.clear()
            rows = await self._free_chunk()
            chunks -= {chunk for chunk in chunks if chunk.done()}
            if rows or not chunks:
                return rows
            more = asyncio.ensure_future(self._more.wait())
            await asyncio.wait({more, *chunks}, return_when=asyncio.FIRST_COMPLETED)
            more.cancel()

    async def _free_chunk(self) -> list[RemoteRow]:
        """Wait for room, and return the next rows to fetch; none if it is to end."""
        await self._chunks.acquire()
        rows: list[RemoteRow] = []
        try:
            if self._trouble is None:
                rows = await self._next_chunk()
        except StoreFailed as error:
            self._trouble = self._trouble or error
        if not rows:
            self._chunks.release()
        return rows

    async def _next_chunk(self) -> list[RemoteRow]:
        below = Worth.CONFIRMATION if self._may_be(TextKind.PROVING) else Worth.RECEIPT
        rows = await self._next_of(below)
        if not rows and not self._memory.under_way and self._may_be(TextKind.CONFIRMING):
            rows = await self._next_of(below, confirming=True)
        return rows

    def _may_be(self, kind: TextKind) -> bool:
        """Tell whether there may be requests for such texts."""
        if kind is TextKind.EARLIER:
            return self._left_for_later is None
        return self._clock.monotonic() >= self._not_before_s.get(kind, -math.inf)

    async def _next_of(self, below: Worth, *, confirming: bool = False) -> list[RemoteRow]:
        limit = CHUNK_ROWS + len(self._tries)
        while True:
            rows = await self._texts.missing(
                limit, below=below, confirming=confirming, besides=list(self._memory.under_way)
            )
            free = await self._without_twins([row for row in rows if self._is_due(row)])
            if free or len(rows) < limit:
                return await self._harmless(free)
            limit *= 2

    async def _harmless(self, rows: list[RemoteRow]) -> list[RemoteRow]:
        """Return those that no kill met, or else, if nothing else is in hand, one alone."""
        suspected = await self._texts.cut_off(rows)
        free = [row for row in rows if row.id not in suspected or row.id in self._ended]
        return free[:CHUNK_ROWS] or ([] if self._memory.under_way else rows[:1])

    def _is_due(self, row: RemoteRow) -> bool:
        is_free = not self._memory.is_under_way(row.id) and self._may_be(text_kind(row))
        return is_free and self._tries.is_due(row)

    async def _without_twins(self, rows: list[RemoteRow]) -> list[RemoteRow]:
        if not rows:
            return rows
        counts: dict[bytes, int] = {}
        for place in await self._rows.places({row.fingerprint for row in rows if row.api_id}):
            counts[place.fingerprint] = counts.get(place.fingerprint, 0) + 1
        twins = [name for name, count in counts.items() if count > 1]
        if twins:
            self._memory.suspect(twins)
        return [row for row in rows if row.fingerprint not in twins]

    async def _chunk(self, rows: Sequence[RemoteRow]) -> None:
        held = 0
        try:
            await self._write_down([row.id for row in rows])
            kills = await self._texts.cut_off(rows)
            results = await asyncio.gather(
                *(self._fetch(row, kills.get(row.id, 0)) for row in rows)
            )
            arrivals = [one for one in reversed(results) if one is not None]
            held = sum(map(_in_memory, arrivals))
            await self._filer.file(arrivals)
        except Exception as error:
            self._trouble = self._trouble or error
        finally:
            self._ended += [row.id for row in rows]
            self._memory.end([row.id for row in rows])
            self._hold(-held)
            self._chunks.release()

    async def _write_down(self, begun: Sequence[RemoteId]) -> None:
        """Write down what is being read, and cross out what has been, in one commit."""
        ended, self._ended = self._ended, []
        await self._texts.reading(begun, ended)

    def _hold(self, size_bytes: int) -> None:
        self._held_bytes += size_bytes
        (self._room.set if self._held_bytes < HELD_LIMIT_BYTES else self._room.clear)()

    async def _fetch(self, row: RemoteRow, kills: int) -> Arrival | None:
        """Return the row with its body, None if it is not to be had now.

        Args:
            row: the row.
            kills: how often the bridge was ended while it was being read.
        """
        if not row.api_id:
            raw = await self._rows.raw(row.id)
            result = Arrival.of(row, raw, say("the API lists it without an id"))
        elif kills > KILLS:
            raw = await self._rows.raw(row.id)
            result = Arrival.of(row, raw, say("each time it was read the program was ended"))
        else:
            async with self._slots:
                await self._room.wait()
                found = await self._ask(row) if self._may_ask(row) else None
            if found is None:
                return None
            result = found
        self._hold(_in_memory(result))
        return result

    def _may_ask(self, row: RemoteRow) -> bool:
        return self._trouble is None and self._may_be(text_kind(row))

    def _stop(self, row: RemoteRow, error: ApiError) -> None:
        """End ``drain``, or, if it was but for want of requests, leave what can wait alone."""
        kind = text_kind(row)
        if kind is TextKind.LATELY or not is_left_for_later(error):
            self._trouble = self._trouble or error
        elif kind is TextKind.EARLIER:
            self._left_for_later = error
        else:
            after_s = error.retry_after_s if isinstance(error, NotSent) else None
            self._not_before_s[kind] = self._clock.monotonic() + (after_s or SPARE_PAUSE_S)

    async def _ask(self, row: RemoteRow, *, again: bool = False) -> Arrival | None:
        try:
            message = await self._ways[text_kind(row)].client.inbox_message(row.api_id)
        except NotSent as error:
            self._stop(row, error)
            return None
        except Refused as error:
            if error.status == 0:
                raw = await self._rows.raw(row.id)
                return Arrival.of(row, raw, say("the API cannot be asked for its id"))
            return await self._elsewhere(row, error.reason, again)
        except AnswerTooLong as error:
            return Arrival.of(row, await self._rows.raw(row.id), error.reason)
        except ApiError as error:
            return await self._failed(row, error)
        self._tries.worked()
        self._failing = 0
        if agrees(row, message):
            self._tries.end(row.id)
            return Arrival.of(row, message.body)
        shown = json.dumps({"listed": await self._rows.raw(row.id), "shown": message.row.raw})
        return await self._elsewhere(row, say("its id shows another message"), again, shown)

    async def _elsewhere(
        self, row: RemoteRow, reason: str, again: bool, shown: str = ""
    ) -> Arrival | None:
        """Look where the row is listed now and ask there, once."""
        if not again:
            try:
                await self._ways[text_kind(row)].locator.page_with(
                    row, thorough=row.id in self._tries
                )
            except ApiError as error:
                self._stop(row, error)
                return None
            moved = await self._rows.row(row.id)
            if moved is None or moved.gone_at is not None:
                return None
            if moved.api_id != row.api_id:
                return await self._ask(moved, again=True)
        return await self._postpone(row, reason, len(PATIENCE), shown)

    async def _failed(self, row: RemoteRow, error: ApiError) -> Arrival | None:
        answered = isinstance(error, OutcomeUnknown) and error.status in range(200, 300)
        self._failing += not answered
        if self._failing >= ALL_FAILING:
            self._trouble = self._trouble or error
            self._failing = 0
            return None
        patience = ANSWERED_PATIENCE if answered else len(PATIENCE)
        if answered:
            self._tries.worked()
        return await self._postpone(row, error.reason, patience, error.answer)

    async def _postpone(
        self, row: RemoteRow, reason: str, patience: int, shown: str
    ) -> Arrival | None:
        """Try a row again later, or give it up as unreadable after ``patience`` tries."""
        if not self._tries.is_given_up(row, reason, patience):
            return None
        return Arrival.of(row, shown or await self._rows.raw(row.id), reason)


def _in_memory(one: Arrival) -> int:
    return len(one.body) if isinstance(one.body, str) else 0
