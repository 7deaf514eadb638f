"""``archive``: all that came and all that was submitted, also what no mailbox shows any more.

Answers are small: a page of rows, the facts of what one name names, a slice of a text as base64.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bridge.language import say
from bridge.limits import ARCHIVE_SEARCH_CHARS
from bridge.mime.ingest.searchtext import fold
from bridge.model import AccountId, ContentId
from bridge.operations.accounts import Methods
from bridge.operations.archive_facts import ORDINARY, ArchiveFacts
from bridge.operations.archive_named import archived_by, archived_named
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.period import midnight, not_looked_for, zoned
from bridge.receipts.kind import PREFIXES, Kind
from bridge.store.archive import Archived, ArchivePlace, ArchiveQuery, Direction
from bridge.store.base import ReadTransaction, Store
from bridge.store.remote import RemoteRow

PAGE_ROWS = 50
FULL_PAGE = 500
NAMED_ENTRIES = 100
SLICE_BYTES = 1024 * 1024


class ArchiveOperations:
    """See the module.

    Args:
        store: what came and what was submitted.
        retention_days: how long what left the API is kept.
    """

    def __init__(self, store: Store, retention_days: int) -> None:
        self._store = store
        self._facts = ArchiveFacts(timedelta(days=retention_days))
        self._retention_days = retention_days

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "archive search": self._search,
            "archive show": self._show,
            "archive text": self._text,
        }

    async def _search(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return ``rows``, newest first, and ``next``, the ``before`` of the page after, or None.

        Each of these narrows it down: ``text`` (words, each of them in the subject, a name or an
        address), ``address``, ``code``, ``kind`` (of ``receipts.kind``, or ``ordinary``),
        ``direction`` (``received`` or ``submitted``), ``gone`` (whether it left the API), ``since``
        and ``until`` (days in Rome, both included, or RFC 3339 times). ``limit`` is how many rows.
        """
        query = _query(arguments)

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            found: list[Archived] = []
            for account in await _chosen(tx, arguments):
                found += await tx.archive_page(replace(query, account=account))
            found.sort(key=lambda one: one.place, reverse=True)
            page = found[: query.limit - 1]  # the last one only tells whether there are more
            return {
                "rows": [await self._facts.short(tx, one.row) for one in page],
                "next": _dump(page[-1].place) if len(found) > len(page) else None,
            }

        return await self._store.scan(work)

    async def _show(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return all that is known of each thing that ``what`` names, oldest first.

        ``entries`` has them, at most ``NAMED_ENTRIES``; ``retention_days`` is the setting.

        Raises:
            OperationFailed: nothing here has that name.
        """
        what = str(arguments["what"]).strip()

        async def work(tx: ReadTransaction) -> list[dict[str, Any]]:
            found = await archived_named(tx, await _chosen(tx, arguments), what)
            return [await self._facts.whole(tx, row) for row in found[:NAMED_ENTRIES]]

        entries = await self._store.scan(work)
        if not entries:
            raise OperationFailed(
                say(
                    "Nothing in the archive is called {what}: it takes an id (R12, M34 or "
                    "one of the queue), a Message-ID, a code or a reference.",
                    what=what,
                )
            )
        return {"entries": entries, "retention_days": self._retention_days}

    async def _text(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return a slice, from ``at`` on, of a text of what ``id`` names; "" past its end.

        ``part`` is ``message`` (as IMAP shows it, or as it was submitted), or of what came also
        ``row`` (its JSON as the API gave it) and ``body`` (its text likewise).
        """
        id, part = str(arguments["id"]), str(arguments.get("part") or "message")
        at = max(int(arguments.get("at") or 0), 0)

        async def work(tx: ReadTransaction) -> bytes:
            row = await archived_by(tx, await _chosen(tx, arguments), id)
            if row is None:
                raise OperationFailed(say("Nothing in the archive has the id {id}.", id=id))
            if part == "message":
                return b"" if row.content is None else await _message(tx, row.content, at)
            if not isinstance(row, RemoteRow):
                raise OperationFailed(
                    say("{id} was submitted here: it is a message and no row.", id=id)
                )
            if part == "body":
                return await tx.remote_body_slice(row.id, at, SLICE_BYTES)
            if part == "row":
                text = await tx.remote_raw(row.id) or ""
                return text.encode()[at : at + SLICE_BYTES]
            raise OperationFailed(
                say("There is no {part}: message, body and row are there.", part=repr(part))
            )

        return base64.b64encode(await self._store.scan(work)).decode()


async def _message(tx: ReadTransaction, content: ContentId, at: int) -> bytes:
    return await tx.raw(content, at, SLICE_BYTES)


async def _chosen(tx: ReadTransaction, arguments: Mapping[str, Any]) -> list[AccountId]:
    """Return the account that is named, or all there ever were: also those that left the settings.

    Raises:
        OperationFailed: there never was such an account.
    """
    address = arguments.get("account")
    if address is None:
        return await tx.accounts()
    account = await tx.account(str(address))
    if account is None:
        raise OperationFailed(say("There is no account {address}.", address=address))
    return [account]


def _query(arguments: Mapping[str, Any]) -> ArchiveQuery:
    """Return what is asked for, of no account yet, and for one row more.

    Raises:
        OperationFailed: that cannot be looked for.
    """
    direction = arguments.get("direction")
    for name in ("text", "address", "code"):
        if len(str(arguments.get(name) or "")) > ARCHIVE_SEARCH_CHARS:
            raise OperationFailed(
                say(
                    "What is looked for may have {most} characters at the most.",
                    most=ARCHIVE_SEARCH_CHARS,
                )
            )
    try:
        kind = _kind(arguments.get("kind"))
        return ArchiveQuery(
            account=AccountId(0),
            limit=min(max(int(arguments.get("limit") or PAGE_ROWS), 1), FULL_PAGE) + 1,
            direction=Direction[str(direction).upper()] if direction else None,
            since=_moment(arguments.get("since")),
            until=_moment(arguments.get("until"), after=1),
            words=tuple(dict.fromkeys(fold(str(arguments.get("text") or "")).split())),
            address=str(arguments.get("address") or "") or None,
            code=str(arguments.get("code") or "") or None,
            kind=None if kind is None else kind.value,
            beginnings=tuple(prefix for prefix, named, _ in PREFIXES if named is kind),
            gone=arguments.get("gone"),
            before=_load(arguments.get("before")),
        )
    except KeyError:
        raise OperationFailed(say("A direction is received or submitted.")) from None
    except (ValueError, OverflowError) as fault:
        raise not_looked_for(fault) from None


def _kind(name: object) -> Kind | None:
    if not name:
        return None
    return Kind.ORDINARY if name == ORDINARY else Kind(str(name))


def _moment(text: object, *, after: int = 0) -> datetime | None:
    """Return the beginning of a day in Rome, ``after`` days later; or a time that says its zone."""
    if not text:
        return None
    try:
        return midnight(str(text), after=after)
    except ValueError:
        return zoned(str(text))


def _dump(place: ArchivePlace) -> str:
    at = place.at.isoformat().replace("+00:00", "Z")
    return f"{at}/{place.direction.value}/{place.number}"


def _load(text: object) -> ArchivePlace | None:
    if not text:
        return None
    at, direction, number = str(text).split("/")
    place = ArchivePlace(datetime.fromisoformat(at), Direction(int(direction)), int(number))
    if place.at.tzinfo is None or not -(2**63) <= place.number < 2**63:
        raise ValueError(f"{text} is no page")
    return place
