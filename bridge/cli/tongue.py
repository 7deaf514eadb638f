"""In which language a command speaks: that of the settings it was given, or finds.

It is looked up when there is something to say, in the file itself: settings that have faults say
their language all the same, and so do those of a command that was called wrongly.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import typer

from bridge.language import Language, said_in

_command: list[str] = []
_language: list[Language] = []
"""What this process was called with, and what came of it; a process is one command."""

_OPTIONS = ("--config", "-C")  # the second is sendmail's


def listen_to(words: Sequence[str]) -> None:
    """Speak as the command does from here on that was called with these words."""
    _command[:] = words
    _language.clear()


def spoken(text: str) -> str:
    """Return a text in the language of whoever runs the command."""
    return said_in(text, language())


def language() -> Language:
    """Return the language; ``both`` is English, as with ``--json``."""
    if not _language:
        _language.append(_of_the_settings())
    return _language[0]


def _of_the_settings() -> Language:
    from bridge.config import ConfigError, find_file, language_of

    try:
        path = find_file(_given(), os.environ)
    except ConfigError:
        return "en"
    return "it" if language_of(path) == "it" else "en"


def _given() -> Path | None:
    for at, word in enumerate(_command):
        name, equals, value = word.partition("=")
        if name in _OPTIONS and (equals or at + 1 < len(_command)):
            return Path(value if equals else _command[at + 1])
    return None


def confirm(question: str) -> None:
    """Ask on standard error, and go on only if a person says yes.

    Raises:
        Abort: nobody did.
    """
    typer.confirm(spoken(question), abort=True, err=True)
