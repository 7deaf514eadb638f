"""A whole bridge on data that was copied away and put back: nothing is sent a second time."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.operations.control import OperationFailed, ask
from bridge.simulator import Operation
from tests.running import apart, eventually, running, simulated, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="copies by the tools of Unix")


def states(entries: list[dict[str, object]]) -> dict[object, object]:
    return {entry["subject"]: entry["state"] for entry in entries}


def copy(source: Path | str, target: Path | str) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)


@pytest.mark.parametrize("way", ["over it", "in its place", "renamed"])
async def test_a_backup_put_back_sends_nothing_again(tmp_path: Path, way: str) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    simulator = simulated()
    later = {"Retry-After": "600"}  # nothing is under way while the copy is made
    fault = simulator.faults.answer(Operation.SEND, 429, headers=later, times=None)
    async with running(data, simulator) as bridge:
        for subject in ("Uno", "Due"):
            await apart(bridge.submit, subject, "silent-x@altra.example")

        async def is_waiting() -> bool:
            entries = await ask(data, "queue list", {})
            tried = [one for one in entries if one["attempts"]]
            return bool(tried) and {one["state"] for one in entries} == {"queued"}

        await eventually(is_waiting)
        await apart(copy, data, backup)
        simulator.faults.remove(fault)
        for entry in await ask(data, "queue list", {}):
            with suppress(OperationFailed):  # its turn may have come already
                await ask(data, "queue retry", {"id": entry["id"]})
        await until(lambda: len(simulator.sent) == 2)
    match way:
        case "over it":
            await apart(copy, f"{backup}/.", f"{data}/")
        case "in its place":
            shutil.rmtree(data)
            await apart(copy, backup, data)
        case "renamed":
            shutil.rmtree(data)
            backup.rename(data)
    async with running(data, simulator) as bridge:
        listed = await ask(data, "queue list", {})
        assert set(states(listed).values()) <= {"restored", "submitted"}
        status = await ask(data, "status", {})
        assert "restored" in {alarm["kind"] for alarm in status["alarms"]}
        await apart(bridge.submit, "Tre", "silent-x@altra.example")
        await until(lambda: len(simulator.sent) == 3)
    assert sorted(sent.subject for sent in simulator.sent) == ["Due", "Tre", "Uno"]


async def test_a_moved_folder_and_a_restart_go_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    simulator = simulated()
    fault = simulator.faults.answer(Operation.SEND, 402, times=None)
    async with running(data, simulator) as bridge:
        await apart(bridge.submit, "Uno", "silent-x@altra.example")

        async def is_held() -> bool:
            return states(await ask(data, "queue list", {})) == {"Uno": "held"}

        await eventually(is_held)
    data = data.rename(tmp_path / "moved")
    async with running(data, simulator):
        (entry,) = await ask(data, "queue list", {})
        assert entry["state"] == "held"
        simulator.faults.remove(fault)
        await ask(data, "queue retry", {"id": entry["id"]})
        await until(lambda: simulator.sent)
