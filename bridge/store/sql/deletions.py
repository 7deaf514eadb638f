"""Deletions at the API in SQL: statements and nothing else (see ``store.deletions``)."""

from __future__ import annotations

from datetime import datetime

from bridge.model import AccountId, ContentId
from bridge.store.deletions import DeletionRow, DeletionState
from bridge.store.remote import RemoteId
from bridge.store.sql.remote import REMOTE, SqlRemoteReads, remote_row
from bridge.store.sql.times import aware, micros


class SqlDeletions(SqlRemoteReads):
    """Satisfies ``DeletionReads`` and ``DeletionWrites``."""

    async def deletions(self, account: AccountId, state: DeletionState) -> list[DeletionRow]:
        rows = self._rows(
            f"SELECT {REMOTE}, requested_at, state, reason, asked_after, alike FROM deletion"  # noqa: S608
            " JOIN remote ON remote.id = deletion.remote WHERE account = ? AND state = ?"
            " ORDER BY requested_at, remote.id",
            (account, state.value),
        )
        return [
            DeletionRow(
                remote_row(row),
                aware(row[19]),
                DeletionState(row[20]),
                row[21],
                None if row[22] is None else RemoteId(row[22]),
                row[23],
            )
            for row in rows
        ]

    async def record_deletion_intent(
        self, account: AccountId, content: ContentId, at: datetime
    ) -> bool:
        rows = self._rows(
            "INSERT INTO deletion (remote, requested_at, state)"
            " SELECT id, ?, ? FROM remote WHERE account = ? AND content = ? AND gone_at IS NULL"
            " ON CONFLICT (remote) DO UPDATE SET requested_at = excluded.requested_at,"
            " state = excluded.state, reason = '', settled_at = NULL, asked_after = NULL"
            " RETURNING remote",
            (micros(at), DeletionState.WANTED.value, account, content),
        )
        return bool(rows)

    async def ask_deletion(self, remote: RemoteId, alike: int) -> RemoteId:
        (last,) = self._row("SELECT max(id) FROM remote")
        self._row(
            "UPDATE deletion SET asked_after = ?, alike = ? WHERE remote = ?", (last, alike, remote)
        )
        return RemoteId(last)

    async def unask_deletion(self, remote: RemoteId) -> None:
        self._row("UPDATE deletion SET asked_after = NULL WHERE remote = ?", (remote,))

    async def settle_deletion(
        self, remote: RemoteId, state: DeletionState, reason: str, at: datetime
    ) -> None:
        self._row(
            "UPDATE deletion SET state = ?, reason = ?, settled_at = ? WHERE remote = ?",
            (state.value, reason, micros(at), remote),
        )
