"""Where a store comes from, as it and the marks beside it say (see ``outbox.lineage``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LineageRow:
    """Where the store comes from; see ``outbox.lineage``.

    ``incarnation`` names this life of the store. ``dispatches`` counts the attempts that ever
    began, starts and ends. ``seen_at`` is when the store was last known to be in use, and
    ``leader`` the mark of the bridge that led last. ``origin`` is what the engine knew the
    database by then, "" if it knows none by anything.
    """

    incarnation: str
    dispatches: int
    seen_at: datetime
    leader: str
    origin: str


@dataclass(frozen=True, slots=True)
class MarkRow:
    """The file beside one bridge's lock, as the store last heard of it; see ``store.mark``.

    It said ``dispatches``, and was ``inode``, changed at ``changed_ns``; that is None before there
    is one.
    """

    name: str
    dispatches: int
    inode: int
    changed_ns: int | None


class LineageReads(Protocol):
    """What can be asked."""

    async def lineage(self) -> LineageRow | None:
        """Return where the store comes from; None if nobody wrote that down yet."""

    async def marks(self) -> tuple[MarkRow, ...]:
        """Return every bridge's mark."""

    async def origin(self) -> str:
        """Return what the engine knows this very database by; see ``LineageRow``."""


class LineageWrites(Protocol):
    """What can be changed."""

    async def keep_lineage(self, row: LineageRow) -> None:
        """Write down where the store comes from, in place of what was."""

    async def keep_mark(self, row: MarkRow) -> None:
        """Write down a bridge's mark, in place of what was known of it."""

    async def forget_marks(self) -> None:
        """Forget every bridge's mark."""
