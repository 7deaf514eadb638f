"""Encoded words in header values, as text (RFC 2047), the way mailers really write them.

A word ends at its ``?=``; any other ``?`` in it is text. Neighbours of one charset are joined
before they are decoded, because mailers cut letters, escapes and groups of base64 in two. Words
may stand against each other or against text, and may hold octets that nobody encoded. Nothing
raises; what cannot be read whole is said in ``Decoded.guess``, for what must not go out damaged.
Time is linear in the value's length.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from itertools import groupby
from typing import NamedTuple

from bridge.charset.decode import Decoded, decode_text
from bridge.charset.labels import codec_of

_OPENING = re.compile(r"=\?([^?*= \t\r\n]+)(?:\*[^? \t\r\n]*)?\?([bBqQ])\?")
_BROKEN_WORD = re.compile(r"=\?[^?=]{0,80}\?[ \t]*[A-Za-z][ \t]*\?")
_ESCAPE = re.compile("=[0-9A-F]{2}")
_BLANK = re.compile("[ \t\r\n]")
_BLANKS = " \t\r\n"
_NO_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2})")
_BASE64_LETTERS = re.compile("[A-Za-z0-9+/]+")
_NOT_BASE64 = re.compile("[^A-Za-z0-9+/= \t\r\n]")
_ODD = re.compile("[^ -~]")
_SURELY_MORE = 3
_SURELY_FEW = 4
"""Octets that were cut in the wrong place are odd letters, two of three. A reading is the text if
it has so many fewer of them than the other, and at most one letter in so many.
"""
_NOTHING = Decoded("")
_FAULT = "an encoded word (RFC 2047) cannot be read whole"


class _Word(NamedTuple):
    """A word, and the text ``before`` it, since the word in front of it or the beginning.

    Octets stand for themselves in all of them, as the letters of Latin-1.
    """

    before: str
    charset: str
    encoding: str
    content: str


class _Octets(NamedTuple):
    content: bytes
    is_whole: bool


class _Faults(NamedTuple):
    """Whether a reading is damaged, and how many letters it has that most texts have few of."""

    damaged: bool
    odd: int


def decode_words(value: str) -> str:
    """Return an unfolded header value with its encoded words decoded."""
    return decode_phrase(value).text


def decode_phrase(value: str) -> Decoded:
    """Decode the words in a value that is text already."""
    if "=?" not in value:
        return Decoded(value)
    octets = value.encode("utf-8", "surrogatepass").decode("latin-1")
    return _decode(octets, lambda plain: Decoded(_octets(plain).decode("utf-8", "surrogatepass")))


def decode_field(value: bytes) -> Decoded:
    """Decode the words in an unfolded value, and all else as UTF-8 or else Windows-1252."""
    if b"=?" not in value:
        return decode_text(value, "")
    return _decode(value.decode("latin-1"), lambda plain: decode_text(_octets(plain), ""))


def _octets(text: str) -> bytes:
    return text.encode("latin-1")


def _decode(value: str, decode_plain: Callable[[str], Decoded]) -> Decoded:
    words, rest = _words(value)
    found: list[Decoded] = []
    run: list[_Word] = []
    for word in words:
        apart = not run or bool(word.before.strip(_BLANKS))
        if apart or word.charset != run[0].charset:
            found.append(_decode_run(run))
            run = []
        if apart:
            found.append(_plain(word.before, decode_plain))
        run.append(word)
    found += (_decode_run(run), _plain(rest, decode_plain))
    text = "".join([read.text for read in found])
    return Decoded(text, next((read.guess for read in found if read.guess), ""))


def _plain(text: str, decode_plain: Callable[[str], Decoded]) -> Decoded:
    if not text:
        return _NOTHING
    read = decode_plain(text)
    return Decoded(read.text, _FAULT) if "=?" in text and _BROKEN_WORD.search(text) else read


def _words(value: str) -> tuple[list[_Word], str]:
    """Return the words in a value, and what stands behind the last one."""
    words: list[_Word] = []
    at = 0
    opening = _OPENING.search(value)
    while opening:
        start = opening.end()
        following = _OPENING.search(value, start)
        limit = following.start() + 1 if following else len(value)  # two words may share a "="
        end = _closing(value, start, limit, opening[2])
        if end >= 0:
            before = value[at : opening.start()]
            words.append(_Word(before, opening[1].lower(), opening[2].upper(), value[start:end]))
            at = end + 2
        opening = following
    return words, value[at:]


def _closing(value: str, start: int, limit: int, encoding: str) -> int:
    """Return where the ``?=`` of a word is whose content begins at ``start``, -1 if nowhere.

    One that begins an escape, as in ``Perch=C3=A9?=C3=A8?=``, is text if another follows.
    """
    end = value.find("?=", start, limit)
    while encoding in "qQ" and end >= 0 and _ESCAPE.match(value, end + 1):
        further = value.find("?=", end + 2, limit)
        if further < 0 or _BLANK.search(value, end, further):
            break
        end = further
    return end


def _decode_run(run: list[_Word]) -> Decoded:
    """Decode neighbours of one charset."""
    if not run:
        return _NOTHING
    charset = run[0].charset
    pieces: list[_Octets] = []
    for encoding, words in groupby(run, key=lambda word: word.encoding):
        contents = [word.content for word in words]
        pieces.append(
            _unquoted(contents, charset) if encoding == "Q" else _base64(contents, charset)
        )
    octets = b"".join([piece.content for piece in pieces])
    if all(piece.is_whole for piece in pieces):
        return decode_text(octets, charset)
    return Decoded(decode_text(octets, charset).text or "".join(map(_as_written, run)), _FAULT)


def _as_written(word: _Word) -> str:
    content = _octets(word.content).decode("utf-8", "replace")
    return f"=?{word.charset}?{word.encoding}?{content}?="


def _unquoted(contents: list[str], charset: str) -> _Octets:
    """Decode the Q encoding (RFC 2047 §4.2); an escape may be cut between two words."""
    encoded = "".join(contents)
    octets = _octets(encoded)
    is_whole = _NO_ESCAPE.search(octets) is None
    if not encoded.isascii():
        octets, fits = _in_charset(octets, charset)
        is_whole = is_whole and fits
    return _Octets(binascii.a2b_qp(octets, header=True), is_whole)


def _in_charset(octets: bytes, charset: str) -> tuple[bytes, bool]:
    """Return octets that nobody encoded in the word's charset; False if they can't be.

    They are in it already, or they are UTF-8, because somebody wrote the whole header anew.
    """
    try:
        return octets.decode().encode(codec_of(charset) or "utf-8"), True
    except UnicodeDecodeError:
        return octets, True
    except UnicodeEncodeError:
        return octets, False


def _base64(contents: list[str], charset: str) -> _Octets:
    """Decode the B encoding (RFC 2047 §4.1); a group of four may be cut between two words.

    Or it is no cut and the padding is missing, which only a group that has no bits left can be.
    Then the words are read one by one, as most programs do, if that is better text by far; else
    nothing is sure.
    """
    joined = _groups("".join(contents))
    cut = [content for content in contents[:-1] if _is_cut(content)]
    if not cut:
        return joined
    apart = [_groups(content) for content in contents]
    separate = _Octets(
        b"".join([piece.content for piece in apart]), all(piece.is_whole for piece in apart)
    )
    faults, others = _faults(joined, charset), _faults(separate, charset)
    if faults.damaged != others.damaged:
        return separate if faults.damaged else joined
    if not all(map(_has_no_bits_left, cut)):
        return joined
    if others.odd >= faults.odd:
        return _Octets(joined.content, is_whole=False)
    is_text = others.odd * _SURELY_FEW <= len(separate.content)
    return _Octets(separate.content, is_text and faults.odd - others.odd >= _SURELY_MORE)


def _is_cut(content: str) -> bool:
    return "=" not in content and len(_BLANK.sub("", content)) % 4 != 0


def _has_no_bits_left(content: str) -> bool:
    letters = _BLANK.sub("", content)
    return _octets(letters) == binascii.b2a_base64(_groups(letters).content).rstrip(b"=\n")


def _faults(octets: _Octets, charset: str) -> _Faults:
    read = decode_text(octets.content, charset)
    return _Faults(read.damaged or not octets.is_whole, len(_ODD.findall(read.text)))


def _groups(encoded: str) -> _Octets:
    """Decode letters of base64, between padding and padding; a last one alone is lost."""
    is_whole = _NOT_BASE64.search(encoded) is None
    pieces: list[bytes] = []
    for letters in _BASE64_LETTERS.findall(_BLANK.sub("", encoded)):
        if len(letters) % 4 == 1:
            letters, is_whole = letters[:-1], False
        pieces.append(binascii.a2b_base64(letters + "=" * (-len(letters) % 4)))
    return _Octets(b"".join(pieces), is_whole)
