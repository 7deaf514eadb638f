"""SEARCH, SORT and THREAD: arguments to values.

RFC 3501 §6.4.4; RFCs 4731, 5032, 5182, 5256, 5267, 7162, 8474, 8514, 9394.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bridge.imap.commands import Search, Sort, Thread
from bridge.imap.errors import ImapFault
from bridge.imap.search import (
    All,
    And,
    Dated,
    DateField,
    HasFlag,
    Header,
    ModSeqAtLeast,
    Not,
    Numbers,
    ObjectId,
    Or,
    SaveDateSupported,
    SearchKey,
    Sized,
    Text,
    Within,
)
from bridge.imap.syntax import MODSEQ_LIMIT, Scanner, text_of

DEPTH_LIMIT = 50
"""Parentheses, NOT and OR inside each other; more is no search of a person's."""

_PARTIAL = re.compile(rb"(-?)([1-9]\d{0,9}):(-?)([1-9]\d{0,9})")
_ENTRY = re.compile(rb'"(?:[^"\\]|\\.)*" (?:priv|shared|all) ', re.IGNORECASE)
_NUMBERS = re.compile(rb"[\d*$]")

SORT_KEYS = frozenset(
    {"ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO"}
)


class BadCharset(ImapFault):
    """The charset is not known; answered ``NO [BADCHARSET]`` (RFC 3501 §7.1)."""


def _flag(name: str) -> HasFlag:
    return HasFlag(name)


_FLAGS: dict[str, SearchKey] = {
    "ALL": All(),
    "ANSWERED": _flag("\\Answered"),
    "DELETED": _flag("\\Deleted"),
    "DRAFT": _flag("\\Draft"),
    "FLAGGED": _flag("\\Flagged"),
    "NEW": And((_flag("\\Recent"), Not(_flag("\\Seen")))),
    "OLD": Not(_flag("\\Recent")),
    "RECENT": _flag("\\Recent"),
    "SEEN": _flag("\\Seen"),
    "UNANSWERED": Not(_flag("\\Answered")),
    "UNDELETED": Not(_flag("\\Deleted")),
    "UNDRAFT": Not(_flag("\\Draft")),
    "UNFLAGGED": Not(_flag("\\Flagged")),
    "UNSEEN": Not(_flag("\\Seen")),
    "SAVEDATESUPPORTED": SaveDateSupported(),
}
_TEXTS = {name: name.lower() for name in ("BCC", "BODY", "CC", "FROM", "SUBJECT", "TEXT", "TO")}
_DATES = {
    "BEFORE": (DateField.INTERNAL, -1),
    "ON": (DateField.INTERNAL, 0),
    "SINCE": (DateField.INTERNAL, 1),
    "SENTBEFORE": (DateField.SENT, -1),
    "SENTON": (DateField.SENT, 0),
    "SENTSINCE": (DateField.SENT, 1),
    "SAVEDBEFORE": (DateField.SAVED, -1),
    "SAVEDON": (DateField.SAVED, 0),
    "SAVEDSINCE": (DateField.SAVED, 1),
}


class _Keys:
    """Parses search keys in one charset."""

    def __init__(self, scanner: Scanner, charset: str) -> None:
        self._scanner = scanner
        self._charset = charset

    def all(self) -> SearchKey:
        """Take keys up to the end."""
        keys = [self.key(0)]
        while self._scanner.take(b" "):
            if self._scanner.at_end():
                break
            keys.append(self.key(0))
        return keys[0] if len(keys) == 1 else And(tuple(keys))

    def key(self, depth: int) -> SearchKey:
        """Take one key."""
        scanner = self._scanner
        if depth > DEPTH_LIMIT:
            raise scanner.fault("a search that is less nested")
        if scanner.take(b"("):
            keys = [self.key(depth + 1)]
            while scanner.take(b" "):
                keys.append(self.key(depth + 1))
            scanner.expect(b")")
            return keys[0] if len(keys) == 1 else And(tuple(keys))
        if any(scanner.peek(first) for first in _FIRST_OF_NUMBERS):
            return Numbers(scanner.sequence_set(), uid=False)
        name = scanner.word("a search key")
        if name in _FLAGS:
            return _FLAGS[name]
        scanner.space()
        if name in ("NOT", "OR"):
            left = self.key(depth + 1)
            if name == "NOT":
                return Not(left)
            scanner.space()
            return Or(left, self.key(depth + 1))
        return self._argument(name)

    def _argument(self, name: str) -> SearchKey:
        if name in _TEXTS:
            return Text(_TEXTS[name], self._text())
        if name in _DATES:
            field, how = _DATES[name]
            return Dated(field, how, self._scanner.date())
        parse = _ARGUMENTS.get(name)
        if parse is None:
            raise self._scanner.fault(f"a search key, not {name}")
        return parse(self)

    def _text(self) -> str:
        encoded = self._scanner.astring_bytes()
        try:
            return encoded.decode(self._charset)
        except (UnicodeDecodeError, LookupError):
            return text_of(encoded)

    def _header(self) -> SearchKey:
        name = self._text()
        self._scanner.space()
        return Header(name, self._text())

    def _modseq(self) -> SearchKey:
        self._scanner.match(_ENTRY)
        return ModSeqAtLeast(self._scanner.number(MODSEQ_LIMIT))

    def _keyword(self) -> SearchKey:
        return HasFlag(self._scanner.flag())

    def _numbers(self) -> SearchKey:
        return Numbers(self._scanner.sequence_set(), uid=True)

    def _size(self) -> int:
        return self._scanner.number(MODSEQ_LIMIT)

    def _object_id(self, *, thread: bool) -> SearchKey:
        return ObjectId(self._scanner.astring(), thread)

    def sized(self, *, larger: bool) -> SearchKey:
        """Take LARGER's or SMALLER's number."""
        return Sized(larger, self._size())

    def within(self, *, older: bool) -> SearchKey:
        """Take OLDER's or YOUNGER's interval."""
        return Within(older, self._scanner.nz_number())


_FIRST_OF_NUMBERS = tuple(b"0123456789*$"[at : at + 1] for at in range(12))
_ARGUMENTS: dict[str, Callable[[_Keys], SearchKey]] = {
    "HEADER": lambda keys: keys._header(),
    "KEYWORD": lambda keys: keys._keyword(),
    "UNKEYWORD": lambda keys: Not(keys._keyword()),
    "UID": lambda keys: keys._numbers(),
    "LARGER": lambda keys: keys.sized(larger=True),
    "SMALLER": lambda keys: keys.sized(larger=False),
    "OLDER": lambda keys: keys.within(older=True),
    "YOUNGER": lambda keys: keys.within(older=False),
    "MODSEQ": lambda keys: keys._modseq(),
    "EMAILID": lambda keys: keys._object_id(thread=False),
    "THREADID": lambda keys: keys._object_id(thread=True),
}


def take_partial(scanner: Scanner) -> tuple[int, int]:
    """Take the range of PARTIAL (RFC 9394 §3.1): both ends over zero, or both below."""
    match = scanner.match(_PARTIAL)
    if match is None or match[1] != match[3]:
        raise scanner.fault("a range such as 1:100 or -1:-100")
    sign = -1 if match[1] else 1
    first, last = sorted((int(match[2]), int(match[4])))
    return sign * first, sign * last


def _returns(scanner: Scanner) -> tuple[frozenset[str] | None, tuple[int, int] | None]:
    """Take ``RETURN (…) `` if it stands here (RFC 4731 §3.1)."""
    if not scanner.take(b"RETURN ("):
        return None, None
    options: set[str] = set()
    partial = None
    while not scanner.take(b")"):
        if options:
            scanner.space()
        option = scanner.word("a result option")
        if option not in ("MIN", "MAX", "ALL", "COUNT", "SAVE", "PARTIAL"):
            raise scanner.fault("MIN, MAX, ALL, COUNT, SAVE or PARTIAL")
        options.add(option)
        if option == "PARTIAL":
            scanner.space()
            partial = take_partial(scanner)
    if "PARTIAL" in options and "ALL" in options:
        raise scanner.fault("either PARTIAL or ALL")
    scanner.space()
    return frozenset(options or {"ALL"}), partial


def _charset(scanner: Scanner, written: str) -> str:
    try:
        "a".encode(written)
    except (LookupError, ValueError):
        raise BadCharset(scanner.tag, f"the charset {written} is not known") from None
    return written


def parse_search(scanner: Scanner, *, uid: bool) -> Search:
    """Take SEARCH's arguments."""
    scanner.space()
    returns, partial = _returns(scanner)
    charset = "utf-8"
    if scanner.take(b"CHARSET "):
        charset = _charset(scanner, scanner.astring())
        scanner.space()
    return Search(uid, _Keys(scanner, charset).all(), returns, partial)


def parse_sort(scanner: Scanner, *, uid: bool) -> Sort:
    """Take SORT's arguments (RFC 5256 §3)."""
    scanner.space()
    returns, partial = _returns(scanner)
    scanner.expect(b"(")
    criteria: list[tuple[str, bool]] = []
    while not criteria or scanner.take(b" "):
        reverse = scanner.take(b"REVERSE ")
        name = scanner.word("a sort criterion")
        if name not in SORT_KEYS:
            raise scanner.fault(f"a sort criterion, not {name}")
        criteria.append((name, reverse))
    scanner.expect(b")")
    scanner.space()
    charset = _charset(scanner, scanner.astring())
    scanner.space()
    return Sort(uid, tuple(criteria), _Keys(scanner, charset).all(), returns, partial)


def parse_thread(scanner: Scanner, *, uid: bool) -> Thread:
    """Take THREAD's arguments (RFC 5256 §3)."""
    scanner.space()
    algorithm = scanner.word("an algorithm")
    if algorithm not in ("REFERENCES", "ORDEREDSUBJECT"):
        raise scanner.fault("REFERENCES or ORDEREDSUBJECT")
    scanner.space()
    charset = _charset(scanner, scanner.astring())
    scanner.space()
    return Thread(uid, algorithm, _Keys(scanner, charset).all())
