"""Many deletions at once amid all that may go wrong: who is deleted, and what is said of it.

Messages are expunged by the dozen; meanwhile others delete and add at the API between any two
requests, answers are lost before or after they took effect, and the process is killed at any
request or commit. What the API holds is known here row by row, so that a deletion of another
message, just like the one meant or not, is seen at once, and so is one that is called done while
its message is listed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from bridge.api.client import PecClient
from bridge.api.errors import ApiError
from bridge.api.schema import InboxMessage, InboxPage
from bridge.simulator import (
    SEQUENCE_READING,
    Failure,
    Ids,
    ListingOrder,
    Operation,
    Options,
    PageCount,
    PageCounts,
    PastEnd,
    Phase,
    Row,
    Simulator,
)
from bridge.store.base import ReadTransaction, StoreFailed
from bridge.store.deletions import DeletionState
from tests.fakes import FakeClock
from tests.sync.client import Passing
from tests.sync.world import ADDRESS, World

FAULTS = [
    (Phase.BEFORE, Failure.TIMEOUT),
    (Phase.AFTER, Failure.TIMEOUT),
    (Phase.AFTER, Failure.TRUNCATED),
    (Phase.BEFORE, Failure.CONNECT_ERROR),
]
STRUCK = [
    Operation.INBOX_DELETE,
    Operation.INBOX_DELETE,
    Operation.INBOX_GET,
    Operation.INBOX_LIST,
]
HOSTILE = frozenset({"others", "likes", "faults", "kills"})


class Killed(StoreFailed):
    """The process is no more."""


class Storm:
    """One story; ``hostile`` are the kinds of trouble that it may meet with."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        hostile: Collection[str] = HOSTILE,
        options: Options | None = None,
    ) -> None:
        self.random = Random(seed)
        self.hostile = hostile
        self.log: list[str] = []
        self.clock = FakeClock()
        self.options = options or self._reading()
        simulator = Simulator(self.options, self.clock, Random(1))
        self.world = World(self.clock, simulator, folder, wrap=lambda client: Stormy(client, self))
        self._born: list[Row] = []
        self._wished: set[int] = set()
        """Rows that were listed when a message with their text was expunged."""
        self._expunged: Counter[str] = Counter()
        self._deleted_here: list[Row] = []
        self._kill_in: int | None = None
        self._dead = asyncio.Event()
        self._buried = asyncio.Event()

    def _reading(self) -> Options:
        choose = self.random.choice
        return SEQUENCE_READING.replace(
            ids=choose([Ids.SEQUENCE, Ids.SEQUENCE, Ids.STABLE]),
            page_base=choose([0, 1]),
            order=choose(list(ListingOrder)),
            page_count=choose(list(PageCount)),
            past_end=choose(list(PastEnd)),
            counts=choose([PageCounts.NUMBERS, PageCounts.NUMBERS, PageCounts.ABSENT]),
            page_size=choose([3, 5, 25]),
        )

    # -- the API -----------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """Return what is listed, oldest first."""
        return [one.row for one in self.world.simulator.inbox(ADDRESS)]

    def _arrive(self, like: Row | None = None) -> None:
        number = len(self._born)
        at = self.clock.now() - timedelta(days=1) + timedelta(minutes=number)
        subject, text = f"N. {number}", f"testo-{number}-"
        if like is not None:
            at, subject = like.at, like.subject
            text = like.text if self.random.random() < 0.5 else text
        self._born.append(self.world.simulator.inject(ADDRESS, subject=subject, body=text, at=at))

    def _surprise(self) -> None:
        if self.random.random() < 0.7:
            row = self.random.choice(self.rows() or [None])
            if row is not None:
                self.log.append(f"elsewhere {row.number}")
                self.world.simulator.delete(ADDRESS, row)
            return
        like = None
        if self._deleted_here and "likes" in self.hostile:
            like = self.random.choice(self._deleted_here[-5:])
        self.log.append(f"arrives {len(self._born)} like {None if like is None else like.number}")
        self._arrive(like)

    async def step(self) -> None:
        """A request or a commit begins or has ended: the process may be killed here.

        Raises:
            Killed: whatever a task would still do is not done either.
        """
        if self._kill_in is not None:
            self._kill_in -= 1
            if self._kill_in <= 0:
                self._dead.set()
        if self._dead.is_set():
            await self._buried.wait()
            raise Killed

    def deleted(self, before: Sequence[Row]) -> None:
        """See what a deletion of ours took away."""
        left = {row.number for row in self.rows()}
        for row in before:
            if row.number not in left:
                self.log.append(f"deleted {row.number}")
                self._deleted_here.append(row)
                assert row.number in self._wished, f"{row} was wanted gone by nobody"
                count = sum(one.text == row.text for one in self._deleted_here)
                assert count <= self._expunged[row.text], f"{row}: more than were expunged"

    # -- here --------------------------------------------------------------------------------

    async def tell(self) -> None:
        """Tell the story.

        Raises:
            AssertionError: something was lost, or wrongly deleted, or wrongly called deleted.
        """
        await self._start()
        try:
            await self._tell()
        finally:
            await self.world.stop()

    async def tell_of_a_kill(self, steps: int) -> None:
        """Tell of a kill after so many steps amid deletions, and of messages just like those.

        They come before the process is started again, and are to stay.
        """
        await self._start()
        try:
            for _ in range(6):
                self._arrive()
            await self._sync()
            await self._expunge(4)
            self._kill_in = steps
            await self._sync()
            for row in self._deleted_here:
                self._come_again(row)
            for _ in range(4):
                await self._sync()
                await self._check()
                await self.clock.advance(60.0)
        finally:
            await self.world.stop()

    def _come_again(self, row: Row) -> None:
        made = self.world.simulator.inject(ADDRESS, subject=row.subject, body=row.text, at=row.at)
        self._born.append(made)

    async def _start(self) -> None:
        await self.world.start()
        self._kill_in = None
        self._dead.clear()
        self._buried.clear()
        write = self.world.store.write

        async def watched(work: Any, *more: Any, **named: Any) -> Any:
            await self.step()
            result = await write(work, *more, **named)
            await self.step()
            return result

        self.world.store.write = watched  # type: ignore[method-assign]

    async def _tell(self) -> None:
        random = self.random
        for _ in range(random.choice([8, 20, 45])):
            like = random.choice(self.rows()) if self._born and random.random() < 0.08 else None
            self._arrive(like)
        for _ in range(3):
            await self._sync()
        for _ in range(random.randint(1, 4)):
            await self._expunge(random.choice([1, 3, 13, 25]))
            for _ in range(random.randint(1, 5)):
                self._order_trouble()
                await self._sync()
                await self._check()
                await self.clock.advance(random.choice([1.0, 60.0, 3_700.0]))
        self.world.surprises.clear()
        self.world.simulator.faults.clear()
        self._kill_in = None
        for hours in (3, 13, 25, 25, 25, 25, 25):
            await self.clock.advance(3_600.0 * hours)
            await self._sync()
            await self._check()
        await self._compare()

    def _order_trouble(self) -> None:
        random, hostile = self.random, self.hostile
        for _ in range(random.randint(0, 4)):
            if "others" in hostile:
                self.world.surprises[random.randint(1, 60)] = self._surprise
            if "faults" in hostile and random.random() < 0.5:
                phase, failure = random.choice(FAULTS)
                self.world.simulator.faults.fail(
                    random.choice(STRUCK), phase, failure, skip=random.randint(0, 15)
                )
        if "kills" in hostile and random.random() < 0.4:
            self._kill_in = random.randint(1, 120)

    async def _expunge(self, count: int) -> None:
        """Expunge some that stand next to each other, or anywhere."""
        messages = await self.world.messages()
        uids = sorted(messages)
        if self.random.random() < 0.5:
            first = self.random.randrange(max(len(uids) - count, 0) + 1)
            chosen = uids[first : first + count]
        else:
            chosen = self.random.sample(uids, min(count, len(uids)))
        texts = [_text(messages[uid]) for uid in chosen]
        self.log.append(f"expunge {texts}")
        self._expunged.update(texts)
        self._wished.update(row.number for row in self.rows() if row.text in texts)
        await self.world.mailboxes.expunge(self.world.inbox_id, chosen)

    async def _sync(self) -> None:
        self.log.append("sync")
        syncing = asyncio.ensure_future(self.world.sync_now())
        dying = asyncio.ensure_future(self._dead.wait())
        await asyncio.wait({syncing, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if self._dead.is_set():
            self.log.append("killed")
            self._buried.set()
            syncing.cancel()
            await asyncio.gather(syncing, return_exceptions=True)
            await self.world.stop()
            await self._start()
        else:
            with contextlib.suppress(ApiError):
                await syncing

    # -- what must hold ----------------------------------------------------------------------

    async def _texts(self, state: DeletionState, *, is_live: bool = False) -> Counter[str]:
        async def work(tx: ReadTransaction) -> Counter[str]:
            found = await tx.deletions(self.world.account, state)
            live = [one.remote.id for one in found if not (is_live and one.remote.gone_at)]
            return Counter([str(await tx.remote_body(remote)) for remote in live])

        return await self.world.store.read(work)

    async def _check(self) -> None:
        """What is called deleted is not listed any more, one for one."""
        gone = Counter(row.text for row in self._born) - Counter(row.text for row in self.rows())
        done = await self._texts(DeletionState.DONE)
        assert done <= gone, f"called deleted and still listed: {done - gone}"

    async def _compare(self) -> None:
        """What is listed is shown, but for what was expunged and is in doubt."""
        shown = Counter(_text(raw) for raw in (await self.world.messages()).values())
        listed = Counter(row.text for row in self.rows())
        doubted = await self._texts(DeletionState.DOUBTED, is_live=True)
        self.doubted = sum(doubted.values())
        wanted = await self._texts(DeletionState.WANTED)
        assert not wanted, f"still wanted: {wanted}"
        assert shown == listed - doubted, (shown - listed, listed - doubted - shown)


def _text(raw: str) -> str:
    return next((word for word in raw.split() if word.startswith("testo-")), raw)


class Stormy(Passing):
    """The way to the API, which sees what goes through."""

    def __init__(self, client: PecClient, storm: Storm) -> None:
        super().__init__(client)
        self._storm = storm

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        await self._storm.step()
        return await super().inbox_page(page, query)

    async def inbox_message(self, api_id: str) -> InboxMessage:
        await self._storm.step()
        return await super().inbox_message(api_id)

    async def delete_inbox(self, api_id: str) -> None:
        await self._storm.step()
        before = self._storm.rows()
        try:
            await super().delete_inbox(api_id)
        finally:
            self._storm.deleted(before)
            await self._storm.step()
