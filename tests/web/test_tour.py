"""The demo's tour: only where the clock can be moved, and it moves it by what the buttons say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.clock import MovableClock
from bridge.web.tour import STEPS
from tests.web.conftest import Site


async def test_a_bridge_that_is_no_demo_has_no_tour(made: Site) -> None:
    anna = await made.anna()
    assert (await anna.get("/tour")).status_code == 404
    assert (await anna.press("/", "/tour", minutes="720")).status_code == 404
    assert "/tour" not in (await anna.get("/")).text


@pytest.mark.parametrize("minutes", STEPS)
async def test_a_button_moves_the_clock_and_the_visitor_stays(made: Site, minutes: str) -> None:
    clock = made.services.clock = MovableClock()
    anna = await made.anna()
    assert "/tour" in (await anna.get("/")).text
    before = clock.now()
    answer = await anna.press("/tour", "/tour", minutes=minutes)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/tour?moved={minutes}")
    assert clock.now() - before >= timedelta(minutes=int(minutes))
    assert "The clock was moved on" in (await anna.get(answer.headers["Location"])).text


async def test_the_clock_moves_by_nothing_else(made: Site) -> None:
    made.services.clock = MovableClock()
    anna = await made.anna()
    assert (await anna.press("/tour", "/tour", minutes="-720")).status_code == 404
    assert (await anna.post("/tour", data={"minutes": "720"})).status_code == 403
