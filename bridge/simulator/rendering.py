"""Rows and counts as the JSON of one reading: field names, dates, ids, encodings.

The only module here that knows a JSON field of an answer about messages.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote_plus

from bridge.clock import ROME
from bridge.simulator.inbox import ListedRow, Page, Row
from bridge.simulator.options import (
    Accents,
    BodyTransfer,
    Dates,
    Names,
    Options,
    PageCounts,
)


class Rendering:
    """Values to JSON under one ``Options``."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def date(self, at: datetime) -> str:
        """Return a date as the reading writes it, in Italian time."""
        local = at.astimezone(ROME)
        if self._options.dates is Dates.SQL:
            return local.strftime("%Y-%m-%d %H:%M:%S")
        return format_datetime(local)

    def page(self, page: Page, requested: int | None) -> dict[str, object]:
        """Return the answer to ``GET /inbox``; ``page`` echoes the number asked for."""
        answer: dict[str, object] = {
            "data": [self.listed(listed) for listed in page.rows],
            "success": True,
            "message": "",
        }
        if self._options.counts is not PageCounts.ABSENT:
            number = self._options.page_base if requested is None else requested
            answer["total"] = self._count(page.total)
            answer["page"] = self._count(number)
            answer["n_of_pages"] = self._count(page.page_count)
        return answer

    def listed(self, listed: ListedRow) -> object:
        """Return one element of the listing; a raw row as it is, with an id if it has none."""
        row = listed.row
        if row.raw is not None:
            if isinstance(row.raw.listing, dict) and "id" not in row.raw.listing:
                return {**row.raw.listing, "id": listed.id}
            return row.raw.listing
        return {**self._head(row, in_status=False), "id": listed.id}

    def single(self, row: Row) -> dict[str, object]:
        """Return the answer to ``GET /inbox/{id}``."""
        if row.raw is not None:
            data = row.raw.single
        else:
            name = "message" if self._options.names is Names.ITALIAN else "body"
            data = {**self._head(row, in_status=False), name: self.transferred(row.text)}
        return {"data": data, "success": True, "message": ""}

    def status(self, rows: list[Row]) -> dict[str, object]:
        """Return the answer to ``GET /send/{code}``."""
        name = "body" if self._options.names is Names.MAIL else "message"
        data = []
        for row in rows:
            lost = self._options.accents is not Accents.KEPT
            text = _without_accents(row.status_text) if lost else row.status_text
            data.append({**self._head(row, in_status=True), name: text})
        return {"data": data, "success": True, "message": ""}

    def quota(self, used_bytes: int, limit_bytes: int) -> dict[str, object]:
        """Return the answer to ``GET /quota/{mailbox}``, rounded up to whole units."""
        unit = self._options.quota_unit.value
        data = {"usage": -(-used_bytes // unit), "limit": -(-limit_bytes // unit)}
        return {"data": data, "success": True, "message": ""}

    def transferred(self, body: str) -> str:
        """Return a body in the transfer encoding of the reading."""
        if self._options.body_transfer is BodyTransfer.PLAIN:
            return body
        if self._options.body_transfer is BodyTransfer.FORM_CP1252:
            return quote_plus(body.encode("cp1252", "xmlcharrefreplace"))
        return quote_plus(body.encode("utf-8", "surrogatepass"))

    def _head(self, row: Row, *, in_status: bool) -> dict[str, object]:
        names = self._options.names
        in_italian = names is Names.ITALIAN or (names is Names.PUBLISHED and in_status)
        lost = self._options.accents is Accents.LOST or (
            in_status and self._options.accents is Accents.LOST_IN_STATUS
        )
        subject = row.subject[: self._options.subject_limit]
        return {
            "sender": row.sender,
            "recipient": row.recipient,
            "data" if in_italian else "date": self.date(row.at),
            "subject" if names is Names.MAIL else "object": (
                _without_accents(subject) if lost else subject
            ),
        }

    def _count(self, number: int) -> int | str:
        return str(number) if self._options.counts is PageCounts.STRINGS else number


def _without_accents(text: str) -> str:
    return "".join(letter if letter.isascii() else "\ufffd" for letter in text)
