"""What went wrong, as a sentence on standard error and an exit code."""

from __future__ import annotations

import sys

FAILED = 1
USAGE = 2


def exit_code_of(error: Exception) -> int:
    """Say what happened and return the exit code; a bug is re-raised, it needs its traceback."""
    from bridge.api.errors import ApiError
    from bridge.certificate import CertificateFault
    from bridge.config import ConfigError
    from bridge.control import OperationFailed
    from bridge.listening import CannotListen
    from bridge.lock import Locked
    from bridge.store.base import StoreFailed

    if isinstance(error, ConfigError):
        say(str(error))
        return USAGE
    if isinstance(error, CannotListen | CertificateFault | Locked | OperationFailed | StoreFailed):
        say(str(error))
        return FAILED
    if isinstance(error, ApiError):
        say(error.reason)
        return FAILED
    if isinstance(error, OSError):
        named = f"{error.filename}: " if error.filename else ""
        say(f"{named}{error.strerror or error}")
        return FAILED
    raise error


def say(sentence: str) -> None:
    """Write a sentence to standard error."""
    sys.stderr.write(f"{sentence}\n")
