"""The JSON of ``POST /send``: read, checked as the description asks, kept as a record.

Large requests are read on a thread, since parsing and hashing 30 MB takes long.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime

from bridge.simulator.options import AttachmentForm

_ADDRESS = re.compile(r"[^\s@<>\",;]+@[^\s@<>\",;]+\.[^\s@<>\",;]+")
_DATA_URI = re.compile(r"data:([^;,]*)((?:;[^;,]*)*);base64,", re.ASCII)
_ON_LOOP_BYTES = 64 * 1024


class NotValid(Exception):
    """The request lacks something or holds something unreadable; the text says what."""


@dataclass(frozen=True, slots=True)
class ReceivedAttachment:
    """An attachment as received; ``content`` is empty when the options keep digests only."""

    name: str
    media_type: str | None
    size_bytes: int
    sha256: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A valid ``POST /send`` body."""

    username: str
    password: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]
    subject: str
    body: str
    attachments: tuple[ReceivedAttachment, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message the API took: one entry for each request that was processed with success.

    ``received_s`` is the clock's monotonic time at which the request's head had arrived.
    """

    call: int
    received_at: datetime
    received_s: float
    mailbox: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    body: str
    attachments: tuple[ReceivedAttachment, ...]
    code: str


async def read_request(body: bytes, form: AttachmentForm, *, keep_content: bool) -> Request:
    """Return the request in the body of ``POST /send``.

    Missing credentials are read as empty ones, which then open no mailbox.

    Raises:
        NotValid: no JSON object, or a field is missing, of another type or unreadable.
    """
    if len(body) > _ON_LOOP_BYTES:
        return await asyncio.to_thread(_read, body, form, keep_content)
    return _read(body, form, keep_content)


def _read(body: bytes, form: AttachmentForm, keep_content: bool) -> Request:
    try:
        fields = json.loads(body)
    except ValueError:
        raise NotValid("the body is not JSON") from None
    if not isinstance(fields, dict):
        raise NotValid("the body is not a JSON object")
    sender = _text(fields, "sender")
    if not _ADDRESS.fullmatch(sender):
        raise NotValid("sender is not an address")
    return Request(
        username=str(fields.get("username") or ""),
        password=str(fields.get("password") or ""),
        sender=sender,
        recipients=_recipients(fields.get("recipient")),
        subject=_text(fields, "subject"),
        body=_text(fields, "body"),
        attachments=_attachments(fields.get("attachments") or [], form, keep_content),
    )


def _text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise NotValid(f"{name} is not a string")
    return value


def _recipients(value: object) -> tuple[str, ...]:
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list) or not entries:
        raise NotValid("recipient is neither an address nor a list of addresses")
    for entry in entries:
        if not isinstance(entry, str) or not _ADDRESS.fullmatch(entry):
            raise NotValid("a recipient is not an address")
    return tuple(dict.fromkeys(entries))


def _attachments(
    value: object, form: AttachmentForm, keep_content: bool
) -> tuple[ReceivedAttachment, ...]:
    entries = [value] if isinstance(value, dict) else value
    if not isinstance(entries, list):
        raise NotValid("attachments is not a list")
    return tuple(_attachment(entry, form, keep_content) for entry in entries)


def _attachment(entry: object, form: AttachmentForm, keep_content: bool) -> ReceivedAttachment:
    if not isinstance(entry, dict):
        raise NotValid("an attachment is not an object")
    name, file = entry.get("name"), entry.get("file")
    if not isinstance(name, str) or not name or not isinstance(file, str):
        raise NotValid("an attachment lacks name or file")
    media_type, encoded = _split_file(file, form)
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NotValid(f"attachment {name!r} is not base64") from None
    digest = hashlib.sha256(content).hexdigest()
    size_bytes = len(content)
    return ReceivedAttachment(
        name, media_type, size_bytes, digest, content if keep_content else b""
    )


def _split_file(file: str, form: AttachmentForm) -> tuple[str | None, str]:
    match = _DATA_URI.match(file)
    if match is None:
        if form is AttachmentForm.DATA_URI:
            raise NotValid("an attachment is not a data URI")
        return None, file
    if form is AttachmentForm.BASE64:
        raise NotValid("an attachment is a data URI, not base64")
    return match[1] or None, file[match.end() :]
