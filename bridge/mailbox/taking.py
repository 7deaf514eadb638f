"""A large message taken apart in a process of its own; see ``apart``."""

from __future__ import annotations

import asyncio

from bridge.apart.process import Apart, program, told
from bridge.mime.ingest import Ingested
from bridge.mime.ingest.carry import unpacked_message
from bridge.spool import SpoolFile


async def take_apart(apart: Apart, raw: bytes) -> Ingested:
    """Return what ``mime.ingest`` does.

    Raises:
        TooCostly, ApartFailed: see ``apart``.
        OSError: the disk is full or failing.
    """
    given = await asyncio.to_thread(SpoolFile.holding, apart.folder, (raw,))
    made = await apart.run(program("bridge.mailbox.taker"), given)
    return await asyncio.to_thread(_read, made, raw)


def _read(made: SpoolFile, raw: bytes) -> Ingested:
    packed, _ = told(made)
    return unpacked_message(packed, raw)
