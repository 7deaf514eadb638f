"""The body of ``POST /send`` as a stream: 30 MB of message without 30 MB of JSON.

Text and files are turned into JSON a slice at a time, and between slices the event loop gets its
turn, so neither memory nor anyone else's answer pays for a large message. The length is known
beforehand (a server that speaks PHP rarely takes chunked uploads).

Output is plain ASCII JSON: it means the same whatever charset the other side assumes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Literal

from bridge.api.schema import Attachment, SendRequest

AttachmentEncoding = Literal["data-uri", "base64"]

TEXT_SLICE_CHARS = 32 * 1024
FILE_SLICE_BYTES = 96 * 1024
"""A multiple of 3, so that the pieces' base64 joins without padding."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class Upload:
    """One send's JSON, ready to be written once.

    The wire form, in this order: ``{"sender", "recipient": [...], "subject", "attachments":
    [{"name", "file"}], "body", "username", "password"}``.
    """

    def __init__(
        self,
        request: SendRequest,
        *,
        username: str,
        password: str,
        encoding: AttachmentEncoding = "data-uri",
    ) -> None:
        self._request = request
        self._username = username
        self._password = password
        self._encoding: AttachmentEncoding = encoding

    def __repr__(self) -> str:
        """Name the message's size, never its content."""
        return f"<Upload of {len(self._request.attachments)} attachments>"

    async def length(self) -> int:
        """Return the exact number of bytes ``chunks`` will give."""
        total = 0
        for piece in self._pieces():
            if isinstance(piece, Attachment):
                total += -(-len(piece.content) // 3) * 4
            else:
                total += len(piece)
                await asyncio.sleep(0)
        return total

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the JSON's bytes, a slice at a time."""
        for piece in self._pieces():
            if isinstance(piece, Attachment):
                view = memoryview(piece.content)
                for at in range(0, len(view), FILE_SLICE_BYTES):
                    yield base64.b64encode(view[at : at + FILE_SLICE_BYTES])
                    await asyncio.sleep(0)
            else:
                yield piece
                await asyncio.sleep(0)

    def _pieces(self) -> Iterator[bytes | Attachment]:
        """Give the JSON in order: bytes as they are, an attachment where its base64 goes."""
        request = self._request
        yield b'{"sender": ' + _dump(request.sender)
        yield b', "recipient": [' + b", ".join(map(_dump, request.recipients)) + b"]"
        yield b', "subject": ' + _dump(request.subject)
        if request.attachments:
            yield b', "attachments": ['
            for number, attachment in enumerate(request.attachments):
                yield b"".join(
                    (
                        b", " if number else b"",
                        b'{"name": ',
                        _dump(attachment.name),
                        b', "file": "',
                        _dump(self._file_prefix(attachment))[1:-1],
                    )
                )
                yield attachment
                yield b'"}'
            yield b"]"
        yield b', "body": "'
        for at in range(0, len(request.body), TEXT_SLICE_CHARS):
            yield _dump(request.body[at : at + TEXT_SLICE_CHARS])[1:-1]
        yield b'", "username": ' + _dump(self._username)
        yield b', "password": ' + _dump(self._password) + b"}"

    def _file_prefix(self, attachment: Attachment) -> str:
        return f"data:{attachment.media_type};base64," if self._encoding == "data-uri" else ""


def _dump(text: str) -> bytes:
    return json.dumps(_SURROGATE.sub("\ufffd", text)).encode("ascii")
