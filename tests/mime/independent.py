"""What a message's attachments are, found with the standard library and nothing of ours."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.generator import BytesGenerator
from email.message import Message
from io import BytesIO

POLICY = email.policy.compat32.clone(linesep="\r\n")


def attachments(raw: bytes) -> list[bytes]:
    """Return the content of every part that is a file and not text to be read in its place.

    An attached message comes without the line ends behind it: the library makes those up.
    """
    return [content for content, is_text in _contents(email.message_from_bytes(raw)) if not is_text]


def contents(raw: bytes) -> list[bytes]:
    """Return the content of every part, text as well."""
    return [content for content, _is_text in _contents(email.message_from_bytes(raw))]


def _contents(part: Message) -> Iterator[tuple[bytes, bool]]:
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        yield _bytes_of(part.get_payload(0)).rstrip(b"\r\n"), False
    elif part.get_content_maintype() == "message":
        yield from ()  # the library takes these apart: nothing left to compare with
    elif part.is_multipart():
        for child in part.get_payload():
            yield from _contents(child)  # type: ignore[arg-type]
    else:
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        yield content, _is_text(part)


def _is_text(part: Message) -> bool:
    return (
        part.get_content_type() in ("text/plain", "text/html")
        and part.get_content_disposition() != "attachment"
        and part.get_filename() is None
    )


def _bytes_of(message: object) -> bytes:
    assert isinstance(message, Message)
    stream = BytesIO()
    BytesGenerator(stream, mangle_from_=False, maxheaderlen=0, policy=POLICY).flatten(message)
    return stream.getvalue()
