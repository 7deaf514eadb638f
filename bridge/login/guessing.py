"""Who guesses passwords is slowed: by where he comes from, and by whose password it is.

Every login waits before its password is looked at, the right one too, or the wait would tell them
apart. The wait begins after some failures, doubles with each, and stays within what a person at
a mail program takes for a slow server: nobody is locked out. Once an account has been used from an
address, it waits there for nothing but what is guessed there at this very account: neither
guessers elsewhere slow it nor those beside it, for many people may share an address. For all
others what is guessed at the account, and what the address guesses at any, count together. One
guard serves all protocols.

Many connections are no way round the wait: of what an address tries at an account some are waited
for and looked at at once, and the others after them. They are still so many that whoever shares an
address with a guesser gets in within the time that a login has.

Failure: none. What is remembered is bounded, and forgotten some minutes after the last failure.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from weakref import WeakValueDictionary

from bridge.clock import Backoff, Clock
from bridge.limits import (
    GUESS_FORGOTTEN_S,
    GUESS_PAUSE_S,
    GUESSES_AT_ONCE,
    GUESSES_FREE,
    GUESSES_REMEMBERED,
)

FIRST_PAUSE_S = 0.25
UNKNOWN = "(not an account)"


@dataclass(slots=True)
class _Record:
    failures: int
    last_s: float


@dataclass(frozen=True, slots=True)
class Slowed:
    """An address, or an account, whose logins wait; ``pause_s`` is how long now."""

    by: Literal["peer", "account"]
    who: str
    failures: int
    pause_s: float


class _Memory:
    """Failures by key, the longest unheard of forgotten first."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def pause_s(self, key: str, now_s: float) -> float:
        record = self._records.get(key)
        if record is None or now_s - record.last_s > GUESS_FORGOTTEN_S:
            return 0.0
        over = record.failures - GUESSES_FREE
        return 0.0 if over < 0 else Backoff(FIRST_PAUSE_S, GUESS_PAUSE_S).wait_s(over)

    def slowed(self, by: Literal["peer", "account"], now_s: float) -> Iterator[Slowed]:
        for key, record in self._records.items():
            if (pause_s := self.pause_s(key, now_s)) > 0:
                yield Slowed(by, key, record.failures, pause_s)

    def note(self, key: str, now_s: float) -> None:
        record = self._records.pop(key, None)
        fresh = record is None or now_s - record.last_s > GUESS_FORGOTTEN_S
        failures = 1 if fresh or record is None else record.failures + 1
        self._records[key] = _Record(failures, now_s)
        if len(self._records) > GUESSES_REMEMBERED:
            self._records.popitem(last=False)


class GuessGuard:
    """See the module.

    Args:
        clock: time.
        names: the accounts' addresses; other names are not written into the log.
    """

    def __init__(self, clock: Clock, names: Iterable[str] = ()) -> None:
        self._clock = clock
        self.know(names)
        self._peers = _Memory()
        self._accounts = _Memory()
        self._pairs = _Memory()
        self._used: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def know(self, names: Iterable[str]) -> None:
        """Take these for the accounts' addresses from here on."""
        self._names = {name.casefold() for name in names}

    @asynccontextmanager
    async def turn(self, peer: str, login: str) -> AsyncIterator[None]:
        """Wait before a login of ``peer`` as ``login`` is looked at, if there is cause.

        Whether it was right is to be noted before the turn ends.
        """
        account = login.casefold()
        pair = _pair(peer, account if account in self._names else UNKNOWN)
        turns = self._turns.setdefault(pair, asyncio.Semaphore(GUESSES_AT_ONCE))
        async with turns:
            pause_s = self.pause_s(peer, login)
            if pause_s > 0:
                await self._clock.sleep(pause_s)
            yield

    def pause_s(self, peer: str, login: str) -> float:
        """Return how long such a login has to wait, in seconds."""
        now_s, account = self._clock.monotonic(), login.casefold()
        if (peer, account) in self._used:
            return self._pairs.pause_s(_pair(peer, account), now_s)
        return max(self._peers.pause_s(peer, now_s), self._accounts.pause_s(account, now_s))

    def failed(self, peer: str, login: str) -> None:
        """Note a wrong name or password."""
        now_s, account = self._clock.monotonic(), login.casefold()
        self._peers.note(peer, now_s)
        if account in self._names or not self._names:
            self._accounts.note(account, now_s)
            self._pairs.note(_pair(peer, account), now_s)

    def slowed(self) -> list[Slowed]:
        """Return whose logins wait, the longest first; an account not from where it is used."""
        now_s = self._clock.monotonic()
        found = [*self._peers.slowed("peer", now_s), *self._accounts.slowed("account", now_s)]
        return sorted(found, key=lambda one: (-one.pause_s, -one.failures, one.who))

    def succeeded(self, peer: str, login: str) -> None:
        """Note that the account is used from there."""
        key = (peer, login.casefold())
        self._used.pop(key, None)
        self._used[key] = None
        if len(self._used) > GUESSES_REMEMBERED:
            self._used.popitem(last=False)

    def shown(self, login: str) -> str:
        """Return a login's name for the log: people type passwords where the name goes."""
        return login if login.casefold() in self._names else UNKNOWN


def _pair(peer: str, account: str) -> str:
    return f"{peer} {account}"
