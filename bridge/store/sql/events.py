"""The event log in SQL: statements and nothing else (see ``store.events``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bridge.model import AccountId, QueueId
from bridge.store.events import LEFT_OUT, EventKind, EventRow, NewEvent
from bridge.store.sql.engine import Area
from bridge.store.sql.times import aware, micros

_EVENT = (
    "SELECT number, at, event.account, kind, event.submission, recipient, detail, alarm_key,"
    " message_id, reference, envid, code"
    " FROM event LEFT JOIN submission ON submission.id = event.submission"
)


class SqlEvents(Area):
    """Satisfies ``EventReads`` and ``EventWrites``."""

    async def events(
        self, account: AccountId | None, after: int, limit: int
    ) -> tuple[EventRow, ...]:
        """See ``EventReads``."""
        rows = self._rows(
            f"{_EVENT} WHERE number > ? AND event.account = coalesce(?, event.account)"
            " ORDER BY number LIMIT ?",
            (after, account, limit),
        )
        return tuple(map(_event, rows))

    async def event(self, number: int) -> EventRow | None:
        """See ``EventReads``."""
        row = self._row(f"{_EVENT} WHERE number = ?", (number,))
        return None if row is None else _event(row)

    async def alarm_events(self, after: int, limit: int) -> tuple[EventRow, ...]:
        """See ``EventReads``."""
        rows = self._rows(
            f"{_EVENT} WHERE number > ? AND kind IN ('alarm', 'alarm_ended')"
            " ORDER BY number LIMIT ?",
            (after, limit),
        )
        return tuple(map(_event, rows))

    async def event_numbers(self) -> tuple[int, int]:
        """See ``EventReads``."""
        newest = self._engine.last_event()
        first = self._row("SELECT min(number) FROM event", ())
        return (int(first[0]) if first and first[0] is not None else newest + 1), newest

    async def was_told(self, number: int) -> bool:
        """See ``EventReads``."""
        _, newest = await self.event_numbers()
        before, after = self._row(
            "SELECT (SELECT max(number) FROM event WHERE number <= ?1),"
            " (SELECT min(number) FROM event WHERE number > ?1)",
            (number,),
        )
        if before in (None, number):  # before the first that is kept, or there
            return True
        return bool((newest if after is None else after) - before < LEFT_OUT)

    async def last_events(self, submission: QueueId) -> dict[str, EventKind]:
        """See ``EventReads``."""
        rows = self._rows(
            "SELECT recipient, kind FROM event WHERE submission = ?1 AND recipient <> ''"
            " AND number > coalesce((SELECT max(number) FROM event WHERE submission = ?1"
            " AND recipient = '' AND kind IN ('queued', 'uncertain')), 0) ORDER BY number",
            (submission,),
        )
        return {recipient: EventKind(kind) for recipient, kind in rows}

    async def add_event(self, event: NewEvent) -> None:
        """See ``EventWrites``."""
        self._row(
            "INSERT INTO event (at, account, kind, submission, recipient, detail, alarm_key)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                micros(event.at),
                event.account,
                event.kind.value,
                event.submission,
                event.recipient,
                event.detail,
                event.alarm_key,
            ),
        )

    async def leave_out_numbers(self) -> None:
        """See ``EventWrites``."""
        self._engine.leave_out_events(LEFT_OUT)

    async def drop_events(self, before: datetime, limit: int) -> int:
        """See ``EventWrites``."""
        gone = self._rows(
            "DELETE FROM event WHERE number IN"
            " (SELECT number FROM event WHERE at < ? ORDER BY number LIMIT ?) RETURNING number",
            (micros(before), limit),
        )
        return len(list(gone))


def _event(row: Sequence[Any]) -> EventRow:
    number, at, whose, kind, submission, recipient, detail, key, *names = row
    about = QueueId(submission) if submission else None
    event = NewEvent(aware(at), AccountId(whose), EventKind(kind), about, recipient, detail, key)
    return EventRow(number, event, *names)
