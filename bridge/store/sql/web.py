"""Sessions of the page in SQL: statements and nothing else (see ``store.web``)."""

from __future__ import annotations

from datetime import datetime

from bridge.model import AccountId, SubmissionState
from bridge.store.figures import ReceiptSummary
from bridge.store.outbox import SubmissionRow
from bridge.store.sql import groups
from bridge.store.sql.engine import EVERY, Area, literal
from bridge.store.sql.outbox_rows import SUBMISSION, submission_row
from bridge.store.sql.times import aware, micros
from bridge.store.web import AttemptSummary, SentGroup, SentQuery, WebSession

_GROUPS = {
    SentGroup.WAITING: ("INDEXED BY submission_waiting", groups.WAITING),
    SentGroup.UNDER_WAY: ("INDEXED BY submission_under_way", groups.UNDER_WAY),
    SentGroup.DELIVERED: (
        "",
        "state = 'submitted' AND failed = 0 AND delivered + failed + ordinary >= recipient_count",
    ),
    SentGroup.FAILED: ("INDEXED BY submission_failed", groups.FAILED),
    SentGroup.UNCERTAIN: ("INDEXED BY submission_uncertain", groups.UNCERTAIN),
    SentGroup.ENDED: ("INDEXED BY submission_ended", groups.ENDED),
}
"""The index of a group, and its condition."""
_FOUND = (
    "SELECT sequence, accepted, delivered, failed, ordinary FROM submission {index}{where}"
    " ORDER BY sequence DESC LIMIT ?"
)


class SqlWeb(Area):
    """Satisfies ``WebReads`` and ``WebWrites``."""

    async def web_session(self, token_hash: bytes, now: datetime) -> WebSession | None:
        row = self._row(
            "SELECT token_hash, account, created_at, expires_at, seal FROM web_session"
            " WHERE token_hash = ? AND expires_at > ?",
            (token_hash, micros(now)),
        )
        if row is None:
            return None
        account = None if row[1] is None else AccountId(row[1])
        return WebSession(row[0], account, aware(row[2]), aware(row[3]), row[4])

    async def sent_page(self, query: SentQuery) -> tuple[tuple[SubmissionRow, ReceiptSummary], ...]:
        index = ""
        terms: list[str] = []
        values: list[object] = []
        for term, value in (
            ("account = ?", query.account),
            ("state = ?", query.state and query.state.value),
            ("reference = ? AND reference <> ''", query.reference),
            ("sequence < ?", query.before),
            ("created_at >= ?", query.since and micros(query.since)),
            ("created_at < ?", query.until and micros(query.until)),
            ("recipients LIKE ? ESCAPE '~'", query.recipient and f"%{literal(query.recipient)}%"),
        ):
            if value is not None:
                terms.append(term)
                values.append(value)
        if query.group is not None:
            index, term = _GROUPS[query.group]
            terms.append(term)
        if query.text:
            begins, holds = f"{literal(query.text)}%", f"%{literal(query.text)}%"
            terms.append(
                "(subject LIKE ? ESCAPE '~' OR id LIKE ? ESCAPE '~' OR code LIKE ? ESCAPE '~'"
                " OR message_id LIKE ? ESCAPE '~' OR reference LIKE ? ESCAPE '~')"
            )
            values += [holds, begins, begins, holds, holds]
        where = f" WHERE {' AND '.join(terms)}" if terms else ""
        found = self._rows(_FOUND.format(index=index, where=where), (*values, query.limit))
        return tuple(
            (
                submission_row(self._row(SUBMISSION + "WHERE sequence = ?", (sequence,))),
                ReceiptSummary(*summary),
            )
            for sequence, *summary in found
        )

    async def sent_counts(self, account: AccountId) -> dict[SubmissionState, int]:
        rows = self._rows(
            "SELECT state, count(*) FROM submission WHERE account = ? GROUP BY state", (account,)
        )
        return {SubmissionState(state): count for state, count in rows}

    async def attempts_ended(self, since: datetime) -> tuple[AttemptSummary, ...]:
        rows = self._rows(
            "SELECT status, count(*), max(ended_at - started_at), sum(ended_at - started_at)"
            " FROM attempt WHERE ended_at >= ? GROUP BY status",
            (micros(since),),
        )
        return tuple(
            AttemptSummary(status, count, longest / 1e6, total / 1e6)
            for status, count, longest, total in rows
        )

    async def add_web_session(self, session: WebSession, most: int) -> None:
        self._row("DELETE FROM web_session WHERE expires_at <= ?", (micros(session.created_at),))
        self._row(
            "DELETE FROM web_session WHERE token_hash IN (SELECT token_hash FROM web_session"
            " ORDER BY created_at DESC LIMIT ? OFFSET ?)",
            (EVERY, most - 1),
        )
        self._row(
            "INSERT INTO web_session (token_hash, account, created_at, expires_at, seal)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                session.token_hash,
                session.account,
                micros(session.created_at),
                micros(session.expires_at),
                session.seal,
            ),
        )

    async def end_web_session(self, token_hash: bytes) -> None:
        self._row("DELETE FROM web_session WHERE token_hash = ?", (token_hash,))

    async def end_web_sessions(self, account: AccountId) -> None:
        self._row("DELETE FROM web_session WHERE account = ?", (account,))
