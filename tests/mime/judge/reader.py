"""What independent programs read in a message: Python's ``email``, and Rust's ``mailparse``.

Each gives the subject, who To names, and each leaf in order: its name, its bytes, its text if it
is one. A message within the message is a leaf.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import fast_mail_parser

from bridge.mime.grammar.addr_spec import tidied
from bridge.mime.strict.attachment import decode_content, name_of, safe_name
from bridge.mime.strict.content import subject_of
from bridge.mime.strict.part import parse
from bridge.mime.strict.text import addresses, decode_text

_AS_IT_IS = email.policy.default.clone(linesep="\r\n", refold_source="none")
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
    to: tuple[str, ...]
    leaves: tuple[Leaf, ...]

    def facts(self) -> dict[str, object]:
        """Return each thing that is read, by what it is."""
        facts: dict[str, object] = {"subject": self.subject.strip(), "leaves": len(self.leaves)}
        facts["to"] = sorted(map(tidied, self.to))
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
    to = addresses([one.value for one in message.fields if one.name == "to"])
    return Reading(subject_of(message.fields), to, tuple(leaves))


def by_python(raw: bytes) -> Reading:
    """Return what ``email`` reads under its modern policy."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    leaves = []
    for part in _leaves_of(message):
        payload = part.get_payload(0) if part.is_multipart() else part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else payload.as_bytes(policy=_AS_IT_IS)
        shown = part.get_content_type() in TEXTS and part.get_content_disposition() != "attachment"
        text = str(part.get_content()) if shown else None
        leaves.append(_leaf(part.get_filename() or "", content, text))
    to = tuple(one.addr_spec for one in message["To"].addresses) if message["To"] else ()
    return Reading(str(message["Subject"] or ""), to, tuple(leaves))


def _leaves_of(part: Any) -> Iterator[Any]:
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for child in part.get_payload():
            yield from _leaves_of(child)
    else:
        yield part


def by_mailparse(raw: bytes) -> Reading:
    """Return what ``mailparse`` reads."""
    mail = fast_mail_parser.parse_email(raw)
    texts = {"text/plain": iter(mail.text_plain), "text/html": iter(mail.text_html)}
    leaves = []
    for part in _leaves_in(fast_mail_parser.parse_email_tree(raw)):
        shown = part.content_type in TEXTS and part.disposition != "attachment"
        text = next(texts[part.content_type]) if shown else None
        leaves.append(_leaf(part.filename or "", part.content, text))
    return Reading(mail.subject, tuple(_addresses_in(mail.to)), tuple(leaves))


def _leaves_in(part: Any) -> Iterator[Any]:
    if part.content is None:
        for child in part.children:
            yield from _leaves_in(child)
    else:
        yield part


def _addresses_in(found: list[Any]) -> Iterator[str]:
    for one in found:
        yield one.address


def facts(reader: Callable[[bytes], Reading], raw: bytes) -> dict[str, object]:
    """Return what a reader says, or nothing where it fails."""
    try:
        return reader(raw).facts()
    except Exception:
        return {}


def _leaf(name: str, content: bytes, text: str | None) -> Leaf:
    """Return a leaf without what means nothing: a BOM, the kind of line ends, those at the end."""
    content = content.rstrip(b"\r\n") if content.startswith(b"Subject: in\r\n") else content
    if text is not None:
        text = "\n".join(text.removeprefix("\ufeff").splitlines()).rstrip("\n")
        content = b""
    return Leaf(safe_name(name), content, text)
