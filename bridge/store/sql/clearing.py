"""What is cleared at the API, in SQL: statements and nothing else (see ``store.clearing``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.language import packed, unpacked
from bridge.model import AccountId, QueueId
from bridge.store.clearing import ClearedRow
from bridge.store.deletions import DeletionRow, DeletionState
from bridge.store.remote import RemoteId, RemoteRow
from bridge.store.sql.remote import SqlRemoteReads
from bridge.store.sql.times import aware, micros

_WORDS = "remote, subject, date_text, kind, code, submission"
_IS_CLEARABLE = (
    "account = ? AND gone_at IS NULL AND submission IS NOT NULL AND body_sha256 IS NOT NULL"
    " AND first_seen <= ? AND remote.id > ? AND readable AND content IS NOT NULL AND kind <> ''"
    " AND EXISTS (SELECT 1 FROM receipt WHERE receipt.remote = remote.id"
    " AND receipt.submission = remote.submission AND basis = 'text')"
    " AND NOT EXISTS (SELECT 1 FROM clearing WHERE clearing.remote = remote.id"
    " AND clearing.state IN ('wanted', 'doubted'))"
    " AND NOT EXISTS (SELECT 1 FROM deletion WHERE deletion.remote = remote.id"
    " AND deletion.state IN ('wanted', 'doubted'))"
)


class SqlClearing(SqlRemoteReads):
    """Satisfies ``ClearingReads`` and ``ClearingWrites``."""

    async def clearable(
        self, account: AccountId, before: datetime, after: RemoteId, limit: int
    ) -> list[RemoteRow]:
        values = (account, micros(before), after, limit)
        return self._remotes(_IS_CLEARABLE, values, "remote.id LIMIT ?")

    async def clearings(self, account: AccountId, state: DeletionState) -> list[DeletionRow]:
        rows = self._rows(
            "SELECT remote, wanted_at, reason, asked_after, alike FROM clearing"
            " WHERE account = ? AND state = ? ORDER BY number",
            (account, state.value),
        )
        found = []
        for remote, wanted_at, reason, asked_after, alike in rows:
            row = await self.remote_row(RemoteId(remote))
            if row is not None and row.gone_at is None:
                asked = None if asked_after is None else RemoteId(asked_after)
                found.append(
                    DeletionRow(row, aware(wanted_at), state, unpacked(reason), asked, alike)
                )
        return found

    async def cleared(
        self, account: AccountId | None, since: datetime, limit: int
    ) -> list[ClearedRow]:
        rows = self._rows(
            f"SELECT account, {_WORDS}, state, wanted_at, settled_at, reason"  # noqa: S608
            " FROM clearing WHERE account = coalesce(?, account)"
            " AND coalesce(settled_at, wanted_at) >= ?"
            " ORDER BY coalesce(settled_at, wanted_at) DESC, number DESC LIMIT ?",
            (account, micros(since), limit),
        )
        return [
            ClearedRow(
                AccountId(row[0]),
                RemoteId(row[1]),
                row[2],
                row[3],
                row[4],
                row[5],
                QueueId(row[6]),
                DeletionState(row[7]),
                aware(row[8]),
                None if row[9] is None else aware(row[9]),
                row[10],
            )
            for row in rows
        ]

    async def cleared_count(self, account: AccountId, since: datetime) -> int:
        (count,) = self._row(
            "SELECT count(*) FROM clearing WHERE account = ? AND state = 'done'"
            " AND settled_at >= ?",
            (account, micros(since)),
        )
        return int(count)

    async def deletions_asked(self, account: AccountId, since: datetime) -> tuple[int, int]:
        expunged, cleared = self._row(
            "SELECT (SELECT count(*) FROM deletion JOIN remote ON remote.id = deletion.remote"
            " WHERE account = ?1 AND requested_at > ?2),"
            " (SELECT count(*) FROM clearing WHERE account = ?1 AND wanted_at > ?2)",
            (account, micros(since)),
        )
        return expunged, cleared

    async def want_clearing(self, remotes: Sequence[RemoteId], at: datetime) -> None:
        for remote in remotes:
            self._row(
                f"INSERT INTO clearing ({_WORDS}, account, body_sha256, state,"  # noqa: S608
                " wanted_at) SELECT id, subject, date_text, kind, code, submission, account,"
                " body_sha256, 'wanted', ? FROM remote WHERE id = ? AND submission IS NOT NULL"
                " AND body_sha256 IS NOT NULL AND gone_at IS NULL"
                " ON CONFLICT (remote) WHERE state <> 'done' DO UPDATE SET state = 'wanted',"
                " wanted_at = excluded.wanted_at, settled_at = NULL, reason = '',"
                " asked_after = NULL"
                " WHERE clearing.state = 'kept'",
                (micros(at), remote),
            )

    async def settle_clearing(
        self, remote: RemoteId, state: DeletionState, reason: str, at: datetime
    ) -> None:
        settled_at = None if state is DeletionState.WANTED else micros(at)
        self._row(
            "UPDATE clearing SET state = ?, reason = ?, settled_at = ?"
            " WHERE remote = ? AND state <> 'done'",
            (state.value, packed(reason), settled_at, remote),
        )

    async def ask_clearing(self, remote: RemoteId, alike: int) -> RemoteId:
        (last,) = self._row("SELECT max(id) FROM remote")
        self._row(
            "UPDATE clearing SET asked_after = ?, alike = ? WHERE remote = ? AND state <> 'done'",
            (last, alike, remote),
        )
        return RemoteId(last)

    async def unask_clearing(self, remote: RemoteId) -> None:
        self._row(
            "UPDATE clearing SET asked_after = NULL WHERE remote = ? AND state <> 'done'",
            (remote,),
        )

    async def end_clearing(self, remote: RemoteId, at: datetime) -> bool:
        rows = self._rows(
            "UPDATE clearing SET state = 'done', reason = '', settled_at = ?"
            " WHERE remote = ? AND state <> 'done' RETURNING remote",
            (micros(at), remote),
        )
        return bool(rows)
