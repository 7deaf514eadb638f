"""What the TOML parser says is wrong, in both languages. Pure.

Its messages are a dozen, each with its place behind; one that is not listed here is shown as it is.
"""

from __future__ import annotations

import re
import tomllib

from bridge.language.sentence import Sentence, say

_PLACE = re.compile(r"line (?P<line>\d+), column (?P<column>\d+)\)")
_QUOTING = re.compile(r"(?P<before>[^'\"]+) (?P<quoted>['\"].*['\"])")

_WORDS = {
    str(one): one
    for one in (
        say("Cannot overwrite a value"),
        say("Escaped character is not a Unicode scalar value"),
        say("Expected '=' after a key in a key/value pair"),
        say("Expected ']' at the end of a table declaration"),
        say("Expected ']]' at the end of an array declaration"),
        say("Expected newline or end of document after a statement"),
        say("Invalid date or datetime"),
        say("Invalid hex value"),
        say("Invalid initial character for a key part"),
        say("Invalid statement"),
        say("Invalid value"),
        say("Unclosed array"),
        say("Unclosed inline table"),
        say("Unescaped '\\' in a string"),
        say("Unterminated string"),
    )
}
_BEFORE_QUOTES = {
    "Expected": say("Expected {quoted}"),
    "Found invalid character": say("Found invalid character {quoted}"),
    "Illegal character": say("Illegal character {quoted}"),
    "Duplicate inline table key": say("Duplicate inline table key {quoted}"),
}
_OF_KEYS = (
    ("Cannot declare ", " twice", say("Cannot declare {key} twice")),
    ("Cannot mutate immutable namespace ", "", say("Cannot add to {key}, which is complete")),
    ("Cannot redefine namespace ", "", say("Cannot declare {key} twice")),
)
"""What stands before a key and behind it."""


def not_toml(error: tomllib.TOMLDecodeError) -> Sentence:
    """Return what to say of a text that is no TOML."""
    text = str(error)
    what, _, where = text.rpartition(" (at ")
    if where.startswith("end "):
        return say("is not TOML: {what} (at its end)", what=_said(what))
    place = _PLACE.fullmatch(where)
    if place is None:
        return say("is not TOML: {what}", what=text)
    return say(
        "is not TOML: {what} (line {line}, column {column})",
        what=_said(what),
        line=place["line"],
        column=place["column"],
    )


def _said(what: str) -> str:
    if what in _WORDS:
        return _WORDS[what]
    for before, behind, sentence in _OF_KEYS:
        if what.startswith(before) and what.endswith(behind):
            return sentence.filled_with(key=what[len(before) : len(what) - len(behind)])
    quoting = _QUOTING.fullmatch(what)
    if quoting is not None and quoting["before"] in _BEFORE_QUOTES:
        return _BEFORE_QUOTES[quoting["before"]].filled_with(quoted=quoting["quoted"])
    return what
