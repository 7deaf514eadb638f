"""The JSON of the two administration hosts as values, and values as their JSON.

With ``schema``, ``mailbox_schema`` and ``token_schema`` the only files that know a field name.
What the two hosts share is here: the envelope around every answer, and how leniently single
values are read (numbers as text, dates in either form, nulls).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from bridge.api.lenient import UnreadableAnswer
from bridge.api.schema import read_reply
from bridge.language import say

PDF_MARK = b"%PDF-"
PLAIN_BYTES = 1000


@dataclass(frozen=True, slots=True)
class AdminReply:
    """An answer, opened: its verdict, the description's error number, its words, its data.

    ``data`` is the whole answer where it has no ``data`` of its own.
    """

    success: bool | None
    number: int | None
    message: str
    data: Any


def open_answer(content: bytes) -> AdminReply:
    """Open an answer.

    Raises:
        UnreadableAnswer: it is not a JSON object.
    """
    reply = read_reply(content)
    data = reply.raw.get("data", reply.raw)
    return AdminReply(reply.success, whole(reply.raw.get("error")), reply.message, data)


def plain_words(content: bytes) -> str:
    """Return the words of an answer that is no JSON, "" if they are a page or none.

    Whoever shows them cuts them after the secrets in them were masked: half of one would pass.
    """
    words = " ".join(content[:PLAIN_BYTES].decode("utf-8", "replace").split())
    if len(content) > PLAIN_BYTES:
        words = words.rpartition(" ")[0]
    return "" if words.startswith(("<", "{")) else words


def as_object(value: object, what: str) -> Mapping[str, Any]:
    """Return a JSON object.

    Raises:
        UnreadableAnswer: it is none; the text names ``what`` is missing.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise UnreadableAnswer(say("the answer holds no {what}", what=what))
    return value


def as_list(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list, also of one that PHP wrote as an object.

    Raises:
        UnreadableAnswer: it is no list.
    """
    if value is None:
        return []
    if isinstance(value, dict):
        value = list(value.values()) if all(str(key).isdigit() for key in value) else [value]
    if not isinstance(value, list):
        raise UnreadableAnswer(say("the answer holds no list"))
    return [item for item in value if isinstance(item, dict)]


def text(value: object) -> str:
    """Return a value as text, "" for null and for what is none."""
    if value is None or isinstance(value, dict | list | bool):
        return ""
    return str(value)[:2000].encode("utf-8", "replace").decode()


def whole(value: object) -> int | None:
    """Return a whole number, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if abs(number) < 1e15 else None  # also false for NaN


def amount(value: object) -> float | None:
    """Return an amount of money in EUR, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e12 else None


def truth(value: object) -> bool:
    """Return a boolean; the service writes some as text."""
    return value.strip().lower() in ("true", "1") if isinstance(value, str) else bool(value)


def day(value: object) -> date | None:
    """Return a day written dd/mm/yyyy or as an ISO date, None for what is none."""
    written = text(value).strip()
    for form, cut in (("%d/%m/%Y", written), ("%Y-%m-%d", written[:10])):
        try:
            return datetime.strptime(cut, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def instant(value: object) -> datetime | None:
    """Return a moment: seconds since 1970, or RFC 3339; None for what is none."""
    number = whole(value)
    try:
        if number is not None:
            return datetime.fromtimestamp(number, UTC) if number else None
        at = datetime.fromisoformat(text(value).strip())
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def dump(body: Mapping[str, object]) -> bytes:
    """Return a request's JSON: plain ASCII, which means the same in every charset."""
    return json.dumps(body).encode("ascii")
