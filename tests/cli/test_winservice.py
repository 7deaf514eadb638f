"""The Windows service, driven by a stand-in of pywin32; and the sentence where there is none."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from pathlib import Path

import pytest

from bridge.simulator import SimulatorServer
from tests.cli import as_service
from tests.cli.conftest import Command
from tests.cli.test_daemon import write_config
from tests.running import PATIENCE_S, simulated

STOP_PENDING = 3


async def driven(config: Path, ending: str = "SvcStop") -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        as_service.__file__,
        str(config),
        ending,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"TEST_PEC_PASSWORD": "parola", "PYTHONPATH": ":".join(sys.path)},
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), 2 * PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("ending", ["SvcStop", "SvcShutdown"])
async def test_it_is_installed_runs_and_ends_as_its_manager_says(
    tmp_path: Path, ending: str
) -> None:
    simulator = simulated()
    async with SimulatorServer(simulator.app) as api:
        config = write_config(tmp_path, api.url, simulator.token)
        code, out, err = await driven(config, ending)
    assert code == 0, err
    asked = json.loads(out.splitlines()[-1])
    install, start, stop, remove, made, running, stopping = asked
    assert install[:4] == [
        "install",
        "bridge.cli.winservice.BridgeService",
        "pec-bridge",
        "PEC bridge",
    ]
    assert install[4]["startType"] == 2
    assert [start, stop, remove] == [
        [name, "pec-bridge"] for name in ("StartService", "StopService", "RemoveService")
    ]
    assert (made, running) == (["made", ["pec-bridge"]], ["running", True])
    assert stopping[:2] == ["status", STOP_PENDING]
    assert stopping[2] > 10_000
    log = (tmp_path / "pec-bridge-service.log").read_text()
    assert '"event": "listening"' in log
    assert not (tmp_path / "data" / "control.sock").exists()


async def test_what_hinders_its_start_is_in_its_log(tmp_path: Path) -> None:
    simulator = simulated()
    config = write_config(tmp_path, "http://127.0.0.1:9", simulator.token)
    data = tmp_path / "data"
    data.write_text("no folder")
    code, _, _ = await driven(config)
    assert code == 1
    assert "data" in (tmp_path / "pec-bridge-service.log").read_text()


@pytest.mark.skipif(importlib.util.find_spec("win32service") is not None, reason="it is there")
@pytest.mark.parametrize("word", ["install", "remove", "start", "stop"])
def test_elsewhere_there_is_none(command: Command, config: Path, word: str) -> None:
    done = command("service", word, "--config", config)
    assert (done.code, done.err) == (
        1,
        "There are no Windows services here. systemd/ and launchd/ have what keeps the "
        "bridge running on Linux and macOS.\n",
    )
