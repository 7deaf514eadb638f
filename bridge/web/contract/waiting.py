"""Answers that wait for news: so many at once, and no longer than anybody wants them.

A wait ends early when the client has gone, when the key was revoked, and when the bridge stops.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request

from bridge.language import say
from bridge.limits import API_WAITS, API_WAITS_PER_KEY
from bridge.web.contract.endpoint import Call
from bridge.web.contract.keys import ApiKeys, Caller
from bridge.web.problem import ProblemFound, ProblemKind
from bridge.web.services import WebServices
from bridge.web.session import door_of


class CallerGone(Exception):
    """Whoever waited has gone."""


CHECK_S = 5.0
"""How often a wait asks whether its key still holds."""

Ask = Callable[[float], Awaitable[dict[str, Any]]]
"""Asks for something, and waits for it so many seconds at the most."""


class Waits:
    """See the module.

    Args:
        services: time, and the store of keys.
        keys: whether a key still holds.
    """

    def __init__(self, services: WebServices, keys: ApiKeys) -> None:
        self._clock = services.clock
        self._keys = keys
        self._waiting: Counter[str] = Counter()

    async def until(
        self, call: Call, ask: Ask, is_enough: Callable[[dict[str, Any]], bool], wait_s: float
    ) -> dict[str, Any]:
        """Ask until it is enough or the time is over; return what was answered last.

        Args:
            call: whose request waits.
            ask: asks once.
            is_enough: tells whether an answer ends the wait.
            wait_s: how long to wait at the most.

        Raises:
            ProblemFound: too many wait already, or the key was revoked.
            CallerGone: whoever asked has gone.
        """
        if wait_s <= 0:
            return await ask(0)
        end_s = self._clock.monotonic() + wait_s
        with self.turn(call.me):
            while True:
                left_s = end_s - self._clock.monotonic()
                found = await _unless_over(call.request, ask, min(left_s, CHECK_S))
                await self._keys.check(call.me)
                if found is None:
                    return await ask(0)
                if is_enough(found) or self._clock.monotonic() >= end_s:
                    return found

    async def check(self, caller: Caller) -> None:
        """See to it that a key still opens what it opened.

        Raises:
            ProblemFound: it does not.
        """
        await self._keys.check(caller)

    @contextmanager
    def turn(self, caller: Caller) -> Iterator[None]:
        """Let a key's request take long; a context manager.

        Raises:
            ProblemFound: too many do already.
        """
        if self._waiting[caller.key] >= API_WAITS_PER_KEY or self._waiting.total() >= API_WAITS:
            raise ProblemFound(
                ProblemKind.TOO_MANY_WAITS,
                say(
                    "{waiting} requests with this key wait already, {total} in all.",
                    waiting=self._waiting[caller.key],
                    total=self._waiting.total(),
                ),
                headers={"Retry-After": "5"},
            )
        self._waiting[caller.key] += 1
        try:
            yield
        finally:
            self._waiting[caller.key] -= 1
            if not self._waiting[caller.key]:
                del self._waiting[caller.key]


async def _unless_over(request: Request, ask: Ask, wait_s: float) -> dict[str, Any] | None:
    """Ask, but for no longer than there is a client and the bridge is not stopping.

    Returns:
        What was answered; None if the bridge stops.
    """
    door = door_of(request)
    asking = asyncio.ensure_future(ask(wait_s))
    gone = asyncio.ensure_future(_gone(request))
    ends = asyncio.ensure_future(asyncio.Event().wait() if door is None else door.ending.wait())
    tasks = (asking, gone, ends)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        if gone.done():
            raise CallerGone
        return None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _gone(request: Request) -> None:
    """Return when the client has gone; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
