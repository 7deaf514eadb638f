"""Which line of a TOML text a key is on; ``tomllib`` does not say.

Only for texts that ``tomllib`` took: on others the answers are undefined, but it always ends.
"""

from __future__ import annotations

import re

Key = tuple[str | int, ...]

_TOKEN = re.compile(
    r'''(?P<skip>[ \t\r]+|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<long>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5})
    |(?P<string>"(?:\\.|[^"\\\n])*"|'[^'\n]*')
    |(?P<bare>[A-Za-z0-9_+:-]+)
    |(?P<mark>.)''',
    re.VERBOSE | re.DOTALL,
)


def find_lines(text: str) -> dict[Key, int]:
    """Return the line (from 1) of every key and table; arrays of tables by index (from 0)."""
    return _Finder(text).lines


class _Finder:
    """Walks the tokens once, keeping the table it is in and the inline tables around it."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Key, int] = {}
        self._counts: dict[Key, int] = {}
        self._line = 1
        self._table: Key = ()
        self._tokens = [(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(text)]
        self._at = 0
        while self._at < len(self._tokens):
            self._statement()

    def _next(self) -> tuple[str, str]:
        """Take one token that means something; ("end", "") after the last."""
        while self._at < len(self._tokens):
            kind, token = self._tokens[self._at]
            self._at += 1
            self._line += token.count("\n")
            if kind != "skip":
                return kind, token
        return "end", ""

    def _peek(self) -> str:
        at = self._at
        while at < len(self._tokens) and self._tokens[at][0] == "skip":
            at += 1
        return self._tokens[at][1] if at < len(self._tokens) else ""

    def _statement(self) -> None:
        if self._peek() == "[":
            self._next()
            self._header()
            return
        line, before = self._line, self._at
        key = self._key()
        if key:
            self._note(self._table + key, line)
            self._value(self._table + key)
        elif self._at == before:  # a sign that no valid text has here
            self._next()

    def _header(self) -> None:
        line, is_array = self._line, self._peek() == "["
        if is_array:
            self._next()
        path = self._inside(self._key())
        if is_array:
            index = self._counts.get(path, -1) + 1
            self._counts[path] = index
            path = (*path, index)
        self._table = path
        self._note(path, line)
        while self._peek() not in ("\n", ""):
            self._next()

    def _inside(self, key: Key) -> Key:
        """Return the path of ``[key]``: within the newest element of each array on the way."""
        path: Key = ()
        for position, name in enumerate(key):
            path = (*path, name)
            if position < len(key) - 1 and path in self._counts:
                path = (*path, self._counts[path])
        return path

    def _key(self) -> Key:
        """Read a dotted key up to and without its ``=`` or ``]``."""
        names: list[str] = []
        while True:
            if self._peek() in ("=", "]"):
                return tuple(names)
            kind, token = self._next()
            if kind in ("newline", "end"):
                return tuple(names)
            if kind == "bare":
                names.append(token)
            elif kind == "string":
                names.append(token[1:-1])

    def _value(self, path: Key) -> None:
        """Read a value to the end of its line, or to the comma or bracket that ends it."""
        depth = 0
        self._next()  # the "="
        while True:
            sign = self._peek()
            if sign == "" or (depth == 0 and sign in ("\n", ",", "}")):
                return
            self._next()
            if sign == "{" and depth == 0:
                self._inline(path)
            elif sign in ("[", "{"):
                depth += 1
            elif sign in ("]", "}"):
                depth -= 1

    def _inline(self, path: Key) -> None:
        while True:
            line = self._line
            key = self._key_inline()
            if not key:
                return
            self._note(path + key, line)
            self._value(path + key)
            if self._next()[1] != ",":
                return

    def _key_inline(self) -> Key:
        if self._peek() == "}":
            self._next()
            return ()
        return self._key()

    def _note(self, path: Key, line: int) -> None:
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)
