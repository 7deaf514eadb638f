"""Values of header fields in a submitted message, read in the one way that there is.

A structured field (``Content-Type`` and its kin) is a word and parameters. It is read as
widespread mail programs read it: RFC 822 comments are passed over, a missing semicolon is
supplied, a field that is one encoded word is decoded first, ``filename*`` goes before
``filename``, each segment of RFC 2231 counts once. What has two readings, or letters that cannot
be had, is refused (``Unreadable``): a name or subject cannot carry a mark as a text can.

RFCs: 822 §3.4.3 and 2045 §5.1 (comments), 2047, 2231, 5322 §2.2.3 (unfolding).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from bridge.language import Sentence, say
from bridge.mime.strict.text import (
    Decoded,
    comment_end,
    decode_phrase,
    decode_text,
    decode_words,
    text_codec,
)

_FOLD = re.compile(r"\r?\n(?=[ \t])")
_BLANK = re.compile(r"[\t\r\n\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_ENCODED_WORD = re.compile(
    r"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,60})?\?[bBqQ]\?(?:(?!=\?|\?=)\S)*\?=\s*"
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_MARK = re.compile(r'["(;=]')
_SPELLED = re.compile(r"(?i)\b(?:boundary|(?:file)?name)[*\d]*\s*\Z")
_SEPARATORS = tuple(' \t;/="')
_BETWEEN = re.compile(r"[\s;,]*+")
_NAME = re.compile(r"([^\s;,=\"()<>@/\[\]?]++)\s*+=\s*+")
_NEXT = re.compile(r";|\s(?=[A-Za-z][\w*-]*+\s*+=(?!\?))")
_WORD = re.compile(r"\s*\"?\s*([^\s;,\"/=]*(?:\s*/\s*[^\s;,\"=]+)?)")
_STRAY_QUOTE = re.compile(r"[^;\"=]*\"")
_NO_WORD = re.compile(r"\s*[\w*-]+\s*=")
_CUT_LETTER = re.compile(rb"(?<=[\x80-\xff])\r?\n[ \t](?=[\x80-\xbf])")
_SEGMENT = re.compile(r"(.+?)\*(?:(\d{1,4})(\*?))?")
_EXTENDED = re.compile(r"([^']*)'[^']*'(.*)", re.DOTALL)
_MOST_PARAMETERS = 1_000
STRUCTURED_LIMIT_CHARS = 64 * 1024
_ANY_CASE = frozenset({"charset", "delsp", "format", "protocol", "smime-type"})
_COUNTS = _ANY_CASE | {"boundary", "filename", "name", "start"}
"""Parameters that decide what is sent: these may not say two things."""


class Unreadable(ValueError):
    """The message cannot be read in one way only; the text says why, for its sender."""


@dataclass(frozen=True, slots=True)
class Structured:
    """A structured field: ``word`` in lower case, parameters by lower-case name, decoded."""

    word: str = ""
    parameters: tuple[tuple[str, str], ...] = ()

    def parameter(self, name: str) -> str:
        """Return a parameter's value, "" if it is not there."""
        return next((value for given, value in self.parameters if given == name), "")


def unfold(raw: bytes) -> str:
    """Return a field's raw value on one line, raw letters decoded, the blanks around it gone."""
    return _FOLD.sub("", decode_text(_with_whole_letters(raw), "").text).strip(" \t\r\n\ufeff")


def _with_whole_letters(raw: bytes) -> bytes:
    """Take away line ends that some program put inside the octets of a letter of UTF-8."""
    whole = raw if raw.isascii() else _CUT_LETTER.sub(b"", raw)
    if len(whole) == len(raw):
        return raw
    try:
        whole.decode()
    except UnicodeDecodeError:
        return raw
    return whole


def unstructured(value: str, what: Sentence) -> str:
    """Return an unfolded value as a person reads it: words decoded, controls dropped.

    Runs of blanks stay: they are what was written.

    Raises:
        Unreadable: not every letter of it can be had.
    """
    decoded = decode_phrase(value)
    if decoded.guess and not _is_certain(decoded):
        raise Unreadable(
            say(
                "{what} has letters that cannot be had: {guess}",
                what=what,
                guess=ascii(decoded.guess)[1:-1],
            )
        )
    if "\ufffd" in decoded.text:
        raise Unreadable(say("{what} has letters that are not valid in any charset", what=what))
    return _CONTROL.sub("", _BLANK.sub(" ", decoded.text))


def _is_certain(decoded: Decoded) -> bool:
    """Whether a charset that nobody knows does not matter, the letters being those of ASCII."""
    return decoded.guess.startswith("unknown charset") and decoded.text.isascii()


def structured(value: str) -> Structured:
    """Read an unfolded structured value.

    Raises:
        Unreadable: a parameter is there twice and differs, or cannot be decoded.
    """
    if len(value) > STRUCTURED_LIMIT_CHARS:
        raise Unreadable(say("a MIME field is longer than 64 KB"))
    value = _bare(value)
    if _NO_WORD.match(value):
        return Structured("", _put_together(_given(value, 0)))
    word = _WORD.match(value)
    if word is None:
        return Structured()
    given = _given(value, word.end())
    return Structured(re.sub(r"\s+", "", word[1]).lower(), _put_together(given))


def word_of(value: str) -> str:
    """Return the word, in lower case, of an unfolded value that is nothing else.

    All of it, if it is more: what says ``8bit, base64`` is neither.
    """
    return _bare(value).partition(";")[0].strip(' \t,"').lower()


def same(one: Structured, other: Structured) -> bool:
    """Say whether two values mean the same, however they are spelled."""
    return one.word == other.word and _meant(one) == _meant(other)


def _meant(one: Structured) -> dict[str, str]:
    return {name: _comparable(name, value) for name, value in one.parameters}


def _comparable(name: str, value: str) -> str:
    if name == "charset":
        return text_codec(value) or value.lower()
    return value.lower() if name in _ANY_CASE else value


def _bare(value: str) -> str:
    """Return a value without comments, decoded first if it is all encoded words."""
    if value.startswith("=?") and not _ENCODED_WORD.sub("", value):
        value = decode_words(value)
    return _without_comments(value)


def _without_comments(value: str) -> str:
    """Drop comments; in a name, a parenthesis that touches a word is text: ``name=a(1).pdf``."""
    pieces: list[str] = []
    kept = at = begun = 0
    named = False
    while mark := _MARK.search(value, at):
        start, at = mark.span()
        if mark[0] == '"':
            quoted = _QUOTED.match(value, start)
            at = quoted.end() if quoted else len(value)
        elif mark[0] == ";":
            named, begun = False, at
        elif mark[0] == "=":
            named = named or _SPELLED.search(value, begun, start) is not None
            begun = at
        elif (at := comment_end(value, start)) < 0:
            break
        elif not named or _stands_alone(value, start, at):
            pieces += (value[kept:start], " ")
            kept = at
    return "".join([*pieces, value[kept:]])


def _stands_alone(value: str, start: int, end: int) -> bool:
    before, after = value[start - 1 : start], value[end : end + 1]
    return before in ("", *_SEPARATORS) and after in ("", *_SEPARATORS)


def _given(value: str, at: int) -> list[tuple[str, str]]:
    """Return the parameters as spelled, unquoted, in order."""
    found: list[tuple[str, str]] = []
    while at >= 0 and len(found) < _MOST_PARAMETERS:
        between = _BETWEEN.match(value, at)
        at = between.end() if between else at
        name = _NAME.match(value, at)
        if name is None:
            at = value.find(";", at)
        else:
            content, at = _value(value, name.end())
            found.append((name[1].lower(), content))
    return found


def _value(value: str, at: int) -> tuple[str, int]:
    """Return the value that begins at ``at``, and where the next parameter may begin."""
    quoted = _QUOTED.match(value, at)
    if quoted:
        if _STRAY_QUOTE.match(value, quoted.end()):
            raise Unreadable(
                say("a file name or other parameter has a quotation mark inside its own")
            )
        return _QUOTED_PAIR.sub(_unescaped, quoted[1]), quoted.end()
    start = at
    while word := _ENCODED_WORD.match(value, at):  # may hold what ends a value
        at = word.end()
    end = _NEXT.search(value, at)
    stop = end.start() if end else len(value)
    return value[start:stop].strip().strip('"'), stop


def _unescaped(pair: re.Match[str]) -> str:
    """Resolve a quoted pair; a Windows path's backslash before a letter is itself."""
    return pair[1] if pair[1] in '"\\' or not pair[1].isalnum() else pair[0]


def _put_together(given: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Join segments, decode, and put what RFC 2231 encodes before what it does not."""
    plain: dict[str, str] = {}
    segments: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, value in given:
        segment = _SEGMENT.fullmatch(name)
        if segment is None:
            _check_same(name, plain.setdefault(name, value), value)
            continue
        number = int(segment[2]) if segment[2] else -1
        piece = (segment[2] is None or bool(segment[3]), value)
        first = segments.setdefault(segment[1], {}).setdefault(number, piece)
        _check_same(segment[1], first[1], piece[1])
    whole = {name: _joined(name, pieces) for name, pieces in segments.items()}
    return tuple((plain | whole).items())


def _check_same(name: str, first: str, second: str) -> None:
    if name in _COUNTS and _comparable(name, first) != _comparable(name, second):
        raise Unreadable(say("the parameter {name} is there twice and differs", name=ascii(name)))


def _joined(name: str, pieces: dict[int, tuple[bool, str]]) -> str:
    """Decode ``name*`` or the segments of one parameter (RFC 2231 §3 and §4)."""
    numbers = [-1] if -1 in pieces else sorted(pieces)
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise Unreadable(say("a segment of the parameter {name} is missing", name=ascii(name)))
    charset, escaped, text = "", "", ""
    for number in numbers:
        extended, value = pieces[number]
        if number == numbers[0] and extended and (split := _EXTENDED.fullmatch(value)):
            charset, value = split[1], split[2]
        if extended:
            escaped += value  # decoded when joined: escapes and letters are cut between segments
        elif charset:
            escaped += quote(value, encoding=text_codec(charset.lower()), errors="replace")
        else:
            text, escaped = text + _decoded(name, escaped, charset) + value, ""
    return text + _decoded(name, escaped, charset)


def _decoded(name: str, escaped: str, charset: str) -> str:
    content = unquote_to_bytes(escaped)
    decoded = decode_text(content, charset)
    if not content.isascii() and (decoded.guess or "\ufffd" in decoded.text):
        raise Unreadable(
            say(
                "the parameter {name} has letters that are not valid in {charset}",
                name=ascii(name),
                charset=ascii(charset),
            )
        )
    return decoded.text
