"""``serve`` under an emulated service manager: ready, status, signs of life, sockets, a drain."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bridge.operations.control import ask
from bridge.simulator import SimulatorServer
from tests.cli.test_daemon import write_config
from tests.running import ADDRESS, PASSWORD, PATIENCE_S, apart, simulated
from tests.streams import hang_up

pytestmark = pytest.mark.skipif(os.name == "nt", reason="protocols of Unix")

STARTER = """
import os, sys
for number, given in enumerate(map(int, sys.argv[2].split(","))):
    os.dup2(given, 3 + number)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[1], [sys.argv[1], *sys.argv[3:]])
"""


@asynccontextmanager
async def managed(
    config: Path, heard: socket.socket, sockets: dict[str, socket.socket], **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start ``serve`` as a manager would, on the sockets it opened."""
    program = Path(sys.executable).with_name("pec-bridge")
    # Out of the way of the numbers they are to have.
    high = {name: os.dup(one.fileno()) for name, one in sockets.items()}
    passed = [fd for fd in high.values()]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTER, str(program), ",".join(map(str, passed))),
        *("serve", "--config", str(config)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=passed,
        env={
            "TEST_PEC_PASSWORD": PASSWORD,
            "NOTIFY_SOCKET": str(heard.getsockname()),
            "LISTEN_FDS": str(len(passed)),
            "LISTEN_FDNAMES": ":".join(high),
            **environment,
        },
    )
    for descriptor in passed:
        os.close(descriptor)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_serve_under_a_manager(tmp_path: Path) -> None:
    simulator = simulated()
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard,
        socket.create_server(("127.0.0.1", 0)) as imap,
        socket.create_server(("127.0.0.1", 0)) as smtp,
    ):
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(PATIENCE_S)
        async with SimulatorServer(simulator.app) as api:
            config = write_config(tmp_path, api.url, simulator.token)
            given = {"imap": imap, "smtp": smtp}
            async with managed(config, heard, given, WATCHDOG_USEC="600000") as process:
                ready = await apart(heard.recv, 1000)
                assert ready == b"READY=1\nSTATUS=1 account, 0 messages to be sent."
                assert await apart(heard.recv, 1000) == b"WATCHDOG=1"
                status = await ask(tmp_path / "data", "status", {})
                ports = [(one["protocol"], one["port"]) for one in status["listeners"]]
                assert ports == [
                    ("imap", imap.getsockname()[1]),
                    ("smtp", smtp.getsockname()[1]),
                ]
                for server in (imap, smtp):
                    reader, writer = await asyncio.open_connection(*server.getsockname())
                    assert (await reader.readline())[:1] in (b"*", b"2")
                    await hang_up(writer)
                await ask(tmp_path / "data", "queue pause", {"account": ADDRESS})
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
            said = []
            heard.settimeout(0.1)
            with suppress(TimeoutError):
                while True:
                    said.append(heard.recv(1000))
            assert said[-1] == b"STOPPING=1\nSTATUS=Finishing what is in hand."
        for server in (imap, smtp):  # the manager's sockets are open still
            server.getsockname()


async def test_a_drained_service_ends_well(tmp_path: Path) -> None:
    simulator = simulated()
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard,
        socket.create_server(("127.0.0.1", 0)) as smtp,
    ):
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(PATIENCE_S)
        async with SimulatorServer(simulator.app) as api:
            config = write_config(tmp_path, api.url, simulator.token)
            async with managed(config, heard, {"smtp": smtp}) as process:
                await apart(heard.recv, 1000)
                assert await ask(tmp_path / "data", "drain", {}) == {"left": 0}
                assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def test_a_socket_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9", "token")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard,
        socket.create_server(("127.0.0.1", 0)) as web,
    ):
        heard.bind(str(tmp_path / "notify"))
        async with managed(config, heard, {"web": web}) as process:
            _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert process.returncode == 1
        assert b"set FileDescriptorName=" in err
        assert b"Traceback" not in err
