"""The API's JSON as values, and values as the API's JSON; the only file that knows a field name.

Reading is lenient about form and strict about meaning: every spelling seen in the vendor's
description, its SDKs and public clients is taken (``date`` or ``data``, ``object`` or
``subject``, ``body`` or ``message``; numbers as strings, nulls, lists with keys), and a row that
cannot be told apart (no id, not an object) becomes an ``UnreadableRow`` beside the good ones.
``UnreadableAnswer`` is raised only when the whole answer says nothing.

Text comes out as the API meant it, except that lone surrogates become U+FFFD, so that every text
can be stored. Nothing here decodes bodies, MIME words or HTML: that is composition's work.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import AliasChoices, Field

from bridge.api.date import parse_date
from bridge.api.items import Items
from bridge.api.lenient import (
    Lenient,
    Text,
    Truth,
    UnreadableAnswer,
    Whole,
    as_code,
    as_text,
    load_items,
    load_json,
)
from bridge.language import say
from bridge.limits import API_FIELD_CHARS, API_ROW_CHARS
from bridge.model import Quota, RowFields, RowText
from bridge.spool import Spooled

CODE = re.compile(
    r"20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d\d{1,6}",
    re.ASCII,
)
"""A sending's code: local time to the second and a tail of one to six digits (Q2)."""

_CODE_NAMES = ("message_id", "messageId")


# --- values -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a message to be sent; ``name`` and ``media_type`` are plain text."""

    name: str
    media_type: str
    content: bytes | Spooled


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One message for ``POST /send``; ``body`` is HTML, ``sender`` and recipients are addresses.

    A large body is on the disk, as it stands between the quotes of JSON.
    """

    sender: str
    recipients: tuple[str, ...]
    subject: str
    body: str | Spooled
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        if not self.sender or not self.recipients or not all(self.recipients):
            raise ValueError("a message to be sent needs a sender and at least one recipient")

    @property
    def held_bytes(self) -> int:
        """How much of it is in memory."""
        texts = (self.body, *(one.content for one in self.attachments))
        return sum(len(text) for text in texts if not isinstance(text, Spooled))


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """The API took a message.

    ``code`` names the sending; ``sent`` counts its PECs, None when the answer did not say (Q20).
    ``text`` is the answer for the record, shortened, without secrets.
    """

    code: str
    sent: int | None
    status: int
    text: str


@dataclass(frozen=True, slots=True)
class InboxRow(RowFields):
    """One row of the inbox.

    ``api_id`` is the id as given, number or text; it may name another message a moment later
    (Q11). ``date`` is aware, None when ``date_text`` is no date. ``raw`` is the row's JSON.
    """

    api_id: str
    raw: str
    date: datetime | None


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row without a usable id, or no row at all; ``raw`` is its JSON as received."""

    raw: str


@dataclass(frozen=True, slots=True)
class InboxPage:
    """One page of the inbox, rows in the API's order; the figures are None where absent (Q22)."""

    rows: tuple[InboxRow | UnreadableRow, ...]
    page: int | None
    total: int | None
    page_count: int | None


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """One message; ``body`` is as received, still form-urlencoded if it was (Q8).

    ``row.api_id`` is the id that was asked for; ``row.raw`` is the answer's JSON without the body.
    """

    row: InboxRow
    body: RowText


@dataclass(frozen=True, slots=True)
class StatusRow(RowFields):
    """One message that the API ties to a sending; ``body`` may be "" or someone else's (Q5)."""

    body: str
    raw: str
    date: datetime | None


# --- reading ----------------------------------------------------------------------------------


class _Envelope(Lenient):
    """What every answer has around its data."""

    success: Truth = None
    message: Any = ""
    data: Any = None
    sent: Whole = None
    page: Whole = None
    total: Whole = None
    page_count: Whole = Field(None, validation_alias=AliasChoices("n_of_pages", "pages"))


class _Message(Lenient):
    """One message in any of the three places it appears (Q3, Q4)."""

    id: Text = ""
    sender: Text = ""
    recipient: Text = ""
    date: Text = Field("", validation_alias=AliasChoices("date", "data"))
    subject: Text = Field("", validation_alias=AliasChoices("object", "subject"))
    body: Text = Field("", validation_alias=AliasChoices("body", "message"))


class _Quota(Lenient):
    usage: Whole = None
    limit: Whole = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer's JSON, opened: its verdict, its words, and its data for the readers below.

    ``codes`` are what it names as ``message_id``, as text, at the top and under ``data`` (Q17).
    ``rows`` are the data of a listing, read already.
    """

    success: bool | None
    message: str
    codes: tuple[str, ...]
    envelope: _Envelope
    raw: Mapping[str, Any]
    rows: tuple[InboxRow | UnreadableRow, ...] | None = None

    @property
    def code_like(self) -> str | None:
        """The first of ``codes`` if it has the form of one; an error may stand there (Q15)."""
        return self.codes[0] if self.codes and CODE.fullmatch(self.codes[0]) else None


def read_reply(content: bytes) -> Reply:
    """Open an answer.

    Raises:
        UnreadableAnswer: it is not a JSON object.
    """
    return _opened(load_json(content))


def read_listing(text: str) -> Items[Reply]:
    """Open an answer that is a listing of any length, and stop after each row of it.

    Raises:
        UnreadableAnswer: it is not a JSON object.
    """
    value, rows = yield from load_items(text, "data", _inbox_row)
    reply = _opened(value)
    return reply if rows is None else replace(reply, rows=tuple(rows))


def _opened(value: object) -> Reply:
    if not isinstance(value, dict):
        raise UnreadableAnswer(say("the answer is not a JSON object"))
    envelope = _Envelope.model_validate(value)
    inner = envelope.data if isinstance(envelope.data, dict) else {}
    codes = tuple(
        filter(
            None, (as_code(holder.get(name)) for holder in (value, inner) for name in _CODE_NAMES)
        )
    )
    return Reply(envelope.success, _words(envelope.message), codes, envelope, value)


def read_page(reply: Reply) -> InboxPage:
    """Read ``GET /inbox``."""
    rows = reply.rows
    if rows is None:
        rows = tuple(map(_inbox_row, _items(reply)))
    envelope = reply.envelope
    return InboxPage(rows, envelope.page, envelope.total, envelope.page_count)


def read_message(reply: Reply, api_id: str) -> InboxMessage:
    """Read ``GET /inbox/{id}``.

    Raises:
        UnreadableAnswer: the answer holds no message.
    """
    data = reply.envelope.data
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if not isinstance(data, dict):
        data = reply.raw if "body" in reply.raw else None
    if data is None:
        raise UnreadableAnswer(say("the answer holds no message"))
    message = _Message.model_validate(data)
    rest = {key: item for key, item in data.items() if key not in ("body", "message")}
    row = _row(message, api_id, _raw(rest))
    return InboxMessage(row, message.body)


def read_status(reply: Reply) -> tuple[StatusRow, ...]:
    """Read ``GET /send/{code}``; what is no object is left out."""
    return tuple(_status_row(item) for item in _items(reply) if isinstance(item, dict))


def read_quota(reply: Reply) -> Quota:
    """Read ``GET /quota/{mailbox}``, whose unit is inferred (Q21).

    Raises:
        UnreadableAnswer: the answer names no usage.
    """
    data = reply.envelope.data
    figures = _Quota.model_validate(data if isinstance(data, dict) else reply.raw)
    if figures.usage is None or figures.usage < 0:
        raise UnreadableAnswer(say("the answer names no usage"))
    limit = max(figures.limit or 0, 0)
    unit = _unit_bytes(limit)
    return Quota(figures.usage * unit, limit * unit)


def _unit_bytes(limit: int) -> int:
    """Return the unit of a quota in bytes.

    The description says megabytes, but its example would then be a mailbox of a terabyte: a limit
    is read as bytes, KiB or MiB by which of them makes a mailbox of at most 64 GiB.
    """
    if limit > 64 * 1024**2:
        return 1
    return 1024 if limit > 64 * 1024 else 1024**2


def _items(reply: Reply) -> list[object]:
    data = reply.envelope.data
    if isinstance(data, list):
        return data
    if isinstance(data, dict):  # PHP writes a list with gaps as an object with numbers as keys
        return list(data.values()) if all(str(key).isdigit() for key in data) else [data]
    if data is None and "data" in reply.raw:
        return []
    raise UnreadableAnswer(say("the answer holds no list"))


def _inbox_row(item: object) -> InboxRow | UnreadableRow:
    """Read one row; whatever is wrong with it concerns no other."""
    raw = _raw(item)
    try:
        return _readable_row(item, raw)
    except (ValueError, RecursionError):
        return UnreadableRow(raw)


def _raw(item: object) -> str:
    """Return a row's JSON, cut if it is too long; what was cut off still tells rows apart."""
    try:
        raw = json.dumps(item)
    except RecursionError:
        return '"nested too deeply"'
    if len(raw) <= API_ROW_CHARS:
        return raw
    digest = hashlib.sha256(raw.encode()).hexdigest()
    return json.dumps({"sha256": digest, "beginning": raw[: API_ROW_CHARS // 2]})


def _readable_row(item: object, raw: str) -> InboxRow | UnreadableRow:
    if not isinstance(item, dict):
        return UnreadableRow(raw)
    api_id = item.get("id")
    if isinstance(api_id, bool) or not isinstance(api_id, str | int | float):
        return UnreadableRow(raw)
    message = _Message.model_validate(item)
    return _row(message, message.id, raw) if message.id.strip() else UnreadableRow(raw)


def _row(message: _Message, api_id: str, raw: str) -> InboxRow:
    return InboxRow(
        api_id=api_id,
        sender=message.sender[:API_FIELD_CHARS],
        recipient=message.recipient[:API_FIELD_CHARS],
        date_text=message.date[:API_FIELD_CHARS],
        subject=message.subject[:API_FIELD_CHARS],
        raw=raw,
        date=parse_date(message.date[:API_FIELD_CHARS]),
    )


def _status_row(item: dict[str, Any]) -> StatusRow:
    message = _Message.model_validate(item)
    return StatusRow(
        sender=message.sender,
        recipient=message.recipient,
        date_text=message.date,
        subject=message.subject,
        body=message.body,
        raw=json.dumps(item),
        date=parse_date(message.date),
    )


def _words(message: object) -> str:
    """Return the API's words, also out of a nested error object or a JSON text of one (Q16)."""
    if isinstance(message, str):
        if not message.lstrip().startswith(("{", "[", '"')):
            return as_text(message).strip()
        try:
            return _words(load_json(message.encode("utf-8", "replace")))
        except UnreadableAnswer:
            return as_text(message).strip()
    if isinstance(message, dict):
        for key in ("message", "error", "errors", "description", "detail"):
            if words := _words(message.get(key)):
                return words
    if isinstance(message, list):
        return "; ".join(filter(None, map(_words, message)))
    return "" if message in (None, {}) else as_text(message)
