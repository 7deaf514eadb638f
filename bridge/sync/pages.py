"""The listing's pages, read from the API as the account's layout cuts them.

Failure: errors of the API pass, but "nothing there" is a page without rows (Q14), and so is a
refused page beside one that is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

from bridge.api.errors import Refused
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxMessage, InboxPage
from bridge.model import Quota
from bridge.store.remote import RemoteRow
from bridge.sync import paging
from bridge.sync.agreement import agrees_exactly
from bridge.sync.aside import aside, of_each
from bridge.sync.listed import listed
from bridge.sync.paging import Layout, Snapshot

NOTHING = InboxPage((), None, None, None)


class InboxClient(Protocol):
    """One account's way to the API, as far as reading and deleting go; see ``api.client``."""

    def charged(self, purpose: Purpose) -> InboxClient:
        """Return the same client, whose reads are made for ``purpose``."""

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        """``GET /inbox``."""

    async def inbox_message(self, api_id: str) -> InboxMessage:
        """``GET /inbox/{id}``."""

    async def delete_inbox(self, api_id: str) -> None:
        """``DELETE /inbox/{id}``."""

    async def quota(self, mailbox: str = "INBOX") -> Quota:
        """``GET /quota/{mailbox}``."""


class Pages:
    """Reads pages of one account."""

    def __init__(self, client: InboxClient) -> None:
        self._client = client

    async def discover(self) -> Layout:
        """Find out how the listing is cut: one to three requests.

        Raises:
            Refused: neither of the first two pages can be had.
        """
        refusal: Refused | None = None
        try:
            first = await self._page(0)
        except Refused as error:
            refusal, first = error, NOTHING
        if paging.holds_all(first):
            return await aside(len(first.rows), paging.discover, first, None)
        try:
            second = await self._page(1)
        except Refused as error:
            if refusal is not None:
                raise refusal from None
            refusal, second = error, NOTHING
        rows = len(first.rows) + len(second.rows)
        layout = await aside(rows, paging.discover, first, second)
        if layout.newest_first is None and not layout.single:
            page = second if layout.base == 1 else first
            following = (await self._beyond(2)).rows
            layout = await aside(rows, paging.with_next, layout, page.rows, following)
        return layout

    async def snapshot(self, number: int, layout: Layout) -> Snapshot:
        """Read one page; no rows if it is past the end.

        Raises:
            Refused: the first page cannot be had.
        """
        page = await (self._page(number) if number == layout.base else self._beyond(number))
        rows = await of_each(layout.newest_row_first(page.rows), listed)
        return await aside(len(rows), _indexed, Snapshot(number, rows, page.total))

    async def newest(self, layout: Layout, length: int, growth: int = 0) -> Snapshot:
        """Read the page with the newest row of some ``length`` rows, wherever it is by now.

        Args:
            layout: how the listing is cut.
            length: how many rows it had.
            growth: how many more it is expected to have now.
        """
        known, number = layout.newest_page(length), layout.newest_page(length + growth)
        page = await self.snapshot(number, layout)
        if not page.rows and page.total is None and number != known:
            page = await self.snapshot(known, layout)
        while layout.newest_first is False:
            if page.total is not None:
                number = layout.newest_page(page.total)
            elif not page.rows:
                number = max(page.number - 1, layout.base)
            elif len(page.rows) >= layout.size:
                number = page.number + 1
            if number == page.number:
                break
            other = await self.snapshot(number, layout)
            if page.rows and (not other.rows or (number > page.number and same_page(page, other))):
                break
            page = other
        return page

    async def shows(self, row: RemoteRow) -> bool:
        """Ask whether the API still shows a row under its last id, though it does not list it."""
        try:
            message = await self._client.inbox_message(row.api_id)
        except Refused:
            return False
        return agrees_exactly(row, message)

    async def _beyond(self, number: int) -> InboxPage:
        try:
            return await self._page(number)
        except Refused:
            return NOTHING

    async def _page(self, number: int) -> InboxPage:
        try:
            return await self._client.inbox_page(number)
        except Refused as error:
            if "empty" in error.message.lower():
                return NOTHING
            raise


@dataclass(frozen=True, slots=True)
class ListingPages:
    """Four ways to read pages, each at the cost of another purpose.

    ``looks`` reads the newest page, ``news`` reads on where that ends with news, ``sweeps`` reads
    those that tell what is new or missing, and ``routine`` those of the day's whole sweep, which
    only makes sure.
    """

    looks: Pages
    news: Pages
    sweeps: Pages
    routine: Pages

    @classmethod
    def of(cls, client: InboxClient) -> Self:
        """Return them for an account's way to the API."""
        return cls(
            Pages(client.charged(Purpose.LOOK)),
            Pages(client.charged(Purpose.NEWS)),
            Pages(client.charged(Purpose.LISTING)),
            Pages(client.charged(Purpose.RECONCILIATION)),
        )


def same_page(one: Snapshot, other: Snapshot) -> bool:
    """Tell whether two pages list the same, ids too."""
    return [row.row.raw for row in one.rows] == [row.row.raw for row in other.rows]


def _indexed(page: Snapshot) -> Snapshot:
    """Return a page with what is looked up in it worked out already."""
    _ = page.ids, page.indexes
    return page
