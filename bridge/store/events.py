"""The event log as the store keeps it: what became of messages, in order, each with a number.

Numbers rise in the order of commits and are never used again, not even after a backup was put back:
there some are left out, which may have been told since the backup was made. Events are added in the
commit of what they tell and never changed; the oldest go after a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.model import AccountId, EventKind, QueueId

__all__ = ["LEFT_OUT", "MEANINGS", "EventKind", "EventReads", "EventRow", "EventWrites", "NewEvent"]

LEFT_OUT = 10_000_000
"""Numbers that are left out where a backup was put back: more than the lost data can have told, and
so few that 32 bits hold what comes after two hundred backups."""

MEANINGS: Mapping[EventKind, str] = {
    EventKind.QUEUED: "it is on the disk and will be sent; also when it is to be sent again",
    EventKind.SUBMITTED: "the service gave its code",
    EventKind.ACCEPTED: "for a recipient: accepted by the provider, sent in law",
    EventKind.DELIVERED: "for a recipient: delivered",
    EventKind.FAILED: "for a recipient: not accepted or not delivered; `detail` says why",
    EventKind.UNCERTAIN: "it may have been sent, and nobody knows; what was told of its recipients "
    "before counts no longer",
    EventKind.REFUSED: "nothing was sent; `detail` says why",
    EventKind.CANCELLED: "a person took it back before it left",
    EventKind.LATE: "for a recipient: not delivered within 12 hours; it still may be",
    EventKind.WITHDRAWN: "for a recipient: what was told before rests on nothing any more",
    EventKind.HELD: "nothing was sent; it waits for what `detail` says",
    EventKind.DROPPED: "a person gave up an uncertain one",
    EventKind.ALARM: "an alarm was raised; `detail` is its kind",
    EventKind.ALARM_ENDED: "an alarm ended; `detail` is its kind",
}


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened: to ``submission``, or to one ``recipient`` of it.

    ``detail`` says why as a sentence, or what kind of alarm; "" where there is nothing to say.
    ``alarm_key`` tells alarms of one kind apart, and is told to nobody.
    """

    at: datetime
    account: AccountId
    kind: EventKind
    submission: QueueId | None = None
    recipient: str = ""
    detail: str = ""
    alarm_key: str = ""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event with its number, and how its message was called when it is read."""

    number: int
    event: NewEvent
    message_id: str | None
    reference: str | None
    envid: str | None
    code: str | None


class EventReads(Protocol):
    """What can be asked."""

    async def events(self, account: AccountId | None, after: int, limit: int) -> Sequence[EventRow]:
        """Return the first ``limit`` events behind the number ``after``; None: everybody's."""

    async def event(self, number: int) -> EventRow | None:
        """Return one event, None if it is kept no longer."""

    async def alarm_events(self, after: int, limit: int) -> Sequence[EventRow]:
        """Return the first ``limit`` events behind a number that tell of alarms."""

    async def event_numbers(self) -> tuple[int, int]:
        """Return the numbers of the oldest event that is kept and of the last there ever was.

        Without any the first is one more than the second.
        """

    async def was_told(self, number: int) -> bool:
        """Tell whether a number, which is none above the last, is no one of those left out."""

    async def last_events(self, submission: QueueId) -> dict[str, EventKind]:
        """Return the kind of the last event of each recipient since the message was last sent."""


class EventWrites(Protocol):
    """What can be changed."""

    async def add_event(self, event: NewEvent) -> None:
        """Write down what happened."""

    async def leave_out_numbers(self) -> None:
        """Leave out the next ``LEFT_OUT`` numbers."""

    async def drop_events(self, before: datetime, limit: int) -> int:
        """Forget at most ``limit`` of the events before a time; return how many."""
