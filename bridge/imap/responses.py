"""Values to the wire: strings, names, flags, dates, and the untagged responses made of them.

RFC 3501 §7 and the extensions named at each function. Everything returns bytes that may stand in
a response line as they are; ``CRLF`` ends a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from bridge.imap.mailboxname import encode
from bridge.imap.sequence import format_numbers
from bridge.imap.syntax import MONTHS

CRLF = b"\r\n"

_ASTRING = re.compile(r"[^\x00-\x20\x7f-\U0010ffff(){%*\"\\]+")
_MONTHS = tuple(month.capitalize() for month in MONTHS)


def string(value: str | bytes) -> bytes:
    """Return a string: quoted where it may be, else a literal (RFC 3501 §4.3)."""
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if len(raw) < 1000 and raw.isascii() and not re.search(rb"[\x00\r\n]", raw):
        return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"{%d}\r\n" % len(raw) + raw


def nstring(value: str | bytes | None) -> bytes:
    """Return a string, or NIL for None."""
    return b"NIL" if value is None else string(value)


def astring(value: str) -> bytes:
    """Return an atom where the value is one, else a string."""
    if _ASTRING.fullmatch(value) and value.upper() != "NIL":
        return value.encode("ascii")
    return string(value)


@lru_cache(maxsize=1024)
def mailbox(name: str, *, utf8: bool) -> bytes:
    """Return a mailbox name, in UTF-8 or else in modified UTF-7 (RFC 3501 §5.1.3, 6855 §3)."""
    if not utf8:
        return astring(encode(name))
    return b'"' + name.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def flags(names: Iterable[str]) -> bytes:
    """Return a flag list."""
    return b"(" + " ".join(sorted(names)).encode("ascii") + b")"


def date_time(moment: datetime) -> bytes:
    """Return a date-time (RFC 3501 §9)."""
    offset = moment.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    sign = "-" if minutes < 0 else "+"
    hours, minutes = divmod(abs(minutes), 60)
    return (
        f'"{moment.day:2d}-{_MONTHS[moment.month - 1]}-{moment.year:04d} '
        f'{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} {sign}{hours:02d}{minutes:02d}"'
    ).encode("ascii")


def listing(verb: str, attributes: Iterable[str], name: bytes, extended: bytes = b"") -> bytes:
    """Return a LIST or LSUB line (RFC 3501 §7.2.2, RFC 5258 §6).

    Args:
        verb: ``LIST`` or ``LSUB``.
        attributes: the mailbox's, each with its backslash.
        name: as it goes over the wire, see ``mailbox``.
        extended: the items behind the name, with a blank in front.
    """
    shown = " ".join(attributes).encode("ascii")
    return b"* " + verb.encode() + b" (" + shown + b') "/" ' + name + extended + CRLF


def renamed(name: str, old: str, *, utf8: bool) -> bytes:
    """Return the LIST line that tells under which name ``old`` goes (RFC 9051 §6.3.9.7)."""
    extended = old_name(mailbox(old, utf8=utf8))
    return listing("LIST", (), mailbox(name, utf8=utf8), extended)


def old_name(name: bytes) -> bytes:
    """Return the OLDNAME item of a LIST line (RFC 5465 §5.4, RFC 9051 §6.3.9.7)."""
    return b' ("OLDNAME" (' + name + b"))"


def vanished(uids: Iterable[int], *, earlier: bool) -> bytes:
    """Return a VANISHED line (RFC 7162 §3.2.10)."""
    mark = b"(EARLIER) " if earlier else b""
    return b"* VANISHED " + mark + format_numbers(uids).encode("ascii") + CRLF


def esearch(tag: str, *, uid: bool) -> bytes:
    """Return how an ESEARCH line begins (RFC 4731 §3.1); results follow, and its end."""
    return b'* ESEARCH (TAG "' + tag.encode("ascii") + b'")' + (b" UID" if uid else b"")
