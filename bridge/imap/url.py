"""IMAP URLs that name a message, or part of one, on this server (RFC 5092 §6; RFC 4469 §3).

Only what a client may write in CATENATE: no scheme, no host, no URLAUTH.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from bridge.imap.errors import SyntaxFault
from bridge.imap.framing import CommandLine
from bridge.imap.mailboxname import canonical
from bridge.imap.parse_fetch import take_section
from bridge.imap.sections import Section
from bridge.imap.syntax import Scanner

_URL = re.compile(
    r"/(?P<mailbox>[^;]*?)/?(?:;UIDVALIDITY=(?P<validity>[1-9]\d{0,9}))?"
    r"/?;UID=(?P<uid>[1-9]\d{0,9})"
    r"(?:/?;SECTION=(?P<section>[^;]*?))?"
    r"(?:/?;PARTIAL=(?P<start>\d{1,10})(?:\.(?P<length>[1-9]\d{0,9}))?)?/?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MessageUrl:
    """A message by mailbox and UID, and which bytes of it.

    ``partial`` is (offset, length), the length None for all there is.
    """

    mailbox: str
    uid_validity: int | None
    uid: int
    section: Section
    partial: tuple[int, int | None] | None


def parse_url(text: str) -> MessageUrl:
    """Return what a URL such as ``/INBOX;UIDVALIDITY=1/;UID=20/;SECTION=1.2`` names.

    Raises:
        ValueError: it names no message on this server.
    """
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError("the URL names no message here")
    mailbox = canonical(unquote_to_bytes(match["mailbox"]).decode("utf-8"))
    written = b"[" + unquote_to_bytes(match["section"] or "") + b"]"
    scanner = Scanner(CommandLine(written, ()))
    try:
        section = take_section(scanner, peek=True)
        scanner.end()
    except SyntaxFault as fault:
        raise ValueError(fault.text) from None
    partial = None
    if match["start"]:
        partial = int(match["start"]), int(match["length"]) if match["length"] else None
    validity = int(match["validity"]) if match["validity"] else None
    return MessageUrl(mailbox, validity, int(match["uid"]), section, partial)
