"""The lexer: tokens of one complete command, each named as in the ABNF (RFC 3501 §9).

A method takes its token and moves on, or raises ``SyntaxFault``; ``take_…`` methods that return
None or False leave the position where it was.

Raises:
    SyntaxFault: something else stands there.
    TooMuch: there is more of it than a command may have.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

from bridge.imap.errors import SyntaxFault, TooMuch
from bridge.imap.framing import CommandLine
from bridge.imap.mailboxname import canonical, decode
from bridge.imap.sequence import SequenceSet
from bridge.limits import IMAP_FLAGS, IMAP_NAME_BYTES

NUMBER_LIMIT = 0xFFFFFFFF
MODSEQ_LIMIT = (1 << 63) - 1
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# ATOM-CHAR = any CHAR except "(" / ")" / "{" / SP / CTL / "%" / "*" / DQUOTE / "\" / "]"
_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
# ASTRING-CHAR = ATOM-CHAR / resp-specials; 8-bit is taken for UTF-8, as clients send it
_ASTRING = re.compile(rb"[^\x00-\x20\x7f(){%*\"\\]+")
# list-char = ATOM-CHAR / list-wildcards / resp-specials
_LIST_MAILBOX = re.compile(rb"[^\x00-\x20\x7f(){\"\\]+")
# quoted = DQUOTE *QUOTED-CHAR DQUOTE
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_LITERAL = re.compile(rb"(~?)\{(\d+)\+?\}\n")
_NUMBER = re.compile(rb"\d+")
_FLAG = re.compile(rb"\\?[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_WORD = re.compile(rb"[A-Za-z0-9.=+\-]+")
# seq-number = nz-number / "*" ; seq-range = seq-number ":" seq-number
_SEQUENCE = re.compile(rb"(?:\d+|\*)(?::(?:\d+|\*))?(?:,(?:\d+|\*)(?::(?:\d+|\*))?)*")
# date-text = date-day "-" date-month "-" date-year, quoted or not
_DATE = re.compile(rb'("?)(\d{1,2})-([A-Za-z]{3})-(\d{4})\1')
# date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
_DATE_TIME = re.compile(
    rb'"( ?\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})"'
)


class Scanner:
    """Reads one ``CommandLine`` from left to right.

    ``utf8`` says that the client was told to write names in UTF-8: then ``&`` is a letter like
    any other (RFC 6855 §3, RFC 9051 §5.1), else names may be in modified UTF-7.
    """

    __slots__ = ("_literals", "_next_literal", "_position", "_text", "_utf8", "tag")

    def __init__(self, line: CommandLine, *, utf8: bool = False) -> None:
        self._utf8 = utf8
        self._text = line.text
        self._literals = line.literals
        self._next_literal = 0
        self._position = 0
        self.tag = "*"

    def fault(self, expected: str, found: str = "") -> SyntaxFault:
        """Return the error that says what should stand here, and what does, if that was read."""
        what = f"{expected}, not {{}}" if found else expected
        return SyntaxFault(self.tag, f"{what} expected at byte {self._position + 1}", found)

    def limit(self, count: int, most: int, what: str) -> None:
        """Refuse a command that asks for more than ``most`` of something."""
        if count > most:
            raise TooMuch(self.tag, f"a command has at most {most} {what}")

    def rest(self) -> bytes:
        """Return the text that is left; a literal is only marked in it."""
        return self._text[self._position :]

    def skip(self, size_bytes: int) -> None:
        """Move on by so many bytes."""
        self._position += size_bytes

    # -- punctuation -------------------------------------------------------------------------

    def at_end(self) -> bool:
        """Say whether nothing is left."""
        return self._position >= len(self._text)

    def end(self) -> None:
        """Expect the end of the command; blanks before it are let pass."""
        if self._text[self._position :].strip(b" "):
            raise self.fault("end of command")

    def take(self, token: bytes) -> bool:
        """Take ``token`` (in any case) if it stands here."""
        end = self._position + len(token)
        if self._text[self._position : end].upper() != token:
            return False
        self._position = end
        return True

    def peek(self, token: bytes) -> bool:
        """Say whether ``token`` stands here."""
        return self._text.startswith(token, self._position)

    def expect(self, token: bytes) -> None:
        """Take ``token``."""
        if not self.take(token):
            raise self.fault("a blank" if token == b" " else repr(token.decode()))

    def space(self) -> None:
        """Take one blank."""
        if self._text[self._position : self._position + 1] != b" ":
            raise self.fault("a blank")
        self._position += 1

    # -- tokens ------------------------------------------------------------------------------

    def match(self, expression: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Take what ``expression`` matches here, None if it does not."""
        match = expression.match(self._text, self._position)
        if match is not None:
            self._position = match.end()
        return match

    def word(self, expected: str = "a word") -> str:
        """Take a keyword of the grammar, in capitals."""
        match = self.match(_WORD)
        if match is None:
            raise self.fault(expected)
        return match[0].decode("ascii").upper()

    def atom(self, expected: str = "an atom") -> str:
        """Take an atom as written."""
        match = self.match(_ATOM)
        if match is None:
            raise self.fault(expected)
        return match[0].decode("ascii")

    def number(self, limit: int = NUMBER_LIMIT) -> int:
        """Take a number up to ``limit``."""
        match = self.match(_NUMBER)
        if match is None or len(match[0]) > 20 or int(match[0]) > limit:
            raise self.fault("a number")
        return int(match[0])

    def nz_number(self, limit: int = NUMBER_LIMIT) -> int:
        """Take a number over zero."""
        number = self.number(limit)
        if number == 0:
            raise self.fault("a number over zero")
        return number

    def take_string(self) -> bytes | None:
        """Take a quoted string or a literal."""
        if self.peek(b'"'):
            quoted = self.match(_QUOTED)
            if quoted is None:
                raise self.fault("a quoted string")
            inner = quoted[1]
            return re.sub(rb"\\(.)", rb"\1", inner) if b"\\" in inner else inner
        literal = self.match(_LITERAL)
        if literal is None:
            return None
        return self._literal()

    def take_literal(self) -> tuple[bytes, bool] | None:
        """Take a literal; says too whether it was a literal8 (RFC 3516 §4.4)."""
        literal = self.match(_LITERAL)
        if literal is None:
            return None
        return self._literal(), bool(literal[1])

    def _literal(self) -> bytes:
        self._next_literal += 1
        return self._literals[self._next_literal - 1]

    def string(self) -> bytes:
        """Take a string."""
        taken = self.take_string()
        if taken is None:
            raise self.fault("a string")
        return taken

    def nstring(self) -> bytes | None:
        """Take a string, or NIL as None."""
        return None if self.take(b"NIL") else self.string()

    def astring_bytes(self) -> bytes:
        """Take an astring as bytes."""
        match = self.match(_ASTRING)
        return match[0] if match is not None else self.string()

    def astring(self) -> str:
        """Take an astring as text: UTF-8, or Latin-1 when it is not."""
        return text_of(self.astring_bytes())

    def mailbox(self) -> str:
        """Take a mailbox name, decoded, in its one spelling."""
        return canonical(self.mailbox_as_written())

    def mailbox_as_written(self) -> str:
        """Take a mailbox name, decoded but spelled as the client does."""
        return self._mailbox_name(self.astring_bytes())

    def list_mailbox(self) -> str:
        """Take a LIST pattern, decoded."""
        match = self.match(_LIST_MAILBOX)
        encoded = match[0] if match is not None else self.string()
        self.limit(len(encoded), IMAP_NAME_BYTES, "bytes in a pattern")
        return canonical(self._mailbox_name(encoded))

    def _mailbox_name(self, encoded: bytes) -> str:
        name = text_of(encoded)
        if self._utf8 or not name.isascii() or len(name) > IMAP_NAME_BYTES:
            return name  # what is so long names nothing
        try:
            return decode(name)
        except ValueError:  # not modified UTF-7: taken as it is, and hardly found
            return name

    def sequence_set(self) -> SequenceSet:
        """Take a sequence set or ``$``."""
        if self.take(b"$"):
            return SequenceSet(saved=True)
        match = self.match(_SEQUENCE)
        if match is None:
            raise self.fault("a sequence set")
        ranges = []
        for part in match[0].split(b","):
            first, _, last = part.partition(b":")
            low = self._sequence_number(first)
            ranges.append((low, self._sequence_number(last) if last else low))
        return SequenceSet(tuple(ranges))

    def _sequence_number(self, written: bytes) -> int:
        if written == b"*":
            return 0
        number = int(written) if len(written) <= 10 else 0
        if not 0 < number <= NUMBER_LIMIT:
            raise self.fault("a number over zero")
        return number

    def flag(self) -> str:
        """Take a flag as written."""
        match = self.match(_FLAG)
        if match is None:
            raise self.fault("a flag")
        return match[0].decode("ascii")

    def flag_list(self) -> tuple[str, ...]:
        """Take flags in parentheses, maybe none."""
        self.expect(b"(")
        flags: list[str] = []
        while not self.take(b")"):
            if flags:
                self.space()
            flags.append(self.flag())
            self.limit(len(flags), IMAP_FLAGS, "flags")
        return tuple(flags)

    def date(self) -> date:
        """Take a date."""
        match = self.match(_DATE)
        month = match[3].decode("ascii").lower() if match else ""
        if match is None or month not in MONTHS:
            raise self.fault("a date such as 1-Feb-2026")
        try:
            return date(int(match[4]), MONTHS.index(month) + 1, int(match[2]))
        except ValueError:
            raise self.fault("a day of the calendar") from None

    def take_date_time(self) -> datetime | None:
        """Take a date-time, aware, if a quote stands here."""
        if not self.peek(b'"'):
            return None
        match = self.match(_DATE_TIME)
        month = match[2].decode("ascii").lower() if match else ""
        if match is None or month not in MONTHS:
            raise self.fault('a date such as " 1-Feb-2026 10:00:00 +0100"')
        zone = timedelta(hours=int(match[8]), minutes=int(match[9]))
        try:
            return datetime(
                int(match[3]),
                MONTHS.index(month) + 1,
                int(match[1]),
                int(match[4]),
                int(match[5]),
                min(int(match[6]), 59),
                tzinfo=timezone(-zone if match[7] == b"-" else zone),
            )
        except ValueError:
            raise self.fault("a day of the calendar") from None


def text_of(encoded: bytes) -> str:
    """Return bytes as text: UTF-8, or Latin-1 when they are not."""
    try:
        return encoded.decode("utf-8")
    except UnicodeDecodeError:
        return encoded.decode("latin-1")
