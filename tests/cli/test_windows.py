"""What runs where there is no Unix: the daemon, the command line's way to it, the queue."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator import SimulatorServer
from tests.cli.test_daemon import write_config
from tests.running import PASSWORD, PATIENCE_S, simulated

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="takes away what is not there"),
]

PROGRAM = Path(__file__).with_name("without_unix.py")
TOP = Path(__file__).parents[2]


async def start(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), *words),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env={"PYTHONPATH": str(TOP), "TEST_PEC_PASSWORD": PASSWORD, "USERNAME": "somebody"},
    )


async def said(*words: str) -> Any:
    process = await start(*words, "--json")
    out, err = await asyncio.wait_for(process.communicate(), 3 * PATIENCE_S)
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def test_serve_status_and_queue(tmp_path: Path) -> None:
    simulator = simulated(messages=1)
    async with SimulatorServer(simulator.app) as api:
        config = write_config(tmp_path, api.url, simulator.token)
        where = ("--config", str(config))
        process = await start("serve", "--json", *where)
        try:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), 3 * PATIENCE_S)
            assert line, (await process.communicate())[1].decode()
            assert (tmp_path / "data" / "control.port").exists()
            assert not (tmp_path / "data" / "control.sock").exists()
            status = await said("status", *where)
            assert status["running"]
            assert await said("queue", "list", *where) == []
            (flow,) = await said("queue", "pause", *where)
            assert flow["paused_since"]
            second = await start("serve", *where)
            _, err = await asyncio.wait_for(second.communicate(), 3 * PATIENCE_S)
            assert second.returncode == 1
            assert b"is using" in err
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)  # Ctrl-C, where there is no SIGTERM
            _, err = await asyncio.wait_for(process.communicate(), 3 * PATIENCE_S)
        assert b"Traceback" not in err, err.decode()
    assert await said("queue", "list", *where) == []


async def test_demo(tmp_path: Path) -> None:
    process = await start("demo", "--json", "--data-dir", str(tmp_path / "demo"), *PORTS)
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 3 * PATIENCE_S)
        assert line, (await process.communicate())[1].decode()
        assert json.loads(line)["ready"]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), 3 * PATIENCE_S)
    assert b"Traceback" not in err, err.decode()


PORTS = ("--imap-port", "0", "--smtp-port", "0", "--web-port", "0")
