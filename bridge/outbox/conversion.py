"""A large message converted in a process of its own; see ``apart``.

A message that cannot be converted within the limits is refused by its caller, so it is not tried
again after a restart. What becomes of it stays on the disk until it is sent.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bridge.apart.process import Apart, program, told
from bridge.api.schema import Attachment
from bridge.language import unpacked
from bridge.mime.strict.content import Sealed, SignedPolicy
from bridge.mime.strict.field import Unreadable
from bridge.spool import Spooled, SpoolFile

_FAULTS: dict[str, type[ValueError]] = {"unreadable": Unreadable, "sealed": Sealed}


@dataclass(frozen=True, slots=True)
class Converted:
    """What ``mime.strict.content.Content`` has, on the disk; see ``SendRequest.body``."""

    subject: str
    body: Spooled
    files: tuple[Attachment, ...]


async def convert_apart(apart: Apart, raw: SpoolFile, signed: SignedPolicy) -> Converted:
    """Return what ``mime.strict.content.convert`` does, from a process of its own.

    Raises:
        TooCostly, ApartFailed: see ``apart``.
        Unreadable, Sealed: see ``convert``.
        OSError: the disk fails.
    """
    made = await apart.run(program("bridge.outbox.converter", signed), raw)
    return await asyncio.to_thread(_read, made)


def _read(made: SpoolFile) -> Converted:
    head, pieces = told(made)
    if "fault" in head:
        raise _FAULTS[head["fault"]](unpacked(head["reason"]))
    at = head["body"]
    body = pieces.part(0, at)
    files = []
    for name, media_type, size_bytes in head["files"]:
        files.append(Attachment(name, media_type, pieces.part(at, size_bytes)))
        at += size_bytes
    return Converted(head["subject"], body, tuple(files))
