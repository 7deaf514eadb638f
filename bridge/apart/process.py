"""Work on something large in a process of its own, which can be killed.

What a person wrote may cost more than it is worth: then the process meets its deadline or its
limit of memory, and neither the loop, nor other messages, nor the end of the daemon wait for it.
All such work takes turns, so its memory does not add up. What goes in and what comes out is in
files: nobody holds it in memory meanwhile.

A program is a module that gives its work to ``apart.program.begin``; it imports little, for each
message begins it anew.

Failure: ``TooCostly`` is for what was given, and would come again; ``ApartFailed`` is not. Whoever
ends the daemon may end these processes with it: that says nothing about what was given. Cancelling
ends the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bridge.apart.program import CRASHED, DISK_FAILED, TOO_COSTLY
from bridge.limits import APART_BYTES, APART_S
from bridge.spool import Spooled, SpoolFile

_TOLD_TO_STOP = frozenset(
    -getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGTERM") if hasattr(signal, name)
)
"""How a process ends that somebody ended politely; what runs out of memory is not asked."""


class TooCostly(Exception):
    """The work cannot be done within the limits; the text says within which."""


class ApartFailed(Exception):
    """The work could not be done now; the text says why."""


class ApartCrashed(ApartFailed):
    """The program met something unforeseen in what was given, as it may again."""


class Apart:
    """Runs such work, one at a time.

    Args:
        folder: where the files are; None is the system's place for them.
        deadline_s: how long one may take.

    Attributes:
        folder: likewise.
    """

    def __init__(self, folder: Path | None = None, *, deadline_s: float = APART_S) -> None:
        self.folder = folder
        self._deadline_s = deadline_s
        self._turn = asyncio.Semaphore(1)

    async def run(self, program: Sequence[str], given: SpoolFile) -> SpoolFile:
        """Return what a program writes to its standard output of what is given on its input.

        Raises:
            TooCostly, ApartFailed: see the classes.
        """
        async with self._turn:
            try:
                made = await asyncio.to_thread(SpoolFile, self.folder)
                await self._run(program, given, made)
            except OSError as error:
                raise ApartFailed(f"no process can be begun for it ({error})") from None
        return made

    async def _run(self, program: Sequence[str], given: SpoolFile, made: SpoolFile) -> None:
        process = await asyncio.create_subprocess_exec(
            *program,
            stdin=given.from_beginning(),
            stdout=made.from_beginning(),
            stderr=DEVNULL,
            start_new_session=True,  # Ctrl-C is for the daemon, which finishes what is in hand
        )
        try:
            async with asyncio.timeout(self._deadline_s):
                status = await process.wait()
        except TimeoutError:
            raise TooCostly(f"it takes longer than {self._deadline_s:g} seconds") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if status in _TOLD_TO_STOP:
            raise ApartFailed("the process for it was ended")
        if status == TOO_COSTLY or status < 0:
            raise TooCostly(f"it needs more memory than {APART_BYTES >> 20} MiB")
        if status == DISK_FAILED:
            raise ApartFailed("the disk is full or fails")
        if status == CRASHED:
            raise ApartCrashed("the process for it failed")
        if status != 0:
            raise ApartFailed(f"the process for it cannot run ({status})")


def program(module: str, *arguments: str) -> Sequence[str]:
    """Return how a module is run as a program."""
    return (sys.executable, "-P", "-m", module, *arguments)


def told(made: SpoolFile) -> tuple[Any, Spooled]:
    """Return what a program wrote: the value of its first line, in JSON, and what is behind it."""
    line = made.line()
    start = len(line) + 1
    return json.loads(line), Spooled(made, start, made.size_bytes() - start)
