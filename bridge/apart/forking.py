"""Processes that are forks of one that has imported all they need; see ``forkserver``.

To begin Python and to import takes several times as long as most work does. A fork has everything
that a process of its own has: its memory, its bounds, its end. (``multiprocessing`` has a server of
this kind too, but one for all of a program, which nobody can end, and whose forks import the
program's main module.)

Failure: ``ForkServerGone`` is told apart by whether the program was begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.apart.forkserver import BEGUN, LINE_BYTES
from bridge.apart.program import TIE

PYTHON = (sys.executable, "-P", "-X", "faulthandler")

CAN_FORK = sys.platform == "linux"
"""Elsewhere there is no fork, or libraries of the system do not bear it."""


@dataclass(frozen=True, slots=True)
class Module:
    """A program: a module whose ``main`` takes texts and returns a status."""

    name: str
    arguments: tuple[str, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """How to run it in a process of its own."""
        return (*PYTHON, "-m", self.name, *self.arguments)


@dataclass(frozen=True, slots=True)
class Streams:
    """The descriptors of a program's standard input, output and error."""

    given: int
    made: int
    said: int


class ForkServerGone(Exception):
    """It is no more; ``begun`` says whether the program was."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__("the process that begins others is gone")
        self.begun = begun


class ForkServer:
    """One such process, which runs one program at a time and ends with its last use.

    Making it blocks.

    Raises:
        OSError: no process can be begun.
    """

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._heard = bytearray()
        try:
            tie, variables = self._open.enter_context(tied())
            self._socket, theirs = socket.socketpair()
            self._open.callback(self._socket.close)
            self._socket.setblocking(False)
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    (*PYTHON, "-m", "bridge.apart.forkserver", str(theirs.fileno())),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the daemon
                    pass_fds=(theirs.fileno(), *tie),
                    env=variables,
                )
        except BaseException:
            self._open.close()
            raise
        self._open.callback(self._process.wait)
        self._open.callback(self._process.kill)
        # A method would be called with what it closes, which is garbage then as well, in any order.
        self._end = weakref.finalize(self, self._open.close)

    async def run(self, program: Module, streams: Streams) -> int:
        """Return how a program ended, negative for a signal's number; no other is under way.

        Raises:
            ForkServerGone: see the class.
        """
        if sys.platform == "win32":
            raise NotImplementedError
        line = json.dumps([program.name, *program.arguments]).encode() + b"\n"
        try:
            descriptors = [streams.given, streams.made, streams.said]
            socket.send_fds(self._socket, [line], descriptors)
        except OSError:
            raise ForkServerGone(begun=False) from None
        if await self._line() != BEGUN:
            raise ForkServerGone(begun=False)
        status = await self._line()
        if not status:
            raise ForkServerGone(begun=True)
        return int(status)

    async def _line(self) -> bytes:
        """Return what it says next, b"" when it and what it has begun are gone."""
        while b"\n" not in self._heard:
            try:
                said = await asyncio.get_running_loop().sock_recv(self._socket, LINE_BYTES)
            except ConnectionError:
                said = b""
            if not said:
                return b""
            self._heard += said
        line, _, rest = bytes(self._heard).partition(b"\n")
        self._heard[:] = rest
        return line + b"\n"

    async def ended(self) -> int:
        """End it and what it is running, however far that is; return how it ended."""
        self._process.kill()
        while await self._line():
            pass
        await asyncio.to_thread(self.close)
        return self._process.returncode

    def close(self) -> None:
        """End it; blocks for a moment."""
        self._end()


@contextlib.contextmanager
def tied() -> Iterator[tuple[tuple[int, ...], dict[str, str] | None]]:
    """Make the pipe that tells a process when the daemon is gone; see ``program``."""
    if sys.platform == "win32":
        yield (), None
        return
    held, given = os.pipe()
    try:
        yield (given,), {**os.environ, TIE: str(given)}
    finally:
        os.close(held)
        os.close(given)
