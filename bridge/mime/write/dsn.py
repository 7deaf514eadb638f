"""A delivery status notification: what became of a message, for programs and for a person.

``multipart/report`` (RFC 6522) of three parts: a text in Italian and English for a person, the
``message/delivery-status`` for programs (RFC 3464, outside ASCII RFC 6533), and the message it is
about, or its header. A bounce is one that says ``failed`` of everybody. Pure: same input, same
bytes.
"""

from __future__ import annotations

import re
import textwrap
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from bridge.language import LanguageSetting, Title, in_italian, rendered

_LINE_LIMIT_BYTES = 990
_DIAGNOSTIC_LIMIT_CHARS = 800
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """What became of the message for one recipient (RFC 3464 §2.3).

    ``action`` is ``delivered``, ``relayed``, ``delayed`` or ``failed``, ``status`` the enhanced
    status code (RFC 3463), ``at`` since when it is so. ``diagnostic`` are the words of whoever said
    so, "" for none, in the vocabulary ``diagnostic_type`` (``http``, ``x-pec-bridge``).
    ``remote_mta`` is that one's host, "" for none; ``original`` what the client called the
    recipient (ORCPT), ``type;address``, "" for nothing.
    """

    address: str
    action: str
    status: str
    at: datetime
    diagnostic: str = ""
    diagnostic_type: str = "x-pec-bridge"
    remote_mta: str = ""
    original: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification says.

    ``name`` stands before the ``@`` of its Message-ID, ``heading`` before ``subject`` in its
    Subject; ``reporting_mta`` is a host name. ``italian`` and ``english`` say what happened and
    what to do. ``reference`` is what the sender calls the message, ``envid`` its envelope, "" for
    nothing. ``returned`` is the message's header, or all of it if ``is_whole``. ``language`` is
    which of the two texts are in it; ``mark`` stands before the Subject.
    """

    name: str
    heading: str
    queue_id: str
    reporting_mta: str
    to: str
    subject: str
    message_id: str
    recipients: tuple[RecipientReport, ...]
    italian: str
    english: str
    arrived_at: datetime
    at: datetime
    returned: bytes
    is_whole: bool = False
    reference: str = ""
    envid: str = ""
    language: LanguageSetting = "both"
    mark: str = ""

    def __post_init__(self) -> None:
        if not self.recipients:
            raise ValueError("a notification is about at least one recipient")


def compose_report(report: Notification) -> bytes:
    """Return the notification as a message: CRLF, ASCII but for what it quotes."""
    returned = _whole(report.returned) if report.is_whole else _header_alone(report.returned)
    parts = (_text(report), _status(report), returned)
    boundary = f"=_pec-bridge-{report.queue_id}"
    while any(boundary.encode() in part for part in parts):
        boundary += "="
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return _header(report, boundary) + body + b"--" + boundary.encode() + b"--\r\n"


def _header(report: Notification, boundary: str) -> bytes:
    subject = report.mark + rendered(Title(f"{report.heading}: {report.subject}"), report.language)
    lines = [
        "Return-Path: <>",
        f"Date: {format_datetime(report.at)}",
        f"From: pec-bridge <MAILER-DAEMON@{report.reporting_mta}>",
        f"To: <{report.to}>",
        f"Subject: {Header(subject, 'utf-8', maxlinelen=70, header_name='Subject').encode()}",
        f"Message-ID: <{report.name}@{report.reporting_mta}>",
        f"In-Reply-To: {report.message_id}",
        f"References: {report.message_id}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status;\n boundary="{boundary}"',
    ]
    text = "\n".join(lines).replace("\r\n", "\n").replace("\n", "\r\n")
    return text.encode("utf-8") + b"\r\n\r\n"


def _text(report: Notification) -> bytes:
    said = list(dict.fromkeys(one.diagnostic for one in report.recipients if one.diagnostic))
    italian = [
        report.italian,
        _facts(
            report,
            ("Oggetto", "Destinatari", "Risposta", "Riferimento", "Numero di coda"),
            list(map(in_italian, said)),
        ),
    ]
    english = [
        report.english,
        _facts(report, ("Subject", "Recipients", "Answer", "Reference", "Queue id"), said),
    ]
    paragraphs = {"it": italian, "en": english, "both": [*italian, "-" * 60, *english]}
    shown = "\n\n".join(_wrapped(paragraph) for paragraph in paragraphs[report.language]) + "\n"
    encoded = b64encode(shown.replace("\n", "\r\n").encode("utf-8")).decode("ascii")
    lines = textwrap.wrap(encoded, 76)
    head = (
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Language: {'it, en' if report.language == 'both' else report.language}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return (head + "\r\n".join(lines)).encode("ascii")


def _facts(report: Notification, names: tuple[str, str, str, str, str], said: Sequence[str]) -> str:
    subject, recipients, answer, reference, queue_id = names
    addresses = ", ".join(one.address for one in report.recipients)
    facts = [f"{subject}: {report.subject}", f"{recipients}: {addresses}"]
    facts += [f"{answer}: {_CONTROL.sub(' ', words)}" for words in said]
    if report.reference:
        facts.append(f"{reference}: {report.reference}")
    return "\n".join([*facts, f"{queue_id}: {report.queue_id}"])


def _wrapped(paragraph: str) -> str:
    return "\n".join(
        textwrap.fill(line, 76, break_on_hyphens=False, break_long_words=False)
        for line in paragraph.splitlines()
    )


def _status(report: Notification) -> bytes:
    """RFC 3464 §2: fields about the message, then a group for each recipient."""
    about = [
        f"Reporting-MTA: dns; {report.reporting_mta}",
        f"Arrival-Date: {format_datetime(report.arrived_at)}",
        f"X-Queue-ID: {report.queue_id}",
    ]
    if report.envid:
        about.insert(0, f"Original-Envelope-Id: {report.envid}")
    groups = [about, *(_group(one, report.at) for one in report.recipients)]
    text = "\r\n\r\n".join("\r\n".join(group) for group in groups)
    kind = "message/delivery-status" if text.isascii() else "message/global-delivery-status"
    return _part(kind, f"{text}\r\n".encode())


def _group(one: RecipientReport, now: datetime) -> list[str]:
    group = []
    if one.original:
        kind, _, address = one.original.partition(";")
        group.append(f"Original-Recipient: {kind}; {address}")
    group += [
        f"Final-Recipient: {'rfc822' if one.address.isascii() else 'utf-8'}; {one.address}",
        f"Action: {one.action}",
        f"Status: {one.status}",
    ]
    if one.remote_mta:
        group.append(f"Remote-MTA: dns; {one.remote_mta}")
    if one.diagnostic:
        words = _CONTROL.sub(" ", one.diagnostic)
        shown = words.encode("ascii", "backslashreplace").decode()[:_DIAGNOSTIC_LIMIT_CHARS]
        group.append(f"Diagnostic-Code: {one.diagnostic_type}; {shown}")
    return [*group, f"Last-Attempt-Date: {format_datetime(min(one.at, now))}"]


def _header_alone(header: bytes) -> bytes:
    lines = (line for line in header.splitlines() if not line.startswith(b"--"))
    quoted = b"\r\n".join(line[:_LINE_LIMIT_BYTES] for line in lines if line.strip())
    return _part("text/rfc822-headers; charset=utf-8", quoted + b"\r\n")


def _whole(message: bytes) -> bytes:
    header = message.partition(b"\r\n\r\n")[0]
    return _part("message/rfc822" if header.isascii() else "message/global", message)


def _part(content_type: str, body: bytes) -> bytes:
    encoding = "7bit" if body.isascii() else "8bit"
    if any(len(line) > _LINE_LIMIT_BYTES for line in body.split(b"\r\n")):
        encoding = "binary"
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + body
