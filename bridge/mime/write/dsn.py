"""A bounce: the delivery status notification for a message that was refused.

``multipart/report`` (RFC 6522) of three parts: a text in Italian and English for a person, the
``message/delivery-status`` for programs (RFC 3464), and the header of the message it is about.
Pure: same input, same bytes.
"""

from __future__ import annotations

import re
import textwrap
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from bridge.language import LanguageSetting, Title, in_italian, rendered

_BOUNDARY = "=_pec-bridge-{id}"
_LINE_LIMIT_BYTES = 990
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a bounce says.

    ``reporting_mta`` and ``remote_mta`` are host names, the second "" when no other host was
    asked; ``status`` is the enhanced status code (RFC 3463); ``diagnostic`` are the refuser's own
    words, "" for none, in the vocabulary ``diagnostic_type`` (``http``, ``x-pec-bridge``).
    ``reference`` is what the sender calls the message, "" for nothing.
    ``italian`` and ``english`` say what was refused, by whom, and what to do; ``language`` is which
    of them are in it.
    """

    queue_id: str
    reporting_mta: str
    remote_mta: str
    to: str
    subject: str
    message_id: str
    recipients: tuple[str, ...]
    status: str
    diagnostic: str
    diagnostic_type: str
    italian: str
    english: str
    arrived_at: datetime
    at: datetime
    header: bytes
    reference: str = ""
    language: LanguageSetting = "both"

    def __post_init__(self) -> None:
        if not self.recipients:
            raise ValueError("a bounce is about at least one recipient")


def compose_bounce(bounce: Bounce) -> bytes:
    """Return the bounce as a message: CRLF, ASCII but for the header it quotes."""
    boundary = _BOUNDARY.format(id=bounce.queue_id)
    parts = (_text(bounce), _status(bounce), _quoted_header(bounce.header))
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return _header(bounce, boundary) + body + b"--" + boundary.encode() + b"--\r\n"


def _header(bounce: Bounce, boundary: str) -> bytes:
    title = Title(f"Messaggio non inviato / Message not sent: {bounce.subject}")
    subject = rendered(title, bounce.language)
    lines = [
        "Return-Path: <>",
        f"Date: {format_datetime(bounce.at)}",
        f"From: pec-bridge <MAILER-DAEMON@{bounce.reporting_mta}>",
        f"To: <{bounce.to}>",
        f"Subject: {Header(subject, 'utf-8', maxlinelen=70, header_name='Subject').encode()}",
        f"Message-ID: <{bounce.queue_id}.bounce@{bounce.reporting_mta}>",
        f"In-Reply-To: {bounce.message_id}",
        f"References: {bounce.message_id}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status;\n boundary="{boundary}"',
    ]
    text = "\n".join(lines).replace("\r\n", "\n").replace("\n", "\r\n")
    return text.encode("utf-8") + b"\r\n\r\n"


def _text(bounce: Bounce) -> bytes:
    italian = [
        bounce.italian,
        _facts(
            bounce,
            ("Oggetto", "Destinatari", "Risposta", "Riferimento", "Numero di coda"),
            in_italian(bounce.diagnostic),
        ),
    ]
    english = [
        bounce.english,
        _facts(
            bounce,
            ("Subject", "Recipients", "Answer", "Reference", "Queue id"),
            bounce.diagnostic,
        ),
    ]
    paragraphs = {"it": italian, "en": english, "both": [*italian, "-" * 60, *english]}
    shown = "\n\n".join(_wrapped(paragraph) for paragraph in paragraphs[bounce.language]) + "\n"
    encoded = b64encode(shown.replace("\n", "\r\n").encode("utf-8")).decode("ascii")
    lines = textwrap.wrap(encoded, 76)
    head = (
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Language: {'it, en' if bounce.language == 'both' else bounce.language}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return (head + "\r\n".join(lines)).encode("ascii")


def _facts(bounce: Bounce, names: tuple[str, str, str, str, str], diagnostic: str) -> str:
    subject, recipients, answer, reference, queue_id = names
    facts = [f"{subject}: {bounce.subject}", f"{recipients}: {', '.join(bounce.recipients)}"]
    if diagnostic:
        facts.append(f"{answer}: {_CONTROL.sub(' ', diagnostic)}")
    if bounce.reference:
        facts.append(f"{reference}: {bounce.reference}")
    return "\n".join([*facts, f"{queue_id}: {bounce.queue_id}"])


def _wrapped(paragraph: str) -> str:
    return "\n".join(
        textwrap.fill(line, 76, break_on_hyphens=False, break_long_words=False)
        for line in paragraph.splitlines()
    )


def _status(bounce: Bounce) -> bytes:
    """RFC 3464 §2: fields about the message, then a group for each recipient."""
    utf8 = any(not one.isascii() for one in bounce.recipients)
    kind = "message/global-delivery-status" if utf8 else "message/delivery-status"
    groups = [
        [
            f"Reporting-MTA: dns; {bounce.reporting_mta}",
            f"Arrival-Date: {format_datetime(bounce.arrived_at)}",
            f"X-Queue-ID: {bounce.queue_id}",
        ]
    ]
    for recipient in bounce.recipients:
        group = [
            f"Final-Recipient: {'rfc822' if recipient.isascii() else 'utf-8'}; {recipient}",
            "Action: failed",
            f"Status: {bounce.status}",
        ]
        if bounce.remote_mta:
            group.append(f"Remote-MTA: dns; {bounce.remote_mta}")
        if bounce.diagnostic:
            words = _CONTROL.sub(" ", bounce.diagnostic)
            shown = words.encode("ascii", "backslashreplace").decode()[:800]
            group.append(f"Diagnostic-Code: {bounce.diagnostic_type}; {shown}")
        group.append(f"Last-Attempt-Date: {format_datetime(bounce.at)}")
        groups.append(group)
    text = "\r\n\r\n".join("\r\n".join(group) for group in groups)
    return _part(kind, f"{text}\r\n".encode())


def _quoted_header(header: bytes) -> bytes:
    lines = (line for line in header.splitlines() if not line.startswith(b"--"))
    quoted = b"\r\n".join(line[:_LINE_LIMIT_BYTES] for line in lines if line.strip())
    return _part("text/rfc822-headers; charset=utf-8", quoted + b"\r\n")


def _part(content_type: str, body: bytes) -> bytes:
    encoding = "7bit" if body.isascii() else "8bit"
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + body
