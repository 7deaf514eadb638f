from __future__ import annotations

import asyncio

import pytest

from bridge.app import pulse
from bridge.app.pulse import Pulse
from tests.fakes import FakeClock


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(pulse, "notify", said.append)
    monkeypatch.setattr(pulse, "notify_status", lambda text: said.append(f"STATUS={text}"))
    return said


async def test_signs_of_life_come_in_time_and_news_once(told: list[str]) -> None:
    clock = FakeClock()
    standings = ["all is well"] * 3 + ["1 alarm"] * 10

    async def standing() -> str:
        return standings.pop(0)

    running = asyncio.ensure_future(Pulse(clock, 12.0, standing, "all is well").run())
    await clock.advance(0)
    for _ in range(30):  # two minutes
        await clock.advance(4.0)
    running.cancel()
    assert told.count("WATCHDOG=1") >= 2 * 120 / 12
    assert [one for one in told if one != "WATCHDOG=1"] == ["STATUS=1 alarm"]


async def test_a_loop_that_stands_still_gives_no_sign(told: list[str]) -> None:
    clock = FakeClock()
    stuck = asyncio.Event()

    async def standing() -> str:
        await stuck.wait()
        return ""

    running = asyncio.ensure_future(Pulse(clock, 12.0, standing, "").run())
    await clock.advance(0)
    await clock.advance(120.0)
    assert told == ["WATCHDOG=1"]
    running.cancel()


async def test_who_wants_no_sign_gets_none(told: list[str]) -> None:
    clock = FakeClock()

    async def standing() -> str:
        return "well"

    running = asyncio.ensure_future(Pulse(clock, None, standing, "").run())
    await clock.advance(0)
    await clock.advance(120.0)
    running.cancel()
    assert told == ["STATUS=well"]
