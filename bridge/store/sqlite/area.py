"""What every area of the SQLite store has: the connection it speaks through."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Literal

from bridge.mime.grammar.held import Held
from bridge.model import HeldText
from bridge.store.base import StoreFailed


class Area:
    """Base of the areas; ``_connection`` is the transaction's."""

    _connection: sqlite3.Connection

    def _rows(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()

    def _row(self, statement: str, values: Sequence[object] = ()) -> Any:
        return self._connection.execute(statement, values).fetchone()

    def _insert(self, statement: str, values: Sequence[object]) -> int:
        number = self._connection.execute(statement, values).lastrowid
        return int(number or 0)

    def _slice(self, table: str, column: str, row: int, start: int, length_bytes: int) -> bytes:
        """Return part of a value without reading the rest; empty if there is no such row."""
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

    def _fill(
        self,
        table: str,
        column: str,
        row: int,
        held: Held | HeldText,
        *,
        kind: Literal["BLOB", "TEXT"] = "BLOB",
    ) -> None:
        """Put into an empty value what is not in memory, a piece at a time.

        Raises:
            StoreFailed: it cannot be read, or not all of it.
        """
        empty = "zeroblob(?)" if kind == "BLOB" else "CAST(zeroblob(?) AS TEXT)"
        self._row(
            f"UPDATE {table} SET {column} = {empty} WHERE rowid = ?",  # noqa: S608 - our words
            (len(held), row),
        )
        left_bytes = len(held)
        with self._connection.blobopen(table, column, row) as blob:
            try:
                for piece in held.pieces():
                    blob.write(piece)
                    left_bytes -= len(piece)
            except OSError as error:
                raise StoreFailed(f"a message cannot be read from the disk: {error}") from error
        if left_bytes:
            raise StoreFailed("a message cannot be read whole from the disk")


def among(column: str, numbers: Sequence[int]) -> tuple[str, tuple[object, ...]]:
    """Return a condition that picks ``numbers``; neighbours are asked for as one range."""
    if len(numbers) == 1:
        return f"{column} = ?", (numbers[0],)
    first, last = min(numbers), max(numbers)
    if last - first + 1 == len(set(numbers)):
        return f"{column} BETWEEN ? AND ?", (first, last)
    return f"{column} IN (SELECT value FROM json_each(?))", (json.dumps(list(numbers)),)  # noqa: S608


def literal(text: str) -> str:
    """Return text as it stands for itself in ``LIKE … ESCAPE '~'``."""
    return "".join(f"~{char}" if char in "~%_" else char for char in text)
