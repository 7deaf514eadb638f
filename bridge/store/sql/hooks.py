"""Hooks in SQL: statements and nothing else (see ``store.hooks``).

Times are microseconds since 1970 UTC; days are ``YYYY-MM-DD``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from bridge.language import packed, unpacked
from bridge.model import AccountId
from bridge.store.events import EventRow
from bridge.store.hooks import (
    AlarmsOutRow,
    DeliveryRow,
    DeliveryState,
    HookBacklog,
    HookId,
    HookRow,
    NewDelivery,
)
from bridge.store.sql.events import SqlEvents
from bridge.store.sql.times import aware, micros, optional_time

_HOOK = (
    "SELECT id, account, name, cursor, failures, failed_at, until, waited_s, error, delivered,"
    " failed, died, succeeded_at, left_at FROM hook"
)
_DELIVERY = (
    "SELECT id, hook, event, lane, name, gives_up_s, since, state, tries, due_at, error, died_at"
    " FROM delivery"
)


class SqlHooks(SqlEvents):
    """Satisfies ``HookReads`` and ``HookWrites``, and what the events want."""

    async def hooks(self) -> list[HookRow]:
        return [_hook(row) for row in self._rows(f"{_HOOK} ORDER BY id")]

    async def hook(self, id: HookId) -> HookRow | None:
        row = self._row(f"{_HOOK} WHERE id = ?", (id,))
        return None if row is None else _hook(row)

    async def hook_backlog(self, hook: HookId) -> HookBacklog:
        counts = dict(
            self._rows(
                "SELECT state, count(*) FROM delivery WHERE hook = ? GROUP BY state", (hook,)
            )
        )
        (oldest,) = self._row(
            "SELECT min(since) FROM delivery WHERE hook = ? AND state = 'waiting'", (hook,)
        )
        return HookBacklog(counts.get("waiting", 0), counts.get("dead", 0), optional_time(oldest))

    async def heads(
        self, hook: HookId, now: datetime, latest: datetime, limit: int
    ) -> list[DeliveryRow]:
        found: list[Any] = []
        for term, at in (("due_at <= ?", now), ("due_at > ?", latest)):
            found += self._rows(
                f"{_DELIVERY} WHERE hook = ? AND head = 1 AND {term}"
                " ORDER BY due_at, event LIMIT ?",
                (hook, micros(at), limit - len(found)),
            )
        return [_delivery(row) for row in found]

    async def fresh_head(self, hook: HookId) -> DeliveryRow | None:
        row = self._row(
            f"{_DELIVERY} WHERE hook = ? AND head = 1 AND tries = 0 ORDER BY event LIMIT 1",
            (hook,),
        )
        return None if row is None else _delivery(row)

    async def next_head(self, hook: HookId) -> datetime | None:
        (at,) = self._row("SELECT min(due_at) FROM delivery WHERE hook = ? AND head = 1", (hook,))
        return optional_time(at)

    async def delivery(self, id: int) -> DeliveryRow | None:
        row = self._row(f"{_DELIVERY} WHERE id = ?", (id,))
        return None if row is None else _delivery(row)

    async def dead_deliveries(
        self, hook: HookId | None, limit: int
    ) -> list[tuple[DeliveryRow, EventRow]]:
        rows = self._rows(
            f"{_DELIVERY} WHERE state = 'dead' AND hook = coalesce(?, hook) ORDER BY id LIMIT ?",
            (hook, limit),
        )
        found = []
        for row in rows:
            delivery = _delivery(row)
            event = await self.event(delivery.event)
            if event is not None:  # always: a delivery goes with its event
                found.append((delivery, event))
        return found

    async def alarms_out(self) -> list[AlarmsOutRow]:
        rows = self._rows(
            "SELECT way, cursor, day, sent, next_at, failures, error, sent_at, left_at"
            " FROM alarms_out ORDER BY way"
        )
        return [
            AlarmsOutRow(
                way,
                cursor,
                date.fromisoformat(day),
                sent,
                optional_time(next_at),
                failures,
                unpacked(error),
                optional_time(sent_at),
                optional_time(left_at),
            )
            for way, cursor, day, sent, next_at, failures, error, sent_at, left_at in rows
        ]

    async def open_hook(self, account: AccountId | None, name: str) -> HookRow:
        where = f"{_HOOK} WHERE coalesce(account, 0) = ? AND name = ?"
        row = self._row(where, (account or 0, name))
        if row is None:
            _, newest = await self.event_numbers()
            self._row(
                "INSERT INTO hook (account, name, cursor, failures, waited_s, error, delivered,"
                " failed, died) VALUES (?, ?, ?, 0, 0, '', 0, 0, 0)",
                (account, name, newest),
            )
            row = self._row(where, (account or 0, name))
        return _hook(row)

    async def keep_hook(self, row: HookRow) -> None:
        self._row(
            "UPDATE hook SET cursor = ?, failures = ?, failed_at = ?, until = ?, waited_s = ?,"
            " error = ?, delivered = ?, failed = ?, died = ?, succeeded_at = ?, left_at = ?"
            " WHERE id = ?",
            (
                row.cursor,
                row.failures,
                micros(row.failed_at),
                micros(row.until),
                row.waited_s,
                packed(row.error),
                row.delivered,
                row.failed,
                row.died,
                micros(row.succeeded_at),
                micros(row.left_at),
                row.id,
            ),
        )

    async def drop_hook(self, id: HookId) -> None:
        self._row("DELETE FROM hook WHERE id = ?", (id,))

    async def add_delivery(self, new: NewDelivery) -> None:
        self._row(
            "INSERT INTO delivery (hook, event, lane, name, gives_up_s, since, state, tries,"
            " due_at, error, head) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', 0, ?6, '', 0)",
            (new.hook, new.event, new.lane, new.name, new.gives_up_s, micros(new.since)),
        )
        self._settle_lane(new.hook, new.lane)

    async def keep_delivery(self, row: DeliveryRow) -> None:
        self._row(
            "UPDATE delivery SET gives_up_s = ?, state = ?, tries = ?, due_at = ?, error = ?,"
            " died_at = ? WHERE id = ?",
            (
                row.gives_up_s,
                row.state.value,
                row.tries,
                micros(row.due_at or row.since),
                packed(row.error),
                micros(row.died_at),
                row.id,
            ),
        )
        self._settle_lane(row.hook, row.lane)

    async def drop_delivery(self, id: int) -> None:
        self._row("DELETE FROM delivery WHERE id = ?", (id,))  # a trigger finds the lane's next

    async def give_up_deliveries(
        self, hook: HookId, waited_s: int, now: datetime, limit: int
    ) -> int:
        gone = self._rows(
            "UPDATE delivery SET state = 'dead', head = 0, died_at = ?, error ="
            " CASE error WHEN '' THEN (SELECT error FROM hook WHERE hook.id = delivery.hook)"
            " ELSE error END"
            " WHERE id IN (SELECT id FROM delivery WHERE hook = ? AND state = 'waiting'"
            " AND gives_up_s <= ? ORDER BY gives_up_s, id LIMIT ?) RETURNING lane",
            (micros(now), hook, waited_s, limit),
        )
        for lane in {lane for (lane,) in gone}:
            self._settle_lane(hook, lane)
        return len(gone)

    async def drop_alarms_out(self, way: str) -> None:
        self._row("DELETE FROM alarms_out WHERE way = ?", (way,))

    async def keep_alarms_out(self, row: AlarmsOutRow) -> None:
        self._row(
            "INSERT INTO alarms_out (way, cursor, day, sent, next_at, failures, error, sent_at,"
            " left_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (way) DO UPDATE SET"
            " cursor = excluded.cursor, day = excluded.day, sent = excluded.sent,"
            " next_at = excluded.next_at, failures = excluded.failures, error = excluded.error,"
            " sent_at = excluded.sent_at, left_at = excluded.left_at",
            (
                row.way,
                row.cursor,
                row.day.isoformat(),
                row.sent,
                micros(row.next_at),
                row.failures,
                packed(row.error),
                micros(row.sent_at),
                micros(row.left_at),
            ),
        )

    def _settle_lane(self, hook: HookId, lane: str) -> None:
        """Let the first delivery that waits in a lane be its head, and no other."""
        first = self._row(
            "SELECT id FROM delivery WHERE hook = ? AND lane = ? AND state = 'waiting'"
            " ORDER BY event LIMIT 1",
            (hook, lane),
        )
        head = first[0] if first else 0
        self._row(
            "UPDATE delivery SET head = 1 - head WHERE hook = ?2 AND lane = ?3"
            " AND state = 'waiting' AND (head = 1) <> (id = ?1)",
            (head, hook, lane),
        )


def _hook(row: Sequence[Any]) -> HookRow:
    id, account, name, cursor, failures, failed_at, until, waited_s, error, *more = row
    delivered, failed, died, succeeded_at, left_at = more
    return HookRow(
        HookId(id),
        None if account is None else AccountId(account),
        name,
        cursor,
        failures,
        optional_time(failed_at),
        optional_time(until),
        waited_s,
        unpacked(error),
        delivered,
        failed,
        died,
        optional_time(succeeded_at),
        optional_time(left_at),
    )


def _delivery(row: Sequence[Any]) -> DeliveryRow:
    id, hook, event, lane, name, gives_up_s, since, state, tries, due_at, error, died_at = row
    return DeliveryRow(
        id,
        HookId(hook),
        event,
        lane,
        name,
        gives_up_s,
        aware(since),
        DeliveryState(state),
        tries,
        aware(due_at),
        unpacked(error),
        optional_time(died_at),
    )
