"""``serve`` as a process: the ready line, signals, exit codes, a second one on the same data."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator import SimulatorServer
from tests.running import ADDRESS, PASSWORD, PATIENCE_S, simulated
from tests.streams import hang_up

CONFIG = """\
data_dir = "data"
[api]
base_url = "{api_url}"
token = {{ file = "token" }}
[sync]
interval_s = 1
[imap]
listen = ["127.0.0.1:0", "imaps://127.0.0.1:0"]
[smtp]
listen = ["127.0.0.1:0"]
[web]
listen = []
[[account]]
address = "{address}"
password = {{ env = "TEST_PEC_PASSWORD" }}
"""


def write_config(folder: Path, api_url: str, token: str) -> Path:
    (folder / "token").write_text(token)
    path = folder / "config.toml"
    path.write_text(CONFIG.format(api_url=api_url, address=ADDRESS))
    return path


async def start(config: Path, *options: str) -> Process:
    program = Path(sys.executable).with_name("pec-bridge")
    return await asyncio.create_subprocess_exec(
        program,
        *("serve", "--json", "--config", str(config), *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env={"TEST_PEC_PASSWORD": PASSWORD, "PYTHONWARNINGS": "default"},
    )


async def ended(process: Process) -> tuple[int | None, str, str]:
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def serving(config: Path, *options: str) -> AsyncIterator[tuple[Process, dict[str, Any]]]:
    """Start ``serve`` and give it with its ready line; kill it if the test has not ended it."""
    process = await start(config, *options)
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        if not line:
            raise AssertionError(await ended(process))
        yield process, json.loads(line)
    finally:
        if process.returncode is None:
            process.kill()
        await ended(process)


async def test_ready_line_second_instance_and_sigterm(tmp_path: Path) -> None:
    simulator = simulated(messages=1)
    async with SimulatorServer(simulator.app) as api:
        config = write_config(tmp_path, api.url, simulator.token)
        async with serving(config) as (process, ready):
            assert ready["ready"] is True
            assert ready["api"] == {"url": api.url}
            assert ready["accounts"] == [{"address": ADDRESS}]
            assert [one["tls"] for one in ready["listeners"]] == [
                "starttls",
                "implicit",
                "starttls",
            ]
            for one in ready["listeners"]:
                _, writer = await asyncio.open_connection(one["host"], one["port"])
                await hang_up(writer)
            code, out, err = await ended(await start(config))
            assert (code, out) == (1, "")
            assert f"Another pec-bridge (process {process.pid}) is using" in err
            assert err.count("\n") == 1
            process.send_signal(signal.SIGTERM)
            code, out, err = await ended(process)
            assert (code, out) == (0, ""), err
            for line in err.splitlines():
                assert json.loads(line)["level"] in ("info", "warning")
        assert not (tmp_path / "data" / "control.sock").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
async def test_signals_with_the_api_down(tmp_path: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    config = write_config(tmp_path, f"http://127.0.0.1:{port}", "token")
    async with serving(config) as (process, _):
        process.send_signal(number)
        code, _, err = await ended(process)
        assert code == 0, err
        assert "Traceback" not in err


async def test_a_certificate_that_cannot_be_used_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9", "token")
    config.write_text(config.read_text() + '[tls]\ncertificate = "no.pem"\nkey = "no.pem"\n')
    code, out, err = await ended(await start(config))
    assert (code, out) == (2, "")
    (line,) = (one for one in err.splitlines() if not one.startswith("{"))
    assert line.startswith(f"{config}:17: tls.certificate: ")
    assert line.endswith("cannot be used: No such file or directory")


async def test_after_a_kill_it_starts_again(tmp_path: Path) -> None:
    simulator = simulated()
    async with SimulatorServer(simulator.app) as api:
        config = write_config(tmp_path, api.url, simulator.token)
        async with serving(config) as (process, _):
            process.kill()
            await process.wait()
        async with serving(config) as (process, ready):
            assert ready["ready"] is True


async def test_what_it_needs_and_cannot_have_is_one_sentence(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9", "token")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(config.read_text().replace('"127.0.0.1:0"]', f'"127.0.0.1:{port}"]'))
        code, out, err = await ended(await start(config))
    assert (code, out) == (1, "")
    (line,) = (one for one in err.splitlines() if not one.startswith("{"))
    assert str(port) in line
    assert "listen: 127.0.0.1:" in line


def test_a_crash_leaves_no_core() -> None:
    pytest.importorskip("resource")
    program = (
        "import ctypes, json, resource, sys; from bridge.cli.daemon import leave_no_core;"
        "leave_no_core(); linux = sys.platform == 'linux';"
        "dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if linux else 0;"
        "print(json.dumps([resource.getrlimit(resource.RLIMIT_CORE)[0], dumpable]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(done.stdout) == [0, 0]
