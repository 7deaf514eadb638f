"""Mailboxes and messages in SQL: statements and nothing else (see ``store.messages``)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

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
from bridge.store.messages import IndexRow, MessageCopy, message_of
from bridge.store.sql.contents import SqlContents
from bridge.store.sql.engine import EVERY

_MAILBOX = "id, account, name, uid_validity, uid_next, highest_modseq, special_use"
_NEXT_VALIDITY = (
    "UPDATE uid_validity SET highest = CASE WHEN highest < ?1 THEN ?1 ELSE highest + 1 END"
)
_MESSAGE = "uid, modseq, flags, internal_date, zone_minutes, saved_at, size_bytes, content"


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


class SqlMessages(SqlContents):
    """``store.messages.MessageReads`` and ``MessageWrites``."""

    async def account(self, address: str) -> AccountId | None:
        row = self._row(
            f"SELECT id FROM account WHERE {self._engine.any_case('address')}",  # noqa: S608
            (address,),
        )
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

    async def highest_modseqs(self, mailboxes: Collection[MailboxId]) -> dict[MailboxId, ModSeq]:
        condition, values = self._engine.among("id", list(mailboxes))
        statement = f"SELECT id, highest_modseq FROM mailbox WHERE {condition}"  # noqa: S608
        return dict(self._rows(statement, values))

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
        return self._rows(statement, (mailbox, after, EVERY if limit is None else limit))

    async def rows_changed_since(self, mailbox: MailboxId, modseq: ModSeq) -> list[IndexRow]:
        statement = (
            f"SELECT {_MESSAGE} FROM message WHERE mailbox = ? AND modseq > ?"  # noqa: S608
            " ORDER BY uid"
        )
        return self._rows(statement, (mailbox, modseq))

    async def message_row(self, mailbox: MailboxId, uid: Uid) -> MessageRow | None:
        statement = f"SELECT {_MESSAGE} FROM message WHERE mailbox = ? AND uid = ?"  # noqa: S608
        row = self._row(statement, (mailbox, uid))
        return message_of(row) if row else None

    async def message_rows(self, mailbox: MailboxId, uids: Sequence[Uid]) -> list[MessageRow]:
        if not uids:
            return []
        condition, values = self._engine.among("uid", uids)
        rows = self._rows(
            f"SELECT {_MESSAGE} FROM message WHERE mailbox = ? AND {condition}"  # noqa: S608
            " ORDER BY uid",
            (mailbox, *values),
        )
        return list(map(message_of, rows))

    async def flags_of(
        self, mailbox: MailboxId, uids: Sequence[Uid]
    ) -> dict[Uid, tuple[ModSeq, Flags]]:
        if not uids:
            return {}
        condition, values = self._engine.among("uid", uids)
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

    async def copies(self, content: ContentId) -> tuple[MessageCopy, ...]:
        statement = "SELECT mailbox, uid FROM message WHERE content = ? ORDER BY mailbox, uid"
        return tuple(
            MessageCopy(MailboxId(mailbox), Uid(uid))
            for mailbox, uid in self._rows(statement, (content,))
        )

    async def unshown(self, contents: Sequence[ContentId]) -> list[ContentId]:
        asked, values = self._engine.listed(contents)
        rows = self._rows(
            f"SELECT value FROM {asked} AS asked WHERE NOT EXISTS"  # noqa: S608
            " (SELECT 1 FROM message WHERE message.content = asked.value) ORDER BY value",
            values,
        )
        return [ContentId(content) for (content,) in rows]

    async def add_account(self, address: str) -> AccountId:
        return AccountId(
            self._engine.insert("INSERT INTO account (address) VALUES (?)", (address,))
        )

    async def add_mailbox(
        self, account: AccountId, name: str, special_use: SpecialUse | None, uid_validity: int
    ) -> Mailbox:
        (unique,) = self._row(
            f"{_NEXT_VALIDITY} RETURNING highest",
            (uid_validity,),
        )
        number = self._engine.insert(
            "INSERT INTO mailbox (account, name, uid_validity, special_use) VALUES (?, ?, ?, ?)",
            (account, name, unique, special_use.value if special_use else None),
        )
        mailbox = await self.mailbox(MailboxId(number))
        assert mailbox is not None  # noqa: S101 - it was just made
        return mailbox

    async def renew_uid_validities(self, least: int) -> None:
        self._row(_NEXT_VALIDITY, (least,))
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
        self._row("INSERT INTO subscription VALUES (?, ?) ON CONFLICT DO NOTHING", (account, name))

    async def remove_subscription(self, account: AccountId, name: str) -> None:
        self._row("DELETE FROM subscription WHERE account = ? AND name = ?", (account, name))

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
        numbers = self._engine.append_message(mailbox, values)
        if numbers is None:
            return None
        return replace(row, uid=Uid(numbers[0]), modseq=ModSeq(numbers[1]))

    async def add_messages(self, mailbox: MailboxId, rows: Sequence[MessageRow]) -> None:
        self._engine.each(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(mailbox, *_index_row(row)) for row in rows],
        )
        self._row(
            "UPDATE mailbox SET uid_next = CASE WHEN uid_next < ?1 THEN ?1 ELSE uid_next END,"
            " highest_modseq = CASE WHEN highest_modseq < ?2 THEN ?2 ELSE highest_modseq END"
            " WHERE id = ?3",
            (rows[-1].uid + 1, rows[-1].modseq, mailbox),
        )

    async def set_flags(
        self, mailbox: MailboxId, changes: Sequence[tuple[Uid, Flags]], modseq: ModSeq
    ) -> None:
        self._engine.each(
            "UPDATE message SET flags = ?, modseq = ? WHERE mailbox = ? AND uid = ?",
            [(join_flags(flags), modseq, mailbox, uid) for uid, flags in changes],
        )
        self._raise_modseq(mailbox, modseq)

    async def remove_messages(
        self, mailbox: MailboxId, uids: Sequence[Uid], modseq: ModSeq, at: datetime
    ) -> None:
        self._engine.each(
            "DELETE FROM message WHERE mailbox = ? AND uid = ?", [(mailbox, uid) for uid in uids]
        )
        moment = int(at.timestamp())
        self._engine.each(
            "INSERT INTO expunged VALUES (?, ?, ?, ?)",
            [(mailbox, uid, modseq, moment) for uid in uids],
        )
        self._raise_modseq(mailbox, modseq)

    def _raise_modseq(self, mailbox: MailboxId, modseq: ModSeq) -> None:
        self._row(
            "UPDATE mailbox SET highest_modseq = ?1 WHERE id = ?2 AND highest_modseq < ?1",
            (modseq, mailbox),
        )
