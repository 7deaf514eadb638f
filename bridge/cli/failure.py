"""What went wrong, as a sentence on standard error and an exit code."""

from __future__ import annotations

import contextlib
import sys
from typing import Protocol, TypeGuard

from bridge.cli.tongue import language, spoken
from bridge.language import Sentence, listed, say

FAILED = 1
USAGE = 2


def exit_code_of(error: Exception) -> int:
    """Say what happened and return the exit code; a bug is re-raised, it needs its traceback.

    Raises:
        Exception: ``error`` itself, if it is a bug.
    """
    from bridge.api.errors import ApiError
    from bridge.app.certificate import CertificateFault
    from bridge.app.folder import DataFault
    from bridge.app.lock import Locked
    from bridge.config import ConfigError
    from bridge.net.listening import CannotListen
    from bridge.net.manager import CannotTake
    from bridge.operations.control import OperationFailed
    from bridge.store.base import StoreFailed

    if isinstance(error, ConfigError):
        tell(error.args[0])
        return USAGE
    told = CannotListen | CannotTake | CertificateFault | DataFault | Locked | StoreFailed
    if isinstance(error, told | OperationFailed):
        tell(error.args[0])
        return FAILED
    if isinstance(error, ApiError):
        tell(error.reason)
        return FAILED
    if _is_of_the_usage(error):
        _show(error)
        return error.exit_code
    if isinstance(error, OSError):
        named = f"{error.filename}" if error.filename else ""
        tell(listed(": ", (named, error.strerror or str(error))))
        return FAILED
    raise error


class _UsageFault(Protocol):
    """An error of Typer's parser, which hides its classes."""

    message: str
    exit_code: int

    def show(self) -> None:
        """Say it on standard error, with the command's usage."""


def _is_of_the_usage(error: Exception) -> TypeGuard[_UsageFault]:
    return all(hasattr(error, name) for name in ("message", "exit_code", "show"))


def _show(error: _UsageFault) -> None:
    """Say what is wrong with a call: what the parser says is English, like its help."""
    if isinstance(error.message, Sentence) and language() == "it":
        tell(say("Error: {sentence}", sentence=error.message))
        return
    error.message = error.message.removeprefix("Value error, ")  # pydantic's, not a person's
    with contextlib.suppress(OSError):
        error.show()


def tell(sentence: str) -> None:
    """Write a sentence to standard error, in the language of the settings, if anybody listens."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{spoken(sentence)}\n")
