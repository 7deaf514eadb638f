"""What the TOML parser says is wrong, in both languages. Pure.

Its messages are a dozen, each with its place behind; one that is not listed here is shown as it is.
"""

from __future__ import annotations

import re
import tomllib

from bridge.language.sentence import Sentence, say

_PLACED = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end .*)\)")
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
    (re.compile(r"Cannot declare (?P<key>.*) twice"), say("Cannot declare {key} twice")),
    (
        re.compile(r"Cannot mutate immutable namespace (?P<key>.*)"),
        say("Cannot add to {key}, which is complete"),
    ),
    (re.compile(r"Cannot redefine namespace (?P<key>.*)"), say("Cannot declare {key} twice")),
)


def not_toml(error: tomllib.TOMLDecodeError) -> Sentence:
    """Return what to say of a text that is no TOML."""
    text = str(error)
    placed = _PLACED.fullmatch(text)
    if placed is None:
        return say("is not TOML: {what}", what=text)
    what = _said(placed["what"])
    if placed["line"] is None:
        return say("is not TOML: {what} (at its end)", what=what)
    return say(
        "is not TOML: {what} (line {line}, column {column})",
        what=what,
        line=placed["line"],
        column=placed["column"],
    )


def _said(what: str) -> str:
    if what in _WORDS:
        return _WORDS[what]
    for pattern, sentence in _OF_KEYS:
        if found := pattern.fullmatch(what):
            return sentence.filled_with(key=found["key"])
    quoting = _QUOTING.fullmatch(what)
    if quoting is not None and quoting["before"] in _BEFORE_QUOTES:
        return _BEFORE_QUOTES[quoting["before"]].filled_with(quoted=quoting["quoted"])
    return what
