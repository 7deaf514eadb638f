"""One operation without a running bridge: the command holds the data itself meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import SystemRandom

from bridge.app.database import found_place
from bridge.app.hooks import HookService
from bridge.app.operations import operations
from bridge.app.resources import Resources
from bridge.clock import SystemClock
from bridge.config import ConfigError, ConfigFile
from bridge.credentials import Secrets, resolve_all
from bridge.operations.table import Operations
from bridge.outbox.settle import recover

ASKS_API = frozenset(
    {"quota", "inbox search", "sync", "receipts delete", "webhook test", "alarm test"}
)
"""Operations that need the secrets."""

LOOKS_FIRST = frozenset({"queue resolve --sent", "queue resolve --resend", "queue retry"})
"""Operations that ask the API if the secrets are at hand, and say so if not."""


@asynccontextmanager
async def standalone(file: ConfigFile, name: str) -> AsyncIterator[Operations]:
    """Hold the data for ``name`` and operations like it, one after another.

    Raises:
        ConfigError, Locked, StoreFailed: the data cannot be had.
    """
    secrets = await _secrets(file, name)
    place = await asyncio.to_thread(found_place, file)
    resources = await Resources.open(file.config, secrets, clock=SystemClock(), store_url=place.url)
    try:
        if name.startswith(
            ("queue ", "outcome", "sends", "events")
        ):  # nobody is sending: what a crash cut off is uncertain
            await recover(resources.mailboxes, resources.clock)
        hooks = HookService(resources, secrets, SystemRandom())
        try:
            yield operations(resources, SystemRandom(), more=[hooks.methods()])
        finally:
            await hooks.aclose()
    finally:
        await resources.close()


async def _secrets(file: ConfigFile, name: str) -> Secrets | None:
    if name not in ASKS_API | LOOKS_FIRST:
        return None
    try:
        return await asyncio.to_thread(resolve_all, file)
    except ConfigError:
        if name in ASKS_API:
            raise
        return None
