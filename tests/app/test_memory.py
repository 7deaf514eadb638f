"""What a burst took goes back to the system."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from bridge.app.memory import GROWN_BYTES, LOOK_EVERY_S, Memory, give_back, resident_bytes
from tests.fakes import FakeClock, settle

MIB = 1024**2


async def test_it_is_given_back_when_the_process_has_grown(clock: FakeClock) -> None:
    sizes = iter([50 * MIB, 60 * MIB, 300 * MIB, 90 * MIB, 95 * MIB, 400 * MIB, 390 * MIB])
    asked = []
    memory = Memory(clock, lambda: next(sizes), lambda: asked.append(True))
    assert GROWN_BYTES < 40 * MIB
    counts = []
    for _ in range(4):
        await memory.look()
        counts.append(len(asked))
    assert counts == [1, 2, 2, 3]


async def test_it_is_looked_at_again_and_again(clock: FakeClock) -> None:
    looks = []
    memory = Memory(clock, lambda: looks.append(True), lambda: None)
    task = asyncio.create_task(memory.run())
    for _ in range(3):
        await settle(5)
        await clock.advance(LOOK_EVERY_S)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(looks) >= 3


async def test_where_nobody_can_be_asked_nothing_is_done(clock: FakeClock) -> None:
    await Memory(clock, lambda: 10**9, None).look()


def test_the_system_is_asked() -> None:
    trim, before = give_back(), resident_bytes()
    if trim is None or before is None:
        pytest.skip("neither glibc nor Linux")
    trim()
    assert MIB < before < 10**11


PINNED = """
from bridge.app.memory import {keep}give_back, resident_bytes
{call}
bytearray(8 << 20)  # freed at once: from here on glibc would keep blocks of that size
blocks = [(bytearray(1 << 20), bytearray(2000)) for _ in range(100)]
kept = [small for _, small in blocks]
del blocks
print(resident_bytes() >> 20)
"""


@pytest.mark.skipif(give_back() is None or resident_bytes() is None, reason="no glibc or no Linux")
def test_large_blocks_go_back_at_once() -> None:
    def resident(keep: str, call: str) -> int:
        script = PINNED.format(keep=keep, call=call)
        run = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
        return int(run.stdout)

    assert resident("keep_little, ", "keep_little()") < resident("", "") - 50
