from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime

import pytest

from bridge.mime.write.dsn import Notification, RecipientReport, compose_report
from bridge.model import QueueId, SubmissionState
from bridge.outbox.notice import held, plan_reason, plan_used_up, revoked, uncertain
from bridge.outbox.plan import PLANS
from bridge.outbox.restored import restored
from bridge.outbox.waiting import waits_long
from bridge.receipts.notice import failed
from bridge.store.outbox import AttemptRow, HoldCause, SubmissionRow
from tests.outbox.made import row_of

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
ID = QueueId("64869731844002265B")


def entry(
    reason: str = "The API did not answer in time.", named: str | None = None
) -> SubmissionRow:
    return row_of(
        id=ID,
        state=SubmissionState.UNCERTAIN,
        subject="Fattura",
        recipients=("uno@altra.invalid", "due@altra.invalid"),
        named_code=named,
        reason="The API did not answer in time.",
        attempts=1,
        created_at=NOW,
        updated_at=NOW,
        counted=2,
    )


ATTEMPT = AttemptRow(ID, 1, NOW, NOW, None, "", "The API did not answer in time.")


def test_an_uncertain_send_is_told_with_what_is_known_and_what_ends_it() -> None:
    notice = uncertain(entry(), ATTEMPT, ())
    for text in (notice.italian, notice.english):
        assert "15/01/2026 10:00:00" in text
        assert "The API did not answer in time." in text
        assert "uno@altra.invalid, due@altra.invalid" in text
        for way in ("--sent CODE", "--resend", "--drop"):
            assert f"\n    pec-bridge queue resolve {ID} {way}" in text


@pytest.mark.parametrize(
    ("named", "candidates", "shown"),
    [
        (None, ("2026011510000099",), "2026011510000099"),
        ("2026011510000011", (), "2026011510000011"),
        ("2026011510000011", ("2026011510000099",), "2026011510000099"),
    ],
)
def test_the_command_names_the_likeliest_code(
    named: str | None, candidates: tuple[str, ...], shown: str
) -> None:
    notice = uncertain(entry(named=named), ATTEMPT, candidates)
    assert f"--sent {shown}\n" in notice.italian
    assert f"--sent {shown}\n" in notice.english


def test_every_candidate_is_listed() -> None:
    notice = uncertain(entry(), ATTEMPT, ("1", "2"))
    assert "1, 2." in notice.italian
    assert "1, 2." in notice.english


@pytest.mark.parametrize("cause", HoldCause, ids=lambda cause: cause.value)
def test_a_hold_says_that_nothing_is_lost_and_how_it_ends(cause: HoldCause) -> None:
    notice = held(cause, "HTTP.", "azienda@pec.invalid")
    assert "azienda@pec.invalid" in notice.subject
    assert "nulla va perso" in notice.italian
    assert "nothing is lost" in notice.english
    assert "queue retry" in notice.italian
    assert "queue retry" in notice.english


def test_a_used_up_plan_says_until_when() -> None:
    plan = PLANS["standard"]
    until = plan.next_period(NOW)
    assert plan_reason(plan, until) == (
        "The plan's 3500 PEC a day are used up until 2026-01-16 00:00 (Rome)."
    )
    notice = plan_used_up(plan, until)
    assert "16/01/2026 00:00" in notice.italian
    assert "2026-01-16 00:00" in notice.english


@pytest.mark.parametrize(
    "name", ["uncertain", "revoked", "restored", "still waiting", "not delivered", "bounce"]
)
def test_whoever_calls_a_message_something_is_told_of_it_by_that(name: str) -> None:
    def told(row: SubmissionRow) -> tuple[str, ...]:
        if name == "bounce":
            return (refusal(row),)
        words = {
            "uncertain": lambda: uncertain(row, None, ()),
            "revoked": lambda: revoked(row, "x"),
            "restored": lambda: restored([row], "x"),
            "still waiting": lambda: waits_long(row, NOW, 1, "x"),
            "not delivered": lambda: failed(row, row.recipients, "x"),
        }[name]()
        return words.italian, words.english

    assert all("Ordine 17" in text for text in told(row_of(reference="Ordine 17")))
    assert not any("Rif" in text or "Reference" in text for text in told(row_of()))


def refusal(row: SubmissionRow) -> str:
    said = Notification(
        "n", "h", row.id, "a", "c@d", row.subject, row.message_id,
        tuple(RecipientReport(one, "failed", "5.0.0", NOW, "x") for one in row.recipients),
        italian="i", english="e", arrived_at=NOW, at=NOW, returned=b"", reference=row.reference,
    )  # fmt: skip
    parts = email.message_from_bytes(compose_report(said), policy=email.policy.default)
    return str(next(parts.iter_parts()).get_content())
