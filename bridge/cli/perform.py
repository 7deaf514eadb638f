"""Carries out an operation for a command: by the running bridge, or right here if none runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.config import ConfigFile, find_file, load
from bridge.control import NotRunning, Progress, ask


def settings(path: Path | None) -> ConfigFile:
    """Read the configuration that a command was told, or finds."""
    return load(find_file(path, os.environ))


def perform(
    path: Path | None,
    name: str,
    arguments: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Any:
    """Carry out the operation ``name`` on the data that the configuration names.

    Raises:
        ConfigError, OperationFailed, Locked, StoreFailed, ApiError: it was not carried out.
    """
    file = settings(path)
    return asyncio.run(_perform(file, name, arguments or {}, progress or _ignore))


async def _perform(
    file: ConfigFile, name: str, arguments: Mapping[str, Any], progress: Progress
) -> Any:
    try:
        return await ask(file.config.data_dir, name, arguments, progress)
    except NotRunning:
        from bridge.app.alone import perform_alone
        from bridge.log import configure

        configure("human", "error")
        return await perform_alone(file, name, arguments, progress)


def _ignore(_done: int, _total: int) -> None:
    return None
