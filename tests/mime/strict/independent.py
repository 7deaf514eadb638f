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

    A named text is a file only beside one without a name. An attached message comes without the
    line ends behind it: the library makes those up.
    """
    message = email.message_from_bytes(raw)
    texts = [part for part in message.walk() if _is_text(part)]
    has_unnamed = any(part.get_filename() is None for part in texts)
    return [
        content
        for content, part in _contents(message)
        if not _is_text(part) or (has_unnamed and part.get_filename() is not None)
    ]


def contents(raw: bytes) -> list[bytes]:
    """Return the content of every part, text as well."""
    return [content for content, _part in _contents(email.message_from_bytes(raw))]


def _contents(part: Message) -> Iterator[tuple[bytes, Message]]:
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        yield _bytes_of(part.get_payload(0)).rstrip(b"\r\n"), part
    elif part.get_content_maintype() == "message":
        yield from ()  # the library takes these apart: nothing left to compare with
    elif part.is_multipart():
        for child in part.get_payload():
            yield from _contents(child)  # type: ignore[arg-type]
    else:
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        yield content, part


def _is_text(part: Message) -> bool:
    return (
        part.get_content_type() in ("text/plain", "text/html")
        and part.get_content_disposition() != "attachment"
    )


def _bytes_of(message: object) -> bytes:
    assert isinstance(message, Message)
    stream = BytesIO()
    BytesGenerator(stream, mangle_from_=False, maxheaderlen=0, policy=POLICY).flatten(message)
    return stream.getvalue()
