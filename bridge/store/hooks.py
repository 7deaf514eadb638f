"""What the store keeps of hooks: programs that are told of events, and what they still are to hear.

A hook has a cursor into the event log. What lies behind the cursor was dealt out: each event that
the hook is to be told is a delivery, until it is told or somebody gives up.

Deliveries of one lane (those about one message) are told one after another, in the order of events.
The first one that waits in a lane is its head; only heads are ever told.

``waited_s`` of a hook counts the seconds for which its receiver was asked in vain, ever; it never
goes back. A delivery is given up once that reaches its ``gives_up_s``. So no jump of a clock and no
bridge that is off makes anybody give up early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import NewType, Protocol

from bridge.model import AccountId
from bridge.store.events import EventRow

HookId = NewType("HookId", int)


class DeliveryState(Enum):
    """Where a delivery stands; one that was told is kept no longer."""

    WAITING = "waiting"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class HookRow:
    """A hook. Times are aware.

    ``account`` is whose events it is told, None for everybody's; with ``name`` it is the hook's
    identity. ``cursor`` is the last event that was dealt out. ``failures`` counts for how often in
    a row its receiver was down, ``failed_at`` is when it last was, ``until`` when it is asked
    again. ``error`` is why. ``left_at`` is when it left the settings.
    """

    id: HookId
    account: AccountId | None
    name: str
    cursor: int
    failures: int = 0
    failed_at: datetime | None = None
    until: datetime | None = None
    waited_s: int = 0
    error: str = ""
    delivered: int = 0
    failed: int = 0
    died: int = 0
    succeeded_at: datetime | None = None
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """An event that a hook is to be told; ``name`` is how the receiver knows it again."""

    hook: HookId
    event: int
    lane: str
    name: str
    gives_up_s: int
    since: datetime


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery; ``tries`` were made in vain, ``error`` is why the last was, "" without any."""

    id: int
    hook: HookId
    event: int
    lane: str
    name: str
    gives_up_s: int
    since: datetime
    state: DeliveryState = DeliveryState.WAITING
    tries: int = 0
    due_at: datetime | None = None
    error: str = ""
    died_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HookBacklog:
    """What a hook is still to be told; ``oldest`` is since when the oldest of it waits."""

    waiting: int
    dead: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class AlarmsOutRow:
    """How far alarms were told outside by one ``way``: ``cursor`` is the last event that was.

    ``sent`` counts the messages of ``day``; the next is sent at ``next_at`` at the earliest.
    ``failures`` counts since the last one that was taken, ``error`` is why.
    """

    way: str
    cursor: int
    day: date
    sent: int = 0
    next_at: datetime | None = None
    failures: int = 0
    error: str = ""
    sent_at: datetime | None = None
    left_at: datetime | None = None


class HookReads(Protocol):
    """What can be asked."""

    async def hooks(self) -> Sequence[HookRow]:
        """Return all hooks that there ever were, oldest first."""

    async def hook(self, id: HookId) -> HookRow | None:
        """Return a hook."""

    async def hook_backlog(self, hook: HookId) -> HookBacklog:
        """Return how much a hook is still to be told."""

    async def heads(
        self, hook: HookId, now: datetime, latest: datetime, limit: int
    ) -> Sequence[DeliveryRow]:
        """Return heads that are due, those that are due longest first.

        Args:
            hook: whose.
            now: aware.
            latest: what is due after this was put off by a clock that was wrong: it is due, too.
            limit: at most so many.
        """

    async def fresh_head(self, hook: HookId) -> DeliveryRow | None:
        """Return the oldest head that was never tried."""

    async def next_head(self, hook: HookId) -> datetime | None:
        """Return when the first head is due, None without any."""

    async def delivery(self, id: int) -> DeliveryRow | None:
        """Return a delivery."""

    async def dead_deliveries(
        self, hook: HookId | None, limit: int
    ) -> Sequence[tuple[DeliveryRow, EventRow]]:
        """Return dead deliveries with their events, oldest first; of all hooks if None."""

    async def alarms_out(self) -> Sequence[AlarmsOutRow]:
        """Return how far alarms were told outside, by each way that there ever was."""


class HookWrites(Protocol):
    """What can be changed."""

    async def open_hook(self, account: AccountId | None, name: str) -> HookRow:
        """Return the hook of that name, made if there is none: it is told what is new then."""

    async def keep_hook(self, row: HookRow) -> None:
        """Write down how a hook stands."""

    async def drop_hook(self, id: HookId) -> None:
        """Forget a hook with all that it was to be told."""

    async def add_delivery(self, new: NewDelivery) -> None:
        """Add a delivery behind the others of its lane."""

    async def keep_delivery(self, row: DeliveryRow) -> None:
        """Write down how a delivery stands."""

    async def drop_delivery(self, id: int) -> None:
        """Forget a delivery."""

    async def give_up_deliveries(
        self, hook: HookId, waited_s: int, now: datetime, limit: int
    ) -> int:
        """Let deliveries be dead that are given up by now; return how many.

        Args:
            hook: whose.
            waited_s: the hook's.
            now: when they died, aware.
            limit: at most so many.
        """

    async def drop_alarms_out(self, way: str) -> None:
        """Forget a way."""

    async def keep_alarms_out(self, row: AlarmsOutRow) -> None:
        """Write down how far alarms were told outside."""
