"""A part's bytes as the file it was before it was encoded, and the name it goes by.

Bytes are decoded in slices, so that no single step holds the interpreter for long. What cannot
be decoded in one way only is refused (``Unreadable``), never guessed.

RFCs: 2045 §6 (transfer encodings), 2183 §2.3 and 2231 (names), 2047 (names as older mailers
write them).
"""

from __future__ import annotations

import binascii
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bridge.language import say
from bridge.mime.grammar.transfer import decode_quoted
from bridge.mime.strict.field import Unreadable, unstructured
from bridge.mime.strict.part import SubmittedPart

SLICE_BYTES = 192 * 1024
NAME_LIMIT_CHARS = 180
EXTENSION_LIMIT_CHARS = 16

_BASE64 = frozenset((string.ascii_letters + string.digits + "+/=").encode())
_NOT_BASE64 = bytes(byte for byte in range(256) if byte not in _BASE64)
_SHORT_SUBTYPE = re.compile(r"(?:audio|font|image|video)/([a-z0-9]{2,5})")
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_WINDOWS_PATH = re.compile(r"(?:[A-Za-z]:|\\)\\(?:.*\\)?")

EXTENSIONS = {
    "application/gzip": ".gz",
    "application/json": ".json",
    "application/msword": ".doc",
    "application/octet-stream": ".bin",
    "application/pdf": ".pdf",
    "application/pgp-signature": ".asc",
    "application/pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s",
    "application/rtf": ".rtf",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/zip": ".zip",
    "audio/mpeg": ".mp3",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/tiff": ".tif",
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/plain": ".txt",
    "text/vcard": ".vcf",
    "text/xml": ".xml",
    # and those whose extension stands for one of the above
    "application/pgp-keys": ".asc",
    "application/x-pkcs7-mime": ".p7m",
    "application/x-pkcs7-signature": ".p7s",
    "application/x-zip-compressed": ".zip",
    "application/xml": ".xml",
    "image/pjpeg": ".jpg",
    "message/delivery-status": ".txt",
    "message/global": ".eml",
    "text/rfc822-headers": ".txt",
    "text/x-vcard": ".vcf",
}


_TYPES = {extension: media_type for media_type, extension in reversed(EXTENSIONS.items())}
"""The first of several types counts."""


SHOWN_EVERYWHERE = frozenset(
    f"image/{one}" for one in ("bmp", "gif", "jpeg", "jpg", "pjpeg", "png", "svg+xml", "webp")
)
"""Images that mail programs show within HTML; of TIFF or HEIC many show nothing."""


@dataclass(frozen=True, slots=True)
class File:
    """One file to be sent: ``name`` in Unicode, ``content`` byte for byte."""

    name: str
    media_type: str
    content: bytes


def decode_content(part: SubmittedPart) -> bytes:
    """Return the part's body without its transfer encoding.

    Raises:
        Unreadable: it is damaged, or encoded in a way nobody knows.
    """
    match part.encoding:
        case "7bit":
            return part.body
        case "base64":
            return b"".join(_base64(part))
        case "quoted-printable":
            return b"".join(map(decode_quoted, _lines(part)))
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            return _uuencoded(part.body)
        case unknown:
            raise Unreadable(
                say(
                    "a part is encoded as {unknown}, which nobody can decode",
                    unknown=ascii(unknown[:40]),
                )
            )


def decoded_size(part: SubmittedPart) -> int:
    """Return how many bytes ``decode_content`` would, raise what it would, and keep nothing."""
    match part.encoding:
        case "7bit":
            return part.end - part.start
        case "base64":
            return sum(map(len, _base64(part)))
        case "quoted-printable":
            return sum(len(decode_quoted(lines)) for lines in _lines(part))
        case _:
            return len(decode_content(part))


def _base64(part: SubmittedPart) -> Iterator[bytes]:
    """Decode as RFC 2045 §6.8 says: whatever is not of the alphabet is passed over."""
    carry = b""
    ended = False
    view = memoryview(part.raw)
    for at in range(part.start, part.end, SLICE_BYTES):
        letters = carry + bytes(view[at : min(at + SLICE_BYTES, part.end)]).translate(
            None, _NOT_BASE64
        )
        if not letters:
            continue
        if ended and letters.strip(b"="):
            raise Unreadable(say("a file in base64 goes on after its end"))
        whole = len(letters) - len(letters) % 4
        carry = letters[whole:]
        padding = letters.find(b"=")
        if padding >= 0 and not ended:
            if letters[padding:].strip(b"="):
                raise Unreadable(say("a file in base64 goes on after its end"))
            ended = True
            carry = b""
            letters = letters[:padding]
            yield _end_of_base64(letters)
        elif not ended:
            yield binascii.a2b_base64(letters[:whole])
    if not ended:
        yield _end_of_base64(carry)


def _end_of_base64(letters: bytes) -> bytes:
    if len(letters) % 4 == 1:
        raise Unreadable(say("a file in base64 is cut off"))
    content = binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    if letters and not binascii.b2a_base64(content).startswith(letters):
        raise Unreadable(say("a file in base64 is cut off"))  # bits are left over, or a letter
    return content


def _lines(part: SubmittedPart) -> Iterator[bytes]:
    """Give the body in slices that end with a line."""
    at = part.start
    while at < part.end:
        end = min(at + SLICE_BYTES, part.end)
        line_end = part.raw.find(b"\n", end, part.end)
        end = part.end if line_end < 0 else line_end + 1
        yield part.raw[at:end]
        at = end


def _uuencoded(body: bytes) -> bytes:
    lines = iter(body.splitlines())
    decoded: list[bytes] = []
    if any(line.startswith(b"begin ") for line in lines):
        for line in lines:
            if line.strip() in (b"", b"`", b"end"):
                return b"".join(decoded)
            try:
                decoded.append(_uuencoded_line(line))
            except binascii.Error:
                raise Unreadable(say("a uuencoded file is damaged")) from None
    raise Unreadable(say("a uuencoded file lacks its first or its last line"))


def _uuencoded_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:  # some encoders pad a line with more than its length says
        letters = ((line[0] - 32 & 63) * 4 + 5) // 3
        return binascii.a2b_uu(line[:letters])


def base64_size(length_bytes: int) -> int:
    """Return how long so many bytes are in base64."""
    return -(-length_bytes // 3) * 4


def image_type(part: SubmittedPart) -> str:
    """Return the media type by which HTML can show a part, "" if it is no image."""
    if part.content_type.startswith("image/"):
        return part.content_type
    if part.content_type != "application/octet-stream":
        return ""
    by_name = type_by_name(name_of(part))
    return by_name if by_name.startswith("image/") else ""


def name_of(part: SubmittedPart) -> str:
    """Return the file name the part was given, fit for any system, "" if it has none."""
    given = part.placement.parameter("filename") or part.parameter("name")
    return safe_name(unstructured(given.strip(), say("the name of a file")))


def safe_name(given: str) -> str:
    """Return a name without folders, controls or direction marks; "" if nothing is left.

    The folders of a Windows path go; any other slash, as in "Fattura 1/2026.pdf", is part of
    what the sender wrote and becomes "_", since no file can be called so.
    """
    name = _UNSEEN.sub("", given).strip()
    if folders := _WINDOWS_PATH.match(name):
        name = name[folders.end() :]
    name = name.replace("/", "_").replace("\\", "_").strip()
    if name in (".", ".."):
        return ""
    if len(name) > NAME_LIMIT_CHARS:
        stem, extension = _stem(name)
        name = stem[: NAME_LIMIT_CHARS - len(extension)] + extension
    return name


def name_by_type(media_type: str, number: int) -> str:
    """Return a name for the ``number``-th unnamed file: ``allegato-2.pdf``."""
    extension = EXTENSIONS.get(media_type)
    if extension is None:
        short = _SHORT_SUBTYPE.fullmatch(media_type)
        unknown = ".txt" if media_type.startswith("text/") else ".bin"
        extension = f".{short[1]}" if short else unknown
    stem = "messaggio" if extension == ".eml" else "allegato"
    return f"{stem}-{number}{extension}"


def type_by_name(name: str) -> str:
    """Return the media type that a name's extension stands for."""
    return _TYPES.get(_stem(name)[1].lower(), "application/octet-stream")


def number_names(files: list[File]) -> list[File]:
    """Return the files with names that differ in more than case: ``a.pdf``, ``a (2).pdf``."""
    taken = {file.name.casefold() for file in files}
    seen: set[str] = set()
    numbered = []
    for file in files:
        name, number = file.name, 1
        if name.casefold() in seen:
            stem, extension = _stem(file.name)
            while name.casefold() in taken:
                number += 1
                name = f"{stem} ({number}){extension}"
            taken.add(name.casefold())
        seen.add(name.casefold())
        numbered.append(replace(file, name=name))
    return numbered


def _stem(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > EXTENSION_LIMIT_CHARS:
        return name, ""
    return stem, dot + extension
