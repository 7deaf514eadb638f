"""Work on something large in a process of its own, which can be killed.

What a person wrote may cost more than it is worth: then the process meets its limit of time on the
processor or of memory, and neither the loop, nor other messages, nor the end of the daemon wait for
it. Such work takes turns (``turns``), so its memory does not add up. What goes in and what comes
out is in files: nobody holds it in memory meanwhile.

A program is a module whose ``main`` gives its work to ``apart.program.begin``. On Linux it is a
fork of a process that has its imports already (``forking``), which ends when it has had nothing to
do for a minute; elsewhere, and where none can be had, it begins anew each time.

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
import signal
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import structlog

from bridge.apart.forking import CAN_FORK, ForkServer, ForkServerGone, Module, Streams, tied
from bridge.apart.killed import Killed
from bridge.apart.program import CRASHED, DISK_FAILED, LONG, TOO_COSTLY, memory_bytes
from bridge.apart.turns import OwnersTurns
from bridge.language import say
from bridge.limits import APART_CPU_S, APART_SMALL_BYTES, APART_WALL_S
from bridge.spool import Spooled, SpoolFile

log = structlog.get_logger()

IDLE_S = 60.0
"""How long a process stays that may be forked from again."""

SAID_BYTES = 4096
"""So much of what a process says on standard error is kept, the last of it."""


def _statuses(*names: str) -> frozenset[int]:
    return frozenset(-getattr(signal, name) for name in names if hasattr(signal, name))


_TOLD_TO_STOP = _statuses("SIGHUP", "SIGINT", "SIGTERM")
"""How a process ends that somebody ended politely; what runs out of memory is not asked."""
_OUT_OF_TIME = _statuses("SIGXCPU")
_BROKEN = _statuses("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS")
"""It ended itself."""


Program = Module | Sequence[str]
"""What is run; a command line in a process that is begun for it."""


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
        self._idle: dict[ForkServer, asyncio.TimerHandle] = {}
        self._owner: object = None

    def of(self, owner: object) -> Self:
        """Return the same place, for work that is this owner's."""
        other = copy.copy(self)
        other._owner = owner
        return other

    async def run(
        self, program: Program, given: SpoolFile, *, known_by: Spooled | None = None
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
            raise ApartFailed(
                say("no process can be begun for it ({error})", error=error)
            ) from None
        return made

    async def _run_or_remember(
        self, program: Program, given: SpoolFile, made: SpoolFile, known_by: Spooled
    ) -> None:
        try:
            await self._run(program, given, made)
        except _KilledFromOutside as how:
            digest = await asyncio.to_thread(_digest, known_by)
            if await asyncio.to_thread(self._killed.again, digest):
                raise TooCostly(say("{how}, and not for the first time", how=how)) from None
            log.warning("process_killed", how=str(how))
            raise ApartFailed(say("{how}; it is tried once more", how=how)) from None
        if not await asyncio.to_thread(self._killed.is_empty):
            digest = await asyncio.to_thread(_digest, known_by)
            await asyncio.to_thread(self._killed.forget, digest)

    async def _run(self, program: Program, given: SpoolFile, made: SpoolFile) -> None:
        said = await asyncio.to_thread(SpoolFile, self.folder)
        streams = Streams(given.from_beginning(), made.from_beginning(), said.from_beginning())
        try:
            async with asyncio.timeout(self._deadline_s):
                status = await self._forked(program, streams)
                if status is None:
                    status = await _alone(program, streams)
        except TimeoutError:
            raise _KilledFromOutside(
                say("it takes longer than {most} seconds", most=f"{self._deadline_s:g}")
            ) from None
        if status == TOO_COSTLY:
            most_bytes = memory_bytes(await asyncio.to_thread(given.size_bytes))
            raise TooCostly(say("it needs more memory than {most} MiB", most=most_bytes >> 20))
        if status != 0:
            _judge(status, program, await asyncio.to_thread(_end_of, said))

    async def _forked(self, program: Program, streams: Streams) -> int | None:
        """Return how a fork ended; None where there cannot be one, and nothing was begun."""
        if not CAN_FORK or not isinstance(program, Module):
            return None
        server = self._idle_server()
        if server is None:
            server = await asyncio.to_thread(ForkServer)
        try:
            status = await server.run(program, streams)
        except ForkServerGone as gone:
            ended = await server.ended()
            return ended if gone.begun else None
        except BaseException:
            await server.ended()
            raise
        loop = asyncio.get_running_loop()
        self._idle[server] = loop.call_later(IDLE_S, self._let_go, server)
        return status

    def _idle_server(self) -> ForkServer | None:
        """Take a process that may be forked from, if there is one."""
        if not self._idle:
            return None
        server, end = self._idle.popitem()
        end.cancel()
        return server

    def _let_go(self, server: ForkServer) -> None:
        """End a process that was not needed for long."""
        del self._idle[server]
        asyncio.get_running_loop().run_in_executor(None, server.close)

    async def aclose(self) -> None:
        """End the processes that are forked from; what is under way goes on."""
        while (server := self._idle_server()) is not None:
            await asyncio.to_thread(server.close)


async def _alone(program: Program, streams: Streams) -> int:
    """Return how a program ended in a process that was begun for it."""
    command = program.command if isinstance(program, Module) else program
    with tied() as (tie, variables):
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=streams.given,
            stdout=streams.made,
            stderr=streams.said,
            start_new_session=True,  # Ctrl-C is for the daemon, which finishes what is in hand
            pass_fds=tie,
            env=variables,
        )
        return await _ended(process)


async def _ended(process: Process) -> int:
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _end_of(said: SpoolFile) -> bytes:
    """Return the last of what a process said on standard error."""
    size_bytes = said.size_bytes()
    return said.read(max(size_bytes - SAID_BYTES, 0), SAID_BYTES)


def _judge(status: int, program: Program, said: bytes) -> None:
    """Say what an ending means that is none as it should be."""
    if status in _TOLD_TO_STOP:
        raise ApartFailed(say("the process for it was ended"))
    if status in _OUT_OF_TIME:
        raise TooCostly(say("it takes longer than {most} seconds of work", most=f"{APART_CPU_S:g}"))
    if status == DISK_FAILED:
        raise ApartFailed(say("the disk is full or fails"))
    is_broken = status == CRASHED or status in _BROKEN
    if status < 0 and not is_broken:
        raise _KilledFromOutside(
            say("the process for it was killed (signal {signal})", signal=-status)
        )
    words = said.decode("utf-8", "backslashreplace").strip()
    log.error("process_failed", program=_name(program), status=status, said=words)
    if is_broken:
        raise ApartCrashed(say("the process for it failed"))
    raise ApartFailed(say("the process for it cannot run ({status})", status=status))


def program(module: str, *arguments: str) -> Module:
    """Return a module as a program."""
    return Module(module, arguments)


def _name(program: Program) -> str:
    """Name a program without its arguments."""
    return program.name if isinstance(program, Module) else program[0]


def _digest(stretch: Spooled) -> bytes:
    digest = hashlib.sha256()
    for piece in stretch.pieces():
        digest.update(piece)
    return digest.digest()


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
