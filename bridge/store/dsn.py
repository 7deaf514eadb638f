"""What a submitter asked to be notified of, and what they were told (RFC 3461).

An entry for which nothing was asked has no rows here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from bridge.model import QueueId


class NotifyOn(Enum):
    """What a recipient's NOTIFY may name; none of these is NEVER (RFC 3461 §4.1)."""

    SUCCESS = "success"
    FAILURE = "failure"
    DELAY = "delay"


class DsnAction(Enum):
    """What a notification says of a recipient (RFC 3464 §2.3.3)."""

    DELIVERED = "delivered"
    RELAYED = "relayed"
    DELAYED = "delayed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DsnWish:
    """What was asked for one recipient.

    ``notify`` is None where nothing was said, and empty for NEVER. ``original`` is ORCPT decoded,
    ``type;address``, "" for none.
    """

    notify: frozenset[NotifyOn] | None = None
    original: str = ""


NO_WISH = DsnWish()


@dataclass(frozen=True, slots=True)
class DsnRequest:
    """What was asked for a message: ``full`` by ``RET=FULL``; ``envid`` is decoded, "" for none.

    ``wishes`` has those of recipients for whom something was said, by their address.
    """

    envid: str = ""
    full: bool = False
    wishes: Mapping[str, DsnWish] = field(default_factory=dict)


NOTHING_ASKED = DsnRequest()


@dataclass(frozen=True, slots=True)
class DsnState:
    """What was asked for an entry, and ``told``: what each recipient's last notification said.

    ``count`` is how many notifications there were.
    """

    full: bool
    wishes: Mapping[str, DsnWish]
    told: Mapping[str, DsnAction]
    count: int


class DsnReads(Protocol):
    """What may be asked about notifications."""

    async def dsn(self, submission: QueueId) -> DsnState | None:
        """Return what was asked for an entry, None if nothing was."""


class DsnWrites(Protocol):
    """What may happen to notifications."""

    async def ask_dsn(self, submission: QueueId, request: DsnRequest) -> None:
        """Keep what is asked for a new entry, but for ENVID, which the entry has."""

    async def tell_dsn(self, submission: QueueId, told: Mapping[str, DsnAction]) -> None:
        """Write down one more notification, and what it says of each of these recipients."""
