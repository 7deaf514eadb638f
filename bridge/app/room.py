"""How many connections fit into the descriptors that the system allows.

A server without descriptors cannot take a connection, write to its store or answer the control
socket, and the event loop says nothing. So the servers have room for fewer connections than there
are descriptors, and the rest is kept for everything else.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bridge.limits import DESCRIPTORS_RESERVED, IMAP_CONNECTIONS, SMTP_CONNECTIONS

log = structlog.get_logger()

LEAST_CONNECTIONS = 8
WANTED_DESCRIPTORS = IMAP_CONNECTIONS + SMTP_CONNECTIONS + DESCRIPTORS_RESERVED


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections each protocol may have."""

    imap: int
    smtp: int


def shared_out(descriptors: int) -> Room:
    """Return the room that so many descriptors leave."""
    free = descriptors - DESCRIPTORS_RESERVED
    wanted = IMAP_CONNECTIONS + SMTP_CONNECTIONS
    if free >= wanted:
        return Room(IMAP_CONNECTIONS, SMTP_CONNECTIONS)
    return Room(
        max(LEAST_CONNECTIONS, free * IMAP_CONNECTIONS // wanted),
        max(LEAST_CONNECTIONS, free * SMTP_CONNECTIONS // wanted),
    )


def make_room() -> Room:
    """Ask the system for the descriptors that are wanted; return the room for what it gives."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return shared_out(WANTED_DESCRIPTORS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < WANTED_DESCRIPTORS:
        soft = WANTED_DESCRIPTORS if hard == unlimited else min(hard, WANTED_DESCRIPTORS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = shared_out(WANTED_DESCRIPTORS if soft == unlimited else soft)
    if room != shared_out(WANTED_DESCRIPTORS):
        log.warning("few descriptors are allowed", allowed=soft, imap=room.imap, smtp=room.smtp)
    return room
