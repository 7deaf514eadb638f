"""A row with a large body made into a message in a process of its own; both stay on the disk."""

from __future__ import annotations

import asyncio
import json
from dataclasses import fields
from pathlib import Path

from bridge.apart import Apart, program, rest
from bridge.mime.ingest import Ingested
from bridge.mime.ingest.carry import unpacked_message
from bridge.mime.write.compose import Source
from bridge.model import HeldText
from bridge.spool import SpoolFile


async def compose_apart(apart: Apart, source: Source, body: HeldText) -> Ingested:
    """Return the message of ``source``, whose body is ``body``, taken apart.

    Raises:
        TooCostly, ApartFailed: see ``apart``.
        OSError: the disk is full or failing.
    """
    told = {one.name: getattr(source, one.name) for one in fields(Source) if one.name != "body"}
    told["at"] = source.at.isoformat()
    given = await asyncio.to_thread(_given, apart.folder, body, json.dumps(told).encode())
    made = await apart.run(program("bridge.receipts.composer", str(len(body))), given)
    return await asyncio.to_thread(_read, made)


def _given(folder: Path | None, body: HeldText, told: bytes) -> SpoolFile:
    file = SpoolFile(folder)
    for piece in body.pieces():
        file.append(piece)
    file.append(told)
    return file


def _read(made: SpoolFile) -> Ingested:
    line = made.line()
    return unpacked_message(json.loads(line), rest(made, line))
