"""A row of the API's inbox as a message (RFC 5322): same input, same bytes, for ever. Pure.

What comes out is ASCII with CRLF and lines of at most 998 octets, so that no client and no server
needs to change a byte of it. Fields say who wrote, to whom, when and about what; what the network
calls the message (``X-Ricevuta``, ``X-Trasporto``, RFC 6109 §4) is the caller's to say. It says
where it comes from, and nothing signed is ever imitated: no ``daticert.xml``, no
``postacert.eml``, no signature that the API did not give.

A body that is a whole message keeps its parts as they are. One that would not survive as it is
(8-bit octets, overlong lines) is shown as text, and attached whole.

RFCs: 5322, 2045 §6 (transfer encodings), 2046 §5, 6109 §4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from bridge.language import in_italian
from bridge.mime.grammar.words import decode_words
from bridge.mime.row.address import Person, Sender, one_line, read_recipients, read_sender
from bridge.mime.row.body import Body, Form, read_body
from bridge.mime.write import note
from bridge.mime.write.header import address_field, text_field, thread_fields, token_field
from bridge.mime.write.part import ComposedPart, attachment_part, multipart, text_part, whole_parts
from bridge.model import RowFields

DOMAIN = "pec-bridge.localhost"
SUBJECT_LIMIT_CHARS = 20_000
_FINGERPRINT_CHARS = 40


@dataclass(frozen=True, slots=True)
class Source(RowFields):
    """What one message is composed from.

    Attributes:
        body: the row's text as received.
        at: the message's date, aware, in the zone it is to be shown in.
        dated: whether ``at`` is the row's date, or stands in for one that says nothing.
        fields: names and values of what the network calls the message; ASCII.
        answers: the Message-ID of the sent message that this one is about, with angle brackets,
            "" if it is about none.
        attachments_lost: say that attachments are not to be had.
        unreadable: why the row or its body could not be read; ``body`` is then the raw JSON.
        unfetched: the text was not read: ``body`` is "".
        occurrence: tells apart rows that are the same in everything, from 0.
    """

    body: str
    at: datetime
    dated: bool = True
    fields: tuple[tuple[str, str], ...] = ()
    answers: str = ""
    attachments_lost: bool = False
    unreadable: str = ""
    unfetched: bool = False
    occurrence: int = 0


def compose(source: Source) -> bytes:
    """Return the message; never raises."""
    if source.unfetched:
        part = text_part(Body(Form.TEXT, _both(note.UNFETCHED), b""), "")
        header = _header(source, note.PROVENANCE_UNFETCHED)
        return b"".join((header, part.header, b"\r\n", part.content))
    body = None if source.unreadable else read_body(source.body)
    whole = body is not None and body.form is Form.MESSAGE
    part = _unreadable(source) if body is None else _readable(body, source.attachments_lost)
    header = _header(source, note.PROVENANCE_WHOLE if whole else note.PROVENANCE)
    return b"".join((header, part.header, b"\r\n", part.content))


def message_id(source: Source) -> str:
    """Return the Message-ID, which names all that the message is made of."""
    digest = hashlib.sha256()
    pieces = (source.sender, source.recipient, source.date_text, source.subject, source.body)
    for piece in (*pieces, str(int(source.at.timestamp())), source.unreadable, source.answers):
        octets = piece.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(octets))
        digest.update(octets)
    if source.unfetched:
        digest.update(b"unfetched")
    name = digest.hexdigest()[:_FINGERPRINT_CHARS]
    return f"<{name}.{source.occurrence}@{DOMAIN}>"


def _header(source: Source, provenance: str) -> bytes:
    sender = read_sender(source.sender)
    recipients = read_recipients(source.recipient)
    subject = decode_words(source.subject[:SUBJECT_LIMIT_CHARS])
    if source.unreadable and not one_line(subject):
        subject = note.UNREADABLE_SUBJECT
    fields = [
        token_field("Date", format_datetime(source.at)),
        *_originators(sender),
        address_field("To", recipients)
        if recipients
        else token_field("To", "undisclosed-recipients:;"),
        text_field("Subject", subject),
        token_field("Message-ID", message_id(source)),
    ]
    if thread := thread_fields(source.answers):
        fields += [*thread, token_field("X-Riferimento-Message-ID", source.answers)]
    fields += [token_field(name, value) for name, value in source.fields]
    fields.append(token_field("X-Pec-Bridge-Provenance", provenance))
    if not source.dated and one_line(source.date_text):
        fields.append(text_field("X-Pec-Bridge-Unreadable-Date", source.date_text))
    if source.unreadable:
        fields.append(text_field("X-Pec-Bridge-Unreadable", source.unreadable))
    fields.append(token_field("MIME-Version", "1.0"))
    return b"".join(fields)


def _originators(sender: Sender) -> Sequence[bytes]:
    """Return From and, where a provider wrote for somebody, Sender and Reply-To."""
    author = Person(decode_words(sender.author.name), sender.author.address)
    if not author.address and sender.agent:
        return (address_field("From", [Person(f"Per conto di: {author.name}", sender.agent)]),)
    fields = [address_field("From", [author])]
    if sender.agent:
        fields.append(address_field("Sender", [Person("", sender.agent)]))
    if sender.on_behalf and author.address:
        fields.append(address_field("Reply-To", [author]))
    return fields


def _readable(body: Body, attachments_lost: bool) -> ComposedPart:
    if body.form is Form.MESSAGE:
        return whole_parts(body.octets, _both(note.WHOLE))
    return text_part(body, _both(note.ATTACHMENTS) if attachments_lost else "")


def _unreadable(source: Source) -> ComposedPart:
    italian, english = note.UNREADABLE
    italian = italian.format(reason=one_line(in_italian(source.unreadable)))
    text = _both((italian, english.format(reason=one_line(source.unreadable))))
    raw = source.body.encode("utf-8", "replace")
    return multipart(
        (
            text_part(Body(Form.TEXT, text, b""), ""),
            attachment_part(raw, "application/json", "ricevuto.json"),
        )
    )


def _both(texts: tuple[str, str]) -> str:
    italian, english = texts
    return f"{italian}\n\n{english}\n"
