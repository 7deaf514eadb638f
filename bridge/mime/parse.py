"""A submitted message as what the API takes: a subject, an HTML body, files.

The body is the best there is for HTML: of alternatives the HTML one; several inline texts one
below the other, in their order; plain text as HTML that looks the same. Images the HTML refers to
by ``cid:`` go inside it. Everything else becomes a file, byte for byte, so that whatever the
sender put in arrives. What cannot arrive whole is refused before it is queued: ``Unreadable``
(broken MIME) or ``Sealed`` (a signature or encryption round everything, which would not survive).

Header fields other than the subject do not travel, requests for read receipts among them (they
would come back as anomalies).

RFCs: 2046 (multipart), 2387 (related), 3156 and 8551 (OpenPGP and S/MIME envelopes), 3676.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from bridge.mime.attachment import (
    File,
    check_encoding,
    decode_content,
    name_by_type,
    name_of,
    number_names,
    safe_name,
    type_by_name,
)
from bridge.mime.html_inline import clean, content_ids, inline_images, join
from bridge.mime.html_text import text_to_html, to_ascii
from bridge.mime.parse_part import Field, Part, parse
from bridge.mime.parse_text import decode_html, decode_text, decode_words, one_line
from bridge.mime.tnef import read_tnef

SignedPolicy = Literal["refuse", "attach"]

_PKCS7 = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_WINMAIL = {"application/ms-tnef", "application/vnd.ms-tnef"}
_PLACEHOLDER_NAMES = {"", "smime.p7m", "smime.p7z"}
_SHADOWS = {"text/enriched", "text/richtext", "text/x-amp-html", "text/watch-html"}
"""Alternatives that say nothing a better one doesn't."""

_SENDER_ONLY = {
    "bcc",
    "disposition-notification-options",
    "disposition-notification-to",
    "return-receipt-to",
    "x-confirm-reading-to",
}
"""Hidden recipients, and requests for read receipts."""

_SEALED_NOTE = (
    '<p lang="it">Il messaggio originale, firmato o cifrato, è allegato per intero: {name}.</p>\n'
    '<p lang="en">The original message, signed or encrypted, is attached as a whole: {name}.</p>'
)


class Sealed(ValueError):
    """The whole message is signed or encrypted; the text says how."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent: ``body`` is a whole HTML document in ASCII, names of ``files`` differ."""

    subject: str
    body: str
    files: tuple[File, ...]


@dataclass(slots=True)
class _Outline:
    """What becomes of each part, before anything is decoded."""

    shown: list[Part] = field(default_factory=list)
    attached: list[Part] = field(default_factory=list)


def check(message: Part, signed: SignedPolicy = "refuse") -> None:
    """Raise what ``convert`` would, at a fraction of its cost.

    Raises:
        Unreadable, Sealed: the message cannot be sent.
    """
    if kind := sealed(message):
        if signed == "refuse":
            raise Sealed(kind)
        return
    for part in _leaves(message):
        check_encoding(part)


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
    outline = _Outline()
    _place(message, outline, top=True)
    fragments = [fragment for part in outline.shown for fragment in _fragments(part)]
    body, inside = _with_images(join(fragments or ["<div></div>"]), outline.attached)
    attached = {part.start for part in outline.attached} - inside
    files: list[File] = []
    for part in _leaves(message):
        if part.start in attached:
            files.extend(_files(part, len(files) + 1))
    return Content(subject, body, tuple(number_names(files)))


def subject_of(fields: tuple[Field, ...]) -> str:
    """Return the subject, decoded, on one line; "" without one."""
    value = next((one.value for one in fields if one.name == "subject"), "")
    return one_line(decode_words(value))


def sealed(message: Part) -> str:
    """Return what kind of envelope is round the whole message, "" if none."""
    kind = message.content_type
    if kind in ("multipart/signed", "multipart/encrypted"):
        return f"{kind} ({message.parameter('protocol') or 'S/MIME or OpenPGP'})"
    if kind == "application/pgp-encrypted":
        return kind
    if kind in _PKCS7:
        name = name_of(message).lower()
        if message.parameter("smime-type") or name in _PLACEHOLDER_NAMES:
            return f"{kind} (S/MIME)"
    return ""


def _without_secrets(message: Part) -> bytes:
    """Return a message that travels whole, without the fields that no recipient may see."""
    kept = b"".join(one.line for one in message.fields if one.name not in _SENDER_ONLY)
    return b"".join((kept, b"\r\n", memoryview(message.raw)[message.start :]))


# -- what becomes of each part ----------------------------------------------------------------


def _place(part: Part, outline: _Outline, *, top: bool = False) -> None:
    match part.content_type:
        case "multipart/alternative":
            _place_best(part, outline)
        case "multipart/related":
            _place_related(part, outline)
        case kind if kind.startswith("multipart/"):
            for child in part.children:
                _place(child, outline)
        case _ if _is_shown(part, top):
            outline.shown.append(part)
        case _:
            outline.attached.append(part)


def _place_best(part: Part, outline: _Outline) -> None:
    """Of alternatives show the HTML one, else the last text; files among them stay files."""
    best = _best(part.children)
    for child in part.children:
        if child is best:
            _place(child, outline)
        elif child.children:
            rest = _Outline()
            _place(child, rest)
            outline.attached.extend(rest.attached)
        elif not _is_shown(child, top=False) and child.content_type not in _SHADOWS:
            outline.attached.append(child)


def _best(alternatives: tuple[Part, ...]) -> Part | None:
    for wanted in ("text/html", "text/plain"):
        for child in reversed(alternatives):
            if any(
                one.content_type == wanted and _is_shown(one, top=False) for one in child.walk()
            ):
                return child
    return None


def _place_related(part: Part, outline: _Outline) -> None:
    start = part.parameter("start").strip().strip("<>")
    root = next((one for one in part.children if start and one.content_id == start), None)
    root = root or part.children[0]
    for child in part.children:
        if child is root:
            _place(child, outline)
        else:
            outline.attached.extend(_leaves(child))


def _leaves(part: Part) -> Iterator[Part]:
    return (one for one in part.walk() if not one.children)


def _is_shown(part: Part, top: bool) -> bool:
    """Whether a part is text to be read in its place, and not a file."""
    if part.content_type not in ("text/plain", "text/html"):
        return False
    return part.disposition != "attachment" and (top or not name_of(part))


# -- what is shown ------------------------------------------------------------------------------


def _fragments(part: Part) -> Iterator[str]:
    decode = decode_html if part.content_type == "text/html" else decode_text
    decoded = decode(decode_content(part), part.parameter("charset"))
    if decoded.guess:
        yield _mark(decoded.guess)
    if part.content_type == "text/html":
        yield clean(decoded.text)
    else:
        flowed = part.parameter("format").lower() == "flowed"
        delsp = part.parameter("delsp").lower() == "yes"
        yield text_to_html(decoded.text, flowed=flowed, delsp=delsp)


def _with_images(body: str, attached: list[Part]) -> tuple[str, set[int]]:
    """Return the body with the images it refers to, and where those lie that need no file."""
    wanted = content_ids(body)
    uris: dict[str, str] = {}
    inside: set[int] = set()
    for part in attached:
        content_id = part.content_id
        if content_id not in wanted or content_id in uris:
            continue
        content = base64.b64encode(decode_content(part)).decode("ascii")
        uris[content_id] = f"data:{part.content_type};base64,{content}"
        if part.disposition != "attachment":
            inside.add(part.start)
    return inline_images(body, uris.get) if uris else body, inside


def _mark(guess: str) -> str:
    return to_ascii(f'<p style="color: #900"><em>[{html.escape(guess)}]</em></p>')


# -- what is attached ---------------------------------------------------------------------------


def _files(part: Part, number: int) -> Iterator[File]:
    content = decode_content(part)
    name = name_of(part) or name_by_type(part.content_type, number)
    if part.content_type == "message/rfc822" and not name.lower().endswith(".eml"):
        name += ".eml"
    unpacked = None
    if part.content_type in _WINMAIL or name.lower() == "winmail.dat":
        unpacked = read_tnef(content)
    if unpacked is not None:
        for index, (title, inner) in enumerate(unpacked.files, start=number):
            inner_name = safe_name(title) or name_by_type("application/octet-stream", index)
            yield File(inner_name, type_by_name(inner_name), inner)
    if unpacked is None or not unpacked.complete:
        yield File(name, part.content_type, content)
