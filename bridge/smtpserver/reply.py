"""SMTP replies as bytes: enhanced status codes on every one, lines of bounded length.

RFCs: 5321 §4.2, 2034 and 3463 (enhanced status codes), 6531 §3.7.4 (UTF-8 in replies).
"""

from __future__ import annotations

import re
import textwrap

from bridge.language import LanguageSetting, said_in
from bridge.limits import REPLY_CHARS, shortened

LINE_LIMIT = 450
"""Characters of text per line: below the 512 octets of RFC 5321 §4.5.3.1.5 with room for codes."""

_PLAIN = re.compile(r"(\d{3})([ -])(?!\d\.\d{1,3}\.\d{1,3} )(.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_ACCENTS = str.maketrans(
    {
        "à": "a'",
        "è": "e'",
        "é": "e'",
        "ì": "i'",
        "ò": "o'",
        "ù": "u'",
        "È": "E'",
        "«": '"',
        "»": '"',
    }
)
_DEFAULTS = {
    "221": "2.0.0",
    "250": "2.0.0",
    "252": "2.5.0",
    "451": "4.3.0",
    "454": "4.7.0",
    "500": "5.5.2",
    "501": "5.5.4",
    "502": "5.5.1",
    "503": "5.5.1",
    "504": "5.5.4",
    "530": "5.7.0",
    "552": "5.3.4",
    "553": "5.1.3",
    "554": "5.5.0",
    "555": "5.5.4",
}


def reply(code: int, status: str, text: str, *, utf8: bool = False) -> bytes:
    """Return a reply without its last line end, over several lines if ``text`` is long.

    Args:
        code: the reply code.
        status: the enhanced status code.
        text: the sentence; what is beyond a reply's length is left out of its middle.
        utf8: whether letters outside ASCII may be in it (RFC 6531 §3.7.4).
    """
    return _joined(code, status, _lines(text, utf8=utf8))


def refusal(
    code: int, status: str, text: str, language: LanguageSetting, *, utf8: bool = False
) -> bytes:
    """Return a reply that refuses, in the language of the settings: Italian first if in both.

    Args:
        code: the reply code.
        status: the enhanced status code.
        text: the sentence.
        language: what it is written in.
        utf8: whether letters outside ASCII may be in it; without, an accent is written behind its
            letter, as Italian is where there are no accents.
    """
    english = _lines(said_in(text, "en"), utf8=utf8)
    italian = said_in(text, "it")
    shown = _lines(italian if utf8 else italian.translate(_ACCENTS), utf8=utf8)
    if language == "en" or shown == english:
        return _joined(code, status, english)
    return _joined(code, status, shown if language == "it" else shown + english)


def _lines(text: str, *, utf8: bool) -> list[str]:
    shown = _CONTROL.sub(" ", shortened(text, REPLY_CHARS))
    if not utf8:
        shown = shown.encode("ascii", "backslashreplace").decode("ascii")
    if len(shown) > LINE_LIMIT:
        return textwrap.wrap(shown, LINE_LIMIT, break_on_hyphens=False)
    return [shown]


def _joined(code: int, status: str, lines: list[str]) -> bytes:
    last = len(lines) - 1
    return "\r\n".join(
        f"{code}{' ' if number == last else '-'}{status} {line}"
        for number, line in enumerate(lines)
    ).encode("utf-8", "replace")


def with_status(line: str) -> str:
    """Return a reply that lacks an enhanced status code with the one its code stands for."""
    match = _PLAIN.fullmatch(line)
    if match is None or match[1] not in _DEFAULTS:
        return line
    return f"{match[1]}{match[2]}{_DEFAULTS[match[1]]} {match[3].removeprefix('Error: ')}"
