"""Body texts in the three contents a reading may have: plain text, HTML, a whole MIME message.

The MIME message has the parts a certified message has; its signature part is a placeholder that
says so. Pure functions over strings.

RFCs: 6109 §4 (structure), 1847 (multipart/signed).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from xml.sax.saxutils import escape

from bridge.clock import ROME
from bridge.simulator.options import BodyContent
from bridge.simulator.wording import HEADERS, NetworkKind

_BREAK = re.compile(r"(?i)<br\s*/?>|</p>|</div>|</tr>|</li>")
_HIDDEN = re.compile(r"(?is)<(style|script|head)\b.*?</\1>")
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class NetworkMessage:
    """A message of the PEC network before it is brought into one of the contents.

    ``text`` is its own text, ``original_html`` the body of the message it is about where it
    carries that one; ``at`` is aware.
    """

    kind: NetworkKind
    sender: str
    recipient: str
    subject: str
    at: datetime
    identifier: str
    text: str
    original_html: str | None = None
    shows_original: bool = False


def content_of(notice: NetworkMessage, content: BodyContent) -> str:
    """Return the body as the reading shows it."""
    if content is BodyContent.MIME:
        return whole_message(notice)
    if notice.shows_original and notice.original_html is not None:
        original = notice.original_html
        return original if content is BodyContent.HTML else html_to_text(original)
    return text_to_html(notice.text) if content is BodyContent.HTML else notice.text


def text_to_html(text: str) -> str:
    """Return a small HTML page that shows ``text`` with its line breaks."""
    lines = "<br>\n".join(html.escape(line, quote=False) for line in text.splitlines())
    return f"<html><body><p>{lines}</p></body></html>\n"


def html_to_text(page: str) -> str:
    """Return the words of an HTML body, roughly, as a provider's plain view would."""
    broken = _BREAK.sub("\n", _HIDDEN.sub("", page))
    return html.unescape(_TAG.sub("", broken)).strip() + "\n"


def whole_message(notice: NetworkMessage) -> str:
    """Return the notice as a multipart/signed message with CRLF line ends, as a string."""
    signed = MIMEMultipart("signed", boundary=f"signed-{notice.identifier.partition('@')[0]}")
    signed.set_param("protocol", "application/pkcs7-signature")
    signed.set_param("micalg", "sha-256")
    signed["From"] = notice.sender
    signed["To"] = notice.recipient
    signed["Subject"] = Header(_one_line(notice.subject), "utf-8").encode()
    signed["Date"] = format_datetime(notice.at.astimezone(ROME))
    signed["Message-ID"] = f"<{notice.identifier}>"
    for name, value in HEADERS[notice.kind]:
        signed[name] = value
    signed.attach(_contents(notice))
    signature = MIMEApplication(b"not a signature: made by a simulator\n", "pkcs7-signature")
    signature.add_header("Content-Disposition", "attachment", filename="smime.p7s")
    signed.attach(signature)
    return signed.as_string().replace("\r\n", "\n").replace("\n", "\r\n")


def _contents(notice: NetworkMessage) -> MIMEBase:
    mixed = MIMEMultipart("mixed", boundary=f"mixed-{notice.identifier.partition('@')[0]}")
    mixed.attach(MIMEText(notice.text, "plain", "utf-8"))
    certificate = MIMEText(_certificate(notice), "xml", "utf-8")
    certificate.add_header("Content-Disposition", "attachment", filename="daticert.xml")
    mixed.attach(certificate)
    if notice.original_html is not None:
        original = MIMEText(notice.original_html, "html", "utf-8")
        original["Subject"] = Header(_one_line(notice.subject), "utf-8").encode()
        enclosed = MIMEMessage(original)
        enclosed.add_header("Content-Disposition", "attachment", filename="postacert.eml")
        mixed.attach(enclosed)
    return mixed


def _certificate(notice: NetworkMessage) -> str:
    local = notice.at.astimezone(ROME)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<postacert tipo="simulatore" errore="nessuno">\n'
        f"<intestazione><mittente>{escape(notice.sender)}</mittente>"
        f'<destinatari tipo="certificato">{escape(notice.recipient)}</destinatari>'
        f"<oggetto>{escape(notice.subject)}</oggetto></intestazione>\n"
        "<dati><gestore-emittente>Simulatore</gestore-emittente>"
        f'<data zona="{local:%z}"><giorno>{local:%d/%m/%Y}</giorno>'
        f"<ora>{local:%H:%M:%S}</ora></data>"
        f"<identificativo>{escape(notice.identifier)}</identificativo></dati>\n"
        "</postacert>\n"
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
