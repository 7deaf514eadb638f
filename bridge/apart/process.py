"""Work on something large in a process of its own, which can be killed.

What a person wrote may cost more than it is worth: then the process meets its limit of time on the
processor or of memory, and neither the loop, nor other messages, nor the end of the daemon wait for
it. Such work takes turns (``turns``), so its memory does not add up. What goes in and what comes
out is in files: nobody holds it in memory meanwhile.

A program is a module that gives its work to ``apart.program.begin``; it imports little, for each
message begins it anew.

Failure: ``TooCostly`` is for what was given, and would come again; ``ApartFailed`` is not. Whoever
ends the daemon may end these processes with it: that says nothing about what was given. One that is
killed from outside, or does not end for very long, may have been killed for what it did, or for
something else: the first time that is an ``ApartFailed``, for the same thing again it is
``TooCostly`` (``killed``). Cancelling ends the process; the daemon's own end does too.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import hashlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import structlog

from bridge.apart.killed import Killed
from bridge.apart.program import CRASHED, DISK_FAILED, LONG, TIE, TOO_COSTLY, memory_bytes
from bridge.apart.turns import OwnersTurns
from bridge.limits import APART_CPU_S, APART_SMALL_BYTES, APART_WALL_S
from bridge.spool import Spooled, SpoolFile

log = structlog.get_logger()

_PYTHON = (sys.executable, "-P", "-X", "faulthandler")
SAID_BYTES = 4096
"""So much of what a process says on standard error is kept, the last of it."""


def _statuses(*names: str) -> frozenset[int]:
    return frozenset(-getattr(signal, name) for name in names if hasattr(signal, name))


_TOLD_TO_STOP = _statuses("SIGHUP", "SIGINT", "SIGTERM")
"""How a process ends that somebody ended politely; what runs out of memory is not asked."""
_OUT_OF_TIME = _statuses("SIGXCPU")
_BROKEN = _statuses("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS")
"""It ended itself."""


class TooCostly(Exception):
    """The work cannot be done within the limits; the text says within which."""


class ApartFailed(Exception):
    """The work could not be done now; the text says why."""


class ApartCrashed(ApartFailed):
    """The program met something unforeseen in what was given, as it may again."""


class _KilledFromOutside(Exception):
    """Whoever did it; the text says how."""


class Apart:
    """Runs such work, each owner's in turn.

    Args:
        folder: where the files are; None is the system's place for them.
        deadline_s: how long one may take, however little of it on the processor.

    Attributes:
        folder: likewise.
    """

    def __init__(self, folder: Path | None = None, *, deadline_s: float = APART_WALL_S) -> None:
        self.folder = folder
        self._deadline_s = deadline_s
        self._turns = OwnersTurns(APART_SMALL_BYTES)
        self._killed = Killed(folder)
        self._owner: object = None

    def of(self, owner: object) -> Self:
        """Return the same place, for work that is this owner's."""
        other = copy.copy(self)
        other._owner = owner
        return other

    async def run(
        self, program: Sequence[str], given: SpoolFile, *, known_by: Spooled | None = None
    ) -> SpoolFile:
        """Return what a program writes to its standard output of what is given on its input.

        Args:
            program: see ``program``.
            given: what goes in.
            known_by: the part of it that is the same when it is given again; None is all of it.

        Raises:
            TooCostly, ApartFailed: see the classes.
        """
        try:
            size_bytes = await asyncio.to_thread(given.size_bytes)
            known_by = known_by or Spooled(given, 0, size_bytes)
            async with self._turns.taken(self._owner, size_bytes):
                made = await asyncio.to_thread(SpoolFile, self.folder)
                await self._run_or_remember(program, given, made, known_by)
        except OSError as error:
            raise ApartFailed(f"no process can be begun for it ({error})") from None
        return made

    async def _run_or_remember(
        self, program: Sequence[str], given: SpoolFile, made: SpoolFile, known_by: Spooled
    ) -> None:
        try:
            await self._run(program, given, made)
        except _KilledFromOutside as how:
            digest = await asyncio.to_thread(_digest, known_by)
            if await asyncio.to_thread(self._killed.again, digest):
                raise TooCostly(f"{how}, and not for the first time") from None
            log.warning("process_killed", how=str(how))
            raise ApartFailed(f"{how}; it is tried once more") from None
        if not await asyncio.to_thread(self._killed.is_empty):
            digest = await asyncio.to_thread(_digest, known_by)
            await asyncio.to_thread(self._killed.forget, digest)

    async def _run(self, program: Sequence[str], given: SpoolFile, made: SpoolFile) -> None:
        with _tie() as (tie, variables):
            process = await asyncio.create_subprocess_exec(
                *program,
                stdin=given.from_beginning(),
                stdout=made.from_beginning(),
                stderr=PIPE,
                start_new_session=True,  # Ctrl-C is for the daemon, which finishes what is in hand
                pass_fds=tie,
                env=variables,
            )
            status, said = await self._ended(process)
        if status == TOO_COSTLY:
            most_bytes = memory_bytes(await asyncio.to_thread(given.size_bytes))
            raise TooCostly(f"it needs more memory than {most_bytes >> 20} MiB")
        if status != 0:
            _judge(status, program, said)

    async def _ended(self, process: Process) -> tuple[int, bytes]:
        """Return how a process ended, and the last of what it said."""
        said = bytearray()

        async def listen() -> int:
            assert process.stderr is not None  # noqa: S101 - it is piped
            while piece := await process.stderr.read(SAID_BYTES):
                said.extend(piece)
                del said[:-SAID_BYTES]
            return await process.wait()

        try:
            async with asyncio.timeout(self._deadline_s):
                return await listen(), bytes(said)
        except TimeoutError:
            raise _KilledFromOutside(f"it takes longer than {self._deadline_s:g} seconds") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def _judge(status: int, program: Sequence[str], said: bytes) -> None:
    """Say what an ending means that is none as it should be."""
    if status in _TOLD_TO_STOP:
        raise ApartFailed("the process for it was ended")
    if status in _OUT_OF_TIME:
        raise TooCostly(f"it takes longer than {APART_CPU_S:g} seconds of work")
    if status == DISK_FAILED:
        raise ApartFailed("the disk is full or fails")
    is_broken = status == CRASHED or status in _BROKEN
    if status < 0 and not is_broken:
        raise _KilledFromOutside(f"the process for it was killed (signal {-status})")
    words = said.decode("utf-8", "backslashreplace").strip()
    log.error("process_failed", program=_name(program), status=status, said=words)
    if is_broken:
        raise ApartCrashed("the process for it failed")
    raise ApartFailed(f"the process for it cannot run ({status})")


def program(module: str, *arguments: str) -> Sequence[str]:
    """Return how a module is run as a program, which says where it was if it is broken."""
    return (*_PYTHON, "-m", module, *arguments)


def _name(program: Sequence[str]) -> str:
    """Name a program without its arguments."""
    _, given, rest = " ".join(program).partition(" -m ")
    return rest.split()[0] if given else program[0]


def _digest(stretch: Spooled) -> bytes:
    digest = hashlib.sha256()
    for piece in stretch.pieces():
        digest.update(piece)
    return digest.digest()


@contextlib.contextmanager
def _tie() -> Iterator[tuple[tuple[int, ...], dict[str, str] | None]]:
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


def told(made: SpoolFile) -> tuple[Any, Spooled]:
    """Return what a program wrote: the value that ``program.line`` made, and what is behind it."""
    line = made.line()
    start = len(line) + 1
    short, sizes = json.loads(line)
    texts = []
    for size_bytes in sizes:
        texts.append(made.read(start, size_bytes).decode("utf-8", "surrogatepass"))
        start += size_bytes
    return _with_long(short, texts), Spooled(made, start, made.size_bytes() - start)


def _with_long(value: Any, texts: Sequence[str]) -> Any:
    """Return a value with the long texts that ``program.line`` left out of it."""
    if not isinstance(value, dict):
        return value
    if LONG in value:
        return texts[value[LONG]]
    return {name: _with_long(one, texts) for name, one in value.items()}
