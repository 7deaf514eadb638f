"""A row with a large body made into a message in a process of its own; both stay on the disk."""

from __future__ import annotations

import asyncio
import json
from dataclasses import fields
from itertools import chain

from bridge.apart.process import Apart, program, told
from bridge.language import packed
from bridge.mime.ingest import Ingested
from bridge.mime.ingest.carry import unpacked_message
from bridge.mime.write.compose import Source
from bridge.model import HeldText
from bridge.spool import Spooled, SpoolFile


async def compose_apart(apart: Apart, source: Source, body: HeldText) -> Ingested:
    """Return the message of ``source``, whose body is ``body``, taken apart.

    Raises:
        TooCostly, ApartFailed: see ``apart``.
        OSError: the disk is full or failing.
    """
    row = {one.name: getattr(source, one.name) for one in fields(Source) if one.name != "body"}
    row["at"] = source.at.isoformat()
    row["unreadable"] = packed(source.unreadable)
    pieces = chain(body.pieces(), (json.dumps(row).encode(),))
    given = await asyncio.to_thread(SpoolFile.holding, apart.folder, pieces)
    made = await apart.run(
        program("bridge.receipts.composer", str(len(body))),
        given,
        known_by=Spooled(given, 0, len(body)),
    )
    return await asyncio.to_thread(_read, made)


def _read(made: SpoolFile) -> Ingested:
    return unpacked_message(*told(made))
