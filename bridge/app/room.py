"""How many connections fit into the descriptors that the system allows.

A server without descriptors cannot take a connection, write to its store or answer the control
socket, and the event loop says nothing. So the servers have room for fewer connections than there
are descriptors, and the rest is kept for everything else. Should they run out all the same, the
log says so (``Descriptors``).
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bridge.clock import Clock
from bridge.limits import (
    DESCRIPTORS_RESERVED,
    IMAP_CONNECTIONS,
    SMTP_CONNECTIONS,
    WEB_CONNECTIONS,
)

log = structlog.get_logger()

LEAST_CONNECTIONS = 8
LOOK_EVERY_S = 10.0
FEW_LEFT = 16
CONNECTIONS = IMAP_CONNECTIONS + SMTP_CONNECTIONS + WEB_CONNECTIONS
WANTED_DESCRIPTORS = CONNECTIONS + DESCRIPTORS_RESERVED


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections each protocol may have."""

    imap: int
    smtp: int
    web: int


def shared_out(descriptors: int) -> Room:
    """Return the room that so many descriptors leave."""
    free = descriptors - DESCRIPTORS_RESERVED
    if free >= CONNECTIONS:
        return Room(IMAP_CONNECTIONS, SMTP_CONNECTIONS, WEB_CONNECTIONS)
    smtp, web = (
        max(LEAST_CONNECTIONS, free * most // CONNECTIONS)
        for most in (SMTP_CONNECTIONS, WEB_CONNECTIONS)
    )
    return Room(max(LEAST_CONNECTIONS, free - smtp - web), smtp, web)


def make_room() -> Room:
    """Ask the system for the descriptors that are wanted; return the room for what it gives."""
    if sys.platform == "win32":  # has no such limit
        return shared_out(WANTED_DESCRIPTORS)
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < WANTED_DESCRIPTORS:
        soft = WANTED_DESCRIPTORS if hard == unlimited else min(hard, WANTED_DESCRIPTORS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = shared_out(WANTED_DESCRIPTORS if soft == unlimited else soft)
    if room != shared_out(WANTED_DESCRIPTORS):
        log.warning(
            "descriptors_few",
            allowed=soft,
            imap=room.imap,
            smtp=room.smtp,
            web=room.web,
        )
    return room


class Descriptors:
    """Looks now and then whether the system's descriptors run out.

    Args:
        clock: time.
        allowed: how many this process may have.
        count: how many it has; None where nobody can tell.
    """

    def __init__(
        self, clock: Clock, allowed: int, count: Callable[[], int | None] | None = None
    ) -> None:
        self._clock = clock
        self._allowed = allowed
        self._count = count or open_descriptors
        self._few = False

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Say it when they have run out, or have not any more."""
        try:
            count = self._count()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            count = self._allowed
        few = count is not None and count > self._allowed - FEW_LEFT
        if few and not self._few:
            log.error("descriptors_exhausted", used=count, allowed=self._allowed)
        if self._few and not few:
            log.info("descriptors_back", used=count, allowed=self._allowed)
        self._few = few


def open_descriptors() -> int | None:
    """Return how many descriptors this process has; None where the system does not say.

    Raises:
        OSError: there is none left to find out with.
    """
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None


def allowed_descriptors() -> int:
    """Return how many descriptors this process may have."""
    if sys.platform == "win32":  # has no such limit
        return WANTED_DESCRIPTORS
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
