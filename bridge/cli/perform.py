"""Carries out an operation for a command: by the running bridge, or right here if none runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from bridge.cli.when import show_times_in
from bridge.config import ConfigFile, find_file, load
from bridge.language import say
from bridge.operations.control import NotRunning, OperationFailed, Progress, ask
from bridge.operations.speaking import speaking

if TYPE_CHECKING:
    from bridge.operations.table import Operations


def settings(path: Path | None) -> ConfigFile:
    """Read the configuration that a command was told, or finds."""
    file = load(find_file(path, os.environ))
    show_times_in(file.config.display.timezone)
    return file


def perform(
    path: Path | None,
    name: str,
    arguments: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Any:
    """Carry out the operation ``name`` on the data that the configuration names.

    Args:
        path: the configuration, None for the one that is found.
        name: the operation, as the command line writes it (``queue show``).
        arguments: what JSON can say; None for none.
        progress: called with what is done and how much there is, where that takes long.

    Raises:
        ConfigError, OperationFailed, Locked, StoreFailed, ApiError: it was not carried out.
    """
    file = settings(path)
    return asyncio.run(_perform(file, name, arguments or {}, progress or _ignore))


def perform_running(
    path: Path | None,
    name: str,
    arguments: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Any:
    """Have the running bridge do to itself what ``name`` says (``drain``).

    Args:
        path: the configuration, None for the one that is found.
        name: the operation.
        arguments: what JSON can say; None for none.
        progress: called with what is done and how much there is, where that takes long.

    Raises:
        ConfigError, OperationFailed: it was not done, or no bridge is running.
    """
    data_dir = settings(path).config.data_dir
    try:
        return asyncio.run(ask(data_dir, name, arguments or {}, progress))
    except NotRunning:
        raise OperationFailed(
            say(
                "No bridge is running on {data_dir}: nothing to {name}.",
                data_dir=data_dir,
                name=name,
            )
        ) from None


async def _perform(
    file: ConfigFile, name: str, arguments: Mapping[str, Any], progress: Progress
) -> Any:
    async with Several(file) as several:
        return await several.perform(name, arguments, progress)


class Several:
    """Carries out operations one after another; a context manager.

    The running bridge does them, or, from the first that finds none, this process with the data
    in its hands.
    """

    def __init__(self, file: ConfigFile) -> None:
        self._file = file
        self._held = AsyncExitStack()
        self._alone: Operations | None = None

    async def __aenter__(self) -> Several:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._held.aclose()

    async def perform(
        self, name: str, arguments: Mapping[str, Any], progress: Progress | None = None
    ) -> Any:
        """Carry out the operation ``name``.

        Raises:
            ConfigError, OperationFailed, Locked, StoreFailed, ApiError: it was not carried out.
        """
        progress = progress or _ignore
        if self._alone is None:
            try:
                return await ask(self._file.config.data_dir, name, arguments, progress)
            except NotRunning:
                from bridge.app.standalone import standalone
                from bridge.cli.log import configure

                configure("human", "error")
                self._alone = await self._held.enter_async_context(standalone(self._file, name))
        language = self._file.config.display.language
        said = speaking(self._alone.perform, lambda: language)
        return await said(name, arguments, progress)


def _ignore(_done: int, _total: int) -> None:
    return None
