"""Mailboxes and messages in SQLite: SQL and nothing else (see ``store.messages``)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from bridge.mime.grammar.header import header_fields
from bridge.mime.ingest import Ingested
from bridge.model import (
    AccountId,
    ContentId,
    Flag,
    Flags,
    Mailbox,
    MailboxId,
    MessageRow,
    ModSeq,
    SpecialUse,
    Uid,
)
from bridge.store.messages import IndexRow, MessageCopy, Part, SortRow, TextField
from bridge.store.sqlite.area import Area
from bridge.store.sqlite.bodysearch import forget_body, index_bodies, matching_bodies
from bridge.store.sqlite.renewal import renew_content

_MAILBOX = "id, account, name, uid_validity, uid_next, highest_modseq, special_use"
_MESSAGE = "uid, modseq, flags, internal_date, zone_minutes, saved_at, size_bytes, content"
_TABLE_OF = {
    Part.ENVELOPE: "content_structure",
    Part.BODY: "content_structure",
    Part.BODYSTRUCTURE: "content_structure",
    Part.PARTS: "content_structure",
    Part.HEADER: "content_header",
    Part.RAW: "content_raw",
    Part.PREVIEW: "content",
}
SORT_CHARS = 1000
"""What is read of a text to sort by: a thousand messages' are in memory at once."""

REFERENCES_CHARS = 20_000
"""The same of a message's references, the last of which say most."""

_SORT = (
    f"id, message_id, substr(reference_ids, -{REFERENCES_CHARS}), sent_at, "
    + "".join(
        f"substr({text}, 1, {SORT_CHARS}), "
        for text in (
            "base_subject",
            "from_mailbox",
            "to_mailbox",
            "cc_mailbox",
            "from_display",
            "to_display",
        )
    )
    + "is_reply"
)

KEPT_FIELDS_BYTES = 4 * 1024
"""Longer ones are picked out of the header each time: many are read at once."""

# One statement for all tables of a content, through a view: each statement more would hand the
# interpreter's lock to the event loop and wait to get it back.
_ADD_CONTENT = (
    "INSERT INTO whole_content (id, account, sha256, size_bytes, message_id, reference_ids, "
    "sent_at, sent_on, base_subject, from_mailbox, to_mailbox, cc_mailbox, from_display, "
    "to_display, is_reply, preview, envelope, body, bodystructure, parts, header, raw, subject, "
    "sender, recipient, cc, bcc, header_text, is_whole, body_text) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
    "?, ?)"
)


@lru_cache(maxsize=4096)
def join_flags(flags: Flags) -> str:
    """Return flags as they are stored: sorted, blanks between."""
    return " ".join(sorted(flags))


@lru_cache(maxsize=4096)
def split_flags(joined: str) -> Flags:
    """Return the flags ``join_flags`` wrote."""
    return frozenset(Flag(name) for name in joined.split())


def _mailbox(row: tuple[Any, ...]) -> Mailbox:
    number, account, name, uid_validity, uid_next, modseq, special_use = row
    return Mailbox(
        MailboxId(number),
        AccountId(account),
        name,
        uid_validity,
        Uid(uid_next),
        ModSeq(modseq),
        SpecialUse(special_use) if special_use else None,
    )


def message_row(row: IndexRow) -> MessageRow:
    """Return the message an index row stands for."""
    uid, modseq, flags, internal_date, zone_minutes, saved_at, size_bytes, content = row
    zone = timezone(timedelta(minutes=zone_minutes))
    return MessageRow(
        Uid(uid),
        ModSeq(modseq),
        split_flags(flags),
        datetime.fromtimestamp(internal_date, zone),
        datetime.fromtimestamp(saved_at, UTC),
        size_bytes,
        ContentId(content),
    )


def _index_row(row: MessageRow) -> IndexRow:
    offset = row.internal_date.utcoffset() or timedelta()
    return (
        row.uid,
        row.modseq,
        join_flags(row.flags),
        int(row.internal_date.timestamp()),
        int(offset.total_seconds() // 60),
        int(row.saved_at.timestamp()),
        row.size_bytes,
        row.content,
    )


def _sort_row(row: tuple[Any, ...]) -> SortRow:
    content, message_id, references, sent_at, base_subject, *addresses, is_reply = row
    from_mailbox, to_mailbox, cc_mailbox, from_display, to_display = addresses
    return SortRow(
        ContentId(content),
        message_id,
        _references(references),
        sent_at,
        base_subject,
        from_mailbox,
        to_mailbox,
        cc_mailbox,
        from_display,
        to_display,
        bool(is_reply),
    )


def _references(joined: str) -> tuple[str, ...]:
    """Return what a message refers to; the first one may be cut, and is left out then."""
    references = tuple(joined.split("\n")) if joined else ()
    return references[1:] if len(joined) == REFERENCES_CHARS else references


def _content_row(message: Ingested) -> tuple[object, ...]:
    """Return a text and all its pieces in the order of ``_ADD_CONTENT``, from ``sha256`` on."""
    sort, search = message.sort, message.search
    return (
        message.sha256,
        message.size_bytes,
        message.message_id,
        "\n".join(message.references),
        message.sent_at,
        message.sent_on.isoformat() if message.sent_on else None,
        sort.base_subject,
        sort.from_mailbox,
        sort.to_mailbox,
        sort.cc_mailbox,
        sort.from_display,
        sort.to_display,
        sort.is_reply,
        message.preview,
        message.imap_envelope,
        message.imap_body,
        message.imap_bodystructure,
        message.parts,
        message.header,
        message.raw if isinstance(message.raw, bytes) else b"",
        search.subject,
        search.sender,
        search.to,
        search.cc,
        search.bcc,
        search.header,
        search.body_is_whole,
        search.body,
    )


@lru_cache(maxsize=64)
def _pieces_statement(parts: tuple[Part, ...], condition: str) -> str:
    tables = list(dict.fromkeys(_TABLE_OF[part] for part in parts))
    key = {table: "id" if table == "content" else "content" for table in tables}
    first, *others = tables
    joins = "".join(
        f" JOIN {table} ON {table}.{key[table]} = {first}.{key[first]}" for table in others
    )
    columns = ", ".join(f"{_TABLE_OF[part]}.{part.value}" for part in parts)
    where = condition.replace("key.content", f"{first}.{key[first]}")
    return (
        f"SELECT {first}.{key[first]}, {columns} FROM {first}{joins}"  # noqa: S608
        f" WHERE {where} ORDER BY 1"
    )


def _among(column: str, numbers: Sequence[int]) -> tuple[str, tuple[object, ...]]:
    """Return a condition that picks ``numbers``; neighbours are asked for as one range."""
    if len(numbers) == 1:
        return f"{column} = ?", (numbers[0],)
    first, last = min(numbers), max(numbers)
    if last - first + 1 == len(set(numbers)):
        return f"{column} BETWEEN ? AND ?", (first, last)
    return f"{column} IN (SELECT value FROM json_each(?))", (json.dumps(list(numbers)),)  # noqa: S608


def _fitting(rows: sqlite3.Cursor, most_bytes: int) -> list[tuple[object, ...]]:
    """Return the first row, and those after it that ``most_bytes`` have room for."""
    found: list[tuple[object, ...]] = []
    size_bytes = 0
    for row in rows:
        size_bytes += sum(map(len, row[1:]))
        if found and size_bytes > most_bytes:
            break
        found.append(row)
    rows.close()
    return found


class SqliteMessageReads(Area):
    """``store.messages.MessageReads``."""

    async def account(self, address: str) -> AccountId | None:
        row = self._row("SELECT id FROM account WHERE address = ?", (address,))
        return AccountId(row[0]) if row else None

    async def accounts(self) -> list[AccountId]:
        return [AccountId(id) for (id,) in self._rows("SELECT id FROM account ORDER BY id")]

    async def address(self, account: AccountId) -> str | None:
        row = self._row("SELECT address FROM account WHERE id = ?", (account,))
        return str(row[0]) if row else None

    async def mailboxes(self, account: AccountId) -> tuple[Mailbox, ...]:
        statement = f"SELECT {_MAILBOX} FROM mailbox WHERE account = ? ORDER BY name"  # noqa: S608
        return tuple(map(_mailbox, self._rows(statement, (account,))))

    async def mailbox(self, mailbox: MailboxId) -> Mailbox | None:
        row = self._row(f"SELECT {_MAILBOX} FROM mailbox WHERE id = ?", (mailbox,))  # noqa: S608
        return _mailbox(row) if row else None

    async def mailbox_named(self, account: AccountId, name: str) -> Mailbox | None:
        statement = f"SELECT {_MAILBOX} FROM mailbox WHERE account = ? AND name = ?"  # noqa: S608
        row = self._row(statement, (account, name))
        return _mailbox(row) if row else None

    async def recent_from(self, mailbox: MailboxId) -> Uid:
        row = self._row("SELECT recent_from FROM mailbox WHERE id = ?", (mailbox,))
        return Uid(row[0] if row else 1)

    async def subscriptions(self, account: AccountId) -> tuple[str, ...]:
        statement = "SELECT name FROM subscription WHERE account = ? ORDER BY name"
        return tuple(name for (name,) in self._rows(statement, (account,)))

    async def index_rows(
        self, mailbox: MailboxId, *, after: int = 0, limit: int | None = None
    ) -> list[IndexRow]:
        statement = (
            f"SELECT {_MESSAGE} FROM message WHERE mailbox = ? AND uid > ?"  # noqa: S608
            " ORDER BY uid LIMIT ?"
        )
        return self._rows(statement, (mailbox, after, -1 if limit is None else limit))

    async def message_row(self, mailbox: MailboxId, uid: Uid) -> MessageRow | None:
        statement = f"SELECT {_MESSAGE} FROM message WHERE mailbox = ? AND uid = ?"  # noqa: S608
        row = self._row(statement, (mailbox, uid))
        return message_row(row) if row else None

    async def message_rows(self, mailbox: MailboxId, uids: Sequence[Uid]) -> list[MessageRow]:
        if not uids:
            return []
        condition, values = _among("uid", uids)
        rows = self._rows(
            f"SELECT {_MESSAGE} FROM message WHERE mailbox = ? AND {condition}"  # noqa: S608
            " ORDER BY uid",
            (mailbox, *values),
        )
        return list(map(message_row, rows))

    async def flags_of(
        self, mailbox: MailboxId, uids: Sequence[Uid]
    ) -> dict[Uid, tuple[ModSeq, Flags]]:
        if not uids:
            return {}
        condition, values = _among("uid", uids)
        rows = self._rows(
            f"SELECT uid, modseq, flags FROM message WHERE mailbox = ? AND {condition}"  # noqa: S608
            " ORDER BY uid",
            (mailbox, *values),
        )
        return {Uid(uid): (ModSeq(modseq), split_flags(flags)) for uid, modseq, flags in rows}

    async def expunged_since(self, mailbox: MailboxId, modseq: ModSeq) -> tuple[Uid, ...]:
        statement = "SELECT uid FROM expunged WHERE mailbox = ? AND modseq > ? ORDER BY uid"
        return tuple(Uid(uid) for (uid,) in self._rows(statement, (mailbox, modseq)))

    async def uid_by_message_id(self, mailbox: MailboxId, message_id: str) -> Uid | None:
        row = self._row(
            # CROSS: by the Message-ID first; left alone, SQLite walks through the whole mailbox
            "SELECT min(message.uid) FROM content CROSS JOIN message"
            " ON message.content = content.id"
            " WHERE content.message_id = ? AND message.mailbox = ?",
            (message_id, mailbox),
        )
        return None if row[0] is None else Uid(row[0])

    async def content_by_digest(self, account: AccountId, sha256: bytes) -> ContentId | None:
        row = self._row(
            "SELECT id FROM content WHERE account = ? AND sha256 = ?", (account, sha256)
        )
        return ContentId(row[0]) if row else None

    async def copies(self, content: ContentId) -> tuple[MessageCopy, ...]:
        statement = "SELECT mailbox, uid FROM message WHERE content = ? ORDER BY mailbox, uid"
        return tuple(
            MessageCopy(MailboxId(mailbox), Uid(uid))
            for mailbox, uid in self._rows(statement, (content,))
        )

    async def unshown(self, contents: Sequence[ContentId]) -> list[ContentId]:
        rows = self._rows(
            "SELECT value FROM json_each(?) AS asked WHERE NOT EXISTS"
            " (SELECT 1 FROM message WHERE message.content = asked.value) ORDER BY value",
            (json.dumps(contents),),
        )
        return [ContentId(content) for (content,) in rows]

    async def pieces(
        self,
        contents: Sequence[ContentId],
        parts: Sequence[Part],
        most_bytes: int | None = None,
    ) -> list[tuple[object, ...]]:
        if not contents:
            return []
        condition, values = _among("key.content", contents)
        statement = _pieces_statement(tuple(parts), condition)
        if most_bytes is None:
            return self._rows(statement, values)
        return _fitting(self._connection.execute(statement, values), most_bytes)

    async def raw(self, content: ContentId, start: int, length_bytes: int) -> bytes:
        return self._slice("content_raw", "raw", content, start, length_bytes)

    async def stale_contents(self, limit: int) -> list[ContentId]:
        statement = "SELECT content FROM stale_content ORDER BY content DESC LIMIT ?"
        return [ContentId(content) for (content,) in self._rows(statement, (limit,))]

    async def header_sets(self) -> dict[str, int]:
        return dict(self._rows("SELECT names, id FROM header_set"))

    async def header_fields(
        self, header_set: int, contents: Sequence[ContentId]
    ) -> dict[ContentId, bytes]:
        if not contents:
            return {}
        condition, values = _among("content", contents)
        return dict(
            self._rows(
                "SELECT content, fields FROM header_fields"  # noqa: S608
                f" WHERE header_set = ? AND {condition} AND length(fields) <= ?",
                (header_set, *values, KEPT_FIELDS_BYTES),
            )
        )

    async def matching_text(
        self, mailbox: MailboxId, field: TextField, needle: str
    ) -> tuple[list[ContentId], list[ContentId]]:
        if field is TextField.BODY:
            return matching_bodies(self._connection, mailbox, needle)
        rows = self._rows(
            "SELECT DISTINCT message.content FROM message"  # noqa: S608
            " JOIN content_text ON content_text.content = message.content"
            f" WHERE message.mailbox = ? AND instr(char(10) || {field.value}, ?) > 0 ORDER BY 1",
            (mailbox, needle),
        )
        return [ContentId(content) for (content,) in rows], []

    async def field_texts(
        self, contents: Sequence[ContentId], field: TextField
    ) -> list[tuple[ContentId, str]]:
        if not contents:
            return []
        condition, values = _among("content", contents)
        return self._rows(
            f"SELECT content, {field.value} FROM content_text WHERE {condition}",  # noqa: S608
            values,
        )

    async def sent_days(self, contents: Sequence[ContentId]) -> list[tuple[ContentId, str]]:
        if not contents:
            return []
        condition, values = _among("id", contents)
        return self._rows(
            "SELECT id, sent_on FROM content"  # noqa: S608
            f" WHERE sent_on IS NOT NULL AND {condition}",
            values,
        )

    async def sort_rows(self, contents: Sequence[ContentId]) -> list[SortRow]:
        if not contents:
            return []
        condition, values = _among("id", contents)
        rows = self._rows(f"SELECT {_SORT} FROM content WHERE {condition}", values)  # noqa: S608
        return list(map(_sort_row, rows))


class SqliteMessages(SqliteMessageReads):
    """``store.messages.MessageWrites``, and the reads."""

    _header_sets: dict[str, int] | None = None
    """As they stand, once a content was added in this transaction."""

    async def add_account(self, address: str) -> AccountId:
        return AccountId(self._insert("INSERT INTO account (address) VALUES (?)", (address,)))

    async def add_mailbox(
        self, account: AccountId, name: str, special_use: SpecialUse | None, uid_validity: int
    ) -> Mailbox:
        (unique,) = self._row(
            "UPDATE uid_validity SET highest = max(highest + 1, ?) RETURNING highest",
            (uid_validity,),
        )
        number = self._insert(
            "INSERT INTO mailbox (account, name, uid_validity, special_use) VALUES (?, ?, ?, ?)",
            (account, name, unique, special_use.value if special_use else None),
        )
        mailbox = await self.mailbox(MailboxId(number))
        assert mailbox is not None  # noqa: S101 - it was just made
        return mailbox

    async def renew_uid_validities(self, least: int) -> None:
        self._row("UPDATE uid_validity SET highest = max(highest + 1, ?)", (least,))
        self._row(
            "UPDATE mailbox SET uid_validity = (SELECT highest FROM uid_validity) + "
            "(SELECT count(*) FROM mailbox AS other WHERE other.id < mailbox.id)"
        )
        self._row("UPDATE uid_validity SET highest = highest + (SELECT count(*) FROM mailbox)")

    async def rename_mailbox(self, mailbox: MailboxId, name: str) -> None:
        self._row("UPDATE mailbox SET name = ? WHERE id = ?", (name, mailbox))

    async def remove_mailbox(self, mailbox: MailboxId) -> None:
        self._row("DELETE FROM mailbox WHERE id = ?", (mailbox,))

    async def set_recent_from(self, mailbox: MailboxId, uid: Uid) -> None:
        self._row("UPDATE mailbox SET recent_from = ? WHERE id = ?", (uid, mailbox))

    async def add_subscription(self, account: AccountId, name: str) -> None:
        self._row("INSERT OR IGNORE INTO subscription VALUES (?, ?)", (account, name))

    async def remove_subscription(self, account: AccountId, name: str) -> None:
        self._row("DELETE FROM subscription WHERE account = ? AND name = ?", (account, name))

    async def add_content(self, account: AccountId, message: Ingested) -> ContentId:
        known, following = self._row(
            "SELECT (SELECT id FROM content WHERE account = ? AND sha256 = ?),"
            " (SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'content')",
            (account, message.sha256),
        )
        if known is not None:
            return ContentId(known)
        self._connection.execute(_ADD_CONTENT, (following, account, *_content_row(message)))
        if not isinstance(message.raw, bytes):
            self._fill("content_raw", "raw", following, message.raw)
        for names, number in self._known_header_sets().items():
            fields = header_fields(message.header, frozenset(names.encode().split()), negate=False)
            self._keep_fields(number, ((following, fields),))
        return ContentId(following)

    async def renew_content(self, content: ContentId, message: Ingested) -> None:
        renew_content(self._connection, content, message)

    async def mark_orphans(self, contents: Sequence[ContentId], at: datetime) -> None:
        moment = int(at.timestamp())
        self._connection.executemany(
            "INSERT OR REPLACE INTO orphan VALUES (?, ?)",
            [(content, moment) for content in contents],
        )

    async def drop_orphans(self, before: datetime, limit: int) -> int:
        dropped = 0
        statement = "SELECT content FROM orphan WHERE at < ? LIMIT ?"
        for (content,) in self._rows(statement, (int(before.timestamp()), limit)):
            self._row("DELETE FROM orphan WHERE content = ?", (content,))
            dropped += self._drop_content(content)
        return dropped

    def _drop_content(self, content: int) -> bool:
        self._connection.execute("SAVEPOINT content")
        try:
            forget_body(self._connection, content)
            self._row("DELETE FROM content WHERE id = ?", (content,))
        except sqlite3.IntegrityError:  # a copy, a submission or a row of the API needs it
            self._connection.execute("ROLLBACK TO content")
            return False
        finally:
            self._connection.execute("RELEASE content")
        return True

    async def append_message(
        self,
        mailbox: MailboxId,
        content: ContentId,
        size_bytes: int,
        flags: Flags,
        internal_date: datetime,
        saved_at: datetime,
    ) -> MessageRow | None:
        row = MessageRow(Uid(0), ModSeq(0), flags, internal_date, saved_at, size_bytes, content)
        _, _, *values = _index_row(row)
        numbers = self._row(
            "INSERT INTO last_message"
            " SELECT id, uid_next, highest_modseq + 1, ?, ?, ?, ?, ?, ? FROM mailbox WHERE id = ?"
            " RETURNING uid, modseq",
            (*values, mailbox),
        )
        if numbers is None:
            return None
        return replace(row, uid=Uid(numbers[0]), modseq=ModSeq(numbers[1]))

    async def add_messages(self, mailbox: MailboxId, rows: Sequence[MessageRow]) -> None:
        self._connection.executemany(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(mailbox, *_index_row(row)) for row in rows],
        )
        self._row(
            "UPDATE mailbox SET uid_next = max(uid_next, ?), highest_modseq ="
            " max(highest_modseq, ?) WHERE id = ?",
            (rows[-1].uid + 1, rows[-1].modseq, mailbox),
        )

    async def set_flags(
        self, mailbox: MailboxId, changes: Sequence[tuple[Uid, Flags]], modseq: ModSeq
    ) -> None:
        self._connection.executemany(
            "UPDATE message SET flags = ?, modseq = ? WHERE mailbox = ? AND uid = ?",
            [(join_flags(flags), modseq, mailbox, uid) for uid, flags in changes],
        )
        self._raise_modseq(mailbox, modseq)

    async def remove_messages(
        self, mailbox: MailboxId, uids: Sequence[Uid], modseq: ModSeq, at: datetime
    ) -> None:
        self._connection.executemany(
            "DELETE FROM message WHERE mailbox = ? AND uid = ?", [(mailbox, uid) for uid in uids]
        )
        moment = int(at.timestamp())
        self._connection.executemany(
            "INSERT INTO expunged VALUES (?, ?, ?, ?)",
            [(mailbox, uid, modseq, moment) for uid in uids],
        )
        self._raise_modseq(mailbox, modseq)

    async def index_bodies(self, limit: int) -> int:
        return index_bodies(self._connection, limit)

    async def add_header_set(self, names: str) -> int:
        self._header_sets = None
        row = self._row(
            "INSERT INTO header_set (names) VALUES (?)"
            " ON CONFLICT (names) DO UPDATE SET names = names RETURNING id",
            (names,),
        )
        return int(row[0])

    async def keep_header_fields(
        self, header_set: int, fields: Sequence[tuple[ContentId, bytes]]
    ) -> None:
        self._keep_fields(header_set, fields)

    def _keep_fields(self, header_set: int, fields: Iterable[tuple[int, bytes]]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO header_fields"
            " SELECT ?, id, ? FROM content WHERE id = ?",  # it may have gone meanwhile
            [
                (header_set, kept, content)
                for content, kept in fields
                if len(kept) <= KEPT_FIELDS_BYTES
            ],
        )

    def _known_header_sets(self) -> dict[str, int]:
        if self._header_sets is None:
            self._header_sets = dict(self._rows("SELECT names, id FROM header_set"))
        return self._header_sets

    def _raise_modseq(self, mailbox: MailboxId, modseq: ModSeq) -> None:
        self._row(
            "UPDATE mailbox SET highest_modseq = max(highest_modseq, ?) WHERE id = ?",
            (modseq, mailbox),
        )
