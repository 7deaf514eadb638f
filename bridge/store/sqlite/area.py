"""What every area of the SQLite store has: the connection it speaks through."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any


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
