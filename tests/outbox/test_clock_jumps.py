"""A clock that jumps while messages come in and leave: nothing is sent twice or waits long."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from bridge.api.ratelimit import LEAD_S
from bridge.outbox.queue import SameMessageId
from bridge.simulator import Simulator
from tests.outbox.rig import Rig, starts, subjects

DAY = timedelta(days=1)


@pytest.mark.parametrize("by", [400 * DAY, -400 * DAY], ids=["ahead", "back"])
async def test_a_repetition_is_one_whatever_the_clock_says(
    rig: Rig, simulator: Simulator, by: timedelta
) -> None:
    first = await rig.submit("Prova", message_id="<1@client.invalid>")
    await rig.pass_time(5)
    rig.clock.wrong_by = by
    assert await rig.submit("Prova", message_id="<1@client.invalid>") == first
    await rig.pass_time(5)
    assert subjects(simulator) == ["Prova"]
    rig.clock.wrong_by = timedelta(0)
    assert await rig.submit("Prova", message_id="<1@client.invalid>") == first


@pytest.mark.parametrize("by", [400 * DAY, -400 * DAY], ids=["ahead", "back"])
async def test_one_built_anew_is_told_of_the_first_whatever_the_clock_says(
    rig: Rig, simulator: Simulator, by: timedelta
) -> None:
    first = await rig.submit("Prova", message_id="<1@client.invalid>")
    await rig.pass_time(5)
    rig.clock.wrong_by = by
    with pytest.raises(SameMessageId) as told:
        await rig.submit("Prova", message_id="<1@client.invalid>", body="Salve di nuovo.")
    assert told.value.first.id == first
    await rig.pass_time(5)
    assert subjects(simulator) == ["Prova"]


async def test_the_window_ends_when_the_time_is_confirmed(rig: Rig, simulator: Simulator) -> None:
    first = await rig.submit("Prova", message_id="<1@client.invalid>")
    await rig.pass_time(5)
    rig.clock.wrong_by = 2 * DAY  # the machine slept
    rig.clock.heard(rig.clock.now())
    assert await rig.submit("Prova", message_id="<1@client.invalid>") != first


@pytest.mark.parametrize("by", [400 * DAY, -400 * DAY], ids=["ahead", "back"])
async def test_the_pace_is_kept_and_goes_on(rig: Rig, simulator: Simulator, by: timedelta) -> None:
    for number in range(3):
        await rig.submit(f"Prima {number}")
    await rig.pass_time(1)
    rig.clock.wrong_by = by
    for number in range(3):
        await rig.submit(f"Dopo {number}")
    await rig.pass_time(10)
    assert len(simulator.sent) == 6
    moments = starts(simulator)
    assert all(later - one >= 1.0 - LEAD_S for one, later in itertools.pairwise(moments))
