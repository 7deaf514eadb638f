"""An account's end, in SQL (see ``store.purging``).

What hangs on an account is read from the schema, so that no table that comes later is forgotten.
Where the engine can, freed space is overwritten with zeros.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.model import AccountId
from bridge.store.purging import Holding
from bridge.store.sql.engine import Area

UNDECLARED = (("receipt", "remote", "remote", "id"), ("reading", "remote", "remote", "id"))
"""Tables that hang on another without saying so: table, column, what it names and its column."""

KEPT_FOR_LATER = frozenset({"account", "content"})


class SqlPurging(Area):
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
        self._engine.begin_purge()
        owned = {table: column for table, column, named, _ in self._ties() if named == "account"}
        for table, column, named, key in self._ties():
            if named in owned and table not in owned and named not in KEPT_FOR_LATER:
                below = f"SELECT {key} FROM {named} WHERE {owned[named]} = ?"  # noqa: S608
                self._row(f"DELETE FROM {table} WHERE {column} IN ({below})", (account,))  # noqa: S608
        for table in owned.keys() - KEPT_FOR_LATER:
            self._row(f"DELETE FROM {table} WHERE {owned[table]} = ?", (account,))  # noqa: S608

    async def purge_contents(self, account: AccountId, limit: int) -> int:
        self._engine.begin_purge()
        found = self._rows("SELECT id FROM content WHERE account = ? LIMIT ?", (account, limit))
        for (content,) in found:
            self._engine.forget_body(content)
            self._row("DELETE FROM content WHERE id = ?", (content,))
        return len(found)

    async def forget_account(self, account: AccountId) -> None:
        self._row("DELETE FROM account WHERE id = ?", (account,))

    def _ties(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield every table and column that names a row of another, and that one's column."""
        yield from UNDECLARED
        yield from self._engine.ties()
