"""The outbox in SQL; see ``store.outbox`` for what each method means.

SQL and the mapping of rows, nothing else. Methods are coroutines that never suspend. Errors are
the driver's own: the store turns them into its own.
"""

from __future__ import annotations

import json
from datetime import datetime

from bridge.language import packed, unpacked
from bridge.model import AccountId, ContentId, QueueId, SubmissionState
from bridge.store.outbox import (
    AttemptEnd,
    AttemptRow,
    ClaimBasis,
    LostTry,
    NewSubmission,
    Step,
    SubmissionRow,
    TransitionRow,
)
from bridge.store.sql.dsn import SqlDsn
from bridge.store.sql.engine import EVERY
from bridge.store.sql.figures import SqlFigures
from bridge.store.sql.holds import SqlHolds
from bridge.store.sql.lineage import SqlLineage
from bridge.store.sql.outbox_rows import SUBMISSION, is_in, submission_row
from bridge.store.sql.times import aware, micros, optional_time

_FEW = "ORDER BY +sequence"
"""By the order of few rows, which are found first. Without the sign PostgreSQL may walk through all
in their order until it meets the first of them, as long as it has no statistics to know better."""


class SqlOutbox(SqlFigures, SqlHolds, SqlDsn, SqlLineage):
    """Reads and writes of the outbox over one connection."""

    # -- reads -----------------------------------------------------------------------------

    async def submission(self, id: QueueId) -> SubmissionRow | None:
        """See ``OutboxReads``."""
        return self._one_submission("WHERE id = ?", id)

    async def submissions_by_code(self, account: AccountId, code: str) -> tuple[SubmissionRow, ...]:
        """See ``OutboxReads``."""
        return self._submissions("WHERE account = ? AND code = ? ORDER BY sequence", account, code)

    async def claimed_submissions(self, account: AccountId) -> tuple[SubmissionRow, ...]:
        """See ``OutboxReads``."""
        return self._submissions(  # +: not by all of the account
            "WHERE id IN (SELECT submission FROM code_claim) AND +account = ? ORDER BY sequence",
            account,
        )

    async def lost_tries(self, account: AccountId, since: datetime) -> tuple[LostTry, ...]:
        """See ``OutboxReads``."""
        tries = self._rows(
            "SELECT transition.submission, coalesce(started_at, at), coalesce(started_at, at) "
            "FROM transition LEFT JOIN attempt "
            "ON attempt.submission = transition.submission AND attempt.number = transition.attempt "
            "WHERE new IN ('uncertain', 'restored') AND new = 'uncertain' AND old = 'dispatching' "
            "AND at >= ?1 UNION ALL "
            "SELECT submission, created_at, at FROM transition "
            "JOIN submission ON submission.id = transition.submission "
            "WHERE new IN ('uncertain', 'restored') AND new = 'restored' AND at >= ?1 "
            "ORDER BY 2",
            (micros(since),),
        )
        return tuple(
            LostTry(row, aware(begun_at), aware(ended_by))
            for id, begun_at, ended_by in tries
            if (row := self._one_submission("WHERE id = ? AND account = ?", id, account))
        )

    async def issuers(self, account: AccountId) -> frozenset[str]:
        """See ``OutboxReads``."""
        rows = self._rows("SELECT address FROM issuer WHERE account = ?", (account,))
        return frozenset(address for (address,) in rows)

    async def submissions_by_message_id(
        self, account: AccountId, message_id: str, most: int | None = None
    ) -> tuple[SubmissionRow, ...]:
        """See ``OutboxReads``."""
        where = f"WHERE account = ? AND message_id = ? {_FEW} LIMIT ?"
        return self._submissions(where, account, message_id, EVERY if most is None else most)

    async def submissions_by_reference(
        self, account: AccountId, reference: str, most: int | None = None
    ) -> tuple[SubmissionRow, ...]:
        """See ``OutboxReads``."""
        return self._submissions(
            "WHERE sequence IN (SELECT sequence FROM submission"
            " WHERE account = ?1 AND reference = ?2 AND reference <> '' UNION"
            " SELECT sequence FROM submission WHERE account = ?1 AND envid = ?2 AND envid <> '')"
            " ORDER BY +sequence LIMIT ?3",
            account,
            reference,
            EVERY if most is None else most,
        )

    async def submissions_of_content(
        self, account: AccountId, content: ContentId
    ) -> tuple[SubmissionRow, ...]:
        """See ``OutboxReads``."""
        where = "WHERE account = ? AND content = ? ORDER BY sequence"
        return self._submissions(where, account, content)

    async def submissions(
        self,
        *,
        account: AccountId | None = None,
        state: SubmissionState | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> tuple[SubmissionRow, ...]:
        """See ``OutboxReads``."""
        terms = [is_in(state)] if state else []
        values: list[object] = []
        for term, value in (
            ("account = ?", account),
            ("created_at >= ?", micros(since)),
        ):
            if value is not None:
                terms.append(term)
                values.append(value)
        where = f"WHERE {' AND '.join(terms)} " if terms else ""
        return self._submissions(f"{where}ORDER BY sequence LIMIT ?", *values, limit or EVERY)

    async def submissions_sent(
        self, account: AccountId, since: datetime, until: datetime
    ) -> tuple[SubmissionRow, ...]:
        """See ``OutboxReads``."""
        return self._submissions(
            "WHERE account = ? AND state = 'submitted' AND sent_at > ? AND sent_at <= ? "
            "ORDER BY sent_at, sequence",
            account,
            micros(since),
            micros(until),
        )

    async def submission_twin(
        self, account: AccountId, fingerprint: bytes, since: datetime
    ) -> SubmissionRow | None:
        """See ``OutboxReads``."""
        if not fingerprint:
            return None
        return self._one_submission(
            "WHERE account = ?1 AND fingerprint = ?2 AND fingerprint <> x'' "
            "AND state NOT IN ('cancelled', 'dropped', 'refused') "
            "AND (state <> 'submitted' OR created_at >= ?3 OR sent_at >= ?3) "
            f"{_FEW} LIMIT 1",
            account,
            fingerprint,
            micros(since),
        )

    async def submission_kin(
        self, account: AccountId, kinship: bytes, fingerprint: bytes, since: datetime
    ) -> SubmissionRow | None:
        """See ``OutboxReads``."""
        if not kinship:
            return None
        return self._one_submission(  # +: not by all that came since then; see also ``is_in``
            "WHERE account = ? AND kinship = ? AND kinship <> x'' AND ? <> fingerprint "
            "AND +created_at >= ? AND state NOT IN ('cancelled', 'dropped', 'refused') "
            f"{_FEW} LIMIT 1",
            account,
            kinship,
            fingerprint,
            micros(since),
        )

    async def submission_counts(self) -> dict[SubmissionState, int]:
        """See ``OutboxReads``."""
        rows = self._rows("SELECT state, count(*) FROM submission GROUP BY state")
        return {SubmissionState(state): count for state, count in rows}

    async def waiting_accounts(self) -> tuple[AccountId, ...]:
        """See ``OutboxReads``."""
        rows = self._rows(
            # one look into the index for each account, however long its queue is
            "SELECT id FROM account WHERE EXISTS "
            "(SELECT 1 FROM submission WHERE state = 'queued' AND account = account.id) OR EXISTS "
            "(SELECT 1 FROM submission WHERE state = 'held' AND account = account.id) ORDER BY id"
        )
        return tuple(AccountId(account) for (account,) in rows)

    async def waiting_count(self, account: AccountId) -> int:
        """See ``OutboxReads``."""
        (count,) = self._row(
            "SELECT count(*) FROM submission WHERE state IN ('queued', 'held') AND account = ?",
            (account,),
        )
        return int(count)

    async def first_submission(
        self, account: AccountId, states: frozenset[SubmissionState]
    ) -> SubmissionRow | None:
        """See ``OutboxReads``."""
        found = (
            self._one_submission(
                f"WHERE {is_in(state)} AND account = ? ORDER BY forced DESC, urgent DESC,"
                " sequence LIMIT 1",
                account,
            )
            for state in states
        )
        rows = [row for row in found if row is not None]
        return min(
            rows, key=lambda row: (not row.forced, not row.urgent, row.sequence), default=None
        )

    async def attempts(self, id: QueueId) -> tuple[AttemptRow, ...]:
        """See ``OutboxReads``."""
        rows = self._rows(
            "SELECT submission, number, started_at, ended_at, status, answer, error "
            "FROM attempt WHERE submission = ? ORDER BY number",
            (id,),
        )
        return tuple(
            AttemptRow(
                QueueId(id),
                number,
                aware(start),
                optional_time(end),
                status,
                answer,
                unpacked(error),
            )
            for id, number, start, end, status, answer, error in rows
        )

    async def step_count(self, id: QueueId) -> int:
        """See ``OutboxReads``."""
        statement = "SELECT count(*) FROM transition WHERE submission = ?"
        (count,) = self._row(statement, (id,))
        return int(count)

    async def transitions(self, id: QueueId) -> tuple[TransitionRow, ...]:
        """See ``OutboxReads``."""
        rows = self._rows(
            "SELECT submission, at, old, new, reason, attempt FROM transition "
            "WHERE submission = ? ORDER BY number",
            (id,),
        )
        return tuple(
            TransitionRow(
                QueueId(id),
                aware(at),
                SubmissionState(old),
                SubmissionState(new),
                unpacked(reason),
                attempt,
            )
            for sub, at, old, new, reason, attempt in rows
        )

    async def newest_attempt_end(self) -> datetime | None:
        """See ``OutboxReads``."""
        (newest,) = self._row("SELECT max(ended_at) FROM attempt")
        return optional_time(newest)

    async def unweighed(self, limit: int) -> tuple[SubmissionRow, ...]:
        """See ``OutboxReads``."""
        return self._submissions("WHERE id IN (SELECT submission FROM unweighed LIMIT ?)", limit)

    # -- writes ----------------------------------------------------------------------------

    async def add_submission(self, submission: NewSubmission) -> None:
        """See ``OutboxWrites``."""
        at = micros(submission.created_at)
        self._change(
            "INSERT INTO submission (id, account, state, message_id, subject, recipients, "
            "recipient_count, content, fingerprint, kinship, created_at, updated_at, urgent, "
            "reference, envid) "
            "VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                submission.id,
                submission.account,
                submission.message_id,
                submission.subject,
                json.dumps(submission.recipients),
                len(submission.recipients),
                submission.content,
                submission.fingerprint,
                submission.kinship,
                at,
                at,
                submission.urgent,
                submission.reference,
                submission.dsn.envid,
            ),
        )
        if submission.dsn.full or submission.dsn.wishes:
            await self.ask_dsn(submission.id, submission.dsn)

    async def step_submission(self, id: QueueId, step: Step) -> bool:
        """See ``OutboxWrites``."""
        at = micros(step.at)
        changed = self._change(
            "UPDATE submission SET state = ?, reason = ?, updated_at = ?, "
            "code = coalesce(?, code), named_code = coalesce(?, named_code), "
            "sent_at = coalesce(?, sent_at), not_before = ?, retrying_since = ?, forced = ? "
            "WHERE id = ? AND state = ?",
            (
                step.new.value,
                packed(step.reason),
                at,
                step.code,
                step.named_code,
                micros(step.sent_at),
                micros(step.not_before),
                micros(step.retrying_since),
                step.forced,
                id,
                step.old.value,
            ),
        )
        if changed:
            self._change(
                "INSERT INTO transition (submission, at, old, new, reason, attempt) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (id, at, step.old.value, step.new.value, packed(step.reason), step.attempt),
            )
        return bool(changed)

    async def claim_code(self, id: QueueId, basis: ClaimBasis) -> None:
        """See ``OutboxWrites``."""
        self._change(
            "INSERT INTO code_claim VALUES (?, ?)"
            " ON CONFLICT (submission) DO UPDATE SET basis = excluded.basis",
            (id, basis.value),
        )

    async def forget_code(self, id: QueueId) -> None:
        """See ``OutboxWrites``."""
        self._change("DELETE FROM code_claim WHERE submission = ?", (id,))
        self._change("UPDATE submission SET code = NULL, sent_at = NULL WHERE id = ?", (id,))

    async def add_issuer(self, account: AccountId, address: str) -> None:
        """See ``OutboxWrites``."""
        self._change("INSERT INTO issuer VALUES (?, ?) ON CONFLICT DO NOTHING", (account, address))

    async def begin_attempt(self, id: QueueId, started_at: datetime) -> int:
        """See ``OutboxWrites``."""
        (number,) = self._row(
            "UPDATE submission SET attempts = attempts + 1 WHERE id = ? RETURNING attempts", (id,)
        )
        self._change(
            "INSERT INTO attempt (submission, number, started_at) VALUES (?, ?, ?)",
            (id, number, micros(started_at)),
        )
        self._change("UPDATE lineage SET dispatches = dispatches + 1")
        return int(number)

    async def end_attempt(self, id: QueueId, number: int, end: AttemptEnd) -> None:
        """See ``OutboxWrites``."""
        self._change(
            "UPDATE attempt SET ended_at = ?, status = ?, answer = ?, error = ? "
            "WHERE submission = ? AND number = ?",
            (micros(end.ended_at), end.status, end.answer, packed(end.error), id, number),
        )

    # -- rows ------------------------------------------------------------------------------

    def _one_submission(self, where: str, *values: object) -> SubmissionRow | None:
        row = self._row(SUBMISSION + where, values)
        return None if row is None else submission_row(row)

    def _submissions(self, where: str, *values: object) -> tuple[SubmissionRow, ...]:
        return tuple(map(submission_row, self._rows(SUBMISSION + where, values)))
