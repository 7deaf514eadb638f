from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command
from tests.running import apart, running, simulated


async def test_drain_says_what_stays(command: Command, config: Path) -> None:
    data = config.parent / "data"
    async with running(data, simulated()) as bridge:
        paused = await apart(command, "queue", "pause", "--config", config)
        assert paused.code == 0
        await apart(bridge.submit, "Prova", "silent-x@altra.example")
        done = await apart(command, "drain", "--config", config)
    assert done.code == 0, done.err
    assert "1 wait in the queue" in done.out


def test_without_a_bridge_there_is_nothing_to_drain(command: Command, config: Path) -> None:
    done = command("drain", "--json", "--config", config)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("No bridge is running on ")
    assert not (config.parent / "data").exists()
