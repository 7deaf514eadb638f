"""SEARCH as Dovecot answers it: the same mail, the same keys, and each difference has a reason.

A message found by one of the two only is a difference. What only we find has to be there by a
reader of Python's as well; what only Dovecot finds has to have a reason below.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parsedate
from html import unescape
from pathlib import Path
from random import Random

import pytest

from tests.mime.dovecot import Crash, internal_date, missing
from tests.peers.both import Both, both, messages
from tests.peers.foreign import WORDS

pytestmark = pytest.mark.peer

TEXT_KEYS = ("FROM", "TO", "CC", "BCC", "SUBJECT", "BODY", "TEXT", "HEADER From", "HEADER Received")
ADDRESS_KEYS = ("FROM", "TO", "CC", "BCC")


@pytest.fixture(autouse=True)
def installed() -> None:
    reason = missing()
    if reason:
        pytest.skip(reason)


# -- what is asked -----------------------------------------------------------------------------

BY_HAND = (
    *(word for words in WORDS.values() for word in words.split()),
    *("mario", "rossi", "anna", "clienti", "fattura", "75", "testo", "dentro", "interno"),
    *("preambolo", "epilogo", "Totale", "nascosto", "titolo", "color", "href", "casa.example"),
    *("undisclosed", "città", "multipart/mixed", "x"),
    *("Rossi, Mario", "Mario Rossi", "mario@casa", "fattura 12", "re:", "saldo 75"),
    *("Subject: Fattura", "date: mon", ": 1.0", "content-type", "boundary="),
)


def needles(raws: list[bytes]) -> list[str]:
    """Return words made for the corpus, and from each message a piece of header and body."""
    random = Random(3)
    found = dict.fromkeys(BY_HAND)
    for raw in raws:
        for part in raw.partition(b"\r\n\r\n")[::2]:
            lines = [line.decode() for line in re.findall(rb"[ -~]{6,}", part)]
            if lines:
                line = random.choice(lines)
                start = random.randrange(len(line) - 4)
                found[line[start : start + random.randrange(3, 9)].strip()] = None
    return [needle for needle in found if needle]


def literal(text: str) -> bytes:
    return b"{%d+}\r\n%b" % (len(text.encode()), text.encode())


# -- why we may differ -------------------------------------------------------------------------


def plain(text: str) -> str:
    """Return text without case, accents, control characters and the shape of blanks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c for c in letters if not unicodedata.combining(c) and c != "\0")
    return " ".join(kept.split())


def readings(value: bytes) -> Iterator[str]:
    """Yield a field's or a body's octets in every way that somebody may read them."""
    for charset in ("utf-8", "latin-1"):
        text = value.decode(charset, "replace")
        yield text
        yield unescape(text)
    try:
        for word, name in decode_header(value.decode("ascii", "replace")):
            yield word if isinstance(word, str) else word.decode(name or "latin-1", "replace")
    except (HeaderParseError, LookupError):
        return


def fields(raw: bytes, names: str) -> Iterator[str]:
    """Yield the values of fields with their names, unfolded."""
    header = raw.partition(b"\r\n\r\n")[0] if not raw.startswith(b"\r\n") else b""
    for match in re.finditer(rb"(?m)^([^:\r\n]+?)[ \t]*:(.*(?:\n[ \t].*)*)", header):
        if names == "*" or match[1].decode("latin-1").upper() == names.upper():
            for text in readings(re.sub(rb"\r?\n(?=[ \t])", b"", match[2])):
                yield f"{match[1].decode('latin-1')}:{text}" if names == "*" else text


def bodies(raw: bytes) -> Iterator[str]:
    """Yield the texts of all parts as Python decodes them."""
    for part in message_from_bytes(raw).walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            yield from readings(payload)
            charset = part.get_content_charset() or "ascii"
            try:
                yield payload.decode(charset, "replace")
            except LookupError:
                continue
        if part.get_filename():
            yield str(part.get_filename())


def is_there(key: str, needle: str, raw: bytes) -> bool:
    """Say whether a reader of Python's finds the needle where the key looks."""
    texts: list[str] = []
    if key in ("BODY", "TEXT"):
        texts += bodies(raw)
    if key == "TEXT":
        texts += fields(raw, "*")
        texts.append(raw.decode("latin-1"))
    if key not in ("BODY", "TEXT"):
        texts += fields(raw, key.removeprefix("HEADER "))
    return any(plain(needle) in plain(text) for text in texts)


def only_ours(key: str, needle: str, raw: bytes) -> str:
    if is_there(key, needle, raw):
        return "it is there: accents aside, in 8-bit, behind a lone CR, as the field is written"
    if key in ADDRESS_KEYS and b"\r" in raw.replace(b"\r\n", b""):
        return "a lone CR ends no field"
    return ""


MARKS = "missing_mailbox missing_domain syntax_error invalid_route"


def only_theirs(key: str, needle: str, raw: bytes) -> str:
    if key in ADDRESS_KEYS and ("<" in needle or ">" in needle):
        return "Dovecot looks at <local@domain>, however it is written"
    if key in ADDRESS_KEYS and needle.casefold() in MARKS:
        return "Dovecot finds its own marks of what it can't read"
    if key == "TEXT" and re.search(r"[ \t]:", needle):
        return "a field's name is kept without the blanks before its colon"
    if key in ("BODY", "TEXT") and b"<html" in raw.lower():
        return "what is markup is no text: names of tags, style sheets, where links lead"
    return ""


# -- the tests ---------------------------------------------------------------------------------


async def found(two: Both, keys: bytes) -> tuple[set[int], set[int]]:
    ours, theirs = await two.ask(b"SEARCH " + keys, b"* SEARCH")
    return set(map(int, ours.split())), set(map(int, theirs.split()))


READ_HERE = {("BODY", "msg_15.txt")}
"""A multipart none of whose boundaries is found: its text is searched here, and by nobody else."""


async def test_texts(tmp_path: Path) -> None:
    mail = messages()
    unexplained: list[str] = []
    async with both(tmp_path, mail) as two:
        for needle in needles(list(mail.values())):
            for key in TEXT_KEYS:
                keys = b"CHARSET UTF-8 " + key.encode() + b" " + literal(needle)
                try:
                    ours, theirs = await found(two, keys)
                except Crash:
                    continue  # its bug
                for number in ours ^ theirs:
                    raw, judge = two.raws[number - 1], only_ours if number in ours else only_theirs
                    name = two.names[number - 1]
                    if (key, name) not in READ_HERE and not judge(key, needle, raw):
                        unexplained.append(f"{key} {needle!r}: {name}: {judge.__name__}")
    assert not unexplained, "\n".join([str(len(unexplained)), *unexplained[:40]])


def a_key(random: Random, count: int) -> str:
    """Return a key that no text is needed for."""
    number, other = random.randrange(1, count + 1), random.randrange(1, count + 1)
    day = internal_date(number).strftime("%d-%b-%Y")
    return random.choice(
        [
            *("ALL", "ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN", "UNANSWERED", "UNDELETED"),
            *("UNDRAFT", "UNFLAGGED", "UNSEEN", "KEYWORD $Fatto", "UNKEYWORD $fatto"),
            *(f"{number}:{other}", f"{number},{other}", f"{number}:*", "*"),
            *(f"UID {number}:{other}", f"UID {number + 9999}:*", f"UID *,{number}"),
            *(f"{name} {random.randrange(1, 3000)}" for name in ("LARGER", "SMALLER")),
            *(f"{name} {day}" for name in ("BEFORE", "ON", "SINCE")),
            *(f'{name} "{word}"' for name in ("SUBJECT", "FROM") for word in ("re:", "fattura")),
        ]
    )


@dataclass(slots=True)
class Joined:
    """Keys joined at random; what Dovecot says of each alone is joined here.

    Dovecot's own answer would not do: 2.3 merges the flags of an OR, and its days, into one key
    that is another (``OR UNDELETED UNSEEN``, ``NOT OR SINCE 1-Mar-2001 SINCE 1-Feb-2001``).
    """

    random: Random
    count: int
    single: dict[str, set[int]] = field(default_factory=dict)

    async def some(self, two: Both, depth: int) -> tuple[str, set[int]]:
        """Return a search and what it finds."""
        if depth == 0:
            key = a_key(self.random, self.count)
            if key not in self.single:
                ours, self.single[key] = await found(two, key.encode())
                assert ours == self.single[key], key
            return key, self.single[key]
        text, hits = await self.some(two, depth - 1)
        other, others = await self.some(two, self.random.randrange(depth))
        everything = set(range(1, self.count + 1))
        joined = (
            (f"NOT {text}", everything - hits),
            (f"OR ({text}) {other}", hits | others),
            (f"({text} {other})", hits & others),
        )
        return self.random.choice(joined)


@pytest.mark.parametrize("seed", range(3))
async def test_keys_joined(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    mail = dict(random.sample(sorted(messages().items()), 40))
    async with both(tmp_path, mail) as two:
        marking = "STORE 2,3,5,7 +FLAGS.SILENT ($Fatto)"
        two.peer.ask(marking)
        await two.client.ok(marking)
        searches = Joined(random, len(mail))
        for _ in range(200):
            keys, expected = await searches.some(two, random.randrange(5))
            (line,) = await two.client.ok(f"SEARCH {keys}")
            assert set(map(int, line.split()[2:])) == expected, keys


PRESENT = (
    *("Subject", "From", "To", "Cc", "Bcc", "Date", "Message-ID", "References", "Received"),
    *("Content-Type", "X-Nothing", "x-mailer", "MIME-version"),
)


async def test_fields_that_are_there(tmp_path: Path) -> None:
    async with both(tmp_path, messages()) as two:
        for name in PRESENT:
            ours, theirs = await found(two, f'HEADER {name} ""'.encode())
            assert ours == theirs, name


UNREAD_DATES = {
    "msg_47.txt": "no blank before the zone",
}
"""Dates that Dovecot can't read."""


def has_date(name: str, raw: bytes) -> bool:
    """Say whether there is a day that both can read."""
    if name in UNREAD_DATES:
        return False
    dates = [parsedate(value) for value in fields(raw, "Date")]
    return any(date is not None and date[2] <= 31 for date in dates)


async def test_days(tmp_path: Path) -> None:
    days = [date(1970, 1, 1), date(1999, 12, 31), date(2000, 1, 1), date(2001, 4, 5)]
    days += [date(2024, 1, day) for day in (14, 15, 16)] + [date(2024, 2, 29), date(2024, 3, 1)]
    async with both(tmp_path, messages()) as two:
        dated = {
            number
            for number, (name, raw) in enumerate(zip(two.names, two.raws, strict=True), start=1)
            if has_date(name, raw)
        }
        assert len(dated) > 60
        for day in days:
            for key in ("SENTBEFORE", "SENTON", "SENTSINCE"):
                ours, theirs = await found(two, f"{key} {day:%d-%b-%Y}".encode())
                assert ours & dated == theirs & dated, (key, day)
                # Dovecot takes what has no date for one of 1970; no day is before no other.
                assert ours <= dated | {two.names.index(name) + 1 for name in UNREAD_DATES}
