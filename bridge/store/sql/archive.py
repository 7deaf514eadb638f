"""The archive in SQL: statements and nothing else (see ``store.archive``).

A text in words is looked for in the folded texts of the message that a row was made into; a row
that has none yet is compared as it came, without case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.model import AccountId, ContentId
from bridge.store.archive import Archived, ArchivedText, ArchivePlace, ArchiveQuery, Direction
from bridge.store.remote import RemoteId, RemoteRow
from bridge.store.sql.engine import literal
from bridge.store.sql.outbox_rows import SUBMISSION, submission_row
from bridge.store.sql.remote import SqlRemoteReads
from bridge.store.sql.times import aware, micros

_BEYOND_ALL = 2**63 - 1
RECEIVED_AT = "coalesce(received_at, first_seen)"
"""By which the archive is in order, and its index is made."""

_FOLDED = ("content_text.subject", "content_text.sender", "content_text.recipient")
_FOUND = (
    "SELECT {at}, {number} FROM {table}"
    " LEFT JOIN content_text ON content_text.content = {table}.content"
    " WHERE {terms} ORDER BY {at} DESC, {number} DESC LIMIT ?"
)

_Term = tuple[str, Sequence[object]]


class SqlArchive(SqlRemoteReads):
    """Satisfies ``ArchiveReads``."""

    async def archive_page(self, query: ArchiveQuery) -> tuple[Archived, ...]:
        """See ``ArchiveReads``."""
        found: list[ArchivePlace] = []
        if query.direction is not Direction.SUBMITTED:
            terms = list(_received(query))
            found += self._places(Direction.RECEIVED, "remote", RECEIVED_AT, "id", terms, query)
        is_of_rows = query.kind is not None or query.gone is not None
        if query.direction is not Direction.RECEIVED and not is_of_rows:
            terms = list(_submitted(query))
            found += self._places(
                Direction.SUBMITTED, "submission", "created_at", "sequence", terms, query
            )
        found.sort(reverse=True)
        return tuple([await self._archived(place) for place in found[: query.limit]])

    def _places(
        self,
        direction: Direction,
        table: str,
        at: str,
        number: str,
        terms: Sequence[_Term],
        query: ArchiveQuery,
    ) -> list[ArchivePlace]:
        """Return the newest of a table, as many as a page has.

        Args:
            direction: which way what is in the table went.
            table: where it is.
            at: the column of its time.
            number: the column of its number.
            terms: what it has to be.
            query: whose, from when and how many.
        """
        all_terms: list[_Term] = [(f"{table}.account = ?", (query.account,)), *terms]
        if query.since is not None:
            all_terms.append((f"{at} >= ?", (micros(query.since),)))
        if query.until is not None:
            all_terms.append((f"{at} < ?", (micros(query.until),)))
        if query.before is not None:
            last = query.before
            same = {direction: last.number, Direction.SUBMITTED: _BEYOND_ALL, Direction.RECEIVED: 0}
            behind = last.number if last.direction is direction else same[last.direction]
            all_terms.append((f"({at}, {number}) < (?, ?)", (micros(last.at), behind)))
        statement = _FOUND.format(
            table=table,
            at=at,
            number=f"{table}.{number}",
            terms=" AND ".join(term for term, _ in all_terms),
        )
        values = [value for _, some in all_terms for value in some]
        rows = self._rows(statement, (*values, query.limit))
        return [ArchivePlace(aware(moment), direction, row) for moment, row in rows]

    async def _archived(self, place: ArchivePlace) -> Archived:
        if place.direction is Direction.SUBMITTED:
            entry = self._row(SUBMISSION + "WHERE sequence = ?", (place.number,))
            return Archived(place, submission_row(entry))
        (row,) = self._remotes("id = ?", (place.number,))
        return Archived(place, row)

    async def archived_of_content(
        self, account: AccountId, content: ContentId
    ) -> tuple[RemoteRow, ...]:
        """See ``ArchiveReads``."""
        return tuple(self._remotes("content = ? AND account = ?", (content, account)))

    async def contents_by_message_id(
        self, account: AccountId, message_id: str
    ) -> Sequence[ContentId]:
        """See ``ArchiveReads``."""
        rows = self._rows(
            "SELECT id FROM content WHERE message_id = ? AND account = ? ORDER BY id",
            (message_id, account),
        )
        return [ContentId(content) for (content,) in rows]

    async def archived_text(self, content: ContentId) -> ArchivedText | None:
        """See ``ArchiveReads``."""
        row = self._row(
            "SELECT message_id, size_bytes, sha256, preview FROM content WHERE id = ?", (content,)
        )
        return None if row is None else ArchivedText(*row)

    async def was_deleted(self, remote: RemoteId) -> bool:
        """See ``ArchiveReads``."""
        row = self._row("SELECT gone_how = 'deleted' FROM remote WHERE id = ?", (remote,))
        return bool(row and row[0])


def _received(query: ArchiveQuery) -> Iterator[_Term]:
    """Yield what a row of the API has to be."""
    for word in query.words:
        yield _holds(word, ("remote.subject", "remote.sender", "remote.recipient"))
    if query.address is not None:
        part = f"%{literal(query.address)}%"
        yield "(remote.sender LIKE ? ESCAPE '~' OR remote.recipient LIKE ? ESCAPE '~')", (part,) * 2
    if query.code is not None:
        yield "(code = ? OR listed_code = ?)", (query.code,) * 2
    if query.kind is not None:
        begun = [f"{literal(one)}:%" for one in query.beginnings]
        unread = " OR ".join(["remote.subject LIKE ? ESCAPE '~'"] * len(begun)) or "FALSE"
        read = "kind = ? AND body_sha256 IS NOT NULL"
        yield f"({read} OR body_sha256 IS NULL AND ({unread}))", (query.kind, *begun)
    if query.gone is not None:
        yield f"gone_at IS {'NOT ' if query.gone else ''}NULL", ()


def _submitted(query: ArchiveQuery) -> Iterator[_Term]:
    """Yield what an entry of the outbox has to be."""
    for word in query.words:
        yield _holds(word, ("submission.subject", "submission.recipients"))
    if query.address is not None:
        yield "submission.recipients LIKE ? ESCAPE '~'", (f"%{literal(query.address)}%",)
    if query.code is not None:
        yield "code = ?", (query.code,)


def _holds(word: str, plain: Sequence[str]) -> _Term:
    """Return the condition that one of the folded texts holds a word, or one of some columns."""
    folded = [f"instr({column}, ?) > 0" for column in _FOLDED]
    as_it_came = [f"{column} LIKE ? ESCAPE '~'" for column in plain]
    values = [word] * len(folded) + [f"%{literal(word)}%"] * len(as_it_came)
    return f"({' OR '.join((*folded, *as_it_came))})", values
