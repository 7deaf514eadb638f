"""A hook as it runs: its row in the store, which events it is told, and the way to its receiver."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.hooks.schedule import TryReport
from bridge.model import AccountId, EventKind
from bridge.store.base import ReadTransaction
from bridge.store.events import EventRow
from bridge.store.hooks import HookId

EventFacts = Callable[[ReadTransaction, EventRow], Awaitable[Mapping[str, Any]]]
"""What an event is as JSON: the same for everybody who asks for events."""


class HookTarget(Protocol):
    """A way to a receiver."""

    async def tell(self, name: str, body: bytes) -> TryReport:
        """Tell something once; whatever goes wrong is in the report.

        Args:
            name: how the receiver knows it again if it is told once more.
            body: JSON.
        """

    async def aclose(self) -> None:
        """Let go of what is held."""


@dataclass(frozen=True, slots=True)
class Hook:
    """See the module; ``account`` is whose events it is told, None for everybody's.

    ``place`` says where its receiver is, for people: without what may be a secret.
    """

    id: HookId
    account: AccountId | None
    name: str
    place: str
    events: frozenset[EventKind]
    target: HookTarget

    def wants(self, event: EventRow) -> bool:
        """Tell whether it is told of an event."""
        is_its = self.account in (None, event.event.account)
        return is_its and event.event.kind in self.events


def lane(event: EventRow) -> str:
    """Return what an event is told in order with: its message; an alarm without one is alone."""
    return event.event.submission or f"event {event.number}"


def body_of(facts: Mapping[str, Any]) -> bytes:
    """Return facts as they are sent."""
    return json.dumps(facts, separators=(",", ":")).encode()
