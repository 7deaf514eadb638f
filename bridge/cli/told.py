"""A bridge that is not ended by a signal but from another thread, as a service manager does."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from bridge.cli.daemon import STOP_LIMIT_S, SettingsFrom, end_within, run, serve_until_told
from bridge.cli.failure import exit_code_of
from bridge.cli.tongue import listen_to


class ToldFromAfar:
    """Tells a loop to stop, from whatever thread, before or after it runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_told = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None

    def stop(self) -> None:
        """Tell."""
        with self._lock:
            self._is_told = True
            if self._loop is not None and self._event is not None:
                end_within(STOP_LIMIT_S)
                self._loop.call_soon_threadsafe(self._event.set)

    @contextlib.asynccontextmanager
    async def event(self) -> AsyncIterator[asyncio.Event]:
        """Give the event that is set then."""
        event = asyncio.Event()
        with self._lock:
            self._loop, self._event = asyncio.get_running_loop(), event
            if self._is_told:
                event.set()
        try:
            yield event
        finally:
            with self._lock:
                self._loop = self._event = None


def serve_as_service(config: Path, told: ToldFromAfar) -> None:
    """Run the bridge until told; why it cannot start is said on standard error.

    Args:
        config: the settings.
        told: ends it.

    Raises:
        SystemExit: it could not start.
    """
    from bridge.app.bridge import Bridge
    from bridge.clock import SystemClock

    listen_to(("--config", str(config)))
    try:
        source = SettingsFrom(config, "json", False)
        settings, secrets = source.read()
        source.taken_over(settings)
        bridge = Bridge(settings, secrets, clock=SystemClock(), random=random.SystemRandom())
        bridge.reload_from(source)
        run(serve_until_told(bridge, lambda _listening: None, told=told.event))
    except Exception as error:
        raise SystemExit(exit_code_of(error)) from None
