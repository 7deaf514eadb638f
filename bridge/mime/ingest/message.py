"""Everything IMAP can ask of one message, worked out once from its bytes.

A message never changes after it got its UID (RFC 3501 §2.3.1.1), so a FETCH, SEARCH, SORT or
THREAD is answered from what stands here. Works on any bytes whatever: mail that breaks the rules
is read the way widespread servers read it, never refused. Same bytes, same result, for ever.

RFCs: 3501 §2.3, §7.4.2; 3516; 5256; 5957; 8970.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from bridge.mime.grammar.header import Fields
from bridge.mime.grammar.held import Held
from bridge.mime.ingest.preview import preview
from bridge.mime.ingest.searchtext import (
    MOST_BODY_CHARACTERS,
    MOST_HEADING_CHARACTERS,
    Passage,
    decode_value,
    fold,
    folded_body,
    folded_headings,
    header_text,
    header_values,
    passages,
    text_of,
)
from bridge.mime.ingest.sortkey import base_subject, casemap, first_display, first_mailbox
from bridge.mime.lenient.bodystructure import structures
from bridge.mime.lenient.datetext import parse_date
from bridge.mime.lenient.envelope import ImapEnvelope
from bridge.mime.lenient.identification import message_ids
from bridge.mime.lenient.part import encode_parts
from bridge.mime.lenient.split import split


@dataclass(frozen=True, slots=True)
class SortKeys:
    """What SORT and THREAD compare, already mapped (``sortkey.casemap``), "" where there is none.

    ``from_mailbox``, ``to_mailbox``, ``cc_mailbox`` are the local part of the first address
    (RFC 5256 §3); ``from_display``, ``to_display`` its display name, else its address (RFC 5957
    §3). ``is_reply`` says that making ``base_subject`` took away a reply or forward mark, which
    THREAD=REFERENCES wants to know (RFC 5256 §3, step 5).
    """

    base_subject: str
    from_mailbox: str
    to_mailbox: str
    cc_mailbox: str
    from_display: str
    to_display: str
    is_reply: bool


@dataclass(frozen=True, slots=True)
class SearchText:
    """Decoded text to look for substrings in; both sides of the comparison go through ``fold``.

    ``subject``, ``sender`` (From), ``to``, ``cc``, ``bcc`` are the values of those fields, several
    fields of one name joined by a newline. ``header`` has each field of the message's header as
    one line ``name:value`` (unfolded, no blank after the colon), lines joined by a newline: a
    SEARCH HEADER is a search among the lines that start with ``name:``. The fields of parts follow
    as lines that start with a tab.
    ``body`` is the decoded text of every text part and the names of files, joined by newlines.
    Fields of parts and ``body`` may be cut for size; then ``body_is_whole`` is false, a match in
    them is still a match, but a miss has to be confirmed with ``searchtext.whole_text`` or
    ``body_text``.
    """

    subject: str
    sender: str
    to: str
    cc: str
    bcc: str
    header: str
    body: str
    body_is_whole: bool


@dataclass(frozen=True, slots=True)
class Ingested:
    """One message, ready to be stored and served.

    Attributes:
        raw: the message as received, byte for byte; a large one may be held elsewhere.
        size_bytes: ``len(raw)``, which is RFC822.SIZE.
        sha256: digest of ``raw``, 32 bytes.
        header: BODY[HEADER], a slice of ``raw`` up to and with the blank line (if there is one).
        imap_envelope: what follows ``ENVELOPE `` in a FETCH response, ready for the wire.
        imap_body: what follows ``BODY ``, likewise.
        imap_bodystructure: what follows ``BODYSTRUCTURE ``, likewise.
        parts: the tree of parts with offsets into ``raw``, for ``lenient.part.decode_parts``.
        message_id: ``<local@domain>``, quotes in the local part taken away where they mean
            nothing (RFC 5256 §2.2); None if the field is missing or holds no message id.
        in_reply_to: the first message id in In-Reply-To, likewise.
        references: the message ids in References, or else In-Reply-To (RFC 5256 §2.2).
        sent_at: the Date field in seconds since 1970-01-01 UTC; None if it can't be read
            (SORT and THREAD then use the internal date, RFC 5256 §2.2).
        sent_on: the calendar day of the Date field in the zone it names, for SENTBEFORE, SENTON
            and SENTSINCE, which disregard time and zone (RFC 3501 §6.4.4); None likewise.
        sort: keys for SORT and THREAD.
        search: folded text for SEARCH.
        preview: the first at most 200 characters of readable text (RFC 8970), maybe "".
    """

    raw: bytes | Held
    size_bytes: int
    sha256: bytes
    header: bytes
    imap_envelope: bytes
    imap_body: bytes
    imap_bodystructure: bytes
    parts: bytes
    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    sent_at: int | None
    sent_on: date | None
    sort: SortKeys
    search: SearchText
    preview: str


_MOST_ADDRESS_CHARACTERS = 1 << 14  # of one field are looked through for each of its addresses


def ingest(raw: bytes) -> Ingested:
    """Work out everything about ``raw``; never raises.

    Takes time linear in the size; over 64 KB call it off the event loop.
    """
    root = split(raw)
    envelope = ImapEnvelope(root.fields)
    body, bodystructure = structures(raw, root)
    texts = list(passages(raw, root))
    sent = parse_date(envelope.texts.get(b"date", b""))
    message_id = message_ids(envelope.texts.get(b"message-id", b""))[:1]
    in_reply_to = message_ids(envelope.texts.get(b"in-reply-to", b""))[:1]
    return Ingested(
        raw=raw,
        size_bytes=len(raw),
        sha256=sha256(raw).digest(),
        header=raw[: root.body_start],
        imap_envelope=envelope.wire(),
        imap_body=body,
        imap_bodystructure=bodystructure,
        parts=encode_parts(root.frozen()),
        message_id=message_id[0] if message_id else None,
        in_reply_to=in_reply_to[0] if in_reply_to else None,
        references=_references(root.fields) or in_reply_to,
        sent_at=sent.at if sent else None,
        sent_on=sent.on if sent else None,
        sort=_sort_keys(envelope),
        search=_search_text(root.fields, envelope, texts),
        preview=preview(texts),
    )


def _references(fields: Fields) -> tuple[str, ...]:
    return message_ids(b" ".join([value for name, value in fields if name == b"references"]))


def _sort_keys(envelope: ImapEnvelope) -> SortKeys:
    sender = envelope.addresses.get(b"from", ())
    to = envelope.addresses.get(b"to", ())
    subject, is_reply = base_subject(decode_value(envelope.texts.get(b"subject", b"")))
    return SortKeys(
        base_subject=casemap(subject),
        from_mailbox=first_mailbox(sender),
        to_mailbox=first_mailbox(to),
        cc_mailbox=first_mailbox(envelope.addresses.get(b"cc", ())),
        from_display=first_display(sender),
        to_display=first_display(to),
        is_reply=is_reply,
    )


def _search_text(fields: Fields, envelope: ImapEnvelope, texts: list[Passage]) -> SearchText:
    values = header_values(fields)
    headings, has_all_headings = folded_headings(texts, MOST_HEADING_CHARACTERS)
    body, is_whole = folded_body(texts, MOST_BODY_CHARACTERS)
    return SearchText(
        subject=text_of(values, "subject"),
        sender=_addresses_text(values, envelope, "from"),
        to=_addresses_text(values, envelope, "to"),
        cc=_addresses_text(values, envelope, "cc"),
        bcc=_addresses_text(values, envelope, "bcc"),
        header="\n".join(filter(None, [header_text(values), headings])),
        body=body,
        body_is_whole=is_whole and has_all_headings,
    )


def _addresses_text(values: list[tuple[str, str]], envelope: ImapEnvelope, name: str) -> str:
    """Return a field's text, and each address that comments or blanks tear apart in it."""
    text = text_of(values, name)
    if len(text) > _MOST_ADDRESS_CHARACTERS:
        return text
    torn = []
    for address in envelope.addresses.get(name.encode("ascii"), ()):
        if address.mailbox and address.domain:
            whole = fold(decode_value(address.mailbox + b"@" + address.domain))
            if whole not in text:
                torn.append(whole)
    return "\n".join([text, *torn])
