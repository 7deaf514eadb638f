"""The API's rows in SQLite: SQL and nothing else (see ``store.remote``).

Times are microseconds since 1970 UTC.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Any

from bridge.model import AccountId, ContentId, Flag, QueueId, RowText
from bridge.store.remote import (
    Acceptance,
    AlarmRow,
    DeletionRow,
    DeletionState,
    LeftInbox,
    NewRemote,
    Place,
    ReceiptBasis,
    ReceiptRow,
    RemoteCount,
    RemoteId,
    RemoteRow,
    RowsSeen,
    Worth,
)
from bridge.store.sqlite.area import Area

REQUESTS_KEPT = timedelta(days=400)
"""Days whose counts of requests are kept."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ROW = (
    "remote.id, account, fingerprint, api_id, sender, recipient, date_text, subject, received_at,"
    " first_seen, body_sha256, content, gone_at, kind, code, submission, rank,"
    " readable, worth"
)
_ALARM = "account, kind, key, text, raised_at, cleared_at, notice, told_at, acknowledged_at"
_BODILESS = "body_sha256 IS NULL AND gone_at IS NULL"
_PLACE = "id, fingerprint, api_id, rank, body_sha256, turn, drift_least, drift_most"


def _number(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _time(number: int) -> datetime:
    return _EPOCH + timedelta(microseconds=number)


def _maybe_time(number: int | None) -> datetime | None:
    return None if number is None else _time(number)


def _alarm(row: Sequence[Any]) -> AlarmRow:
    return AlarmRow(
        AccountId(row[0]),
        row[1],
        row[2],
        row[3],
        _time(row[4]),
        _maybe_time(row[5]),
        None if row[6] is None else ContentId(row[6]),
        _maybe_time(row[7]),
        _maybe_time(row[8]),
    )


def _remote(row: Sequence[Any]) -> RemoteRow:
    return RemoteRow(
        id=RemoteId(row[0]),
        account=AccountId(row[1]),
        fingerprint=row[2],
        api_id=row[3],
        sender=row[4],
        recipient=row[5],
        date_text=row[6],
        subject=row[7],
        received_at=_maybe_time(row[8]),
        first_seen=_time(row[9]),
        body_sha256=row[10],
        content=None if row[11] is None else ContentId(row[11]),
        gone_at=_maybe_time(row[12]),
        kind=row[13],
        code=row[14],
        submission=None if row[15] is None else QueueId(row[15]),
        rank=row[16],
        readable=bool(row[17]),
        worth=None if row[18] is None else Worth(row[18]),
    )


def _place(row: Sequence[Any]) -> Place:
    return Place(RemoteId(row[0]), row[1], row[2], row[3], row[4], row[5], (row[6], row[7]))


def _dump_left(left: LeftInbox | None) -> str | None:
    if left is None:
        return None
    at = left.internal_date.isoformat()
    return json.dumps({"flags": sorted(left.flags), "at": at, "size": left.size_bytes})


def _load_left(text: str | None) -> LeftInbox | None:
    if text is None:
        return None
    left = json.loads(text)
    flags = frozenset(Flag(flag) for flag in left["flags"])
    return LeftInbox(flags, datetime.fromisoformat(left["at"]), left["size"])


class SqliteRemoteReads(Area):
    """``store.remote.RemoteReads``."""

    def _remotes(
        self, condition: str, values: Sequence[object], order: str = "id"
    ) -> list[RemoteRow]:
        statement = f"SELECT {_ROW} FROM remote WHERE {condition} ORDER BY {order}"  # noqa: S608
        return [_remote(row) for row in self._rows(statement, values)]

    async def remote_rows(self, account: AccountId) -> list[RemoteRow]:
        return self._remotes("account = ? AND gone_at IS NULL", (account,), "rank, id")

    async def remote_count(self, account: AccountId) -> RemoteCount:
        live, bodiless = self._row(
            "SELECT (SELECT count(*) FROM remote WHERE account = ?1 AND gone_at IS NULL),"
            " (SELECT count(*) FROM remote INDEXED BY remote_by_worth"
            " WHERE account = ?1 AND gone_at IS NULL AND body_sha256 IS NULL"
            " AND content IS NULL)",
            (account,),
        )
        return RemoteCount(live, live - bodiless)

    async def rows_seen(self, account: AccountId, since: datetime) -> RowsSeen:
        counts = self._row(
            "SELECT count(*), coalesce(sum(worth >= ?), 0), coalesce(sum(worth >= ?), 0)"
            " FROM remote WHERE account = ? AND first_seen > ?",
            (Worth.FAILURE, Worth.CONFIRMATION, account, _number(since)),
        )
        return RowsSeen(*counts)

    async def places_of(self, account: AccountId, fingerprints: Sequence[bytes]) -> list[Place]:
        places: list[Place] = []
        for fingerprint in dict.fromkeys(fingerprints):
            places += map(
                _place,
                self._rows(
                    f"SELECT {_PLACE} FROM remote"  # noqa: S608
                    " WHERE account = ? AND fingerprint = ? AND gone_at IS NULL",
                    (account, fingerprint),
                ),
            )
        return sorted(places, key=lambda place: (-place.rank, place.remote))

    async def places_between(
        self, account: AccountId, low: float | None, high: float | None, limit: int
    ) -> list[Place]:
        rows = self._rows(
            f"SELECT {_PLACE} FROM remote WHERE account = ? AND gone_at IS NULL"  # noqa: S608
            " AND rank BETWEEN ? AND ? ORDER BY rank DESC, id LIMIT ?",
            (account, -inf if low is None else low, inf if high is None else high, limit),
        )
        return list(map(_place, rows))

    async def rank_beside(
        self, account: AccountId, rank: float | None, *, newer: bool
    ) -> float | None:
        values: tuple[object, ...] = (account,)
        if rank is None:
            choice, condition = ("max" if newer else "min"), ""
        else:
            choice = "min" if newer else "max"
            condition = f" AND rank {'>' if newer else '<'} ?"
            values = (account, rank)
        (found,) = self._row(
            f"SELECT {choice}(rank) FROM remote"  # noqa: S608
            f" WHERE account = ? AND gone_at IS NULL{condition}",
            values,
        )
        return None if found is None else float(found)

    async def places_newer(self, account: AccountId, rank: float) -> int:
        (count,) = self._row(
            "SELECT count(*) FROM remote WHERE account = ? AND gone_at IS NULL AND rank > ?",
            (account, rank),
        )
        return int(count)

    async def last_turn(self, account: AccountId) -> int:
        (turn,) = self._row(
            "SELECT max(turn) FROM remote WHERE account = ? AND gone_at IS NULL", (account,)
        )
        return turn or 0

    async def remote_row(self, remote: RemoteId) -> RemoteRow | None:
        return next(iter(self._remotes("id = ?", (remote,))), None)

    async def remote_body(self, remote: RemoteId) -> str | None:
        row = self._row("SELECT body FROM remote_body WHERE remote = ?", (remote,))
        return row[0] if row else None

    async def remote_body_slice(self, remote: RemoteId, start: int, length_bytes: int) -> bytes:
        return self._slice("remote_body", "body", remote, start, length_bytes)

    async def remote_raw(self, remote: RemoteId) -> str | None:
        row = self._row("SELECT raw FROM remote WHERE id = ?", (remote,))
        return row[0] if row else None

    async def readings(self, remotes: Sequence[RemoteId]) -> dict[RemoteId, int]:
        found: dict[RemoteId, int] = {}
        for remote in remotes:
            for (times,) in self._rows("SELECT times FROM reading WHERE remote = ?", (remote,)):
                found[remote] = times
        return found

    async def remote_without_body(
        self,
        account: AccountId,
        limit: int = 1_000_000,
        *,
        below: Worth = Worth.CONFIRMATION,
        confirming: bool = False,
    ) -> list[RemoteRow]:
        which, by_worth = ("=", "") if confirming else ("<", "worth, ")
        return self._remotes(
            f"account = ? AND {_BODILESS} AND worth {which} ?",
            (account, Worth.CONFIRMATION if confirming else below, limit),
            f"{by_worth}rank DESC, id LIMIT ?",
        )

    async def remote_to_show(self, account: AccountId, limit: int) -> list[RemoteRow]:
        return self._remotes(
            f"account = ? AND {_BODILESS} AND worth = ? AND content IS NULL",
            (account, Worth.CONFIRMATION, limit),
            "rank, id LIMIT ?",
        )

    async def remote_unjudged(self, account: AccountId, limit: int) -> list[RemoteRow]:
        return self._remotes(
            f"account = ? AND {_BODILESS} AND worth IS NULL",
            (account, limit),
            "rank, id LIMIT ?",
        )

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

    async def remote_of_content(self, account: AccountId, content: ContentId) -> RemoteRow | None:
        rows = self._remotes("content = ? AND account = ? AND gone_at IS NULL", (content, account))
        return rows[0] if rows else None

    async def gone_remote(
        self, account: AccountId, fingerprint: bytes, body_sha256: bytes
    ) -> RemoteRow | None:
        rows = self._remotes(
            "account = ? AND fingerprint = ? AND gone_at IS NOT NULL AND body_sha256 = ?"
            " AND gone_how = '' AND content IS NOT NULL",
            (account, fingerprint, body_sha256),
            "gone_at DESC, id LIMIT 1",
        )
        return next(iter(rows), None)

    async def oldest_bodiless(self, account: AccountId, limit: int) -> list[RemoteRow]:
        return self._remotes(
            f"account = ? AND {_BODILESS} AND coalesce(worth, 0) < ?",
            (account, Worth.CONFIRMATION, limit),
            "first_seen, id LIMIT ?",
        )

    async def deletions(self, account: AccountId, state: DeletionState) -> list[DeletionRow]:
        rows = self._rows(
            f"SELECT {_ROW}, requested_at, state, reason, asked_after, alike FROM deletion"  # noqa: S608
            " JOIN remote ON remote.id = deletion.remote WHERE account = ? AND state = ?"
            " ORDER BY requested_at, remote.id",
            (account, state.value),
        )
        return [
            DeletionRow(
                _remote(row),
                _time(row[19]),
                DeletionState(row[20]),
                row[21],
                None if row[22] is None else RemoteId(row[22]),
                row[23],
            )
            for row in rows
        ]

    async def unclaimed_acceptances(
        self, account: AccountId, since: datetime, until: datetime
    ) -> list[Acceptance]:
        rows = self._rows(
            "SELECT id, code, stripped_subject, received_at, recipients, sender, readable"
            " FROM remote"
            " WHERE account = ? AND kind = 'acceptance' AND submission IS NULL"
            " AND received_at BETWEEN ? AND ? ORDER BY received_at, id",
            (account, _number(since), _number(until)),
        )
        return [
            Acceptance(
                RemoteId(row[0]),
                row[1],
                row[2],
                _time(row[3]),
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
                _time(row[3]),
                tuple(json.loads(row[4])),
                row[5],
                tuple(json.loads(row[6])),
                ReceiptBasis(row[7]),
            )
            for row in rows
        ]

    async def alarms(self, account: AccountId | None = None) -> list[AlarmRow]:
        rows = self._rows(
            f"SELECT {_ALARM} FROM alarm"  # noqa: S608
            " WHERE cleared_at IS NULL AND account = coalesce(?, account) ORDER BY raised_at",
            (account,),
        )
        return [_alarm(row) for row in rows]

    async def alarm(self, account: AccountId, kind: str, key: str) -> AlarmRow | None:
        row = self._row(
            f"SELECT {_ALARM} FROM alarm WHERE account = ? AND kind = ? AND key = ?",  # noqa: S608
            (account, kind, key),
        )
        return None if row is None else _alarm(row)

    async def alarm_keys(self, account: AccountId, kind: str, begin: str) -> list[str]:
        rows = self._rows(
            "SELECT key FROM alarm WHERE account = ? AND kind = ? AND key >= ? AND key < ?"
            " AND cleared_at IS NULL",
            (account, kind, begin, begin + chr(sys.maxunicode)),
        )
        return [key for (key,) in rows]

    async def sync_state(self, account: AccountId) -> str:
        row = self._row("SELECT state FROM sync_state WHERE account = ?", (account,))
        return row[0] if row else ""

    async def requests_made(self, account: AccountId, day: date) -> dict[str, int]:
        return dict(
            self._rows(
                "SELECT purpose, made FROM request_use WHERE account = ? AND day = ?",
                (account, day.isoformat()),
            )
        )


class SqliteRemote(SqliteRemoteReads):
    """``store.remote.RemoteWrites``, and the reads."""

    async def add_remote(self, row: NewRemote) -> RemoteId:
        received_at = None if row.received_at is None else _number(row.received_at)
        return RemoteId(
            self._insert(
                "INSERT INTO remote (account, fingerprint, api_id, raw, sender, recipient,"
                " date_text, subject, received_at, first_seen, rank, turn)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    row.account,
                    row.fingerprint,
                    row.api_id,
                    row.raw,
                    row.sender,
                    row.recipient,
                    row.date_text,
                    row.subject,
                    received_at,
                    _number(row.first_seen),
                    row.rank,
                    row.turn,
                ),
            )
        )

    async def place_remote(self, places: Sequence[tuple[RemoteId, str]], turn: int) -> None:
        self._connection.executemany(
            "UPDATE remote SET api_id = ?, turn = ?, drift_least = 0, drift_most = 0 WHERE id = ?",
            [(api_id, turn, remote) for remote, api_id in places],
        )

    async def drift_remote(
        self, drifts: Sequence[tuple[RemoteId, tuple[int, int]]], turn: int
    ) -> None:
        self._connection.executemany(
            "UPDATE remote SET drift_least = ?, drift_most = ?, turn = ? WHERE id = ?",
            [(least, most, turn, remote) for remote, (least, most) in drifts],
        )

    async def rank_remote(self, ranks: Sequence[tuple[RemoteId, float]]) -> None:
        self._connection.executemany(
            "UPDATE remote SET rank = ? WHERE id = ?",
            [(rank, remote) for remote, rank in ranks],
        )

    async def raise_remote(self, account: AccountId, cut: float, by: float) -> None:
        self._connection.execute(
            "UPDATE remote SET rank = rank + ? WHERE account = ? AND gone_at IS NULL AND rank >= ?",
            (by, account, cut),
        )

    async def keep_remote_body(
        self, remote: RemoteId, body: RowText, sha256: bytes, content: ContentId
    ) -> None:
        kept = body if isinstance(body, str) else ""
        self._insert("INSERT OR REPLACE INTO remote_body VALUES (?, ?)", (remote, kept))
        if not isinstance(body, str):
            self._fill("remote_body", "body", remote, body, kind="TEXT")
        self._row(
            "UPDATE remote SET body_sha256 = ?, content = ? WHERE id = ?",
            (sha256, content, remote),
        )

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

    async def show_remote(self, remote: RemoteId, content: ContentId) -> None:
        self._row(
            "UPDATE remote SET content = ?, worth = ? WHERE id = ?",
            (content, Worth.SHOWN, remote),
        )

    async def judge_remote(self, remote: RemoteId, worth: Worth, code: str | None) -> None:
        self._row(
            "UPDATE remote SET worth = ?, listed_code = ? WHERE id = ?", (worth, code, remote)
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

    async def begin_reading(self, remotes: Sequence[RemoteId]) -> None:
        for remote in remotes:
            self._row(
                "INSERT INTO reading VALUES (?, 1)"
                " ON CONFLICT (remote) DO UPDATE SET times = times + 1",
                (remote,),
            )

    async def end_reading(self, remotes: Sequence[RemoteId]) -> None:
        for remote in remotes:
            self._row("DELETE FROM reading WHERE remote = ?", (remote,))

    async def mark_remote_gone(
        self,
        remote: RemoteId,
        at: datetime,
        *,
        deleted: bool = False,
        left_inbox: LeftInbox | None = None,
    ) -> None:
        self._row(
            "UPDATE remote SET gone_at = ?, gone_how = ?, left_inbox = ?"
            " WHERE id = ? AND gone_at IS NULL",
            (_number(at), "deleted" if deleted else "", _dump_left(left_inbox), remote),
        )

    async def return_remote(self, old: RemoteId, new: RemoteId) -> LeftInbox | None:
        (left,) = self._row("SELECT left_inbox FROM remote WHERE id = ?", (old,))
        self._row(
            "UPDATE remote SET gone_at = NULL, gone_how = '', left_inbox = NULL,"
            " (api_id, rank, turn, drift_least, drift_most) = (SELECT api_id, rank, turn,"
            " drift_least, drift_most FROM remote WHERE id = ?2) WHERE id = ?1",
            (old, new),
        )
        self._row("DELETE FROM remote WHERE id = ?", (new,))
        return _load_left(left)

    async def record_deletion_intent(
        self, account: AccountId, content: ContentId, at: datetime
    ) -> bool:
        rows = self._rows(
            "INSERT INTO deletion (remote, requested_at, state)"
            " SELECT id, ?, ? FROM remote WHERE account = ? AND content = ? AND gone_at IS NULL"
            " ON CONFLICT (remote) DO UPDATE SET requested_at = excluded.requested_at,"
            " state = excluded.state, reason = '', settled_at = NULL, asked_after = NULL"
            " RETURNING remote",
            (_number(at), DeletionState.WANTED.value, account, content),
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
            (state.value, reason, _number(at), remote),
        )

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
                _number(receipt.at),
                json.dumps(list(receipt.addresses)),
                receipt.detail,
                json.dumps(list(receipt.ordinary)),
                receipt.basis.value,
            ),
        )
        return bool(rows)

    async def add_alarm(
        self, account: AccountId, kind: str, key: str, text: str, at: datetime
    ) -> bool:
        rows = self._rows(
            "INSERT INTO alarm (account, kind, key, text, raised_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET text = excluded.text, raised_at = excluded.raised_at,"
            " cleared_at = NULL, notice = NULL, told_at = NULL, acknowledged_at = NULL"
            " WHERE alarm.cleared_at IS NOT NULL RETURNING kind",
            (account, kind, key, text, _number(at)),
        )
        return bool(rows)

    async def clear_alarm(self, account: AccountId, kind: str, key: str, at: datetime) -> bool:
        rows = self._rows(
            "UPDATE alarm SET cleared_at = ? WHERE account = ? AND kind = ? AND key = ?"
            " AND cleared_at IS NULL RETURNING kind",
            (_number(at), account, kind, key),
        )
        return bool(rows)

    async def acknowledge_alarm(
        self, account: AccountId, kind: str, key: str, at: datetime
    ) -> bool:
        rows = self._rows(
            "UPDATE alarm SET acknowledged_at = ? WHERE account = ? AND kind = ? AND key = ?"
            " AND cleared_at IS NULL AND acknowledged_at IS NULL RETURNING kind",
            (_number(at), account, kind, key),
        )
        return bool(rows)

    async def renew_alarm(self, account: AccountId, kind: str, key: str, text: str) -> None:
        self._row(
            "UPDATE alarm SET text = ? WHERE account = ? AND kind = ? AND key = ?",
            (text, account, kind, key),
        )

    async def keep_alarm_notice(
        self, account: AccountId, kind: str, key: str, content: ContentId, at: datetime
    ) -> None:
        self._row(
            "UPDATE alarm SET notice = ?, told_at = ? WHERE account = ? AND kind = ? AND key = ?",
            (content, _number(at), account, kind, key),
        )

    async def set_sync_state(self, account: AccountId, state: str) -> None:
        self._row("INSERT OR REPLACE INTO sync_state VALUES (?, ?)", (account, state))

    async def record_requests_made(
        self, account: AccountId, day: date, purpose: str, count: int
    ) -> None:
        self._row(
            "DELETE FROM request_use WHERE account = ? AND day < ?",
            (account, (day - REQUESTS_KEPT).isoformat()),
        )
        self._row(
            "INSERT OR REPLACE INTO request_use VALUES (?, ?, ?, ?)",
            (account, day.isoformat(), purpose, count),
        )

    async def drop_archived_bodies(self, before: datetime, limit: int) -> int:
        rows = self._rows(
            "DELETE FROM remote WHERE id IN (SELECT id FROM remote WHERE gone_at < ? LIMIT ?)"
            " RETURNING content",
            (_number(before), limit),
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO orphan SELECT id, ? FROM content WHERE id = ?"
            " AND NOT EXISTS (SELECT 1 FROM message WHERE content = content.id)",
            [(int(before.timestamp()), content) for (content,) in rows if content is not None],
        )
        return len(rows)
