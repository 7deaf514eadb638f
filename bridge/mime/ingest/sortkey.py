"""What SORT and THREAD compare: base subjects and names.

RFCs: 5256 §2.1 (base subject), §3 (sort criteria), §5 (its grammar); 5957 §3 (display names);
5051 (i;unicode-casemap, which both compare by).
"""

from __future__ import annotations

import re

from bridge.charset.normalise import normalised
from bridge.mime.ingest.searchtext import decode_value, storable
from bridge.mime.lenient.address import Address

_MOST_SUBJECT_CHARACTERS = 1000  # compared; taking marks off is quadratic in their number
_BLOB = re.compile(r"\[[^\[\]]*\] *")  # subj-blob
_LEADER = re.compile(r"(?i)(?:\[[^\[\]]*\] *)*(?:re|fwd?) *(?:\[[^\[\]]*\] *)?: *")  # subj-refwd
_TRAILER = re.compile(r"(?i)(?<!\(fwd\))(?<!\(fwd\) )(?: ?\(fwd\))++\Z")
_FORWARD = re.compile(r"(?i)\[fwd:(.*)\]", re.DOTALL)  # subj-fwd


def casemap(text: str) -> str:
    """Return ``text`` as it is compared: titlecase and decomposed, accents kept (RFC 5051 §2.3).

    >>> casemap("caffe") < casemap("caffe latte") < casemap("caffè")
    True
    """
    if text.isascii():
        return text.upper().replace("\0", "")
    titled = "".join([_titlecase(letter) for letter in text])
    return storable(normalised("NFKD", titled)).replace("\0", "")


def _titlecase(letter: str) -> str:
    """Return one letter's titlecase where that is one letter too."""
    titled = letter.title()
    return titled if len(titled) == 1 else letter


def base_subject(subject: str) -> tuple[str, bool]:
    """Return a decoded subject without reply and forward marks, and whether there were any.

    ``("budget", True)`` for ``"Re: [list] budget (fwd)"``. The result is not mapped (``casemap``).
    """
    text = " ".join(subject[:_MOST_SUBJECT_CHARACTERS].split())
    marked = False
    while True:
        trailer = _TRAILER.search(text)
        if trailer:
            text, marked = text[: trailer.start()], True
        text, led = _without_leaders(text)
        marked = marked or led
        forwarded = _FORWARD.fullmatch(text)
        if forwarded is None:
            return text, marked
        text, marked = forwarded[1].strip(" "), True


def _without_leaders(text: str) -> tuple[str, bool]:
    """Carry out RFC 5256 §2.1 steps 3 to 5."""
    led = False
    while True:
        leader = _LEADER.match(text)
        blob = None if leader else _BLOB.match(text)
        if leader:
            text, led = text[leader.end() :], True
        elif blob and blob.end() < len(text):
            text = text[blob.end() :]
        else:
            return text, led


def first_mailbox(addresses: tuple[Address, ...]) -> str:
    """Return the mapped local part of the first address, or the name of the first group."""
    return casemap(decode_value(addresses[0].mailbox or b"")) if addresses else ""


def first_display(addresses: tuple[Address, ...]) -> str:
    """Return the mapped name shown for the first address (RFC 5957 §3)."""
    if not addresses:
        return ""
    name, _route, mailbox, domain = addresses[0]
    if not name:
        name = b"%b@%b" % (mailbox, domain) if mailbox and domain else mailbox or b""
    return casemap(" ".join(decode_value(name).split()))
