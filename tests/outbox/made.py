"""Rows of the outbox that no store made."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from bridge.model import AccountId, ContentId, QueueId, SubmissionState
from bridge.store.outbox import SubmissionRow

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)

_ROW = SubmissionRow(
    sequence=1,
    id=QueueId("ABC1"),
    account=AccountId(1),
    state=SubmissionState.QUEUED,
    message_id="<a@b>",
    subject="Fattura 12",
    recipients=("cliente@altra.invalid",),
    content=ContentId(1),
    code=None,
    named_code=None,
    reason="",
    attempts=0,
    created_at=NOW,
    updated_at=NOW,
    not_before=None,
    retrying_since=None,
    sent_at=None,
    forced=False,
    counted=0,
    counted_on=None,
)


def row_of(**changes: object) -> SubmissionRow:
    """Return a queued entry with some fields changed."""
    return dataclasses.replace(_ROW, **changes)  # type: ignore[arg-type]
