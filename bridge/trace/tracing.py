"""Traces that are on: of an account, or of an address, each into a file of its own (0600).

A trace ends by itself, after its time or when its file is full, and with the bridge. Files are
written by a thread, twice a second, so that a slow disk holds up nobody; what does not fit in
between is counted and left out. Old files go after ``KEPT_DAYS``.

Failure: ``TraceFault`` with a sentence. A file that cannot be written ends its trace, and the log
says so.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

import structlog

from bridge.clock import Clock, SystemClock
from bridge.language import say
from bridge.limits import TRACE_FILES, TRACE_PENDING_BYTES, TRACES_AT_ONCE

log = structlog.get_logger()

FOLDER = "traces"
PROTOCOLS = ("imap", "smtp", "api")
KEPT_DAYS = 7
FLUSH_S = 0.5
EARLY_LINES = 50
"""Lines of a connection that are remembered until it is known whose it is."""

_UNSAFE = re.compile(r"[^A-Za-z0-9@._-]+")
_FLAGS = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_CLOEXEC", 0)


class TraceFault(Exception):
    """A trace cannot be begun, or is not there; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class TraceWish:
    """What to write down: of an account (its address), or of a network's clients.

    ``protocols`` are among ``PROTOCOLS``; ``most_bytes`` is how large the file may become.
    """

    account: str | None
    peer: IPv4Network | IPv6Network | None
    protocols: frozenset[str]
    duration: timedelta
    most_bytes: int

    def is_of(self, protocol: str, account: str | None, peer: str) -> bool:
        """Tell whether what an account, or a client from ``peer``, says is wanted."""
        if protocol not in self.protocols:
            return False
        if self.account is not None:
            return account is not None and account.casefold() == self.account.casefold()
        return self.peer is not None and _is_within(peer, self.peer)


@dataclass(eq=False, slots=True)
class Trace:
    """A trace that is on."""

    id: str
    wish: TraceWish
    path: Path
    descriptor: int
    began_at: datetime
    ends_at_s: float
    size_bytes: int = 0
    left_out: int = 0
    over: str = ""
    pending: deque[bytes] = field(default_factory=deque)
    pending_bytes: int = 0

    def add(self, line: str) -> None:
        """Write a line, soon."""
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        if self.over:
            return
        if self.size_bytes + len(data) > self.wish.most_bytes:
            self.over = "the file is full"
        elif self.pending_bytes + len(data) > TRACE_PENDING_BYTES:
            self.left_out += 1
        else:
            self.pending.append(data)
            self.pending_bytes += len(data)
            self.size_bytes += len(data)

    def taken(self) -> bytes:
        """Return what is to be written, once."""
        data = b"".join(self.pending)
        self.pending.clear()
        self.pending_bytes = 0
        if self.left_out:
            data += b"-- %d lines left out: the disk is too slow\n" % self.left_out
            self.left_out = 0
        return data


class Tracing:
    """See the module.

    Args:
        folder: where files go; None where nothing can be traced.
        clock: time.

    Attributes:
        active: whether any trace is on: ask this first, it is all that a quiet bridge pays.
    """

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self.active = False
        self._folder = folder
        self._clock = clock
        self._traces: list[Trace] = []
        self._connections = 0
        self._begun = 0
        self._turn = asyncio.Lock()

    async def start(self, wish: TraceWish) -> Trace:
        """Begin a trace.

        Raises:
            TraceFault: too many are on, or the file cannot be made.
        """
        if self._folder is None:
            raise TraceFault(say("Nothing can be traced here."))
        if len(self._traces) >= TRACES_AT_ONCE:
            raise TraceFault(
                say(
                    "{count} traces are on; `pec-bridge trace stop` ends them.",
                    count=TRACES_AT_ONCE,
                )
            )
        self._begun += 1
        who = wish.account or str(wish.peer)
        now = self._clock.now()
        id = f"{now:%Y%m%dT%H%M%S}-{self._begun}"
        path = self._folder / f"{id}-{_UNSAFE.sub('-', who)}.log"
        try:
            mine = frozenset(trace.path for trace in self._traces)
            descriptor = await asyncio.to_thread(_made, path, mine)
        except OSError as error:
            raise TraceFault(
                say(
                    "A trace cannot be written to {folder}: {error}.",
                    folder=self._folder,
                    error=error,
                )
            ) from None
        ends_at_s = self._clock.monotonic() + wish.duration.total_seconds()
        trace = Trace(id, wish, path, descriptor, now, ends_at_s)
        protocols = ", ".join(sorted(wish.protocols))
        trace.add(f"-- trace of {who} ({protocols}); passwords are not in it")
        self._traces.append(trace)
        self.active = True
        log.info("trace_begun", trace=id)
        return trace

    async def stop(self, id: str | None = None) -> list[Trace]:
        """End a trace, or all; return those that ended.

        Raises:
            TraceFault: there is no such trace.
        """
        ended = [one for one in self._traces if id in (None, one.id)]
        if not ended:
            raise TraceFault(
                say("No trace is on.") if id is None else say("No trace {id} is on.", id=id)
            )
        for trace in ended:
            trace.over = trace.over or "it was stopped"
        await self._flush()
        return ended

    def standing(self) -> list[Trace]:
        """Return the traces that are on."""
        return list(self._traces)

    def left_s(self, trace: Trace) -> float:
        """Return how long a trace goes on."""
        return max(trace.ends_at_s - self._clock.monotonic(), 0.0)

    def tap(self, protocol: str, peer: str) -> Tap:
        """Return what a connection tells its words to."""
        self._connections += 1
        return Tap(self, protocol, peer, self._connections)

    def say(self, traces: Iterable[Trace], mark: str, text: str) -> None:
        """Write a line into traces."""
        line = self.line(mark, text)
        for trace in traces:
            trace.add(line)

    def line(self, mark: str, text: str) -> str:
        """Return a line with its time."""
        return f"{self._clock.now():%H:%M:%S.%f} {mark} {text}"

    def of(self, protocol: str, account: str | None, peer: str) -> list[Trace]:
        """Return the traces that want to know."""
        return [one for one in self._traces if one.wish.is_of(protocol, account, peer)]

    # -- files -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Write what was said, and end what is over, for ever."""
        while True:
            await self._clock.sleep(FLUSH_S)
            if self._traces:
                await self._flush()

    async def close(self) -> None:
        """End all."""
        for trace in self._traces:
            trace.over = trace.over or "the bridge ended"
        await self._flush()

    async def _flush(self) -> None:
        """Write what waits, and close what is over: one at a time."""
        async with self._turn:
            for trace in list(self._traces):
                if not trace.over and self.left_s(trace) == 0.0:
                    trace.over = "its time is over"
                is_over, data = bool(trace.over), trace.taken()
                if is_over:
                    self._traces.remove(trace)
                    self.active = bool(self._traces)
                    data += f"-- ended: {trace.over}\n".encode()
                fault = await asyncio.to_thread(_written, trace.descriptor, data, is_over)
                if fault is not None:
                    log.warning("trace_failed", trace=trace.id, reason=str(fault))
                    trace.over = trace.over or "it could not be written"
                if is_over:
                    log.info("trace_ended", trace=trace.id, reason=trace.over)


def _made(path: Path, on: frozenset[Path]) -> int:
    """Make a trace's file, having tidied its folder."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if sys.platform != "win32":
        path.parent.chmod(0o700)
    tidy(path.parent, on)
    return os.open(path, _FLAGS, 0o600)


def tidy(folder: Path, on: frozenset[Path]) -> None:
    """Forget files that are old, and the oldest of too many; blocks.

    Args:
        folder: where they are.
        on: those that are written to.
    """
    files = sorted(path for path in folder.glob("*.log") if path not in on)
    old_s = time.time() - KEPT_DAYS * 86_400
    beyond = len(files) + len(on) + 1 - TRACE_FILES
    for number, path in enumerate(files):
        if number < beyond or path.lstat().st_mtime < old_s:
            path.unlink(missing_ok=True)


def forget_all(folder: Path) -> None:
    """Forget every file of a folder of traces; blocks.

    Raises:
        OSError: one stays.
    """
    for path in folder.glob("*.log"):
        path.unlink(missing_ok=True)


def _written(descriptor: int, data: bytes, is_last: bool) -> OSError | None:
    """Write to a file, and close it after the last; return what went wrong. Blocks."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError as error:
        return error
    finally:
        if is_last:
            os.close(descriptor)
    return None


def nothing_traced() -> Tracing:
    """Return what traces nothing and cannot be asked to."""
    return Tracing(None, SystemClock())


class Tap:
    """What one connection says, for whoever traces its account or its address.

    Args:
        tracing: has the traces.
        protocol: one of ``PROTOCOLS``.
        peer: the client's address.
        number: tells connections apart.
    """

    def __init__(self, tracing: Tracing, protocol: str, peer: str, number: int) -> None:
        self._tracing = tracing
        self._protocol = protocol
        self._peer = peer
        self._number = number
        self._account: str | None = None
        self._early: deque[str] = deque(maxlen=EARLY_LINES)

    @property
    def is_on(self) -> bool:
        """Whether it is worth while to say anything."""
        return self._tracing.active

    def client(self, text: str) -> None:
        """Write what the client said."""
        self._say("C", text)

    def server(self, text: str) -> None:
        """Write what it was told."""
        self._say("S", text)

    def note(self, text: str) -> None:
        """Write what happened."""
        self._say("-", text)

    def belongs_to(self, account: str) -> None:
        """Learn whose connection it is, or is meant to be: what was said before is his too."""
        if self._account is not None and self._account.casefold() == account.casefold():
            return
        self._account = account
        for trace in self._tracing.of(self._protocol, account, self._peer):
            if trace.wish.account is not None:
                for line in self._early:
                    trace.add(line)
        self._early.clear()

    def _say(self, mark: str, text: str) -> None:
        if not self._tracing.active:
            self._early.clear()
            return
        head = f"{self._protocol} #{self._number} {self._peer} {mark}:"
        if self._account is None:
            self._early.append(self._tracing.line(head, text))
        self._tracing.say(self._tracing.of(self._protocol, self._account, self._peer), head, text)


class ApiTap:
    """What is asked of the API for one account."""

    def __init__(self, tracing: Tracing, account: str) -> None:
        self._tracing = tracing
        self._account = account

    @property
    def is_on(self) -> bool:
        """Whether it is worth while to say anything."""
        return self._tracing.active

    def say(self, text: str) -> None:
        """Write a request and what came of it, without any secret."""
        traces = self._tracing.of("api", self._account, "")
        self._tracing.say(traces, "api -:", "".join(c if c.isprintable() else " " for c in text))


def _is_within(peer: str, network: IPv4Network | IPv6Network) -> bool:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address in network or (mapped is not None and mapped in network)


def network_of(text: str) -> IPv4Network | IPv6Network:
    """Return the network, or the one address, that a text names.

    Raises:
        TraceFault: it names none.
    """
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise TraceFault(say("{text} is no address and no network.", text=text)) from None
