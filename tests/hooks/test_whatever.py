"""Stories that chance writes: events, receivers in any mood, crashes, a clock that jumps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from bridge.hooks.schedule import TryReport
from tests.fakes import FakeClock
from tests.hooks.rig import DOWN, REFUSED, TAKEN, Receiver, Rig
from tests.selected import some

STEPS = 30


class Moody(Receiver):
    """Takes, refuses or is down, as chance has it."""

    def __init__(self, chance: Random, well: float) -> None:
        super().__init__(self._answer)
        self.chance = chance
        self.well = well

    def _answer(self, _number: int, _lane: str) -> TryReport:
        if self.chance.random() < self.well:
            return TAKEN
        return self.chance.choice((REFUSED, DOWN))


@pytest.mark.parametrize("seed", some(range(30), 6))
async def test_nothing_is_missing_and_no_message_is_out_of_order(
    seed: int, tmp_path: Path, clock: FakeClock
) -> None:
    chance = Random(seed)
    rig = await Rig.open(tmp_path, clock)
    receivers = {"one": Moody(chance, 0.7), "two": Moody(chance, 0.1)}
    await rig.start(receivers)
    happened: list[str] = []
    for _ in range(STEPS):
        match chance.randrange(6):
            case 0 | 1 | 2:
                lanes = [chance.choice("ABCDE") for _ in range(chance.randint(1, 6))]
                await rig.happen(*lanes)
                happened += lanes
            case 3:
                await rig.pass_time(chance.choice((1, 10, 600, 7200)))
            case 4:
                await rig.stop()
                await rig.start(receivers)
            case _:
                clock.wrong_by = timedelta(hours=chance.choice((-30, -1, 0, 1, 30)))
    clock.wrong_by = timedelta(0)
    for one in receivers.values():
        one.well = 1.0
    everything = {(number, lane) for number, lane in enumerate(happened, 1)}
    await rig.stop()
    await rig.start(receivers)
    for one in receivers.values():
        await rig.until(lambda one=one: set(one.taken) >= everything, 600)  # type: ignore[misc]
    await rig.pass_time(20_000)  # and what was not written down is told once more
    for name, one in receivers.items():
        assert set(one.taken) == everything, "and nothing else"
        for lane in "ABCDE":
            assert one.of(lane) == sorted(one.of(lane)), f"{name} {lane}"
        row, backlog = await rig.row(name), await rig.backlog(name)
        assert (backlog.waiting, backlog.dead) == (0, 0)
        assert row.delivered <= len(one.taken)
    await rig.close()
