"""An account's end, in SQLite (see ``store.purging``).

What hangs on an account is read from the schema, so that no table that comes later is forgotten.
Freed pages are overwritten with zeros.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.model import AccountId
from bridge.store.purging import Holding
from bridge.store.sqlite.area import Area
from bridge.store.sqlite.bodysearch import forget_body

UNDECLARED = (("receipt", "remote", "remote", "id"), ("reading", "remote", "remote", "id"))
"""Tables that hang on another without saying so: table, column, what it names and its column."""

KEPT_FOR_LATER = frozenset({"account", "content"})


class SqlitePurging(Area):
    """Satisfies ``PurgingReads`` and ``PurgingWrites``."""

    async def holding(self, account: AccountId) -> Holding:
        (messages,) = self._row(
            "SELECT count(*) FROM message JOIN mailbox ON mailbox.id = message.mailbox"
            " WHERE account = ?",
            (account,),
        )
        (sends,) = self._row("SELECT count(*) FROM submission WHERE account = ?", (account,))
        (rows,) = self._row("SELECT count(*) FROM remote WHERE account = ?", (account,))
        (size_bytes,) = self._row(
            "SELECT coalesce(sum(size_bytes), 0) FROM content WHERE account = ?", (account,)
        )
        return Holding(messages, sends, rows, size_bytes)

    async def purge_rows(self, account: AccountId) -> None:
        self._row("PRAGMA secure_delete = ON")
        self._row("PRAGMA defer_foreign_keys = ON")
        owned = {table: column for table, column, named, _ in self._ties() if named == "account"}
        for table, column, named, key in self._ties():
            if named in owned and table not in owned and named not in KEPT_FOR_LATER:
                below = f"SELECT {key} FROM {named} WHERE {owned[named]} = ?"  # noqa: S608
                self._row(f"DELETE FROM {table} WHERE {column} IN ({below})", (account,))  # noqa: S608
        for table in owned.keys() - KEPT_FOR_LATER:
            self._row(f"DELETE FROM {table} WHERE {owned[table]} = ?", (account,))  # noqa: S608

    async def purge_contents(self, account: AccountId, limit: int) -> int:
        self._row("PRAGMA secure_delete = ON")
        found = self._rows("SELECT id FROM content WHERE account = ? LIMIT ?", (account, limit))
        for (content,) in found:
            forget_body(self._connection, content)
            self._row("DELETE FROM content WHERE id = ?", (content,))
        return len(found)

    async def forget_account(self, account: AccountId) -> None:
        self._row("DELETE FROM account WHERE id = ?", (account,))

    def _ties(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield every table and column that names a row of another, and that one's column."""
        yield from UNDECLARED
        tables = self._rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        for (table,) in tables:
            for row in self._rows(f"PRAGMA foreign_key_list({table})"):
                yield str(table), str(row[3]), str(row[2]), str(row[4] or "id")
