"""Telling a command: JSON on its standard input, exit status 0 says that it was taken.

It runs without a shell, in a session of its own, with no more of the environment than programs need
to find others and to speak the right language: what the bridge was started with may hold secrets.
One that does not end in time is ended with all that it began. What it prints goes nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from bridge.hooks.schedule import TryReport
from bridge.hooks.states import TryOutcome
from bridge.language import say

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "TMPDIR", "TEMP")


class CommandTarget:
    """See the module.

    Args:
        command: the program and its arguments.
        timeout_s: how long it may take.
        folder: where it runs.
        environment: what some of is passed on.
    """

    def __init__(
        self,
        command: tuple[str, ...],
        timeout_s: float,
        folder: Path,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._command = command
        self._timeout_s = timeout_s
        self._folder = folder
        self._environment = {name: environment[name] for name in PASSED_ON if name in environment}

    async def aclose(self) -> None:
        """Nothing is held between two tries."""

    async def tell(self, name: str, body: bytes) -> TryReport:
        """See ``HookTarget``; ``name`` is in its environment as ``PEC_BRIDGE_HOOK_ID``."""
        program = self._command[0]
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=self._folder,
                env={**self._environment, "PEC_BRIDGE_HOOK_ID": name},
                start_new_session=sys.platform != "win32",
            )
        except OSError as error:
            return TryReport(
                TryOutcome.DOWN,
                say(
                    "{program} cannot be run: {strerror}", program=program, strerror=error.strerror
                ),
            )
        try:
            async with asyncio.timeout(self._timeout_s):
                await process.communicate(body)
        except TimeoutError:
            return TryReport(
                TryOutcome.DOWN,
                say(
                    "{program} did not end within {timeout_s} s",
                    program=program,
                    timeout_s=f"{self._timeout_s:g}",
                ),
            )
        finally:
            await _end(process)
        status = process.returncode
        if status == 0:
            return TryReport(TryOutcome.TAKEN)
        return TryReport(
            TryOutcome.REFUSED,
            say("{program} ended with status {status}", program=program, status=status),
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process that goes on, with all that it began; once it ended its number is another's."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
