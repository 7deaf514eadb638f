r"""What the Italian text of a receipt says: about which message, to whom, when, and why. Pure.

Through the API the text is the only place where an addressee is named. Two wordings are in use,
with variations; both say that at some time "the message «S», from «F» and addressed to «R»" met
some fate. A text counts only if the subject it quotes is the one in the row's own subject: a
delivery receipt may show the sent message instead (Q5), and that may quote another receipt.

RFCs: 6109 §3 and App. A (the texts, in English).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.charset.normalise import normalised
from bridge.mime.html.to_text import markup_text
from bridge.mime.ingest.readable import readable_text
from bridge.mime.row.address import one_line
from bridge.mime.row.body import Form, read_body
from bridge.model import RowText
from bridge.receipts.kind import CODE_AT_END

LIMIT_CHARS = 256 * 1024
"""A receipt's own text stands in front; what comes behind is a copy of the sent message."""

STATEMENT_LIMIT_CHARS = 16 * 1024
NAMES_LIMIT_CHARS = 64 * 1024

_STATEMENT = re.compile(
    r'(?is)\bmessaggio\s++(?:con\s++oggetto\s*+:?\s*+)?["“«](?P<subject>.{0,2000}?)["”»]\s++'
    r'(?:proveniente|inviato)\s++da\s*+:?\s*+["“«]?[^"“”«»]{1,320}?["”»]?\s{1,2}+'
    r"ed?\s++(?:indirizzat[oa]|destinat[oa])\s++a(?:ll.utente)?\s{0,2}:?(?=\s)"
)
"""For a text whose blanks are collapsed: two in a row at most, so that a run of them that could
end the sender's name is not gone through from each of its characters.
"""
_OPENING = re.compile(r"(?i)\bmessaggio\s")
"""Where a statement may begin; each is tried alone, so that others have their turn between."""
_HEADING = re.compile(r"(?is)\bdel\s+messaggio\s+indirizzato\s+a\s*:?\s*(?P<rest>.{0,400})")
_RECIPIENT = re.compile(
    r'\s*+[,;]?\s*+["“«<]?\s*+(?P<address>[^\s"<>()“”«»,;]{1,64}@[^\s"<>()“”«»,;]{1,255})\s*+["”»>]?'
    r'(?:\s*+\(\s*+["“«]?\s*+posta\s++(?P<type>certificata|ordinaria)\s*+["”»]?\s*+\))?'
)
_ADDRESS = re.compile(r'[^\s"<>()“”«»,;]{1,64}@[^\s"<>()“”«»,;]{1,255}')
_FATE = re.compile(
    r"(?i)(?<=\s)(?:non\s+)?(?:è|e['\u2019`]|[\ufffd?]{1,4})\s+stat[oa]\b"
    r"|\bIdentificativo\b|\n\s*\n"
)
"""What follows the addressees: what became of the message."""
_REASON = re.compile(
    r"(?is)(?:rilevato\s++un\s++errore\s*+:?|a\s++causa\s++di|non\s++è\s++stato\s++(?:accettato|"
    r"consegnato)\s*+:|non\s++.{1,2}\s++stato\s++(?:accettato|consegnato)\s*+:)"
    r"\s*+(?P<reason>[^\n]{1,300})"
)
_TWELVE = re.compile(r"(?i)\b(?:prime\s+)?(?:dodici|12)\s+ore\b")
_TWENTY_FOUR = re.compile(r"(?i)\b(?:ventiquattro|24)\s+ore\b")
_HIGH_OCTET = re.compile(r"%[89A-Fa-f][0-9A-Fa-f]")
_CUT_ESCAPE = re.compile(r"%[0-9A-Fa-f]?\Z")
"""Where an encoded body is cut: octets of a letter that may be incomplete."""
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Addressee:
    """An address as a receipt names it; ``certified`` is None where it doesn't say."""

    address: str
    certified: bool | None


@dataclass(frozen=True, slots=True)
class Statement:
    """What a text says.

    ``subject`` is the one it quotes, without the code; ``code`` the code in it, None if it has
    none. ``addressees`` are those it names, in order. ``reason`` is the error in its words, "" for
    none. ``hours`` is the time limit it speaks of, 12 or 24, None for neither.
    """

    subject: str
    code: str | None
    addressees: tuple[Addressee, ...]
    reason: str
    hours: int | None


def read_statement(body: RowText) -> Statement | None:
    """Return what a receipt's body, as received, says; None if it says nothing of the kind."""
    text = _BLANKS.sub(_collapsed, normalised("NFKC", _own_text(body)))
    openings = _OPENING.finditer(text, 0, STATEMENT_LIMIT_CHARS)
    read = (_STATEMENT.match(text, one.start(), STATEMENT_LIMIT_CHARS) for one in openings)
    match = next(filter(None, read), None)
    if match is None:
        return None
    rest = text[match.end() :]
    subject = one_line(match["subject"])
    code = CODE_AT_END.search(subject)
    addressees = _addressees(rest)
    heading = _HEADING.search(text[: match.start()])
    if heading is not None:
        named = _addressees(heading["rest"])
        addressees = named[:1] or addressees
    reason = _REASON.search(rest)
    return Statement(
        subject[: code.start()].rstrip() if code else subject,
        code[1] if code else None,
        addressees,
        one_line(reason["reason"]).rstrip(". ") if reason else "",
        _hours(rest),
    )


def _collapsed(blanks: re.Match[str]) -> str:
    """Return what stands for a run of blanks: no pattern here has to try where one begins."""
    return ("\n" * min(blanks[0].count("\n"), 2)) or " "


def _without_cut_letter(body: str) -> str:
    cut = _CUT_ESCAPE.search(body, max(0, len(body) - 2))
    end = cut.start() if cut else len(body)
    while _HIGH_OCTET.match(body, max(0, end - 3), end):
        end -= 3
    return body[:end]


def _own_text(body: RowText) -> str:
    if not isinstance(body, str):
        body = body.beginning(LIMIT_CHARS + 1)
    if len(body) > LIMIT_CHARS:
        body = _without_cut_letter(body[:LIMIT_CHARS])
    read = read_body(body)
    match read.form:
        case Form.MESSAGE:
            return readable_text(read.octets)
        case Form.HTML:
            return markup_text(read.text)
        case Form.TEXT:
            return read.text


def _addressees(text: str) -> tuple[Addressee, ...]:
    """Return whom the text names, from where it begins to do so until it says what became of it.

    However a provider sets them apart, none may be missed: who is not ours tells whose it is.
    """
    found: dict[str, Addressee] = {}
    at = 0
    while match := _RECIPIENT.match(text, at):
        address = match["address"].rstrip(".:")
        kind = match["type"]
        certified = None if kind is None else kind.casefold() == "certificata"
        found.setdefault(address.casefold(), Addressee(address, certified))
        at = match.end()
    fate = _FATE.search(text, at, at + NAMES_LIMIT_CHARS)
    for match in _ADDRESS.finditer(text, at, fate.start() if fate else at):
        address = match[0].rstrip(".:")
        found.setdefault(address.casefold(), Addressee(address, None))
    return tuple(found.values())


def _hours(text: str) -> int | None:
    """Return the limit the text speaks of first: the warning announces the next one as well."""
    twelve, day = _TWELVE.search(text), _TWENTY_FOUR.search(text)
    if day is not None and (twelve is None or day.start() < twelve.start()):
        return 24
    return 12 if twelve is not None else None
