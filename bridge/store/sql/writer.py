"""The one thread that writes: group commit.

Works gather on the event loop; the thread takes all that wait and hands them to the medium, which
runs them in one transaction and commits once: while one commit is being synced the next group
gathers, so ten waiting submissions cost one sync.

Failure: the medium's to tell (``Medium.run``). The thread never ends by an error: the store
recovers as soon as the medium does.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import structlog

from bridge.language import say
from bridge.store.base import StoreFailed, Work

log = structlog.get_logger()

GROUP_LIMIT = 256
"""Works per commit; bounds how long the first of a group waits for the last."""

GATHER_S = 0.005
"""How long a group waits for more works at the most; a person does not notice it."""

CROWD = 4
"""Works under way from which on waiting for each other saves more than it costs."""


class Job:
    """A work on its way through the writer's thread."""

    __slots__ = ("committed", "error", "future", "is_lost", "result", "work")

    def __init__(
        self,
        work: Work[Any],
        committed: Callable[[Any], None] | None,
        future: asyncio.Future[Any],
    ) -> None:
        self.work = work
        self.committed = committed
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_lost = False

    def fail(self, error: StoreFailed) -> None:
        """Take back what came of it: the medium failed."""
        self.result, self.error, self.is_lost = None, error, True

    def settle(self) -> None:
        """Tell the caller, on the loop; what was committed stands whatever the caller does."""
        if self.error is None and self.committed is not None:
            try:
                self.committed(self.result)
            except Exception:
                log.exception("committed_callback_failed")
        if self.future.done():  # the caller was cancelled
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


Doubtful = Callable[[str], None]
"""Is told why it is not known yet what became of a commit."""


class Medium(Protocol):
    """What groups are written to, on the writer's thread; the last two are called from others."""

    name: str
    """For sentences."""

    def run(self, group: Sequence[Job], doubtful: Doubtful) -> None:
        """Run works and commit; return when it is known what became of each.

        Never raises what the medium's driver does: a job that was not kept has failed.

        Args:
            group: the works.
            doubtful: told meanwhile, where this takes long.
        """

    def reset(self) -> None:
        """Give up what is open; the next group begins anew."""

    def cut_off(self) -> None:
        """End what is under way for too long, as if the medium had failed."""

    def give_up(self) -> None:
        """Wait no longer for what is in doubt: the process is about to end."""


class Writer:
    """See the module; jobs are settled on ``loop`` in the order of their commits.

    The two threads share one interpreter: to write while messages come in makes both wait for
    each other more than they work. So a group waits, for ``GATHER_S`` at most, for as many works
    as were under way when the last one ended, if those were a ``CROWD``; the works of a client or
    two never wait.

    Args:
        medium: what is written to.
        loop: where works come from.
        most_s: after how long a group is cut off; None for never.
    """

    def __init__(
        self, medium: Medium, loop: asyncio.AbstractEventLoop, most_s: float | None = None
    ) -> None:
        self._medium = medium
        self._loop = loop
        self._most_s = most_s
        self.failing: str | None = None
        self._doubt: str | None = None
        self._gathered: list[Job] = []
        self._writing = False
        self._expected = 1
        self._waiting: asyncio.TimerHandle | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._groups: queue.SimpleQueue[Sequence[Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    # -- on the loop -----------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Queue a job; while it is not known what became of a commit, it fails."""
        self._gathered.append(job)
        if self._doubt is not None:
            self._loop.call_soon(self._refuse)
        else:
            self._gather()

    async def close(self) -> None:
        """Run what is queued and end the thread."""
        if self._waiting is not None:
            self._waiting.cancel()
        if self._gathered:
            self._groups.put(self._gathered)
            self._gathered = []
        self._groups.put(None)
        self._medium.give_up()
        await asyncio.to_thread(self._thread.join)

    def _gather(self) -> None:
        if self._writing or not self._gathered:
            return
        if len(self._gathered) >= self._expected:
            self._hand_over()
        elif self._waiting is None:
            self._waiting = self._loop.call_later(GATHER_S, self._hand_over)

    def _hand_over(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        group, self._gathered = self._gathered[:GROUP_LIMIT], self._gathered[GROUP_LIMIT:]
        self._writing = True
        if self._most_s is not None:
            self._limit = self._loop.call_later(self._most_s, self._cut_off, self._most_s)
        self._groups.put(group)

    def _cut_off(self, most_s: float) -> None:
        self._medium.cut_off()
        self._limit = self._loop.call_later(most_s, self._cut_off, most_s)

    def _doubtful(self, why: str) -> None:
        self.failing = self._doubt = why
        self._refuse()

    def _refuse(self) -> None:
        """Let what waits behind a commit in doubt fail now; its callers may come again."""
        if self._doubt is None:
            return
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        refused, self._gathered = self._gathered, []
        for job in refused:
            job.fail(StoreFailed(self._doubt))
            job.settle()

    def _settle(self, group: Sequence[Job]) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        self._writing = False
        self._doubt = None
        self.failing = next((str(job.error) for job in group if job.is_lost), None)
        under_way = len(group) + len(self._gathered)
        self._expected = min(under_way, GROUP_LIMIT) if under_way >= CROWD else 1
        for job in group:
            job.settle()
        self._gather()

    # -- on the writer's thread ------------------------------------------------------------

    def _run(self) -> None:
        while (group := self._groups.get()) is not None:
            try:
                self._medium.run(group, self._tell_doubt)
            except Exception as error:  # whatever it is, the next group must find the thread
                log.exception("store_writer_failed")
                self._medium.reset()
                for job in group:
                    job.fail(
                        StoreFailed(say("{path}: {error}", path=self._medium.name, error=error))
                    )
            with contextlib.suppress(RuntimeError):  # the loop was closed under us
                self._loop.call_soon_threadsafe(self._settle, group)
        self._medium.reset()

    def _tell_doubt(self, why: str) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._doubtful, why)
