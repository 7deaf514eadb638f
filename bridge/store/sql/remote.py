"""The API's rows in SQL: statements and nothing else (see ``store.remote``)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from math import inf
from typing import Any

from bridge.model import AccountId, ContentId, Flag, QueueId, RowText
from bridge.store.remote import (
    LeftInbox,
    NewRemote,
    Place,
    RemoteCount,
    RemoteId,
    RemoteRow,
    RowsSeen,
    Worth,
)
from bridge.store.sql.engine import Area
from bridge.store.sql.times import aware, micros, optional_time

REMOTE = (
    "remote.id, account, fingerprint, api_id, sender, recipient, date_text, subject, received_at,"
    " first_seen, body_sha256, content, gone_at, kind, code, submission, rank,"
    " readable, worth"
)
_BODILESS = "body_sha256 IS NULL AND gone_at IS NULL"
_OWED = f"{_BODILESS} AND coalesce(worth, 0) < {Worth.CONFIRMATION:d}"  # as the index says
_RETURNABLE = "gone_at IS NOT NULL AND gone_how = '' AND content IS NOT NULL"
_PLACE = "id, fingerprint, api_id, rank, body_sha256, turn, drift_least, drift_most"

NAMES_AT_ONCE = 50
"""How many fingerprints a statement asks for: a page of rows, and some more."""


def remote_row(row: Sequence[Any]) -> RemoteRow:
    """Return what ``REMOTE`` selects."""
    return RemoteRow(
        id=RemoteId(row[0]),
        account=AccountId(row[1]),
        fingerprint=row[2],
        api_id=row[3],
        sender=row[4],
        recipient=row[5],
        date_text=row[6],
        subject=row[7],
        received_at=optional_time(row[8]),
        first_seen=aware(row[9]),
        body_sha256=row[10],
        content=None if row[11] is None else ContentId(row[11]),
        gone_at=optional_time(row[12]),
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


class SqlRemoteReads(Area):
    """``store.remote.RemoteReads``."""

    def _remotes(
        self, condition: str, values: Sequence[object], order: str = "id"
    ) -> list[RemoteRow]:
        statement = f"SELECT {REMOTE} FROM remote WHERE {condition} ORDER BY {order}"  # noqa: S608
        return [remote_row(row) for row in self._rows(statement, values)]

    def _named(
        self, columns: str, account: AccountId, names: Sequence[bytes], condition: str
    ) -> Iterator[Any]:
        """Give rows by their fingerprints, many of these a statement."""
        distinct = list(dict.fromkeys(names))
        for start in range(0, len(distinct), NAMES_AT_ONCE):
            some = distinct[start : start + NAMES_AT_ONCE]
            if len(some) > 1:  # the same statement for any number of them
                some += some[-1:] * (NAMES_AT_ONCE - len(some))
            yield from self._rows(
                f"SELECT {columns} FROM remote WHERE account = ?"  # noqa: S608
                f" AND fingerprint IN ({', '.join('?' * len(some))}) AND {condition}",
                (account, *some),
            )

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
            "SELECT count(*), count(*) FILTER (WHERE worth >= ?),"
            " count(*) FILTER (WHERE worth >= ?)"
            " FROM remote WHERE account = ? AND first_seen > ?",
            (Worth.FAILURE, Worth.RECEIPT, account, micros(since)),
        )
        return RowsSeen(*counts)

    async def places_of(self, account: AccountId, fingerprints: Sequence[bytes]) -> list[Place]:
        rows = self._named(_PLACE, account, fingerprints, "gone_at IS NULL")
        places = list(map(_place, rows))
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

    async def remotes_of(self, remotes: Sequence[RemoteId]) -> dict[RemoteId, RemoteRow]:
        if not remotes:
            return {}
        return {row.id: row for row in self._remotes(*self._engine.among("id", sorted(remotes)))}

    async def remote_body(self, remote: RemoteId) -> str | None:
        row = self._row("SELECT body FROM remote_body WHERE remote = ?", (remote,))
        return self._engine.text_kept(row[0]) if row else None

    async def remote_body_slice(self, remote: RemoteId, start: int, length_bytes: int) -> bytes:
        return self._engine.slice("remote_body", "body", remote, start, length_bytes)

    async def remote_raw(self, remote: RemoteId) -> str | None:
        row = self._row("SELECT raw FROM remote WHERE id = ?", (remote,))
        return row[0] if row else None

    async def readings(self, remotes: Sequence[RemoteId]) -> dict[RemoteId, int]:
        if not remotes:
            return {}
        condition, values = self._engine.among("remote", sorted(remotes))
        rows = self._rows(f"SELECT remote, times FROM reading WHERE {condition}", values)  # noqa: S608
        return {RemoteId(remote): times for remote, times in rows}

    async def remote_without_body(
        self,
        account: AccountId,
        limit: int = 1_000_000,
        *,
        below: Worth = Worth.CONFIRMATION,
        confirming: bool = False,
        besides: Collection[RemoteId] = (),
    ) -> list[RemoteRow]:
        which, by_worth = ("=", "") if confirming else ("<", "worth, ")
        condition = f"account = ? AND {_BODILESS} AND worth {which} ?"
        values: list[object] = [account, Worth.CONFIRMATION if confirming else below]
        if besides:
            listed, those = self._engine.listed(sorted(besides))
            condition += f" AND id NOT IN {listed}"
            values += those
        return self._remotes(condition, (*values, limit), f"{by_worth}rank DESC, id LIMIT ?")

    async def remote_to_show(self, account: AccountId, limit: int) -> list[RemoteRow]:
        return self._remotes(
            f"account = ? AND {_BODILESS} AND worth = ? AND content IS NULL",
            (account, Worth.CONFIRMATION, limit),
            "rank, id DESC LIMIT ?",  # as ``remote_by_worth`` goes, backwards
        )

    async def remote_unjudged(self, account: AccountId, limit: int) -> list[RemoteRow]:
        return self._remotes(
            f"account = ? AND {_BODILESS} AND worth IS NULL",
            (account, limit),
            "rank, id LIMIT ?",
        )

    async def remote_of_content(self, account: AccountId, content: ContentId) -> RemoteRow | None:
        rows = self._remotes("content = ? AND account = ? AND gone_at IS NULL", (content, account))
        return rows[0] if rows else None

    async def gone_remote(
        self, account: AccountId, fingerprint: bytes, body_sha256: bytes
    ) -> RemoteRow | None:
        rows = self._remotes(
            f"account = ? AND fingerprint = ? AND body_sha256 = ? AND {_RETURNABLE}",
            (account, fingerprint, body_sha256),
            "gone_at DESC, id LIMIT 1",
        )
        return next(iter(rows), None)

    async def gone_names(self, account: AccountId, fingerprints: Sequence[bytes]) -> set[bytes]:
        return {name for (name,) in self._named("fingerprint", account, fingerprints, _RETURNABLE)}

    async def oldest_bodiless(self, account: AccountId, limit: int) -> list[RemoteRow]:
        return self._remotes(f"account = ? AND {_OWED}", (account, limit), "first_seen, id LIMIT ?")


class SqlRemote(SqlRemoteReads):
    """``store.remote.RemoteWrites``, and the reads."""

    async def add_remote(self, row: NewRemote) -> RemoteId:
        received_at = None if row.received_at is None else micros(row.received_at)
        return RemoteId(
            self._engine.insert(
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
                    micros(row.first_seen),
                    row.rank,
                    row.turn,
                ),
            )
        )

    async def place_remote(self, places: Sequence[tuple[RemoteId, str]], turn: int) -> None:
        self._engine.each(
            "UPDATE remote SET api_id = ?, turn = ?, drift_least = 0, drift_most = 0 WHERE id = ?",
            [(api_id, turn, remote) for remote, api_id in places],
        )

    async def drift_remote(
        self, drifts: Sequence[tuple[RemoteId, tuple[int, int]]], turn: int
    ) -> None:
        self._engine.each(
            "UPDATE remote SET drift_least = ?, drift_most = ?, turn = ? WHERE id = ?",
            [(least, most, turn, remote) for remote, (least, most) in drifts],
        )

    async def rank_remote(self, ranks: Sequence[tuple[RemoteId, float]]) -> None:
        self._engine.each(
            "UPDATE remote SET rank = ? WHERE id = ?",
            [(rank, remote) for remote, rank in ranks],
        )

    async def raise_remote(self, account: AccountId, cut: float, by: float) -> None:
        self._change(
            "UPDATE remote SET rank = rank + ? WHERE account = ? AND gone_at IS NULL AND rank >= ?",
            (by, account, cut),
        )

    async def keep_remote_body(
        self, remote: RemoteId, body: RowText, sha256: bytes, content: ContentId
    ) -> None:
        kept = self._engine.kept_text(body if isinstance(body, str) else "")
        self._row(
            "INSERT INTO remote_body VALUES (?, ?)"
            " ON CONFLICT (remote) DO UPDATE SET body = excluded.body",
            (remote, kept),
        )
        if not isinstance(body, str):
            self._engine.fill("remote_body", "body", remote, body)
        self._row(
            "UPDATE remote SET body_sha256 = ?, content = ? WHERE id = ?",
            (sha256, content, remote),
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

    async def begin_reading(self, remotes: Sequence[RemoteId]) -> None:
        for remote in remotes:
            self._row(
                "INSERT INTO reading VALUES (?, 1)"
                " ON CONFLICT (remote) DO UPDATE SET times = reading.times + 1",
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
            (micros(at), "deleted" if deleted else "", _dump_left(left_inbox), remote),
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

    async def drop_archived_bodies(self, before: datetime, limit: int) -> int:
        rows = self._rows(
            "DELETE FROM remote WHERE id IN (SELECT id FROM remote WHERE gone_at < ? LIMIT ?)"
            " RETURNING content",
            (micros(before), limit),
        )
        self._engine.each(
            "INSERT INTO orphan SELECT id, ? FROM content WHERE id = ?"
            " AND NOT EXISTS (SELECT 1 FROM message WHERE content = content.id)"
            " ON CONFLICT (content) DO UPDATE SET at = excluded.at",
            [(int(before.timestamp()), content) for (content,) in rows if content is not None],
        )
        return len(rows)
