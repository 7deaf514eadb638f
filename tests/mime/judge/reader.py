"""What independent programs read in a message: Python's ``email``, and Rust's ``mailparse``.

Each gives the subject, and each leaf in order: its name, its bytes, its text if it is one.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

import fast_mail_parser

from bridge.mime.attachment import decode_content, name_of, safe_name
from bridge.mime.parse import subject_of
from bridge.mime.parse_part import parse
from bridge.mime.parse_text import decode_text

TEXTS = ("text/plain", "text/html")
MARKED = "what is posted says itself that it had to be guessed"


@dataclass(frozen=True, slots=True)
class Leaf:
    """``text`` is None of what is no text to be read in its place."""

    name: str
    content: bytes
    text: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message holds."""

    subject: str
    leaves: tuple[Leaf, ...]

    def facts(self) -> dict[str, object]:
        """Return each thing that is read, by what it is."""
        facts: dict[str, object] = {"subject": self.subject.strip(), "leaves": len(self.leaves)}
        for number, leaf in enumerate(self.leaves):
            facts[f"name {number}"] = leaf.name
            facts[f"content {number}"] = leaf.content
            facts[f"text {number}"] = leaf.text
        return facts


def ours(raw: bytes) -> Reading:
    """Return what the bridge reads."""
    message = parse(raw)
    leaves = []
    for part in message.walk():
        if part.children:
            continue
        content = decode_content(part)
        shown = part.content_type in TEXTS and part.disposition != "attachment"
        decoded = decode_text(content, part.parameter("charset"))
        text = (MARKED if decoded.guess else decoded.text) if shown else None
        leaves.append(_leaf(name_of(part), content, text))
    return Reading(subject_of(message.fields), tuple(leaves))


def by_python(raw: bytes) -> Reading:
    """Return what ``email`` reads under its modern policy."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    leaves = []
    for part in message.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        shown = part.get_content_type() in TEXTS and part.get_content_disposition() != "attachment"
        text = str(part.get_content()) if shown else None
        leaves.append(_leaf(part.get_filename() or "", content, text))
    return Reading(str(message["Subject"] or ""), tuple(leaves))


def by_mailparse(raw: bytes) -> Reading:
    """Return what ``mailparse`` reads."""
    mail = fast_mail_parser.parse_email(raw)
    texts = {"text/plain": iter(mail.text_plain), "text/html": iter(mail.text_html)}
    leaves = []
    for part in fast_mail_parser.walk(fast_mail_parser.parse_email_tree(raw)):
        if part.content is None:
            continue
        shown = part.content_type in TEXTS and part.disposition != "attachment"
        text = next(texts[part.content_type]) if shown else None
        leaves.append(_leaf(part.filename or "", part.content, text))
    return Reading(mail.subject, tuple(leaves))


def facts(reader: Callable[[bytes], Reading], raw: bytes) -> dict[str, object]:
    """Return what a reader says, or nothing where it fails."""
    try:
        return reader(raw).facts()
    except Exception:
        return {}


def _leaf(name: str, content: bytes, text: str | None) -> Leaf:
    """Return a leaf without what means nothing: a BOM, the kind of line ends, those at the end."""
    if text is not None:
        text = "\n".join(text.removeprefix("\ufeff").splitlines()).rstrip("\n")
        content = b""
    return Leaf(safe_name(name), content, text)
