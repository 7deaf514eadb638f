"""How stories of a state machine are told: so many of so many steps, or one step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine

Story = Iterable[tuple[str, Mapping[str, object]]]
"""Rules by their names, each with its arguments."""


def tell(
    machine: type[RuleBasedStateMachine], examples: int, steps: int, *, same: bool = False
) -> None:
    """Try so many stories of so many steps; the ``same`` ones each time."""
    machine.TestCase.settings = settings(
        max_examples=examples,
        derandomize=same,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine.TestCase().runTest()


def tell_one(machine: type[RuleBasedStateMachine], story: Story) -> None:
    """Go through one story."""
    state = machine()
    try:
        for name, arguments in story:
            getattr(state, name)(**arguments)
    finally:
        state.teardown()
