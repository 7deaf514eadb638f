"""SIGHUP and ``reload`` of a daemon with its file: taken over, or a sentence and no change."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bridge.operations.control import ask
from bridge.simulator import SimulatorServer
from tests.cli.conftest import Command
from tests.cli.test_daemon import serving, write_config
from tests.running import PATIENCE_S, apart, eventually, simulated

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a signal of Unix")

MORE = '[[account]]\naddress = "altra@pec.example"\npassword = { env = "TEST_PEC_PASSWORD" }\n'


@pytest.mark.slow
async def test_hanging_up_takes_the_file_over(tmp_path: Path, command: Command) -> None:
    simulator = simulated()
    async with SimulatorServer(simulator.app) as api:
        config = write_config(tmp_path, api.url, simulator.token)
        good = config.read_text()
        async with serving(config) as (process, _ready):

            async def accounts() -> list[str]:
                status = await ask(tmp_path / "data", "status", {})
                return [one["address"] for one in status["accounts"]]

            before = await accounts()
            config.write_text(good + "[send]\nrate = 1\n" + MORE)
            process.send_signal(signal.SIGHUP)
            assert process.stderr is not None
            async with asyncio.timeout(PATIENCE_S):
                async for line in process.stderr:
                    if b"nothing was reloaded" in line:
                        assert b"send.rate: is not a setting" in line
                        break
            assert await accounts() == before
            config.write_text(good + MORE)
            process.send_signal(signal.SIGHUP)

            async def both() -> bool:
                return await accounts() == [*before, "altra@pec.example"]

            await eventually(both)
            config.write_text(good.replace('["127.0.0.1:0"]', '["localhost:0"]') + MORE)
            done = await apart(command, "reload", "--json", "--config", config)
            assert done.json == {
                "changed": [],
                "needs_restart": ["smtp.listen"],
            }
            done = await apart(command, "reload", "--config", config)
            assert "Needs a restart: smtp.listen" in done.err


def test_no_bridge_to_reload(command: Command, config: Path) -> None:
    done = command("reload", "--config", config)
    assert (done.code, "No bridge is running on" in done.err) == (1, True)
