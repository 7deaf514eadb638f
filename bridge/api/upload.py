"""The body of ``POST /send`` as a stream: 30 MB of message without 30 MB of JSON.

Text and files are turned into JSON a slice at a time, and between slices the event loop gets its
turn, so neither memory nor anyone else's answer pays for a large message. The length is known
beforehand (a server that speaks PHP rarely takes chunked uploads).

Output is plain ASCII JSON: it means the same whatever charset the other side assumes.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from typing import Literal

from bridge.api.quoting import dump, within_quotes
from bridge.api.schema import Attachment, SendRequest
from bridge.spool import Spooled

AttachmentEncoding = Literal["data-uri", "base64"]

FILE_SLICE_BYTES = 96 * 1024
"""A multiple of 3, so that the pieces' base64 joins without padding."""


class Upload:
    """One send's JSON, ready to be written once.

    The wire form, in this order: ``{"sender", "recipient": [...], "subject", "attachments":
    [{"name", "file"}], "body", "username", "password"}``.

    Args:
        request: what is sent.
        username: the mailbox's.
        password: the mailbox's.
        encoding: how files are written (Q19).
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
        """Give the JSON's bytes, a slice at a time.

        Raises:
            OSError: what is on the disk cannot be read.
        """
        for piece in self._pieces():
            if isinstance(piece, Attachment):
                async for content in _slices(piece.content, FILE_SLICE_BYTES):
                    yield base64.b64encode(content)
            elif isinstance(piece, Spooled):
                async for text in _slices(piece, FILE_SLICE_BYTES):
                    yield bytes(text)
            else:
                yield piece
                await asyncio.sleep(0)

    def _pieces(self) -> Iterator[bytes | Attachment | Spooled]:
        """Give the JSON in order, attachments where their base64 goes."""
        request = self._request
        yield b'{"sender": ' + dump(request.sender)
        yield b', "recipient": [' + b", ".join(map(dump, request.recipients)) + b"]"
        yield b', "subject": ' + dump(request.subject)
        if request.attachments:
            yield b', "attachments": ['
            for number, attachment in enumerate(request.attachments):
                yield b"".join(
                    (
                        b", " if number else b"",
                        b'{"name": ',
                        dump(attachment.name),
                        b', "file": "',
                        dump(self._file_prefix(attachment))[1:-1],
                    )
                )
                yield attachment
                yield b'"}'
            yield b"]"
        yield b', "body": "'
        if isinstance(request.body, Spooled):
            yield request.body
        else:
            yield from within_quotes(request.body)
        yield b'", "username": ' + dump(self._username)
        yield b', "password": ' + dump(self._password) + b"}"

    def _file_prefix(self, attachment: Attachment) -> str:
        return f"data:{attachment.media_type};base64," if self._encoding == "data-uri" else ""


async def _slices(content: bytes | Spooled, slice_bytes: int) -> AsyncIterator[bytes | memoryview]:
    """Give something a slice at a time; others have their turn between."""
    for at in range(0, len(content), slice_bytes):
        if isinstance(content, Spooled):
            yield await asyncio.to_thread(content.read, at, slice_bytes)
        else:
            yield memoryview(content)[at : at + slice_bytes]
            await asyncio.sleep(0)
