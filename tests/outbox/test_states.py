from __future__ import annotations

import pytest

from bridge.model import SubmissionState as State
from bridge.outbox.states import (
    FINAL,
    MEANINGS,
    TRANSITIONS,
    UNDECIDED,
    Event,
    IllegalStep,
    Transition,
    allows,
    diagram,
    following,
    table,
)

LEAVES_BY = {
    State.QUEUED: {
        State.DISPATCHING,
        State.REFUSED,
        State.HELD,
        State.QUEUED,
        State.CANCELLED,
        State.SUBMITTED,
        State.RESTORED,
    },
    State.DISPATCHING: {
        State.SUBMITTED,
        State.REFUSED,
        State.QUEUED,
        State.HELD,
        State.UNCERTAIN,
    },
    State.SUBMITTED: {State.UNCERTAIN},
    State.REFUSED: set(),
    State.HELD: {
        State.DISPATCHING,
        State.QUEUED,
        State.CANCELLED,
        State.REFUSED,
        State.SUBMITTED,
        State.RESTORED,
    },
    State.CANCELLED: set(),
    State.DROPPED: {State.UNCERTAIN},
    State.UNCERTAIN: {State.SUBMITTED, State.QUEUED, State.DROPPED},
    State.RESTORED: {State.SUBMITTED, State.QUEUED, State.DROPPED},
}


def named(row: Transition) -> str:
    return f"{row.old.value}-{row.event.value}"


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_a_state_leads_where_the_design_says(state: State) -> None:
    assert {row.new for row in TRANSITIONS if row.old is state} == LEAVES_BY[state]


@pytest.mark.parametrize("row", TRANSITIONS, ids=named)
def test_each_row_is_found_by_its_state_and_event(row: Transition) -> None:
    assert following(row.old, row.event) is row.new
    assert allows(row.old, row.event)


def test_no_state_has_two_rows_for_one_event() -> None:
    assert len({(row.old, row.event) for row in TRANSITIONS}) == len(TRANSITIONS)


FINAL_STATES = sorted(FINAL, key=lambda state: state.value)


@pytest.mark.parametrize("event", [pytest.param(event, id=event.value) for event in Event])
@pytest.mark.parametrize("state", FINAL_STATES, ids=str)
def test_nothing_leaves_a_final_state(state: State, event: Event) -> None:
    assert not allows(state, event)
    with pytest.raises(IllegalStep, match=state.value):
        following(state, event)


MAY_HAVE_LEFT = UNDECIDED | {State.DISPATCHING, State.SUBMITTED, State.DROPPED}


def test_what_may_have_left_goes_again_only_if_nothing_left_or_a_person_says_so() -> None:
    back = {
        row.event
        for row in TRANSITIONS
        if row.old in MAY_HAVE_LEFT and row.new in (State.QUEUED, State.HELD)
    }
    assert back == {Event.NOT_SENT, Event.STOP, Event.RESOLVE_RESEND}


def test_only_a_claim_leads_to_a_request() -> None:
    assert {row.event for row in TRANSITIONS if row.new is State.DISPATCHING} == {Event.CLAIM}


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_the_table_and_the_diagram_show_each_state(state: State) -> None:
    assert f"| `{state.value}` | {MEANINGS[state]} |" in table()
    assert f" {state.value}" in diagram()


@pytest.mark.parametrize("row", TRANSITIONS, ids=named)
def test_the_table_and_the_diagram_show_each_step(row: Transition) -> None:
    assert f"{row.event.value} → `{row.new.value}` ({row.cause})" in table()
    assert f"    {row.old.value} --> {row.new.value}: {row.event.value}\n" in diagram()
