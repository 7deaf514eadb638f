"""Receipts in SQL: statements and nothing else (see ``store.receipts``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from bridge.model import AccountId, QueueId
from bridge.store.receipts import Acceptance, ReceiptBasis, ReceiptRow
from bridge.store.remote import RemoteId, RemoteRow
from bridge.store.sql.remote import SqlRemoteReads
from bridge.store.sql.times import aware, micros


class SqlReceipts(SqlRemoteReads):
    """Satisfies ``ReceiptReads`` and ``ReceiptWrites``."""

    async def listed_with_code(self, account: AccountId, code: str) -> list[RemoteRow]:
        return self._remotes(
            "account = ? AND listed_code = ? AND body_sha256 IS NULL", (account, code)
        )

    async def unread_likes(self, remote: RemoteId) -> list[RemoteRow]:
        account, name = self._row("SELECT account, fingerprint FROM remote WHERE id = ?", (remote,))
        return self._remotes(
            "account = ? AND fingerprint = ? AND gone_at IS NOT NULL AND body_sha256 IS NULL"
            " AND id <> ?",
            (account, name, remote),
        )

    async def has_like(self, remote: RemoteId) -> bool:
        account, name = self._row("SELECT account, fingerprint FROM remote WHERE id = ?", (remote,))
        return any(
            self._row(
                "SELECT id FROM remote WHERE account = ? AND fingerprint = ?"  # noqa: S608
                f" AND gone_at IS {state} AND id <> ? LIMIT 1",
                (account, name, remote),
            )
            for state in ("NULL", "NOT NULL")
        )

    async def unclaimed_acceptances(
        self, account: AccountId, since: datetime, until: datetime
    ) -> list[Acceptance]:
        rows = self._rows(
            "SELECT id, code, stripped_subject, received_at, recipients, sender, readable"
            " FROM remote"
            " WHERE account = ? AND kind = 'acceptance' AND submission IS NULL"
            " AND received_at BETWEEN ? AND ? ORDER BY received_at, id",
            (account, micros(since), micros(until)),
        )
        return [
            Acceptance(
                RemoteId(row[0]),
                row[1],
                row[2],
                aware(row[3]),
                tuple(json.loads(row[4])),
                row[5],
                bool(row[6]),
            )
            for row in rows
        ]

    async def remote_with_code(self, account: AccountId, code: str) -> list[RemoteRow]:
        return self._remotes("account = ? AND code = ?", (account, code))

    async def receipts_of(self, submission: QueueId) -> list[ReceiptRow]:
        rows = self._rows(
            "SELECT remote, submission, kind, at, addresses, detail, ordinary, basis FROM receipt"
            " WHERE submission = ? ORDER BY at, remote",
            (submission,),
        )
        return [
            ReceiptRow(
                RemoteId(row[0]),
                QueueId(row[1]),
                row[2],
                aware(row[3]),
                tuple(json.loads(row[4])),
                row[5],
                tuple(json.loads(row[6])),
                ReceiptBasis(row[7]),
            )
            for row in rows
        ]

    async def classify_remote(
        self,
        remote: RemoteId,
        kind: str,
        code: str | None,
        stripped_subject: str,
        recipients: Sequence[str],
        *,
        readable: bool = True,
    ) -> None:
        self._row(
            "UPDATE remote SET kind = ?, code = ?, stripped_subject = ?, recipients = ?,"
            " readable = ? WHERE id = ?",
            (kind, code, stripped_subject, json.dumps(list(recipients)), readable, remote),
        )

    async def claim_remote(self, remote: RemoteId, submission: QueueId) -> None:
        self._row("UPDATE remote SET submission = ? WHERE id = ?", (submission, remote))

    async def release_remote(self, remote: RemoteId) -> None:
        self._row("DELETE FROM receipt WHERE remote = ?", (remote,))
        self._row("UPDATE remote SET submission = NULL, worth = NULL WHERE id = ?", (remote,))

    async def release_receipts(self, submission: QueueId) -> None:
        for (remote,) in self._rows(
            "SELECT remote FROM receipt WHERE submission = ?", (submission,)
        ):
            await self.release_remote(RemoteId(remote))

    async def add_receipt(self, receipt: ReceiptRow) -> bool:
        rows = self._rows(
            "INSERT INTO receipt VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (remote) DO UPDATE"
            " SET submission = excluded.submission, kind = excluded.kind, at = excluded.at,"
            " addresses = excluded.addresses, detail = excluded.detail,"
            " ordinary = excluded.ordinary, basis = excluded.basis"
            " WHERE receipt.basis = 'row' AND excluded.basis <> 'row'"
            " RETURNING remote",
            (
                receipt.remote,
                receipt.submission,
                receipt.kind,
                micros(receipt.at),
                json.dumps(list(receipt.addresses)),
                receipt.detail,
                json.dumps(list(receipt.ordinary)),
                receipt.basis.value,
            ),
        )
        return bool(rows)
