"""Bytes under way: taken as long as there are any, and given back."""

from __future__ import annotations

from bridge.smtpserver.budget import ByteBudget


def test_what_does_not_fit_takes_nothing() -> None:
    budget = ByteBudget(10)
    assert (budget.take(6), budget.take(5), budget.used_bytes) == (True, False, 6)
    assert (budget.take(4), budget.take(1)) == (True, False)
    budget.give(6)
    assert (budget.take(6), budget.used_bytes) == (True, 10)
