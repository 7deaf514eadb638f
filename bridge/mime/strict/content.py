"""A submitted message as what the API takes: a subject, an HTML body, files.

The body is the best there is for HTML: of alternatives the HTML one; several inline texts one
below the other, in their order; plain text as HTML that looks the same. Images the HTML refers to
by ``cid:`` go inside it, once and not as files too. Everything else becomes a file, byte for byte,
so that whatever the sender put in arrives. What cannot arrive whole is refused before it is
queued: ``Unreadable`` (broken MIME) or ``Sealed`` (a signature or encryption round everything,
which would not survive).

Header fields other than the subject do not travel, requests for read receipts among them (they
would come back as anomalies).

RFCs: 2046 (multipart), 2387 (related), 3156 and 8551 (OpenPGP and S/MIME envelopes), 3676.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bridge.language import say
from bridge.mime.html.from_text import HtmlTooLong, text_to_html, to_ascii
from bridge.mime.html.inline import Reference, clean, inline_images, join, references
from bridge.mime.strict.attachment import (
    SHOWN_EVERYWHERE,
    File,
    base64_size,
    decode_content,
    decoded_size,
    image_type,
    name_by_type,
    name_of,
    number_names,
    safe_name,
    type_by_name,
)
from bridge.mime.strict.field import Unreadable, unstructured
from bridge.mime.strict.outline import Outline, outlined
from bridge.mime.strict.part import HeaderField, SubmittedPart, parse
from bridge.mime.strict.reference import FIELD as REFERENCE
from bridge.mime.strict.text import decode_html, decode_text
from bridge.mime.strict.tnef import read_tnef

SignedPolicy = Literal["refuse", "attach"]

_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
"""Nobody shows them; a zero may end the text for others, and HTML reads ``&#128;`` as a letter."""
_ASCII_CONTROLS = bytes(code for code in range(128) if _CONTROLS.match(chr(code)))
_PKCS7 = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_WINMAIL = {"application/ms-tnef", "application/vnd.ms-tnef"}
_PLACEHOLDER_NAMES = {"", "smime.p7m", "smime.p7z"}
_SENDER_ONLY = {
    "bcc",
    "disposition-notification-options",
    "disposition-notification-to",
    "return-receipt-to",
    "x-confirm-reading-to",
    REFERENCE,
}
"""Hidden recipients, requests for read receipts, and what only the sender calls it."""

_SEALED_NOTE = (
    '<p lang="it">Il messaggio originale, firmato o cifrato, è allegato per intero: {name}.</p>\n'
    '<p lang="en">The original message, signed or encrypted, is attached as a whole: {name}.</p>'
)


class Sealed(ValueError):
    """The whole message is signed or encrypted; the text says how."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent: ``body`` is a whole HTML document, names of ``files`` differ.

    It is in ASCII but for what ``style`` and comments hold (``mime.html.inline.clean``).
    """

    subject: str
    body: str
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class _Shown:
    """The body before images go in: ``images`` are the part and the place of each showing."""

    markup: str
    images: tuple[tuple[Reference, SubmittedPart], ...]


def check(message: SubmittedPart, signed: SignedPolicy = "refuse") -> int:
    """Raise what ``convert`` would, and return how many bytes it would make.

    Files count in base64, as the API and PEC carry them. Nothing is kept that it decodes, and an
    image counts as often as it is shown before it is ever repeated.

    Raises:
        Unreadable, Sealed: the message cannot be sent.
    """
    subject_of(message.fields)
    if kind := sealed(message):
        if signed == "refuse":
            raise Sealed(kind)
        return base64_size(len(message.raw))
    outline = outlined(message)
    shown = _shown(outline)
    sizes: dict[int, int] = {}
    for _reference, part in shown.images:
        if part.start not in sizes:
            sizes[part.start] = base64_size(decoded_size(part))
    size_bytes = len(shown.markup) + sum(sizes[part.start] for _place, part in shown.images)
    for part in outline.attached:
        if part.start not in sizes:
            size_bytes += sum(base64_size(len(file.content)) for file in _files(part, 1))
    return size_bytes


def convert(raw: bytes, signed: SignedPolicy = "refuse") -> Content:
    """Return what is sent for a message's bytes.

    Raises:
        Unreadable, Sealed: the message cannot be sent; ``check`` would have said so.
    """
    message = parse(raw)
    subject = subject_of(message.fields)
    if kind := sealed(message):
        if signed == "refuse":
            raise Sealed(kind)
        file = File(name_by_type("message/rfc822", 1), "message/rfc822", _without_secrets(message))
        note = to_ascii(_SEALED_NOTE.format(name=file.name))
        return Content(subject, join([note]), (file,))
    outline = outlined(message)
    shown = _shown(outline)
    inside = {part.start for _reference, part in shown.images}
    files: list[File] = []
    for part in outline.attached:
        if part.start not in inside:
            files.extend(_files(part, len(files) + 1))
    return Content(subject, _with_images(shown), tuple(number_names(files)))


def subject_of(fields: tuple[HeaderField, ...]) -> str:
    """Return the subject, decoded, on one line; "" without one.

    Raises:
        Unreadable: not every letter of it can be had.
    """
    value = next((one.value for one in fields if one.name == "subject"), "")
    return unstructured(value, say("the subject"))


def sealed(message: SubmittedPart) -> str:
    """Return what kind of envelope is round the whole message, "" if none."""
    kind = message.content_type
    if kind in ("multipart/signed", "multipart/encrypted"):
        return ascii(f"{kind} ({message.parameter('protocol') or 'S/MIME or OpenPGP'})")[1:-1]
    if kind == "application/pgp-encrypted":
        return kind
    if kind in _PKCS7:
        name = name_of(message).lower()
        if message.parameter("smime-type") or name in _PLACEHOLDER_NAMES:
            return f"{kind} (S/MIME)"
    return ""


def says_nothing(message: SubmittedPart) -> bool:
    """Tell whether a message has neither text nor a file.

    Raises:
        Unreadable: the name of a part cannot be had.
    """
    if not message.children and not message.is_empty:  # nearly every one, text or file
        return False
    outline = outlined(message)
    is_blank = not outline.attached and all(part.is_empty for part in outline.shown)
    return is_blank and not sealed(message)


def _without_secrets(message: SubmittedPart) -> bytes:
    """Return a message that travels whole, without the fields that no recipient may see."""
    kept = b"".join(one.line for one in message.fields if one.name not in _SENDER_ONLY)
    return b"".join((kept, b"\r\n", memoryview(message.raw)[message.start :]))


# -- what is shown ------------------------------------------------------------------------------


def _fragments(part: SubmittedPart) -> Iterator[str]:
    decode = decode_html if part.content_type == "text/html" else decode_text
    decoded = decode(decode_content(part), part.parameter("charset"))
    if decoded.guess:
        yield _mark(decoded.guess)
    text = _without_controls(decoded.text)
    if part.content_type == "text/html":
        yield clean(text)
    else:
        flowed = part.parameter("format").lower() == "flowed"
        delsp = part.parameter("delsp").lower() == "yes"
        try:
            yield text_to_html(text, flowed=flowed, delsp=delsp)
        except HtmlTooLong as fault:
            raise Unreadable(fault.args[0]) from None


def _without_controls(text: str) -> str:
    if not text.isascii():
        return _CONTROLS.sub("", text)
    return text.encode("ascii").translate(None, _ASCII_CONTROLS).decode("ascii")


def _shown(outline: Outline) -> _Shown:
    fragments = [fragment for part in outline.shown for fragment in _fragments(part)]
    markup = join(fragments or ["<div></div>"])
    named: dict[str, SubmittedPart] = {}
    for part in outline.attached:
        if part.content_id and image_type(part) in SHOWN_EVERYWHERE:
            named.setdefault(part.content_id, part)
    images: list[tuple[Reference, SubmittedPart]] = []
    for reference in references(markup) if named else ():
        known = [named[one] for one in reference.content_ids() if one in named]
        images += [(reference, part) for part in known[:1]]
    return _Shown(markup, tuple(images))


def _with_images(shown: _Shown) -> str:
    uris: dict[int, str] = {}
    for _reference, part in shown.images:
        if part.start not in uris:
            content = base64.b64encode(decode_content(part)).decode("ascii")
            uris[part.start] = f"data:{image_type(part)};base64,{content}"
    return inline_images(shown.markup, [(one, uris[part.start]) for one, part in shown.images])


def _mark(guess: str) -> str:
    return to_ascii(f'<p style="color: #900"><em>[{html.escape(guess)}]</em></p>')


# -- what is attached ---------------------------------------------------------------------------


def _files(part: SubmittedPart, number: int) -> Iterator[File]:
    content = decode_content(part)
    name = name_of(part) or name_by_type(part.content_type, number)
    if part.content_type == "message/rfc822" and not name.lower().endswith(".eml"):
        name += ".eml"
    unpacked = None
    if part.content_type in _WINMAIL or name.lower() == "winmail.dat":
        unpacked = read_tnef(content)
    if unpacked is not None:
        for index, (title, inner) in enumerate(unpacked.files, start=number):
            if "\ufffd" in title:
                raise Unreadable(
                    say("the name of a file in winmail.dat has letters that cannot be had")
                )
            inner_name = safe_name(title) or name_by_type("application/octet-stream", index)
            yield File(inner_name, type_by_name(inner_name), inner)
    if unpacked is None or not unpacked.complete:
        yield File(name, part.content_type, content)
