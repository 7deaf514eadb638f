"""What the API shows about sends of unknown outcome: a search of the inbox, and ``GET /send``.

A listing shows no text, so an acceptance that may matter is read whole before it counts: it may
name somebody else. The row behind its id has to be the listed one still, for ids may shift (Q11);
what can't be read counts as unread.

Failure: ``ApiError`` passes where nothing could be asked; a body that fails is only unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from bridge.api.date import parse_date
from bridge.api.errors import ApiError, NotFound
from bridge.api.schema import InboxMessage, InboxPage, InboxRow, StatusRow
from bridge.receipts.kind import Kind
from bridge.receipts.receipt import Receipt, read_receipt
from bridge.store.receipts import Acceptance
from bridge.store.remote import RemoteId

log = structlog.get_logger()

QUERY_LIMIT_CHARS = 60
MIN_QUERY_CHARS = 4
BODIES_LIMIT = 10
"""Bodies read in one look: reads are counted."""

_SPOILT = re.compile('[^\x20-\x7e]+|[?%&#+"\\\\]+')


class Searcher(Protocol):
    """One account's way to look at the API; see ``api.client.PecClient``."""

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        """``GET /inbox``."""

    async def inbox_message(self, api_id: str) -> InboxMessage:
        """``GET /inbox/{id}``."""

    async def send_status(self, code: str) -> tuple[StatusRow, ...]:
        """``GET /send/{code}``."""


class Lookup:
    """Looks at the API for one account; a body is read once.

    Args:
        client: the way there.
    """

    def __init__(self, client: Searcher) -> None:
        self._client = client
        self._read: dict[tuple[str, str, str], Acceptance] = {}

    async def search(self, query: str, matters: Callable[[Acceptance], bool]) -> list[Acceptance]:
        """Return the acceptances that a search finds and that ``matters`` wants, read whole.

        ``matters`` is asked of what the listing alone shows.

        Raises:
            ApiError: the API does not answer.
        """
        page = await self._client.inbox_page(query=query)
        found: list[Acceptance] = []
        for number, row in enumerate(page.rows, start=1):
            listed = read_listed(row, number) if isinstance(row, InboxRow) else None
            if listed is not None and isinstance(row, InboxRow) and matters(listed):
                found.append(await self._whole(row, listed, len(found)))
        return [one for one in found if one.code is not None]

    async def status(self, code: str) -> list[Acceptance]:
        """Return the acceptances that ``GET /send/{code}`` shows.

        Raises:
            ApiError: the API does not answer.
        """
        try:
            rows = await self._client.send_status(code)
        except NotFound:
            return []
        found = []
        for number, row in enumerate(rows, start=1):
            if row.date is not None:
                receipt = read_receipt(
                    RemoteId(-number), row.subject, row.sender, row.body, row.date
                )
                one = acceptance_of(receipt, row.sender)
                found += [one] if one is not None and one.code == code else []
        return found

    async def _whole(self, row: InboxRow, listed: Acceptance, count: int) -> Acceptance:
        key = (row.sender, row.subject, row.date_text)
        known = self._read.get(key)
        if known is None and count < BODIES_LIMIT:
            known = await self._read_body(row, listed)
            if known.readable:
                self._read[key] = known
        return replace(known, remote=listed.remote) if known is not None else listed

    async def _read_body(self, row: InboxRow, listed: Acceptance) -> Acceptance:
        try:
            message = await self._client.inbox_message(row.api_id)
        except ApiError as error:
            log.info("acceptance_unreadable", reason=error.reason)
            return listed
        if not _is_row(row, message.row):
            return listed
        receipt = read_receipt(listed.remote, row.subject, row.sender, message.body, listed.at)
        return acceptance_of(receipt, row.sender) or listed


def acceptance_of(receipt: Receipt, sender: str) -> Acceptance | None:
    """Return a receipt as an acceptance; None if it is none, or surely of a send made elsewhere.

    That it is if its text quotes the subject, whole, and there is no code in it.
    """
    if receipt.classified.kind is not Kind.ACCEPTANCE:
        return None
    if receipt.code is None and receipt.statement is not None:
        return None
    return Acceptance(
        receipt.remote,
        receipt.code,
        receipt.subject,
        receipt.at,
        receipt.addresses,
        sender,
        receipt.readable,
    )


def read_listed(row: InboxRow, number: int) -> Acceptance | None:
    """Return what a listed row says as an acceptance, unread; None if it is none or has no date.

    It gets ``-number`` for its id: it may be one sync has not brought yet.
    """
    if row.date is None:
        return None
    receipt = read_receipt(RemoteId(-number), row.subject, row.sender, None, row.date)
    return acceptance_of(receipt, row.sender)


def search_words(subject: str) -> str:
    """Return the longest run of a subject that no listing can have spoilt; "" if none is useful."""
    runs = [run.strip() for run in _SPOILT.split(subject)]
    best = max(runs, key=len, default="")
    return best[:QUERY_LIMIT_CHARS].strip() if len(best) >= MIN_QUERY_CHARS else ""


def _is_row(listed: InboxRow, shown: InboxRow) -> bool:
    """Tell whether the message behind an id is the listed one."""
    return (
        listed.sender.strip() == shown.sender.strip()
        and listed.subject.strip() == shown.subject.strip()
        and _moment(listed.date_text) == _moment(shown.date_text)
    )


def _moment(text: str) -> datetime | str:
    date = parse_date(text)
    return text.strip() if date is None else date.astimezone(UTC)
