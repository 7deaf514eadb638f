from __future__ import annotations

from types import MappingProxyType

import pytest

from bridge.model import Outcome
from bridge.model import SubmissionState as State
from bridge.outbox.states import FINAL, UNDECIDED
from bridge.receipts.outcome import MEANINGS, is_over, next_step, outcome_in
from bridge.receipts.states import DeliveryStatus, RecipientStanding, RecipientState
from tests.outbox.made import NOW, row_of


def where(*states: RecipientState, unnamed: RecipientState | None = None) -> DeliveryStatus:
    accepted = None if set(states) == {RecipientState.PENDING} else NOW
    recipients = tuple(RecipientStanding(f"{n}@b", one) for n, one in enumerate(states))
    return DeliveryStatus(accepted, recipients, MappingProxyType({unnamed: 1} if unnamed else {}))


PENDING, ACCEPTED = RecipientState.PENDING, RecipientState.ACCEPTED
DELIVERED, LATE = RecipientState.DELIVERED, RecipientState.LATE_12H
FAILED, ORDINARY = RecipientState.FAILED, RecipientState.ACCEPTED_UNCERTIFIABLE


@pytest.mark.parametrize(
    ("stands", "outcome", "over"),
    [
        (where(PENDING), Outcome.OPEN, False),
        (where(ACCEPTED), Outcome.OPEN, False),
        (where(LATE), Outcome.OPEN, False),
        (where(DELIVERED), Outcome.DELIVERED, True),
        (where(DELIVERED, ACCEPTED), Outcome.OPEN, False),
        (where(DELIVERED, ORDINARY), Outcome.DELIVERED, True),
        (where(ORDINARY, ORDINARY), Outcome.ACCEPTED, True),
        (where(DELIVERED, FAILED), Outcome.FAILED, True),
        (where(ACCEPTED, FAILED), Outcome.FAILED, False),
        (where(ACCEPTED, ACCEPTED, unnamed=FAILED), Outcome.FAILED, False),
        (where(ACCEPTED, ACCEPTED, unnamed=DELIVERED), Outcome.OPEN, False),
    ],
)
def test_what_receipts_say_of_what_the_service_took(
    stands: DeliveryStatus, outcome: Outcome, over: bool
) -> None:
    assert outcome_in(State.SUBMITTED, stands) is outcome
    assert is_over(State.SUBMITTED, stands, "final") is over
    assert is_over(State.SUBMITTED, stands, "submitted")


def test_what_was_not_taken_is_told_by_its_state() -> None:
    """Whatever receipts there are: nothing is claimed by them alone."""
    others = set(State) - {State.SUBMITTED}
    for state in others:
        outcome = outcome_in(state, where(DELIVERED))
        is_over_now = is_over(state, where(PENDING), "final")
        assert is_over_now is is_over(state, where(PENDING), "submitted")
        assert is_over_now is (state in FINAL | {State.DROPPED})
        assert (outcome is Outcome.UNCERTAIN) is (state in UNDECIDED | {State.DROPPED})
        assert (outcome is Outcome.NOT_SENT) is (state in FINAL)


def test_every_state_has_a_next_step() -> None:
    assert set(MEANINGS) == set(Outcome)
    stands = [where(one) for one in (PENDING, ACCEPTED, DELIVERED, FAILED, ORDINARY)]
    said = [next_step(row_of(state=State.SUBMITTED), one) for one in stands]
    assert len(set(said)) == len(said)
    for state in State:
        sentence = next_step(row_of(state=state), where(PENDING))
        assert sentence.endswith(".")
        assert "{" not in sentence
    assert "queue resolve ABC1" in next_step(row_of(state=State.UNCERTAIN), where(PENDING))
