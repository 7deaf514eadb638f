"""The delivery's state machine: its table, and stories of tries over days by a virtual clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.hooks.schedule import (
    DOWN_WAITS,
    LONGEST_WAIT,
    PATIENCE_S,
    REFUSED_WAITS,
    TryReport,
    refused_tries,
    resumes_at,
    revived,
    settle,
)
from bridge.hooks.states import TRANSITIONS, DeliveryEvent, TryOutcome, following
from bridge.store.hooks import DeliveryRow, DeliveryState, HookId, HookRow

START = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
HOOK = HookRow(HookId(1), None, "erp", 0)
DELIVERY = DeliveryRow(1, HookId(1), 1, "A", "evt_1", PATIENCE_S, START, due_at=START)
REFUSED = TryReport(TryOutcome.REFUSED, "no")
DOWN = TryReport(TryOutcome.DOWN, "nobody there")
TAKEN = TryReport(TryOutcome.TAKEN)


def test_what_can_happen_in_each_state_and_nothing_else() -> None:
    for state in DeliveryState:
        for event in DeliveryEvent:
            if (state, event) in TRANSITIONS:
                assert following(state, event) == TRANSITIONS[state, event]
            else:
                with pytest.raises(KeyError):
                    following(state, event)


def test_each_state_can_be_left_and_reached() -> None:
    assert {state for state, _ in TRANSITIONS} == set(DeliveryState)
    reached = {after for after in TRANSITIONS.values() if after}
    assert reached == set(DeliveryState)


def tried_until_dead(report: TryReport, *, off: timedelta = timedelta(0)) -> tuple[int, timedelta]:
    """Try one delivery whenever it may be; return tries and time until it is dead."""
    hook, delivery, now, tries = HOOK, DELIVERY, START, 0
    while delivery.state is DeliveryState.WAITING:
        one = replace(report, failures=hook.failures)
        hook, after = settle(hook, delivery, one, now, 0.5)
        assert after is not None
        delivery, tries = after, tries + 1
        if delivery.state is DeliveryState.WAITING:
            assert delivery.due_at is not None
            now = max(delivery.due_at, resumes_at(hook, now, fresh=False)) + off
    assert hook.died == 1
    assert delivery.died_at == now
    return tries, now - START


def test_what_is_refused_is_dead_after_three_days_of_waiting() -> None:
    tries, took = tried_until_dead(REFUSED)
    assert tries == len(refused_tries()) + 1
    assert timedelta(days=3) <= took <= timedelta(days=3, hours=4)


def test_a_receiver_that_is_down_is_asked_for_three_days() -> None:
    tries, took = tried_until_dead(DOWN)
    assert timedelta(days=3) <= took <= timedelta(days=3, minutes=30)
    assert tries > 250


def test_a_bridge_that_is_off_between_makes_nobody_give_up_early() -> None:
    """Each try is followed by four days without a bridge."""
    few, _ = tried_until_dead(DOWN, off=timedelta(days=4))
    assert few > 60
    same, _ = tried_until_dead(REFUSED, off=timedelta(days=4))
    assert same == len(refused_tries()) + 1


def test_one_that_alone_brings_its_receiver_down_dies_all_the_same() -> None:
    """Others are taken between its tries, so that the receiver is never down for long."""
    hook, delivery, now = HOOK, DELIVERY, START
    while delivery.state is DeliveryState.WAITING and now - START < timedelta(days=10):
        hook, after = settle(hook, delivery, replace(DOWN, failures=hook.failures), now, 0.5)
        assert after is not None
        delivery = after
        hook, _ = settle(hook, replace(DELIVERY, id=2), TAKEN, now, 0.5)
        assert hook.failures == 0
        now = max(delivery.due_at or now, now)
    assert delivery.state is DeliveryState.DEAD
    assert timedelta(days=3) <= now - START <= timedelta(days=3, hours=1)


def test_of_several_that_fail_at_once_one_counts() -> None:
    hook, _ = settle(HOOK, DELIVERY, DOWN, START, 0.5)
    again, _ = settle(hook, DELIVERY, DOWN, START, 0.5)
    assert (hook.failures, again.failures) == (1, 1)
    assert again.until == hook.until


def test_what_was_never_tried_asks_sooner() -> None:
    hook, now = HOOK, START
    for _ in range(10):
        hook, _ = settle(hook, DELIVERY, replace(DOWN, failures=hook.failures), now, 0.5)
        now = hook.until or now
    now = hook.failed_at or now
    assert resumes_at(hook, now, fresh=False) - now > timedelta(minutes=10)
    assert resumes_at(hook, now, fresh=True) - now == timedelta(seconds=5)


def test_an_answer_says_that_the_receiver_is_not_down() -> None:
    hook, _ = settle(HOOK, DELIVERY, DOWN, START, 0.5)
    hook, _ = settle(hook, DELIVERY, REFUSED, START, 0.5)
    assert (hook.failures, hook.until) == (0, None)


@pytest.mark.parametrize(("asked_s", "waits_s"), [(None, 5), (600, 600), (1e9, 3600), (-5, 5)])
def test_retry_after_is_heeded_within_bounds(asked_s: float | None, waits_s: float) -> None:
    report = TryReport(TryOutcome.DOWN, "busy", asked_s)
    hook, after = settle(HOOK, DELIVERY, report, START, 0.5)
    assert after is not None
    assert after.due_at is not None
    assert hook.until is not None
    for at in (after.due_at, hook.until):
        assert waits_s <= (at - START).total_seconds() <= waits_s + 1
    assert hook.until - START < LONGEST_WAIT


def test_a_time_that_a_wrong_clock_wrote_down_is_not_waited_for() -> None:
    hook, _ = settle(HOOK, DELIVERY, DOWN, START + timedelta(days=365), 0.5)
    assert resumes_at(hook, START, fresh=False) == START


def test_a_dead_one_that_is_told_again_has_three_days_of_its_own() -> None:
    hook = replace(HOOK, waited_s=PATIENCE_S * 7)
    dead = replace(DELIVERY, state=DeliveryState.DEAD, tries=9, died_at=START, error="no")
    again = revived(dead, hook, START)
    assert again == replace(
        DELIVERY, gives_up_s=PATIENCE_S * 8, state=DeliveryState.WAITING, due_at=START
    )
    with pytest.raises(KeyError):
        revived(again, hook, START)


REPORTS = st.builds(
    TryReport,
    st.sampled_from(list(TryOutcome)),
    st.just("why"),
    st.none() | st.floats(0, 1e6),
)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(REPORTS, st.floats(0, 0.999), st.integers(-(10**6), 10**6)), max_size=60),
)
def test_whatever_happens(steps: list[tuple[TryReport, float, int]]) -> None:
    """Any outcomes, at any times, by a clock that jumps either way."""
    hook, now = HOOK, START
    delivery: DeliveryRow | None = DELIVERY
    told = failed = 0
    for report, chance, jump_s in steps:
        if delivery is None or delivery.state is DeliveryState.DEAD:
            break
        before, was = hook, delivery
        hook, delivery = settle(hook, was, replace(report, failures=hook.failures), now, chance)
        told += report.outcome is TryOutcome.TAKEN
        failed += report.outcome is not TryOutcome.TAKEN
        assert (hook.delivered, hook.failed) == (told, failed)
        assert hook.waited_s >= before.waited_s
        assert (delivery is None) is (report.outcome is TryOutcome.TAKEN)
        if delivery is not None:
            is_over = hook.waited_s >= was.gives_up_s
            assert (delivery.state is DeliveryState.DEAD) is is_over
            assert delivery.tries == was.tries + 1
            if delivery.state is DeliveryState.WAITING and delivery.due_at is not None:
                assert timedelta(0) < delivery.due_at - now <= LONGEST_WAIT
        assert resumes_at(hook, now, fresh=False) >= now
        assert resumes_at(hook, now, fresh=True) <= resumes_at(hook, now, fresh=False)
        now += timedelta(seconds=jump_s)


def test_waits_double_and_end() -> None:
    assert [REFUSED_WAITS.wait_s(n) for n in (0, 1, 2, 50)] == [5, 10, 20, 14_400]
    assert [DOWN_WAITS.wait_s(n) for n in (0, 1, 2, 50)] == [5, 10, 20, 900]
    assert sum(refused_tries()) >= PATIENCE_S > sum(refused_tries()[:-1])
