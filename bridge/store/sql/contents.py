"""Texts of messages in SQL, each once however many copies there are (see ``store.messages``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from bridge.mime.grammar.header import header_fields
from bridge.mime.ingest import Ingested
from bridge.model import (
    AccountId,
    ContentId,
    MailboxId,
)
from bridge.store.messages import Part, SortRow, TextField
from bridge.store.sql.renewal import SqlRenewal

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

_SORT_TEXTS = {
    "base_subject": f"substr(base_subject, 1, {SORT_CHARS})",
    "from_mailbox": f"substr(from_mailbox, 1, {SORT_CHARS})",
    "to_mailbox": f"substr(to_mailbox, 1, {SORT_CHARS})",
    "cc_mailbox": f"substr(cc_mailbox, 1, {SORT_CHARS})",
    "from_display": f"substr(from_display, 1, {SORT_CHARS})",
    "to_display": f"substr(to_display, 1, {SORT_CHARS})",
}
"""How each text of a ``SortRow`` is read; to read all of a thousand takes milliseconds."""

KEPT_FIELDS_BYTES = 4 * 1024
"""Longer ones are picked out of the header each time: many are read at once."""

CONTENT = (
    "account, sha256, size_bytes, message_id, reference_ids, sent_at, sent_on, base_subject, "
    "from_mailbox, to_mailbox, cc_mailbox, from_display, to_display, is_reply, preview, envelope, "
    "body, bodystructure, parts, header, raw, subject, sender, recipient, cc, bcc, header_text, "
    "is_whole, body_text"
)
"""A content with all its pieces, in the order in which an engine is handed their values."""


def _sort_row(row: tuple[Any, ...]) -> SortRow:
    content, message_id, sent_at, is_reply, references, *texts = row
    return SortRow(content, message_id, sent_at, bool(is_reply), _references(references), *texts)


@lru_cache(maxsize=64)
def _sort_columns(texts: frozenset[str], references: str) -> str:
    """Return what is selected for a ``SortRow``, in the order of its fields."""
    read = [column if name in texts else "''" for name, column in _SORT_TEXTS.items()]
    read.insert(0, references if "references" in texts else "''")
    return ", ".join(["id, message_id, sent_at, is_reply", *read])


def _references(joined: str) -> tuple[str, ...]:
    """Return what a message refers to; the first one may be cut, and is left out then."""
    references = tuple(joined.split("\n")) if joined else ()
    return references[1:] if len(joined) == REFERENCES_CHARS else references


def _content_row(message: Ingested) -> tuple[object, ...]:
    """Return a text and all its pieces in the order of ``CONTENT``, from ``sha256`` on."""
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
def _pieces_statement(parts: tuple[Part, ...], condition: str, *, limited: bool = False) -> str:
    """Return the statement for some parts; ``limited`` ones no longer than a value for each."""
    tables = list(dict.fromkeys(_TABLE_OF[part] for part in parts))
    key = {table: "id" if table == "content" else "content" for table in tables}
    first, *others = tables
    joins = "".join(
        f" JOIN {table} ON {table}.{key[table]} = {first}.{key[first]}" for table in others
    )
    columns = ", ".join(f"{_TABLE_OF[part]}.{part.value}" for part in parts)
    where = condition.replace("key.content", f"{first}.{key[first]}")
    if limited:
        where += "".join(f" AND length({_TABLE_OF[part]}.{part.value}) <= ?" for part in parts)
    return (
        f"SELECT {first}.{key[first]}, {columns} FROM {first}{joins}"  # noqa: S608
        f" WHERE {where} ORDER BY 1"
    )


class SqlContents(SqlRenewal):
    """Of ``store.messages``, what is about texts."""

    _header_sets: dict[str, int] | None = None
    """As they stand, once a content was added in this transaction."""

    async def content_by_digest(self, account: AccountId, sha256: bytes) -> ContentId | None:
        row = self._row(
            "SELECT id FROM content WHERE account = ? AND sha256 = ?", (account, sha256)
        )
        return ContentId(row[0]) if row else None

    async def pieces(
        self,
        contents: Sequence[ContentId],
        parts: Sequence[Part],
        most_bytes: int | None = None,
    ) -> list[tuple[object, ...]]:
        if not contents:
            return []
        condition, values = self._engine.among("key.content", contents)
        statement = _pieces_statement(tuple(parts), condition)
        if most_bytes is None:
            return self._rows(statement, values)
        usual_bytes = 4 * most_bytes // (len(contents) * len(parts))
        usual = _pieces_statement(tuple(parts), condition, limited=True)
        rows = self._rows(usual, (*values, *(usual_bytes for _ in parts)))
        if len(rows) == len(contents):
            return rows
        return self._engine.within(statement, values, most_bytes)

    async def raw(self, content: ContentId, start: int, length_bytes: int) -> bytes:
        return self._engine.slice("content_raw", "raw", content, start, length_bytes)

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
        condition, values = self._engine.among("content", contents)
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
            return self._engine.matching_bodies(mailbox, needle)
        condition = f"instr({field.value}, ?) > 0"
        values: list[object] = [needle]
        if needle.startswith("\n"):  # a line's beginning, the first one's too
            is_first, first = self._engine.begins(field.value, needle[1:])
            condition = f"({condition} OR {is_first})"
            values += first
        rows = self._rows(
            "SELECT DISTINCT message.content FROM message"  # noqa: S608
            " JOIN content_text ON content_text.content = message.content"
            f" WHERE message.mailbox = ? AND {condition} ORDER BY 1",
            (mailbox, *values),
        )
        return [ContentId(content) for (content,) in rows], []

    async def identified(
        self, mailbox: MailboxId, identification: str, limit: int
    ) -> list[ContentId]:
        rows = self._rows(
            "SELECT DISTINCT message.content FROM content_text"
            " JOIN message ON message.content = content_text.content"
            " WHERE identification IN (?, '')"
            " AND +message.mailbox = ?"  # +: not by all of the mailbox
            " ORDER BY 1 LIMIT ?",
            (identification, mailbox, limit),
        )
        return [ContentId(content) for (content,) in rows]

    async def field_texts(
        self, contents: Sequence[ContentId], field: TextField
    ) -> list[tuple[ContentId, str]]:
        if not contents:
            return []
        condition, values = self._engine.among("content", contents)
        return self._rows(
            f"SELECT content, {field.value} FROM content_text WHERE {condition}",  # noqa: S608
            values,
        )

    async def sent_days(self, contents: Sequence[ContentId]) -> list[tuple[ContentId, str]]:
        if not contents:
            return []
        condition, values = self._engine.among("id", contents)
        return self._rows(
            "SELECT id, sent_on FROM content"  # noqa: S608
            f" WHERE sent_on IS NOT NULL AND {condition}",
            values,
        )

    async def sort_rows(
        self, contents: Sequence[ContentId], texts: frozenset[str]
    ) -> list[SortRow]:
        if not contents:
            return []
        condition, values = self._engine.among("id", contents)
        references = self._engine.last_chars("reference_ids", REFERENCES_CHARS)
        columns = _sort_columns(texts, references)
        rows = self._rows(f"SELECT {columns} FROM content WHERE {condition}", values)  # noqa: S608
        return list(map(_sort_row, rows))

    async def add_content(self, account: AccountId, message: Ingested) -> ContentId:
        content, is_new = self._engine.add_content((account, *_content_row(message)))
        if not is_new:
            return ContentId(content)
        if not isinstance(message.raw, bytes):
            self._engine.fill("content_raw", "raw", content, message.raw)
        for names, number in self._known_header_sets().items():
            fields = header_fields(message.header, frozenset(names.encode().split()), negate=False)
            self._keep_fields(number, ((content, fields),))
        return ContentId(content)

    async def mark_orphans(self, contents: Sequence[ContentId], at: datetime) -> None:
        moment = int(at.timestamp())
        self._engine.each(
            "INSERT INTO orphan VALUES (?, ?) ON CONFLICT (content) DO UPDATE SET at = excluded.at",
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
        def drop() -> None:
            self._engine.forget_body(content)
            self._change("DELETE FROM content WHERE id = ?", (content,))

        return self._engine.unless_needed(drop)  # by a copy, a submission or a row of the API

    async def index_bodies(self, limit: int) -> int:
        return self._engine.index_bodies(limit)

    async def add_header_set(self, names: str) -> int:
        self._header_sets = None
        row = self._row("SELECT id FROM header_set WHERE names = ?", (names,))
        if row is not None:
            return int(row[0])
        return self._engine.insert("INSERT INTO header_set (names) VALUES (?)", (names,))

    async def keep_header_fields(
        self, header_set: int, fields: Sequence[tuple[ContentId, bytes]]
    ) -> None:
        self._keep_fields(header_set, fields)

    def _keep_fields(self, header_set: int, fields: Iterable[tuple[int, bytes]]) -> None:
        self._engine.each(
            "INSERT INTO header_fields"
            " SELECT ?, id, ? FROM content WHERE id = ?"  # it may have gone meanwhile
            " ON CONFLICT DO NOTHING",
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
