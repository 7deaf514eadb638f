"""What may become of a delivery, as a table. Pure.

A delivery is an event that one hook is to be told. It waits until it is told, or until its
receiver was asked in vain for three days; then it is dead, and a person may have it told after all.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from bridge.store.hooks import DeliveryState


class TryOutcome(Enum):
    """What a try came to."""

    TAKEN = "taken"
    REFUSED = "refused"
    DOWN = "down"


MEANINGS: Mapping[TryOutcome, str] = {
    TryOutcome.TAKEN: "any 2xx, or exit status 0",
    TryOutcome.REFUSED: "any 3xx or other 4xx, or another exit status: it is about this event",
    TryOutcome.DOWN: "no connection, no answer in time, 408, 425, 429 or any 5xx, or a command "
    "that cannot be started or does not end: it is about the receiver",
}


class DeliveryEvent(Enum):
    """What happens to a delivery."""

    TAKEN = "taken"
    FAILED = "failed"
    EXHAUSTED = "exhausted"
    REDELIVER = "redeliver"
    FORGOTTEN = "forgotten"


WAITING, DEAD = DeliveryState.WAITING, DeliveryState.DEAD

TRANSITIONS: Mapping[tuple[DeliveryState, DeliveryEvent], DeliveryState | None] = {
    (WAITING, DeliveryEvent.TAKEN): None,
    (WAITING, DeliveryEvent.FAILED): WAITING,
    (WAITING, DeliveryEvent.EXHAUSTED): DEAD,
    (WAITING, DeliveryEvent.FORGOTTEN): None,
    (DEAD, DeliveryEvent.REDELIVER): WAITING,
    (DEAD, DeliveryEvent.FORGOTTEN): None,
}
"""Where each leads; None is the end: it is kept no longer. What is not here cannot happen."""


def following(state: DeliveryState, event: DeliveryEvent) -> DeliveryState | None:
    """Return where an event leads.

    Raises:
        KeyError: it cannot happen in that state.
    """
    return TRANSITIONS[state, event]
