"""The arguments of ``/usr/sbin/sendmail``, as programs have passed them for forty years. Pure.

Read as getopt reads them: letters in one word (``-ti``), values attached or apart (``-fA``,
``-f A``), options also behind recipients, nothing but recipients behind ``--``. What only another
mailer's queue or log would understand is read and passed over. msmtp's long options that mean the
same are known too.

Failure: ``UsageFault``; nothing was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any

from bridge.cli.words import is_text
from bridge.language import say

_ALONE = frozenset("GIUcgikmnstvx")
_WITH_VALUE = frozenset("ABCDFLNORVXaefhopr")
_VALUE_ATTACHED = frozenset("bdq")
_LONG = {
    "--config": "C",
    "--account": "a",
    "--from": "f",
    "--read-recipients": "t",
    "--read-envelope-from": "",
}
"""By the letter of the same meaning; "" for what is done anyway."""

_KEPT: Mapping[str, str] = {"F": "full_name", "a": "account", "V": "envid"}
_WORDS: Mapping[str, str] = {"N": "notify", "R": "returned"}
"""What an option's value is kept as: as it stands, and as words that SMTP takes."""


class Exit(IntEnum):
    """Exit codes of ``sysexits.h``."""

    OK = 0
    USAGE = 64
    DATA = 65
    NO_INPUT = 66
    NO_USER = 67
    UNAVAILABLE = 69
    TRY_AGAIN = 75
    NOT_ALLOWED = 77
    SETTINGS = 78


class UsageFault(Exception):
    """The arguments cannot be carried out; the text says why."""


class Mode(Enum):
    """What is asked for."""

    SUBMIT = "m"
    SMTP = "s"
    NOTHING = ""


@dataclass(frozen=True, slots=True)
class SendmailArguments:
    """What the arguments say.

    ``sender`` is the envelope's, None if it is not given; ``full_name`` goes into a missing From;
    ``account`` is the mailbox to send from; ``read_recipients`` also from the header;
    ``ignore_dots``: a line with a dot alone does not end the message. ``notify`` (-N), ``returned``
    (-R) and ``envid`` (-V) ask for notifications, as SMTP does (RFC 3461).
    """

    mode: Mode = Mode.SUBMIT
    recipients: tuple[str, ...] = ()
    sender: str | None = None
    full_name: str = ""
    account: str = ""
    config: Path | None = None
    read_recipients: bool = False
    ignore_dots: bool = False
    verbose: bool = False
    notify: str = ""
    returned: str = ""
    envid: str = ""


def read_call(arguments: list[str]) -> SendmailArguments:
    """Read the arguments.

    Raises:
        UsageFault: an option is not known or lacks its value.
    """
    call = SendmailArguments()
    words = iter(arguments)
    for word in words:
        if word == "--":
            call = _with_recipients(call, words)
        elif word.startswith("--"):
            call = _long(call, word, words)
        elif word.startswith("-") and word != "-":
            call = _letters(call, word[1:], words)
        else:
            call = _with_recipients(call, [word])
    return call


def _with_recipients(
    call: SendmailArguments, words: Iterator[str] | list[str]
) -> SendmailArguments:
    """Add recipients; one word may hold several, with commas between them."""
    named = [one.strip() for word in words for one in word.split(",")]
    if not all(map(is_text, named)):
        raise UsageFault(say("A recipient is not text in UTF-8."))
    return replace(call, recipients=(*call.recipients, *filter(None, named)))


def _long(call: SendmailArguments, word: str, words: Iterator[str]) -> SendmailArguments:
    name, has_value, value = word.partition("=")
    letter = _LONG.get(name)
    if letter is None:
        raise UsageFault(say("There is no option {name}.", name=name))
    if letter in ("", "t"):
        return _set(call, letter, "")
    return _set(call, letter, value if has_value else _next(words, name))


def _letters(call: SendmailArguments, letters: str, words: Iterator[str]) -> SendmailArguments:
    for at, letter in enumerate(letters, start=1):
        if letter in _ALONE:
            call = _set(call, letter, "")
        elif letter in _VALUE_ATTACHED:
            return _set(call, letter, letters[at:])
        elif letter in _WITH_VALUE:
            return _set(call, letter, letters[at:] or _next(words, f"-{letter}"))
        else:
            raise UsageFault(say("There is no option -{letter}.", letter=letter))
    return call


def _next(words: Iterator[str], name: str) -> str:
    value = next(words, None)
    if value is None:
        raise UsageFault(say("The option {name} lacks its value.", name=name))
    return value


def _set(call: SendmailArguments, letter: str, value: str) -> SendmailArguments:
    """Take an option; those of no meaning here leave the call as it was."""
    if letter != "C" and not is_text(value):
        raise UsageFault(
            say("The value of the option -{letter} is not text in UTF-8.", letter=letter)
        )
    if letter in _KEPT:
        return replace(call, **_one(_KEPT[letter], value))
    if letter in _WORDS:
        return replace(call, **_one(_WORDS[letter], _words(letter, value)))
    match letter:
        case "t":
            return replace(call, read_recipients=True)
        case "v":
            return replace(call, verbose=True)
        case "i" | "o":
            return replace(call, ignore_dots=call.ignore_dots or letter == "i" or value == "i")
        case "f" | "r":
            return replace(call, sender=value.strip().removeprefix("<").removesuffix(">"))
        case "C":
            return replace(call, config=Path(value))
        case "q" | "b":
            return replace(call, mode=_mode(value) if letter == "b" else Mode.NOTHING)
    return call


def _one(name: str, value: str) -> dict[str, Any]:
    return {name: value}


def _words(letter: str, value: str) -> str:
    """Return words that SMTP takes as they are, for the bridge to understand."""
    if not re.fullmatch("[A-Za-z,]+", value, re.ASCII):
        raise UsageFault(
            say("The option -{letter} takes words, with commas between them.", letter=letter)
        )
    return value


def _mode(value: str) -> Mode:
    if value == "i":  # rebuild the aliases: there are none
        return Mode.NOTHING
    if value == "p":
        raise UsageFault(say("The queue is shown by `pec-bridge queue list`."))
    if value not in ("m", "s"):
        raise UsageFault(say("The mode -b{value} is not known here.", value=value))
    return Mode(value)
