"""Work on many rows: in threads with short turns, or some rows a turn of the loop."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from bridge.sync.aside import MANY_ROWS, ROWS_A_TURN, SHORT_TURNS, TURN_S, aside, in_turns, of_each
from tests.costs.measure import others


async def test_few_rows_are_worked_on_at_once_and_many_by_a_thread() -> None:
    assert await aside(MANY_ROWS, threading.get_ident) == threading.get_ident()
    assert await aside(MANY_ROWS + 1, threading.get_ident) != threading.get_ident()


async def test_turns_are_short_until_the_last_such_work_has_ended() -> None:
    usual_s = sys.getswitchinterval()
    go_on = threading.Event()
    first = asyncio.ensure_future(aside(MANY_ROWS + 1, go_on.wait))
    assert await aside(MANY_ROWS + 1, sys.getswitchinterval) == pytest.approx(TURN_S)
    assert sys.getswitchinterval() == pytest.approx(TURN_S)
    go_on.set()
    await first
    assert sys.getswitchinterval() == pytest.approx(usual_s)


async def test_turns_are_as_before_when_the_work_fails() -> None:
    usual_s = sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError), SHORT_TURNS.taken():
        _ = 1 / 0
    assert sys.getswitchinterval() == pytest.approx(usual_s)


async def test_each_row_is_worked_on_in_order_with_turns_between() -> None:
    numbers = range(10 * ROWS_A_TURN)
    async with others() as turns:
        assert await of_each(numbers, str) == tuple(map(str, numbers))
    assert turns.count >= 9
    async with others() as turns:
        assert [number async for number in in_turns(numbers)] == list(numbers)
    assert turns.count >= 9
