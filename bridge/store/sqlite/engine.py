"""SQLite as the areas use it (see ``sql.engine``)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from bridge.language import say
from bridge.mime.grammar.held import Held
from bridge.model import AccountId, HeldText, MailboxId
from bridge.store.base import StoreFailed
from bridge.store.sql.contents import CONTENT
from bridge.store.sql.engine import Values
from bridge.store.sqlite.bodysearch import SqliteBodies

_EMPTY = {"content_raw": "zeroblob(?)", "remote_body": "CAST(zeroblob(?) AS TEXT)"}

# One statement for all tables of a content, through a view: each statement more would hand the
# interpreter's lock to the event loop and wait to get it back.
_ADD_CONTENT = (
    f"INSERT INTO whole_content (id, {CONTENT})"  # noqa: S608 - our words
    f" VALUES ({', '.join('?' * (CONTENT.count(',') + 2))})"
)


class SqliteEngine(SqliteBodies):
    """Satisfies ``sql.engine.Engine``."""

    def rows(self, statement: str, values: Values = ()) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: Values = ()) -> Any:
        return self._connection.execute(statement, values).fetchone()

    def change(self, statement: str, values: Values = ()) -> int:
        return self._connection.execute(statement, values).rowcount

    def each(self, statement: str, many: Iterable[Values]) -> None:
        self._connection.executemany(statement, many)

    def insert(self, statement: str, values: Values) -> int:
        return int(self._connection.execute(statement, values).lastrowid or 0)

    def within(self, statement: str, values: Values, most_bytes: int) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        size_bytes = 0
        rows = self._connection.execute(statement, values)
        for row in rows:
            size_bytes += len(row[1]) if len(row) == 2 else sum(map(len, row[1:]))
            if found and size_bytes > most_bytes:
                break
            found.append(row)
        rows.close()
        return found

    def among(self, column: str, numbers: Sequence[int]) -> tuple[str, Values]:
        """See ``Engine``; neighbours are asked for as one range."""
        if len(numbers) == 1:
            return f"{column} = ?", (numbers[0],)
        count, first, last = len(numbers), numbers[0], numbers[-1]
        if last - first + 1 != count or list(numbers) != list(range(first, last + 1)):
            first, last = min(numbers), max(numbers)
            if last - first + 1 != len(set(numbers)):
                listed, values = self.listed(numbers)
                return f"{column} IN {listed}", values
        return f"{column} BETWEEN ? AND ?", (first, last)

    def listed(self, numbers: Sequence[int]) -> tuple[str, Values]:
        return "(SELECT value FROM json_each(?))", (json.dumps(list(numbers)),)

    def any_case(self, column: str) -> str:
        return f"{column} = ?"  # it is declared so

    def begins(self, column: str, text: str) -> tuple[str, Values]:
        return f"substr({column}, 1, {len(text)}) = ?", (text,)

    def last_chars(self, column: str, count: int) -> str:
        return f"substr({column}, -{count})"

    def slice(self, table: str, column: str, row: int, start: int, length_bytes: int) -> bytes:
        try:
            blob = self._connection.blobopen(table, column, row, readonly=True)
        except sqlite3.OperationalError as error:
            if "no such rowid" not in str(error):
                raise  # half a text must not pass for a whole one
            return b""  # it is gone
        with blob:
            if start >= len(blob):
                return b""
            blob.seek(start)
            return blob.read(min(length_bytes, len(blob) - start))

    def fill(self, table: str, column: str, row: int, held: Held | HeldText) -> None:
        self.change(
            f"UPDATE {table} SET {column} = {_EMPTY[table]} WHERE rowid = ?",  # noqa: S608
            (len(held), row),
        )
        left_bytes = len(held)
        with self._connection.blobopen(table, column, row) as blob:
            try:
                for piece in held.pieces():
                    blob.write(piece)
                    left_bytes -= len(piece)
            except OSError as error:
                raise StoreFailed(
                    say("a message cannot be read from the disk: {error}", error=error)
                ) from error
        if left_bytes:
            raise StoreFailed(say("a message cannot be read whole from the disk"))

    def kept_text(self, text: str) -> object:
        return text

    def text_kept(self, value: Any) -> str:
        return str(value)

    def add_content(self, values: Values) -> tuple[int, bool]:
        known, following = self.row(
            "SELECT (SELECT id FROM content WHERE account = ? AND sha256 = ?),"
            " (SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'content')",
            values[:2],
        )
        if known is not None:
            return known, False
        self.change(_ADD_CONTENT, (following, *values))
        return following, True

    def append_message(self, mailbox: MailboxId, values: Values) -> Any:
        return self.row(
            "INSERT INTO last_message"
            " SELECT id, uid_next, highest_modseq + 1, ?, ?, ?, ?, ?, ? FROM mailbox WHERE id = ?"
            " RETURNING uid, modseq",
            (*values, mailbox),
        )

    def unless_needed(self, steps: Callable[[], None]) -> bool:
        self._connection.execute("SAVEPOINT steps")
        try:
            steps()
        except sqlite3.IntegrityError:
            self._connection.execute("ROLLBACK TO steps")
            return False
        finally:
            self._connection.execute("RELEASE steps")
        return True

    def origin(self) -> str:
        """See ``Engine``: of a file nothing but the mark beside it tells."""
        return ""

    def bridges(self) -> Iterable[str]:
        """See ``Engine``."""
        return ()

    def announce(self, mailboxes: Collection[MailboxId], accounts: Collection[AccountId]) -> None:
        """See ``Engine``: a file has one bridge."""

    def last_event(self) -> int:
        row = self.row("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
        return int(row[0]) if row else 0

    def leave_out_events(self, count: int) -> None:
        newest = self.last_event()
        self.change("DELETE FROM sqlite_sequence WHERE name = 'event'")
        self.change("INSERT INTO sqlite_sequence VALUES ('event', ?)", (newest + count,))

    def begin_purge(self) -> None:
        """See ``Engine``; freed pages are overwritten with zeros."""
        self.row("PRAGMA secure_delete = ON")
        self.row("PRAGMA defer_foreign_keys = ON")

    def ties(self) -> Iterator[tuple[str, str, str, str]]:
        tables = self.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        for (table,) in tables:
            for row in self.rows(f"PRAGMA foreign_key_list({table})"):
                yield str(table), str(row[3]), str(row[2]), str(row[4] or "id")
