"""The words that structured header fields are made of: atoms, quoted strings, comments, tokens.

One ``Lexer`` walks over one field's value. Each method reads one construct with the blanks and
comments after it, and tells how it ended: ``MORE`` (text follows), ``END`` (the value is used
up) or ``BROKEN``. What was read until then is given back in any case, since a reader of broken
mail makes the most of the pieces. Folds (CR LF) inside a construct are dropped, NUL becomes U+FFFD.
Bytes above 127 count as letters: raw UTF-8 in headers is common, and RFC 6532 made it legal.

RFCs: 5322 §3.2 and §4.1 (obsolete forms), 2045 §5.1 (token), 6532.
"""

from __future__ import annotations

import re
from typing import Final

MORE: Final = 1
END: Final = 0
BROKEN: Final = -1

_NUL = "\N{REPLACEMENT CHARACTER}".encode()
_ATEXT = rb"A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\xff"
_BLANKS = re.compile(rb"[ \t\r\n]*")
_ATOM = re.compile(rb"[" + _ATEXT + rb"]+")
_ATOM_OR_DOTS = re.compile(rb"[." + _ATEXT + rb"]*")
_TOKEN = re.compile(rb"[A-Za-z0-9!#$%&'*+\-.^_`{|}~\x80-\xff]*")
_SIMPLE_QUOTED = re.compile(rb'"([^"\\\n\0]*)"')
_IN_COMMENT = re.compile(rb"[()\n\\\0]")
_IN_QUOTED = re.compile(rb'["\n\\\0]')
_IN_LITERAL = re.compile(rb"[\[\]\n\\\0]")
_WORD_STARTS = frozenset(code for code in range(256) if _ATOM_OR_DOTS.fullmatch(bytes([code]))) | {
    0x22
}
_BLANK_OR_COMMENT = b" \t\r\n("
_NEVER_QUOTED = b"\r\n\0"

Read = tuple[int, bytes]
"""How a construct ended (MORE, END or BROKEN), and its text."""


class Lexer:
    """A position in a field's value, and the comment met last.

    ``comment`` is the text of the last comment skipped, unquoted: in old mail it holds the name
    that belongs to an address.
    """

    __slots__ = ("comment", "end", "pos", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.pos = 0
        self.end = len(text)
        self.comment = b""

    def peek(self) -> bytes:
        """Return the next byte, or ``b""`` at the end."""
        return self.text[self.pos : self.pos + 1]

    def blanks(self) -> int:
        """Skip white space, folds and comments (RFC 5322 §3.2.2 CFWS)."""
        while True:
            blank = _BLANKS.match(self.text, self.pos)
            self.pos = blank.end() if blank else self.pos
            if self.pos >= self.end:
                return END
            if self.text[self.pos] != 0x28:
                return MORE
            if self._comment() == BROKEN:
                return BROKEN

    def _comment(self) -> int:
        """Skip one comment, nested ones with it."""
        text, start, depth = self.text, self.pos + 1, 1
        pieces: list[bytes] = []
        at = start
        while found := _IN_COMMENT.search(text, at):
            at = found.end()
            mark = found[0]
            if mark == b"(":
                depth += 1
            elif mark == b")":
                depth -= 1
                if depth == 0:
                    pieces.append(text[start : at - 1])
                    self.comment = b"".join(pieces)
                    self.pos = at
                    return MORE if at < self.end else END
            else:
                start, at = self._inner(mark, start, at, pieces)
        self.comment = b"".join(pieces)
        self.pos = self.end
        return BROKEN

    def _inner(self, mark: bytes, start: int, at: int, pieces: list[bytes]) -> tuple[int, int]:
        """Take a fold, NUL or quoted pair inside a comment or quoted string.

        ``at`` is behind ``mark``. Returns the start of the text not taken yet and where to go on;
        the latter lies behind the end if the value ends in a backslash.
        """
        text = self.text
        if mark == b"\n":
            line_end = at - 1
            if line_end > start and text[line_end - 1] == 0x0D:
                line_end -= 1
            pieces.append(text[start:line_end])
            return at, at
        if mark == b"\0":
            pieces += (text[start : at - 1], _NUL)
            return at, at
        if at >= self.end:
            return start, self.end + 1
        if text[at] in _NEVER_QUOTED:
            return start, at
        pieces.append(text[start : at - 1])
        return at, at + 1

    def atom(self) -> Read:
        """Read one atom."""
        atom = _ATOM.match(self.text, self.pos)
        if atom is None:
            return BROKEN, b""
        self.pos = atom.end()
        return self.blanks(), atom[0]

    def dot_atom(self) -> Read:
        """Read atoms with single dots between; blanks round a dot are skipped (RFC 5322 §4.4)."""
        pieces: list[bytes] = []
        while atom := _ATOM.match(self.text, self.pos):
            pieces.append(atom[0])
            self.pos = atom.end()
            status = self.blanks()
            if status != MORE or self.text[self.pos] != 0x2E:
                return status, b"".join(pieces)
            pieces.append(b".")
            self.pos += 1
            if self.blanks() != MORE:
                break
        return BROKEN, b"".join(pieces)

    def token(self) -> Read:
        """Read a MIME token (RFC 2045 §5.1), which may be empty."""
        token = _TOKEN.match(self.text, self.pos)
        read = token[0] if token else b""
        self.pos += len(read)
        if self.pos < self.end and self.text[self.pos] not in _BLANK_OR_COMMENT:
            return MORE, read
        return self.blanks(), read

    def quoted_string(self) -> Read:
        """Read what stands between double quotes, its quoted pairs resolved."""
        simple = _SIMPLE_QUOTED.match(self.text, self.pos)
        if simple:
            self.pos = simple.end()
            return self.blanks(), simple[1]
        text, pieces = self.text, list[bytes]()
        start = at = self.pos + 1
        while found := _IN_QUOTED.search(text, at):
            at = found.end()
            if found[0] == b'"':
                pieces.append(text[start : at - 1])
                self.pos = at
                return self.blanks(), b"".join(pieces)
            start, at = self._inner(found[0], start, at, pieces)
        self.pos = self.end
        return BROKEN, b"".join(pieces)

    def phrase(self) -> Read:
        """Read words with one blank between, however they were separated (RFC 5322 §4.1)."""
        if self.pos >= self.end:
            return END, b""
        if self.text[self.pos] == 0x2E:
            return BROKEN, b""
        words: list[bytes] = []
        while True:
            if self.text[self.pos] == 0x22:
                status, word = self.quoted_string()
            else:
                dots = _ATOM_OR_DOTS.match(self.text, self.pos)
                word = dots[0] if dots else b""
                self.pos += len(word)
                status = self.blanks()
            words.append(word)
            if status != MORE or self.text[self.pos] not in _WORD_STARTS:
                return status, b" ".join(words)

    def domain(self) -> Read:
        """Read ``@`` and the domain or domain literal after it; the ``@`` is not given back."""
        self.pos += 1
        if self.blanks() != MORE:
            return BROKEN, b""
        return self._domain_literal() if self.text[self.pos] == 0x5B else self.dot_atom()

    def _domain_literal(self) -> Read:
        text, pieces = self.text, list[bytes]()
        start = self.pos
        at = start + 1
        while found := _IN_LITERAL.search(text, at):
            at = found.end()
            mark = found[0]
            if mark == b"[":
                at -= 1
                break
            if mark == b"]":
                pieces.append(text[start:at])
                self.pos = at
                return self.blanks(), b"".join(pieces)
            if mark == b"\\":
                if at < self.end and text[at] not in _NEVER_QUOTED:
                    at += 1  # the backslash stays part of the literal
                continue
            start, at = self._inner(mark, start, at, pieces)
        else:
            at = self.end
        self.pos = at
        return BROKEN, b"".join(pieces)
