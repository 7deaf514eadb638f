"""When a row whose text cannot be had is given up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from bridge.store.remote import RemoteRow
from bridge.sync.tries import LAST_PATIENCE_S, Tries
from tests.fakes import FakeClock

ROW = cast(RemoteRow, SimpleNamespace(id=1, account=1, api_id="7"))
HOUR_S = 3_600.0


async def test_while_all_fail_none_is_given_up_before_two_days(clock: FakeClock) -> None:
    """It may be the API's trouble."""
    tries, at_s = Tries(clock), 0.0
    while not tries.is_given_up(ROW, "nothing", 2):
        await clock.advance(HOUR_S)
        at_s += HOUR_S
    assert at_s == LAST_PATIENCE_S
    assert ROW.id not in tries


async def test_a_row_that_fails_while_others_come_is_given_up_after_its_tries(
    clock: FakeClock,
) -> None:
    tries, given_up = Tries(clock), []
    for _ in range(3):
        given_up.append(tries.is_given_up(ROW, "nothing", 2))
        tries.worked()
        await clock.advance(HOUR_S)
    assert given_up == [False, False, True]
    assert not tries.is_given_up(ROW, "nothing", 2)  # from the beginning again


async def test_what_failed_once_and_was_not_tried_again_is_not_told(clock: FakeClock) -> None:
    """It may have moved just then."""
    tries = Tries(clock)
    tries.is_given_up(ROW, "its id shows another message", 6)
    await clock.advance(HOUR_S)
    assert tries.since(clock.monotonic()) == 0
    tries.is_given_up(ROW, "its id shows another message", 6)
    assert tries.since(clock.monotonic()) == 1
    assert tries.since(clock.monotonic() - HOUR_S - 1) == 0
