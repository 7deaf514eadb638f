"""A large answer with one message, read in a process of its own; its body stays on the disk."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from bridge.apart.process import Apart, program, told
from bridge.api.date import parse_date
from bridge.api.lenient import UnreadableAnswer
from bridge.api.schema import InboxMessage, InboxRow
from bridge.spool import SpooledText, SpoolFile


@dataclass(frozen=True, slots=True)
class NothingDone:
    """The answer says that nothing was done: its words, and a code in it."""

    message: str
    code: str | None


async def read_apart(apart: Apart, answer: SpoolFile, api_id: str) -> InboxMessage | NothingDone:
    """Return what ``schema.read_message`` does of a whole answer.

    Raises:
        UnreadableAnswer: it holds no message; the text is a sentence.
        TooCostly, ApartFailed: see ``apart``.
        OSError: the disk fails.
    """
    made = await apart.run(program("bridge.api.reader", json.dumps(api_id)), answer)
    return await asyncio.to_thread(_read, made)


def _read(made: SpoolFile) -> InboxMessage | NothingDone:
    head, body = told(made)
    if "unreadable" in head:
        raise UnreadableAnswer(head["unreadable"])
    if "no" in head:
        return NothingDone(head["no"], head["code"])
    row = InboxRow(date=parse_date(head["row"]["date_text"]), **head["row"])
    return InboxMessage(row, SpooledText(body, bytes.fromhex(head["sha256"])))
