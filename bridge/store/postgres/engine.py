"""PostgreSQL as the areas use it (see ``sql.engine``)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from psycopg.errors import ForeignKeyViolation

from bridge.language import say
from bridge.mime.grammar.held import Held
from bridge.model import AccountId, HeldText, MailboxId
from bridge.store.base import StoreFailed
from bridge.store.postgres.bodysearch import PostgresBodies
from bridge.store.postgres.connection import Connection
from bridge.store.postgres.dialect import translated
from bridge.store.postgres.news import KNOWN_AS, words_of
from bridge.store.postgres.words import BigInts
from bridge.store.sql.contents import CONTENT
from bridge.store.sql.engine import Values

_KEY = {"content_raw": "content", "remote_body": "remote"}
_COPY_HEADER = struct.pack("!11sii", b"PGCOPY\n\xff\r\n\0", 0, 0)
_COPY_ROW = struct.Struct("!hiqi")
_COPY_END = b"\xff\xff"

_TABLES = {
    "content": CONTENT.split(", ")[:15],
    "content_structure": ["envelope", "body", "bodystructure", "parts"],
    "content_header": ["header"],
    "content_raw": ["raw"],
    "content_text": ["subject", "sender", "recipient", "cc", "bcc", "header_text"],
    "content_body_text": ["is_whole", "body_text"],
}
"""Where the columns of ``CONTENT`` go, in its order."""


def _add_content() -> str:
    """Return one statement that fills all tables of a content, or none if it is known."""
    numbers = iter(range(1, CONTENT.count(",") + 2))
    steps, first = [], ""
    for table, columns in _TABLES.items():
        values = ", ".join(f"${number}" for number in islice(numbers, len(columns)))
        if not first:
            first = (
                f"WITH new AS (INSERT INTO content ({', '.join(columns)}) VALUES ({values})"  # noqa: S608
                " ON CONFLICT (account, sha256) DO NOTHING RETURNING id)"
            )
        else:
            steps.append(f"{table}_ AS (INSERT INTO {table} SELECT id, {values} FROM new)")  # noqa: S608
    return f"{', '.join((first, *steps))} SELECT id FROM new"  # noqa: S608


_ADD_CONTENT = _add_content()
_APPEND = (
    "WITH numbers AS (UPDATE mailbox SET uid_next = uid_next + 1,"
    " highest_modseq = highest_modseq + 1 WHERE id = ?1"
    " RETURNING id, uid_next - 1 AS uid, highest_modseq AS modseq)"
    " INSERT INTO message SELECT id, uid, modseq, ?2, ?3, ?4, ?5, ?6, ?7 FROM numbers"
    " RETURNING uid, modseq"
)
_TIES = (
    "SELECT tie.conrelid::regclass::text, own.attname::text, tie.confrelid::regclass::text,"
    " other.attname::text FROM pg_constraint AS tie"
    " JOIN pg_attribute AS own ON own.attrelid = tie.conrelid AND own.attnum = tie.conkey[1]"
    " JOIN pg_attribute AS other ON other.attrelid = tie.confrelid"
    " AND other.attnum = tie.confkey[1]"
    " WHERE tie.contype = 'f' AND tie.connamespace = current_schema::regnamespace ORDER BY 1, 2"
)

_BRIDGES = (
    f"SELECT substr(application_name, {len(KNOWN_AS) + 1}) FROM pg_stat_activity"  # noqa: S608
    " WHERE datname = current_database() AND application_name LIKE ?"
)
_ORIGIN = (
    "SELECT concat_ws('.', system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8),"
    " (SELECT oid FROM pg_database WHERE datname = current_database()), 'lineage'::regclass::oid)"
    " FROM pg_control_system()"
)
"""The server, its timeline, the database and the table: a dump that is put back makes one of these
anew, and recovery to an earlier moment begins a timeline, as does a standby that takes over."""


def _follow(numbers: Sequence[int]) -> bool:
    """Tell whether each number is one more than the one before it."""
    return list(numbers) == list(range(numbers[0], numbers[-1] + 1))


class PostgresEngine(PostgresBodies):
    """Satisfies ``sql.engine.Engine``.

    Args:
        connection: within a transaction.
        announced: gets the words of what is to be told with its commit (see ``news``).
    """

    def __init__(self, connection: Connection, announced: set[str] | None = None) -> None:
        self._statements = connection.statements
        self._cursor = connection.cursor(binary=True)
        self._announced = set() if announced is None else announced

    def rows(self, statement: str, values: Values = ()) -> list[Any]:
        return self._statements.rows(self._statements.run(translated(statement), values))

    def row(self, statement: str, values: Values = ()) -> Any:
        found = self._statements.rows(self._statements.run(translated(statement), values), 1)
        return found[0] if found else None

    def change(self, statement: str, values: Values = ()) -> int:
        return self._statements.run(translated(statement), values).command_tuples or 0

    def each(self, statement: str, many: Iterable[Values]) -> None:
        several = list(many)
        if len(several) == 1:
            self.change(statement, several[0])
        elif several:
            self._cursor.executemany(translated(statement), several)

    def insert(self, statement: str, values: Values) -> int:
        return int(self.row(f"{statement} RETURNING id", values)[0])

    def within(self, statement: str, values: Values, most_bytes: int) -> list[tuple[Any, ...]]:
        self.change(f"DECLARE pieces CURSOR FOR {statement}", values)
        found: list[tuple[Any, ...]] = []
        size_bytes = 0
        while row := self.row("FETCH 1 FROM pieces"):
            size_bytes += sum(map(len, row[1:]))
            if found and size_bytes > most_bytes:
                break
            found.append(row)
        self.change("CLOSE pieces")
        return found

    def among(self, column: str, numbers: Sequence[int]) -> tuple[str, Values]:
        """See ``Engine``; neighbours are one walk through an index, others a search each."""
        if numbers and numbers[-1] - numbers[0] == len(numbers) - 1 and _follow(numbers):
            return f"{column} BETWEEN ? AND ?", (numbers[0], numbers[-1])
        return f"{column} = ANY(?)", (BigInts(numbers),)

    def listed(self, numbers: Sequence[int]) -> tuple[str, Values]:
        return "(SELECT unnest(?::bigint[]) AS value)", (BigInts(numbers),)

    def any_case(self, column: str) -> str:
        return f"lower({column}) = lower(?::words)"

    def begins(self, column: str, text: str) -> tuple[str, Values]:
        return f"starts_with({column}, ?)", (text,)

    def last_chars(self, column: str, count: int) -> str:
        return f"right({column}, {count})"

    def slice(self, table: str, column: str, row: int, start: int, length_bytes: int) -> bytes:
        found = self.row(
            f"SELECT substr({column}, ?::int, ?::int) FROM {table} WHERE {_KEY[table]} = ?",  # noqa: S608
            (start + 1, length_bytes, row),
        )
        return bytes(found[0]) if found else b""

    def fill(self, table: str, column: str, row: int, held: Held | HeldText) -> None:
        """See ``Engine``; a COPY takes the value in whatever pieces it comes."""
        self.change(f"DELETE FROM {table} WHERE {_KEY[table]} = ?", (row,))  # noqa: S608
        left_bytes = len(held)
        statement = f"COPY {table} ({_KEY[table]}, {column}) FROM STDIN (FORMAT BINARY)"
        with self._cursor.copy(statement) as copy:
            copy.write(_COPY_HEADER + _COPY_ROW.pack(2, 8, row, left_bytes))
            try:
                for piece in held.pieces():
                    left_bytes -= len(piece)
                    copy.write(bytes(piece))
            except OSError as error:
                raise StoreFailed(
                    say("a message cannot be read from the disk: {error}", error=error)
                ) from error
            if left_bytes:
                raise StoreFailed(say("a message cannot be read whole from the disk"))
            copy.write(_COPY_END)

    def kept_text(self, text: str) -> object:
        return text.encode()

    def text_kept(self, value: Any) -> str:
        return bytes(value).decode()

    def add_content(self, values: Values) -> tuple[int, bool]:
        new = self.row(_ADD_CONTENT, values)
        if new is not None:
            return int(new[0]), True
        known = self.row("SELECT id FROM content WHERE account = ? AND sha256 = ?", values[:2])
        return int(known[0]), False

    def append_message(self, mailbox: MailboxId, values: Values) -> Any:
        return self.row(_APPEND, (mailbox, *values))

    def unless_needed(self, steps: Callable[[], None]) -> bool:
        self.change("SAVEPOINT steps")
        try:
            steps()
        except ForeignKeyViolation:
            self.change("ROLLBACK TO steps")
            return False
        self.change("RELEASE steps")
        return True

    def origin(self) -> str:
        return str(self.row(_ORIGIN)[0])

    def bridges(self) -> Iterable[str]:
        return [name for (name,) in self.rows(_BRIDGES, (f"{KNOWN_AS}%",))]

    def announce(self, mailboxes: Collection[MailboxId], accounts: Collection[AccountId]) -> None:
        self._announced.update(words_of(mailboxes, accounts))

    def last_event(self) -> int:
        return int(self.row("SELECT newest FROM event_counter")[0])

    def leave_out_events(self, count: int) -> None:
        self.change("UPDATE event_counter SET newest = newest + ?", (count,))

    def begin_purge(self) -> None:
        """See ``Engine``; what was deleted is overwritten some time after VACUUM found it."""
        self.change("SET CONSTRAINTS ALL DEFERRED")

    def ties(self) -> Iterator[tuple[str, str, str, str]]:
        yield from self.rows(_TIES)
