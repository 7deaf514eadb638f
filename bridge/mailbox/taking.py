"""A large message taken apart in a process of its own; see ``apart``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from bridge.apart import Apart, program
from bridge.mime.ingest import Ingested
from bridge.mime.ingest.carry import unpacked_message
from bridge.spool import SpoolFile


async def take_apart(apart: Apart, raw: bytes) -> Ingested:
    """Return what ``mime.ingest`` does.

    Raises:
        TooCostly, ApartFailed: see ``apart``.
        OSError: the disk is full or failing.
    """
    given = await asyncio.to_thread(_given, apart.folder, raw)
    made = await apart.run(program("bridge.mailbox.taker"), given)
    return await asyncio.to_thread(_read, made, raw)


def _given(folder: Path | None, raw: bytes) -> SpoolFile:
    file = SpoolFile(folder)
    file.append(raw)
    return file


def _read(made: SpoolFile, raw: bytes) -> Ingested:
    return unpacked_message(json.loads(made.line()), raw)
