"""What the areas ask of a database: to run statements, and the few things engines do differently.

An engine is a connection within a transaction. Its methods block, on the thread that drives the
work (see ``drive.drive``): a work awaits nothing else.

Failure: the driver's own errors; the store that runs the work turns them into its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol

from bridge.mime.grammar.held import Held
from bridge.model import AccountId, ContentId, HeldText, MailboxId

Values = Sequence[object]

EVERY = 2**63 - 1
"""For ``LIMIT``: all of them."""


class Engine(Protocol):
    """One connection, within one transaction."""

    # -- statements ------------------------------------------------------------------------

    def rows(self, statement: str, values: Values = ()) -> list[Any]:
        """Run a statement and return what it found."""

    def row(self, statement: str, values: Values = ()) -> Any:
        """Run a statement and return the first row it found, None for none."""

    def change(self, statement: str, values: Values = ()) -> int:
        """Run a statement that changes rows; return how many."""

    def each(self, statement: str, many: Iterable[Values]) -> None:
        """Run a statement for each of many values."""

    def insert(self, statement: str, values: Values) -> int:
        """Run an INSERT of one row; return the ``id`` it got."""

    def within(self, statement: str, values: Values, most_bytes: int) -> list[tuple[Any, ...]]:
        """Return the first row found, and those after it that ``most_bytes`` have room for.

        What counts are the columns after the first; no more is in memory than is returned, and
        one row.
        """

    # -- conditions ------------------------------------------------------------------------

    def among(self, column: str, numbers: Sequence[int]) -> tuple[str, Values]:
        """Return a condition that picks some numbers, and its values."""

    def listed(self, numbers: Sequence[int]) -> tuple[str, Values]:
        """Return a table of one column, ``value``, that has these numbers, and its values."""

    def any_case(self, column: str) -> str:
        """Return the condition that a column is a value but for the case of ASCII letters."""

    def begins(self, column: str, text: str) -> tuple[str, Values]:
        """Return the condition that a text begins with another, and its values."""

    def last_chars(self, column: str, count: int) -> str:
        """Return an expression for the end of a text."""

    # -- what is long ----------------------------------------------------------------------

    def slice(self, table: str, column: str, row: int, start: int, length_bytes: int) -> bytes:
        """Return part of a value without reading the rest; empty if there is no such row.

        Args:
            table: one of ``LONG``, as is ``column``.
            column: what is read.
            row: the number in the table's other column.
            start: from where, in bytes.
            length_bytes: how much at the most.
        """

    def fill(self, table: str, column: str, row: int, held: Held | HeldText) -> None:
        """Put into an empty value what is not in memory, a piece at a time.

        Args:
            table: one of ``LONG``, as is ``column``.
            column: what is filled.
            row: the number in the table's other column.
            held: what it is filled with.

        Raises:
            StoreFailed: it cannot be read, or not all of it.
        """

    def kept_text(self, text: str) -> object:
        """Return a text as the column of ``LONG`` takes it."""

    def text_kept(self, value: Any) -> str:
        """Return the text that ``kept_text`` made."""

    # -- contents and messages -------------------------------------------------------------

    def add_content(self, values: Values) -> tuple[int, bool]:
        """Keep a text and its pieces; return its number, and False if the account has it already.

        ``values`` are in the order of ``contents.CONTENT``.
        """

    def append_message(self, mailbox: MailboxId, values: Values) -> Any:
        """Put a message at a mailbox's end; return its UID and MODSEQ, None without a mailbox.

        ``values`` are the message's columns from ``flags`` on.
        """

    def unless_needed(self, steps: Callable[[], None]) -> bool:
        """Run steps that delete something; undo them and say False if a row needs it."""

    # -- bodies ----------------------------------------------------------------------------

    def matching_bodies(
        self, mailbox: MailboxId, needle: str
    ) -> tuple[list[ContentId], list[ContentId]]:
        """See ``MessageReads.matching_text``."""

    def index_bodies(self, limit: int) -> int:
        """See ``MessageWrites.index_bodies``."""

    def forget_body(self, content: int) -> None:
        """Take a content's text, which is still there, out of the index."""

    def remember_body(self, content: int) -> None:
        """Put a content's text back into the index after ``forget_body`` and a change."""

    # -- where the database comes from -------------------------------------------------------

    def origin(self) -> str:
        """Return what is another for every other database, and for one that was put back; or ""."""

    def bridges(self) -> Iterable[str]:
        """See ``LeadReads``."""

    def announce(self, mailboxes: Collection[MailboxId], accounts: Collection[AccountId]) -> None:
        """See ``NewsWrites``."""

    # -- events, and an account's end --------------------------------------------------------

    def last_event(self) -> int:
        """Return the highest number that an event ever had, 0 for none."""

    def leave_out_events(self, count: int) -> None:
        """Let the next event's number be as much higher than it would be."""

    def begin_purge(self) -> None:
        """Let rows be deleted in any order, and as thoroughly as the engine can."""

    def ties(self) -> Iterable[tuple[str, str, str, str]]:
        """Yield every table and column that names a row of another, and that one and its column."""


LONG = frozenset({("content_raw", "raw"), ("remote_body", "body")})
"""Values that may be longer than memory has room for; their tables have one column beside."""


class Area:
    """Base of the areas: statements are run by the transaction's engine."""

    _engine: Engine

    def _rows(self, statement: str, values: Values = ()) -> list[Any]:
        return self._engine.rows(statement, values)

    def _row(self, statement: str, values: Values = ()) -> Any:
        return self._engine.row(statement, values)

    def _change(self, statement: str, values: Values = ()) -> int:
        return self._engine.change(statement, values)


def literal(text: str) -> str:
    """Return text as it stands for itself in ``LIKE … ESCAPE '~'``."""
    return "".join(f"~{char}" if char in "~%_" else char for char in text)
