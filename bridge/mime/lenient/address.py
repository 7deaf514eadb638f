"""Address lists as IMAP's ENVELOPE shows them, groups and broken addresses included.

What cannot be read is not left out: a missing mailbox or domain is named so (``MISSING_MAILBOX``,
``MISSING_DOMAIN``, ``SYNTAX_ERROR``, ``INVALID_ROUTE``), as Dovecot does and as clients know it.
Display names stay encoded (RFC 2047); decoding is the client's business.

RFCs: 5322 §3.4, §4.4 (obsolete addressing); 3501 §7.4.2 (groups); 822 (names in comments).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bridge.limits import ADDRESSES_SHOWN
from bridge.mime.grammar.lexer import BROKEN, END, MORE, Lexer, Read

_NO_DOMAIN = b"MISSING_DOMAIN"
_NO_MAILBOX = b"MISSING_MAILBOX"
_NUL = "\N{REPLACEMENT CHARACTER}".encode()
_ATOM = rb"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\xff]+"
_DOTTED = _ATOM + rb"(?:\." + _ATOM + rb")*"
_WORD = rb"[.A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\xff]+"
_PLAIN = re.compile(
    rb"[ \t\r\n]*(?:"
    rb"(?:(?:((?!\.)" + _WORD + rb"(?: " + _WORD + rb")*)|\"([^\"\\\r\n\0]+)\") )?"
    rb"<(" + _DOTTED + rb")@(" + _DOTTED + rb")>"
    rb"|(" + _DOTTED + rb")@(" + _DOTTED + rb")"
    rb")(?:,(?=.)|\Z)",
    re.DOTALL,
)
"""One address without comments, folds, routes or obsolete forms: nearly all there are."""


_ODD_NAME = re.compile(
    rb"((?:[^\",<>(]|\"[^\"]*\"|\([^()]*\)"  # comments, in which nothing is an address
    rb"|\"(?![^\"]*\")|\((?![^()]*\)))*+)(?=<)"  # and what is opened and never closed
)
_BLANKS = re.compile(rb"[ \t\r\n]+")


class Address(NamedTuple):
    """One address, or one end of a group: a start has only a ``mailbox``, an end has nothing."""

    name: bytes | None
    route: bytes | None
    mailbox: bytes | None
    domain: bytes | None


_GROUP_END = Address(None, None, None, None)


def parse_addresses(value: bytes) -> tuple[Address, ...]:
    """Return the addresses in a field's value; () if it is blank."""
    found: list[Address] = []
    end = len(value)
    while value[end - 2 : end] in (b"\n ", b"\n\t"):  # an empty last line
        end -= 2
    value = value if end == len(value) else value[:end] + b" "
    at = 0
    while plain := _PLAIN.match(value, at):
        name, quoted, local, domain, bare_local, bare_domain = plain.groups()
        found.append(Address(name or quoted, None, local or bare_local, domain or bare_domain))
        at = plain.end()
        if at == len(value):
            return tuple(found)
    rest = _AddressReader(value[at:])
    rest.read_list(after_comma=bool(found))
    return (*found, *rest.found)


class _AddressReader:
    """Reads one list; what is known of the address at hand is in ``name`` … ``domain``."""

    def __init__(self, value: bytes) -> None:
        self.found: list[Address] = []
        self._lexer = Lexer(value)
        self._clear()

    def _clear(self) -> None:
        self._name: bytes | None = None
        self._route: bytes | None = None
        self._mailbox: bytes | None = None
        self._domain: bytes | None = None

    def _add(self, address: Address) -> None:
        self.found.append(address)
        self._clear()

    def _add_repaired(self) -> None:
        mailbox = _NO_MAILBOX if self._mailbox is None else self._mailbox
        self._add(Address(self._name, self._route, mailbox, self._domain or _NO_DOMAIN))

    def read_list(self, *, after_comma: bool) -> None:
        """Read addresses until the end or until nothing fits any more."""
        lexer = self._lexer
        while len(self.found) < ADDRESSES_SHOWN:
            status = lexer.blanks()
            if status == BROKEN and after_comma:
                self._add_repaired()
            if status != MORE or self._address() == END or lexer.peek() != b",":
                return
            lexer.pos += 1
            after_comma = True

    def _address(self) -> int:
        start = self._lexer.pos
        status = self._group()
        if status == BROKEN:
            self._lexer.pos = start
            status = self._one_mailbox()
        return status

    def _group(self) -> int:
        """Read ``name: addresses;``; BROKEN only if there is no group here at all."""
        lexer = self._lexer
        status, name = lexer.phrase()
        if status != MORE or lexer.peek() != b":":
            return BROKEN
        lexer.pos += 1
        status = lexer.blanks()
        self._add(Address(None, None, name, None))
        if status == MORE and lexer.peek() != b";":
            status = self._group_members(status)
        if status != BROKEN and lexer.peek() == b";":
            lexer.pos += 1
            status = lexer.blanks()
        else:
            status = BROKEN
        self._add(_GROUP_END)
        return END if status == END else MORE

    def _group_members(self, status: int) -> int:
        lexer = self._lexer
        while True:
            self._one_mailbox()
            if lexer.peek() != b"," or len(self.found) >= ADDRESSES_SHOWN:
                return status
            lexer.pos += 1
            if lexer.blanks() != MORE:
                return BROKEN

    def _one_mailbox(self) -> int:
        lexer = self._lexer
        start = lexer.pos
        status = self._name_and_angle()
        if status == BROKEN:
            status = self._odd_name_and_angle(start)
        if status == BROKEN:
            lexer.pos = start
            status, invalid = self._bare_address()
            if invalid and self._name is None and self._domain is None:
                self._name, self._mailbox = self._mailbox, None
        self._add_repaired()
        return status

    def _name_and_angle(self) -> int:
        """Read ``name <address>``; a fault behind the ``<`` is marked and read over."""
        lexer = self._lexer
        status, name = lexer.phrase()
        if status != MORE or lexer.peek() != b"<":
            return BROKEN
        self._name = name or None
        if self._angle() == BROKEN:
            self._domain = b"SYNTAX_ERROR"
        return MORE if lexer.pos < lexer.end else END

    def _odd_name_and_angle(self, start: int) -> int:
        """Read what is no name before ``<address>``: ``Rossi @ ACME``, ``a@b.it``, ``[list] x``.

        What stands in the brackets is the address, as all who show mail have it.
        """
        lexer = self._lexer
        odd = _ODD_NAME.match(lexer.text, start)
        if odd is None or b";" in odd[1].partition(b"@")[2]:  # semicolons stand for commas
            return BROKEN
        lexer.pos = odd.end()
        if self._angle() != BROKEN and self._mailbox and self._domain:
            name = odd[1].replace(b'"', b"").replace(b"\0", _NUL)
            self._name = _BLANKS.sub(b" ", name).strip(b" ") or None
            return MORE if lexer.pos < lexer.end else END
        self._clear()
        return BROKEN

    def _angle(self) -> int:
        lexer = self._lexer
        lexer.pos += 1
        if lexer.blanks() != MORE:
            return BROKEN
        if lexer.peek() == b"@" and self._route_before() != MORE:
            return BROKEN
        if lexer.peek() != b">":
            status = self._local_part()[0]
            if status == MORE and lexer.peek() == b"@":
                status, self._domain = self._after_at()
            if status != MORE or lexer.peek() != b">":
                return BROKEN
        lexer.pos += 1
        return lexer.blanks()

    def _route_before(self) -> int:
        """Read a source route, ``@one,@two:`` (RFC 5322 §4.4)."""
        lexer = self._lexer
        if self._route_domains() == MORE and lexer.peek() == b":":
            lexer.pos += 1
        else:
            self._route = b"INVALID_ROUTE"
            if lexer.pos >= lexer.end:
                return BROKEN
        return lexer.blanks()

    def _route_domains(self) -> int:
        lexer = self._lexer
        domains: list[bytes] = []
        while lexer.peek() == b"@":
            status, domain = lexer.domain()
            if status != MORE:
                return status
            domains.append(b"@" + domain)
            while lexer.blanks() == MORE and lexer.peek() == b",":
                lexer.pos += 1
        if lexer.pos >= lexer.end:
            return END
        self._route = b",".join(domains)
        return MORE

    def _after_at(self) -> tuple[int, bytes | None]:
        status, domain = self._lexer.domain()
        return status, None if status == BROKEN else domain

    def _local_part(self) -> Read:
        lexer = self._lexer
        status, local = lexer.quoted_string() if lexer.peek() == b'"' else self._dotted_local()
        if status != BROKEN:
            self._mailbox = local
        return status, local

    def _dotted_local(self) -> Read:
        """Read atoms and dots in any order: ``.a..b.`` is common in real addresses."""
        lexer = self._lexer
        pieces: list[bytes] = []
        status = BROKEN
        while True:
            while lexer.peek() == b".":
                pieces.append(b".")
                lexer.pos += 1
                status = MORE if lexer.pos < lexer.end else END
            if status == END or lexer.peek() == b"@":
                return status, b"".join(pieces)
            status, atom = lexer.atom()
            pieces.append(atom)
            if status != MORE or lexer.peek() != b".":
                return status, b"".join(pieces)

    def _bare_address(self) -> tuple[int, bool]:
        """Read ``local@domain (name)``, or words that are no address at all.

        Returns how it ended and whether the syntax was wrong.
        """
        lexer = self._lexer
        lexer.comment = b""
        quoted = lexer.peek() == b'"'
        status, read = self._local_part()
        invalid = status != MORE
        has_domain = False
        if status != END and lexer.peek() == b"@":
            has_domain = True
            domain_status, domain = self._after_at()
            if domain is not None:
                self._domain = domain
            if domain_status != MORE:
                status = domain_status
        if lexer.comment:
            self._name = lexer.comment
        elif not has_domain:
            self._lone_words(read, quoted)
            return BROKEN, True
        return status, invalid

    def _lone_words(self, read: bytes, quoted: bool) -> None:
        """Take a single word for a mailbox, several for a name."""
        more = self._lexer.phrase()[1]
        if more:
            self._mailbox, self._name = None, read + b" " + more
        elif not quoted:
            self._domain = b""
