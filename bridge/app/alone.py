"""One operation without a running bridge: the command holds the data itself meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import SystemRandom
from typing import Any

from bridge.app.core import Core
from bridge.app.offer import operations
from bridge.clock import SystemClock
from bridge.config import ConfigError, ConfigFile
from bridge.credentials import Secrets, resolve_all
from bridge.operations.control import Progress
from bridge.operations.offer import Operations
from bridge.outbox.settle import recover

ASKS_API = frozenset({"quota", "inbox search", "sync", "receipts delete"})
"""Operations that need the secrets."""

LOOKS_FIRST = frozenset({"queue resolve --sent", "queue resolve --resend", "queue retry"})
"""Operations that ask the API if the secrets are at hand, and say so if not."""


async def perform_alone(
    file: ConfigFile, name: str, arguments: Mapping[str, Any], progress: Progress
) -> Any:
    """Carry out the operation ``name``.

    Args:
        file: the configuration, and where it was read.
        name: the operation, as the command line writes it (``queue show``).
        arguments: what JSON can say.
        progress: called with what is done and how much there is, where that takes long.

    Raises:
        OperationFailed, ConfigError, Locked, StoreFailed: it was not carried out.
    """
    async with alone(file, name) as offer:
        return await offer.perform(name, arguments, progress)


@asynccontextmanager
async def alone(file: ConfigFile, name: str) -> AsyncIterator[Operations]:
    """Hold the data for ``name`` and operations like it, one after another.

    Raises:
        ConfigError, Locked, StoreFailed: the data cannot be had.
    """
    secrets = await _secrets(file, name)
    core = await Core.open(file.config, secrets, clock=SystemClock())
    try:
        if name.startswith("queue "):  # nobody is sending: what a crash cut off is uncertain
            await recover(core.mailboxes, core.clock)
        yield operations(core, SystemRandom())
    finally:
        await core.close()


async def _secrets(file: ConfigFile, name: str) -> Secrets | None:
    if name not in ASKS_API | LOOKS_FIRST:
        return None
    try:
        return await asyncio.to_thread(resolve_all, file)
    except ConfigError:
        if name in ASKS_API:
            raise
        return None
