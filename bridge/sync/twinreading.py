"""Reading the bodies of twins: some at a time, and remembering which could not be read.

A group of twins may have any number of rows. It is read in chunks, the newest rows first, and one
that cannot be read is tried again ever later while its like go on.

Failure: ``NotSent`` passes; any other error of the API makes its row unreadable for now.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import structlog

from bridge.api.errors import ApiError, NotSent
from bridge.api.schema import InboxMessage
from bridge.sync.listed import Listed
from bridge.sync.pages import InboxClient

log = structlog.get_logger()

AT_ONCE = 8
"""Requests for one group under way."""

CHUNK_ROWS = 40
"""Bodies read before anything else gets its turn, where pages are short."""

HELD_CHARS = 32 * 1024**2
"""Bodies read together; no further one is asked for beyond this."""

AGAIN_S = (60.0, 300.0, 1_800.0)
"""Seconds between the tries for twins that cannot be read; the last one repeats."""

GIVE_UP_S = 43_200.0
"""After so long a twin that cannot be read is one that is known, or else has no text."""

LAST_GIVE_UP_S = 2 * 86_400.0
"""Likewise where none of its like could be read either: then it may be the API's trouble."""


@dataclass(slots=True)
class Reading:
    """What was read of one group of twins so far.

    ``digests`` are of the bodies under the ids that are listed now; ``failed`` are ids that could
    not be read, and ``parked`` the pages they were on; ``listed`` are the ids that were looked at.
    ``has_more`` says that there are rows left that were not tried, ``is_lost`` that none of those
    that are known was found.
    """

    digests: dict[str, bytes] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    parked: dict[int, frozenset[str]] = field(default_factory=dict)
    has_more: bool = False
    again_at_s: float = 0.0
    tries: int = 0
    failing_since_s: float | None = None
    has_worked: bool = False
    is_lost: bool = False

    def leaves(self, *, more: bool) -> None:
        """Note whether rows are left that were not tried."""
        self.has_more = more

    def sees_all(self, ids: Sequence[str]) -> None:
        """Take note of all that is listed; ids that moved make what was read under them void."""
        if not self.listed.issubset(ids):
            self.digests.clear()
        self.listed = set(ids)

    def try_again(self, now_s: float) -> dict[int, frozenset[str]]:
        """Let what failed be tried again if it is time; returns the pages where it was."""
        if now_s < self.again_at_s:
            return {}
        self.is_lost = False
        self.failed.clear()
        parked, self.parked = self.parked, {}
        return parked

    def rests(self, ids: Collection[str], now_s: float) -> bool:
        """Tell whether there is nothing to do but to wait before a failed row is tried again."""
        if self.is_lost:
            return now_s < self.again_at_s
        is_known = self.listed.issuperset(ids)
        return bool(self.failed) and is_known and not self.has_more and now_s < self.again_at_s

    def took(self, failed: Collection[str], now_s: float) -> None:
        """Take note of what a chunk could not read."""
        if not failed:
            return
        if self.failing_since_s is None:
            self.failing_since_s = now_s
        self._put_off(now_s)
        self.failed.update(failed)

    def misses_all(self, now_s: float) -> None:
        """Take note that none was found where those that are known should be."""
        self.is_lost = True
        self._put_off(now_s)

    def _put_off(self, now_s: float) -> None:
        if now_s >= self.again_at_s:
            self.again_at_s = now_s + AGAIN_S[min(self.tries, len(AGAIN_S) - 1)]
            self.tries += 1

    def gives_up(self, now_s: float) -> bool:
        """Tell whether what cannot be read was tried for long enough."""
        if self.failing_since_s is None:
            return False
        patience_s = GIVE_UP_S if self.has_worked else LAST_GIVE_UP_S
        return now_s - self.failing_since_s >= patience_s


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bodies read together: messages by id, and the ids that could not be read."""

    messages: dict[str, InboxMessage]
    failed: set[str]


async def read_chunks(client: InboxClient, groups: Sequence[Sequence[Listed]]) -> list[Chunk]:
    """Read the bodies of rows, as many as may be held; returns a chunk for each group.

    After a whole round of a group that failed the rest of it counts as failed too.

    Raises:
        NotSent: the API is out of reach, or today's requests are.
    """
    chunks = [Chunk({}, set()) for _ in groups]
    waiting = deque(
        (one, chunk) for rows, chunk in zip(groups, chunks, strict=True) for one in rows
    )
    held_chars = 0
    while waiting and held_chars < HELD_CHARS:
        part: list[tuple[Listed, Chunk]] = []
        while waiting and len(part) < AT_ONCE:
            one, chunk = waiting.popleft()
            if len(chunk.failed) >= AT_ONCE and not chunk.messages:
                chunk.failed.add(one.api_id)
            else:
                part.append((one, chunk))
        answers = await asyncio.gather(
            *(_read(client, one) for one, _ in part), return_exceptions=True
        )
        for (one, chunk), answer in zip(part, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            if answer is None:
                chunk.failed.add(one.api_id)
            else:
                chunk.messages[one.api_id] = answer
                held_chars += len(answer.body)
    return chunks


async def _read(client: InboxClient, one: Listed) -> InboxMessage | None:
    if not one.api_id:
        return None
    try:
        return await client.inbox_message(one.api_id)
    except NotSent:
        raise
    except ApiError as error:
        log.warning("twin_unreadable", id=one.api_id, reason=error.reason)
        return None
