"""Where a store comes from, in SQL; see ``store.outbox``."""

from __future__ import annotations

from bridge.store.outbox import LineageRow
from bridge.store.sql.engine import Area
from bridge.store.sql.times import aware, micros


class SqlLineage(Area):
    """Of ``store.outbox``, what is about lineage."""

    async def lineage(self) -> LineageRow | None:
        """See ``OutboxReads``."""
        row = self._row(
            "SELECT incarnation, dispatches, mark_dispatches, mark_inode, mark_changed_ns, seen_at "
            "FROM lineage"
        )
        if row is None:
            return None
        incarnation, dispatches, mark_dispatches, inode, changed_ns, seen_at = row
        return LineageRow(
            incarnation, dispatches, mark_dispatches, inode, changed_ns, aware(seen_at)
        )

    async def keep_lineage(self, row: LineageRow) -> None:
        """See ``OutboxWrites``."""
        self._change(
            "INSERT INTO lineage (id, incarnation, dispatches, mark_dispatches, "
            "mark_inode, mark_changed_ns, seen_at) VALUES (1, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation, "
            "dispatches = excluded.dispatches, mark_dispatches = excluded.mark_dispatches, "
            "mark_inode = excluded.mark_inode, mark_changed_ns = excluded.mark_changed_ns, "
            "seen_at = excluded.seen_at",
            (
                row.incarnation,
                row.dispatches,
                row.mark_dispatches,
                row.mark_inode,
                row.mark_changed_ns,
                micros(row.seen_at),
            ),
        )
