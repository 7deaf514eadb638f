"""Standard input, output and error as a caller left them: closed, full, or of another charset.

A closed one is opened on nothing, so that no file of the bridge's gets its number: the next
``print`` of any library would write into the database. Reading the input or writing the output
fails then, which a command says; what goes to standard error is lost in silence, as was wished.

What cannot be encoded is shown escaped: a name in another script is no reason to fail.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TextIO

from bridge.cli.failure import FAILED, tell
from bridge.language import say

_CLOSED = ((0, "stdin", os.O_WRONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY))
"""Each stream and how nothing is opened in its place; the wrong way round makes its use fail."""


def settle() -> None:
    """Make the three streams safe to use; before anything else is opened."""
    for number, name, flags in _CLOSED:
        if getattr(sys, name) is None:
            _open_on_nothing(number, flags)
            mode = "r" if number == 0 else "w"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def finish(code: int) -> int:
    """Write out what is left and return the exit code; a reader that hung up hears no more."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        let_go(sys.stdout)
        code = code or FAILED
    except (OSError, ValueError) as error:
        let_go(sys.stdout)
        reason = error.strerror if isinstance(error, OSError) else say("it was closed")
        tell(say("The answer could not be written to standard output: {reason}.", reason=reason))
        code = code or FAILED
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        let_go(sys.stderr)
    return code


def is_lost(stream: TextIO) -> bool:
    """Tell whether what was written to ``stream`` cannot get out."""
    try:
        stream.flush()
    except (OSError, ValueError):
        return True
    return False


def _open_on_nothing(number: int, flags: int) -> None:
    opened = os.open(os.devnull, flags)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)


def let_go(stream: TextIO) -> None:
    """Send what is still buffered nowhere, or the interpreter fails on it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()
