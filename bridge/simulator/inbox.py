"""One simulated inbox: rows in order of arrival, listed by page at the price of one page.

Holds rows and counts; knows nothing of HTTP, JSON or receipts. A deletion moves the rows after
it (one memmove), a look-up is a bisection, so 100,000 rows cost no more than a hundred.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.simulator.options import Ids, ListingOrder, Options, PageCount, PastEnd

Body = str | Callable[[], str]


@dataclass(frozen=True, slots=True)
class RawRow:
    """JSON values shown exactly as given, however hostile, in place of a composed row.

    ``listing`` appears in ``GET /inbox`` and ``single`` under ``data`` of ``GET /inbox/{id}``.
    When ``listing`` is an object without ``id`` it gets one.
    """

    listing: object
    single: object


@dataclass(frozen=True, slots=True)
class Row:
    """One message in an inbox.

    ``number`` is unique in its inbox and rises with arrival; ``at`` is aware; ``body`` is the
    text or what makes it when asked; ``status_text`` is ``message`` of ``GET /send/{code}``.
    """

    number: int
    sender: str
    recipient: str
    at: datetime
    subject: str
    body: Body
    status_text: str
    size_bytes: int
    raw: RawRow | None = None

    @property
    def text(self) -> str:
        """The body, made now if it was left to be made."""
        return self.body if isinstance(self.body, str) else self.body()


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A row with the id it is listed under at this moment."""

    id: int
    row: Row


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; ``found`` is False where the reading answers 404."""

    rows: tuple[ListedRow, ...]
    total: int
    page_count: int
    found: bool = True


class Inbox:
    """The rows of one mailbox."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._rows: list[Row] = []
        self._raw_count = 0
        self._next_number = 1
        self._used_bytes = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def used_bytes(self) -> int:
        """What the rows weigh together."""
        return self._used_bytes

    @property
    def rows(self) -> Sequence[Row]:
        """All rows, oldest first."""
        return self._rows

    def add(
        self,
        *,
        sender: str,
        recipient: str,
        at: datetime,
        subject: str,
        body: Body,
        status_text: str = "",
        size_bytes: int | None = None,
        raw: RawRow | None = None,
    ) -> Row:
        """Append a row.

        Args:
            sender: as the listing shows it.
            recipient: as the listing shows it.
            at: the row's date, aware.
            subject: as the listing shows it.
            body: the text, or what makes it when it is asked for.
            status_text: what ``GET /send`` shows of it.
            size_bytes: what it weighs; None: the length of a body given as text.
            raw: JSON that is listed in place of all this.
        """
        if size_bytes is None:
            size_bytes = len(body) if isinstance(body, str) else 0
        row = Row(
            self._next_number, sender, recipient, at, subject, body, status_text, size_bytes, raw
        )
        self._append(row)
        return row

    def _append(self, row: Row) -> None:
        self._next_number = row.number + 1
        self._rows.append(row)
        self._raw_count += row.raw is not None
        self._used_bytes += row.size_bytes

    def restore(self, rows: Iterable[Row]) -> None:
        """Append rows that have their numbers already, in rising order."""
        for row in rows:
            self._append(row)

    def listed(self, latest: int | None = None) -> tuple[ListedRow, ...]:
        """Return every row, or the ``latest`` so many, with its present id, oldest first."""
        total = len(self._rows)
        first = 0 if latest is None else max(total - latest, 0)
        return tuple(self._listed(position) for position in range(first, total))

    def find(self, identifier: int) -> Row | None:
        """Return the row that has this id now."""
        position = self._position(identifier)
        return None if position is None else self._rows[position]

    def find_raw(self, identifier: str) -> Row | None:
        """Return the raw row whose own ``id``, written as text, is this."""
        if not self._raw_count:
            return None
        rows = (row for row in self._rows if row.raw is not None)
        return next((row for row in rows if _own_id(row) == identifier), None)

    def remove(self, row: Row) -> None:
        """Take away a row that is here."""
        position = bisect_left(self._rows, row.number, key=lambda one: one.number)
        removed = self._rows.pop(position)
        self._raw_count -= removed.raw is not None
        self._used_bytes -= removed.size_bytes

    def remove_where(self, condition: Callable[[Row], bool]) -> int:
        """Take away every row that fits and return how many there were."""
        kept = [row for row in self._rows if not condition(row)]
        removed = len(self._rows) - len(kept)
        self._rows = kept
        self._raw_count = sum(row.raw is not None for row in kept)
        self._used_bytes = sum(row.size_bytes for row in kept)
        return removed

    def page(self, number: int | None, query: str | None = None) -> Page:
        """Return page ``number`` as the reading counts; None and anything lower is the first."""
        if query is None:
            return self._cut(None, len(self._rows), number)
        wanted = query.casefold()
        hits = [position for position, row in enumerate(self._rows) if _matches(row, wanted)]
        return self._cut(hits, len(hits), number)

    def _cut(self, positions: Sequence[int] | None, total: int, number: int | None) -> Page:
        size = self._options.page_size
        whole_pages, rest = divmod(total, size)
        last = max(whole_pages + (1 if rest else 0) - 1, 0)
        index = max((number or 0) - self._options.page_base, 0)
        page_count = self._page_count(whole_pages, rest)
        if index > last:
            if self._options.past_end is PastEnd.NOT_FOUND:
                return Page((), total, page_count, found=False)
            if self._options.past_end is PastEnd.EMPTY:
                return Page((), total, page_count)
            index = last
        span = self._span(index, total)
        places = span if positions is None else (positions[place] for place in span)
        return Page(tuple(self._listed(place) for place in places), total, page_count)

    def _span(self, index: int, total: int) -> range:
        size = self._options.page_size
        if self._options.order is ListingOrder.OLDEST:
            return range(index * size, min((index + 1) * size, total))
        high, low = total - index * size, max(total - (index + 1) * size, 0)
        if self._options.order is ListingOrder.NEWEST_PAGES:
            return range(low, high)
        return range(high - 1, low - 1, -1)

    def _page_count(self, whole_pages: int, rest: int) -> int:
        from_rest = 1 if rest and self._options.page_count is PageCount.CEIL else 0
        return whole_pages + from_rest

    def _listed(self, position: int) -> ListedRow:
        row = self._rows[position]
        return ListedRow(position + 1 if self._options.ids is Ids.SEQUENCE else row.number, row)

    def _position(self, identifier: int) -> int | None:
        if self._options.ids is Ids.SEQUENCE:
            position = identifier - 1
            return position if 0 <= position < len(self._rows) else None
        position = bisect_left(self._rows, identifier, key=lambda row: row.number)
        found = position < len(self._rows) and self._rows[position].number == identifier
        return position if found else None


def _own_id(row: Row) -> str | None:
    if row.raw is None or not isinstance(row.raw.listing, dict) or "id" not in row.raw.listing:
        return None
    return str(row.raw.listing["id"])


def _matches(row: Row, wanted: str) -> bool:
    return any(wanted in text.casefold() for text in (row.subject, row.sender, row.recipient))
