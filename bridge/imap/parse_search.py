"""SEARCH, SORT and THREAD: arguments to values.

RFC 3501 §6.4.4; RFCs 4731, 5032, 5182, 5256, 5267, 7162, 8474, 8514, 9394.

Raises:
    SyntaxFault: the arguments break the grammar.
    TooMuch: there is more of something in them than a command may have.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bridge.charset.decode import decode_text
from bridge.charset.labels import codec_of
from bridge.imap.commands import Search, Sort, Thread
from bridge.imap.errors import ImapFault
from bridge.imap.search import (
    All,
    Dated,
    DateField,
    HasFlag,
    Header,
    ModSeqAtLeast,
    Numbers,
    ObjectId,
    Operator,
    Program,
    SaveDateSupported,
    SearchKey,
    Sized,
    Step,
    TextKey,
    Within,
)
from bridge.imap.syntax import MODSEQ_LIMIT, Scanner
from bridge.limits import IMAP_NEEDLE_BYTES, IMAP_SEARCH_BODIES, IMAP_SEARCH_KEYS

_PARTIAL = re.compile(rb"(-?)([1-9]\d{0,9}):(-?)([1-9]\d{0,9})")
_ENTRY = re.compile(rb'"(?:[^"\\]|\\.)*" (?:priv|shared|all) ', re.IGNORECASE)

SORT_KEYS = frozenset(
    {"ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO"}
)


class BadCharset(ImapFault):
    """The charset is not known; answered ``NO [BADCHARSET]`` (RFC 3501 §7.1)."""


_NOT, _AND, _OR = Operator.NOT, Operator.AND, Operator.OR
_RECENT, _SEEN = HasFlag("\\Recent"), HasFlag("\\Seen")

_FLAGS: dict[str, tuple[Step, ...]] = {
    "ALL": (All(),),
    "NEW": (_RECENT, _SEEN, _NOT, _AND),
    "OLD": (_RECENT, _NOT),
    "RECENT": (_RECENT,),
    "SAVEDATESUPPORTED": (SaveDateSupported(),),
}
for _name in ("Answered", "Deleted", "Draft", "Flagged", "Seen"):
    _FLAGS[_name.upper()] = (HasFlag(f"\\{_name}"),)
    _FLAGS[f"UN{_name.upper()}"] = (HasFlag(f"\\{_name}"), _NOT)

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


@dataclass(slots=True)
class _Group:
    """What waits for keys: NOT for one, OR for two, AND for all up to its end."""

    operator: Operator
    joined: int = 0


class _Keys:
    """Parses search keys in one charset into a program."""

    def __init__(self, scanner: Scanner, charset: str) -> None:
        self._scanner = scanner
        self._charset = charset
        self._steps: list[Step] = []
        self._count = 0
        self._bodies = 0
        self._groups = [_Group(_AND)]

    def all(self) -> Program:
        """Take keys up to the end."""
        while self._groups:
            if self._takes_key():
                self._end_groups()
        return Program(tuple(self._steps))

    def _takes_key(self) -> bool:
        """Take a key, or say that a group of keys was opened instead."""
        scanner = self._scanner
        if scanner.take(b"("):
            self._groups.append(_Group(_AND))
            return False
        self._count += 1
        scanner.limit(self._count, IMAP_SEARCH_KEYS, "search keys")
        if any(scanner.peek(first) for first in _FIRST_OF_NUMBERS):
            self._steps.append(Numbers(scanner.sequence_set(), uid=False))
            return True
        name = scanner.word("a search key")
        if name in _FLAGS:
            self._steps += _FLAGS[name]
            return True
        scanner.space()
        if name in ("NOT", "OR"):
            self._groups.append(_Group(_NOT if name == "NOT" else _OR))
            self._count -= 1
            return False
        self._steps += self._argument(name)
        return True

    def _end_groups(self) -> None:
        """End what the key just taken completes; what it does not takes another."""
        scanner = self._scanner
        while self._groups:
            group = self._groups[-1]
            self._join(group)
            if group.operator is _OR and group.joined < 2:
                scanner.space()
                return
            if group.operator is _AND:
                outermost = len(self._groups) == 1
                if scanner.take(b" ") and not (outermost and scanner.at_end()):
                    return
                if not outermost:
                    scanner.expect(b")")
            self._groups.pop()

    def _join(self, group: _Group) -> None:
        group.joined += 1
        if group.operator is not _NOT:
            if group.joined > 1:
                self._steps.append(group.operator)
        elif self._steps[-1] is _NOT:  # NOT NOT is nothing
            self._steps.pop()
        else:
            self._steps.append(_NOT)

    def _argument(self, name: str) -> tuple[Step, ...]:
        if name in ("BODY", "TEXT"):
            self._bodies += 1
            self._scanner.limit(self._bodies, IMAP_SEARCH_BODIES, "keys that look into bodies")
        if name in _TEXTS:
            return (TextKey(_TEXTS[name], self._text()),)
        if name in _DATES:
            field, how = _DATES[name]
            return (Dated(field, how, self._scanner.date()),)
        if name == "UNKEYWORD":
            return self._keyword(), _NOT
        parse = _ARGUMENTS.get(name)
        if parse is None:
            raise self._scanner.fault("a search key", name)
        return (parse(self),)

    def _text(self) -> str:
        encoded = self._scanner.astring_bytes()
        self._scanner.limit(len(encoded), IMAP_NEEDLE_BYTES, "bytes in a text to look for")
        return decode_text(encoded, self._charset).text

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


def _charset(scanner: Scanner) -> str:
    """Take a charset that is known."""
    written = scanner.astring()
    if codec_of(written) is None:
        raise BadCharset(scanner.tag, "the charset {} is not known", ascii(written))
    return written


def parse_search(scanner: Scanner, *, uid: bool) -> Search:
    """Take SEARCH's arguments."""
    scanner.space()
    returns, partial = _returns(scanner)
    has_charset = scanner.take(b"CHARSET ")
    charset = "utf-8"
    if has_charset:
        charset = _charset(scanner)
        scanner.space()
    return Search(uid, _Keys(scanner, charset).all(), returns, partial, has_charset)


def parse_sort(scanner: Scanner, *, uid: bool) -> Sort:
    """Take SORT's arguments (RFC 5256 §3)."""
    scanner.space()
    returns, partial = _returns(scanner)
    scanner.expect(b"(")
    criteria: dict[str, bool] = {}  # what is equal by one is equal by its repetition
    while not criteria or scanner.take(b" "):
        reverse = scanner.take(b"REVERSE ")
        name = scanner.word("a sort criterion")
        if name not in SORT_KEYS:
            raise scanner.fault("a sort criterion", name)
        criteria.setdefault(name, reverse)
    scanner.expect(b")")
    scanner.space()
    charset = _charset(scanner)
    scanner.space()
    return Sort(uid, tuple(criteria.items()), _Keys(scanner, charset).all(), returns, partial)


def parse_thread(scanner: Scanner, *, uid: bool) -> Thread:
    """Take THREAD's arguments (RFC 5256 §3)."""
    scanner.space()
    algorithm = scanner.word("an algorithm")
    if algorithm not in ("REFERENCES", "ORDEREDSUBJECT"):
        raise scanner.fault("REFERENCES or ORDEREDSUBJECT")
    scanner.space()
    charset = _charset(scanner)
    scanner.space()
    return Thread(uid, algorithm, _Keys(scanner, charset).all())
