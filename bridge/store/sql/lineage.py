"""Where a store comes from, in SQL; see ``store.lineage``."""

from __future__ import annotations

from bridge.store.lineage import LineageRow, MarkRow
from bridge.store.sql.engine import Area
from bridge.store.sql.times import aware, micros


class SqlLineage(Area):
    """Satisfies ``LineageReads`` and ``LineageWrites``."""

    async def lineage(self) -> LineageRow | None:
        """See ``LineageReads``."""
        row = self._row("SELECT incarnation, dispatches, seen_at, leader, origin FROM lineage")
        if row is None:
            return None
        incarnation, dispatches, seen_at, leader, origin = row
        return LineageRow(incarnation, dispatches, aware(seen_at), leader, origin)

    async def marks(self) -> tuple[MarkRow, ...]:
        """See ``LineageReads``."""
        rows = self._rows("SELECT name, dispatches, inode, changed_ns FROM mark ORDER BY name")
        return tuple(MarkRow(*row) for row in rows)

    async def origin(self) -> str:
        """See ``LineageReads``."""
        return self._engine.origin()

    async def keep_lineage(self, row: LineageRow) -> None:
        """See ``LineageWrites``."""
        self._change(
            "INSERT INTO lineage (id, incarnation, dispatches, seen_at, leader, origin) "
            "VALUES (1, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation, "
            "dispatches = excluded.dispatches, seen_at = excluded.seen_at, "
            "leader = excluded.leader, origin = excluded.origin",
            (row.incarnation, row.dispatches, micros(row.seen_at), row.leader, row.origin),
        )

    async def keep_mark(self, row: MarkRow) -> None:
        """See ``LineageWrites``."""
        self._change(
            "INSERT INTO mark (name, dispatches, inode, changed_ns) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET dispatches = excluded.dispatches, "
            "inode = excluded.inode, changed_ns = excluded.changed_ns",
            (row.name, row.dispatches, row.inode, row.changed_ns),
        )

    async def forget_marks(self) -> None:
        """See ``LineageWrites``."""
        self._change("DELETE FROM mark")
