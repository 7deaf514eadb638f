"""Rows of the outbox as values."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from bridge.language import unpacked
from bridge.model import AccountId, ContentId, QueueId, SubmissionState
from bridge.store.outbox import (
    ClaimBasis,
    SubmissionRow,
)
from bridge.store.sql.times import aware, optional_time

SUBMISSION = """SELECT sequence, id, account, state, message_id, subject, recipients, content,
    code, named_code, reason, attempts, created_at, updated_at, not_before, retrying_since, sent_at,
    forced, counted, counted_on,
    (SELECT basis FROM code_claim WHERE submission = submission.id), urgent,
    reference, envid FROM submission """


def is_in(state: SubmissionState) -> str:
    """Return the condition that an entry is in a state.

    It is no value: SQLite plans a statement anew, for 50 us, with each value of a column that the
    condition of an index compares by the same operator.
    """
    return f"state = '{state.value}'"


def submission_row(row: tuple[Any, ...]) -> SubmissionRow:
    """Return what ``SUBMISSION`` selects."""
    sequence, id, account, state, message_id, subject, recipients, content, code, named = row[:10]
    reason, attempts, created, updated, not_before, retrying = row[10:16]
    sent, forced, counted, day, claim, urgent, reference, envid = row[16:]
    return SubmissionRow(
        sequence=sequence,
        id=QueueId(id),
        account=AccountId(account),
        state=SubmissionState(state),
        message_id=message_id,
        subject=subject,
        recipients=tuple(json.loads(recipients)),
        content=ContentId(content),
        code=code,
        named_code=named,
        reason=unpacked(reason),
        attempts=attempts,
        created_at=aware(created),
        updated_at=aware(updated),
        not_before=optional_time(not_before),
        retrying_since=optional_time(retrying),
        sent_at=optional_time(sent),
        forced=bool(forced),
        counted=counted,
        counted_on=date.fromisoformat(day) if day else None,
        claim=ClaimBasis(claim) if claim else None,
        urgent=bool(urgent),
        reference=reference,
        envid=envid,
    )
