"""What a daemon does not load: packages for drawing, for the simulator, for making certificates."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from bridge.simulator import SimulatorServer
from tests.cli.test_daemon import write_config
from tests.running import PASSWORD, PATIENCE_S, simulated

NEVER_IN_SERVE = frozenset(
    {
        "bridge.cli.account",  # other commands
        "bridge.cli.sendmail",
        "bridge.simulator",  # demo and simulator only
        "cryptography",  # a process of its own makes the certificate
        "greenlet",  # structlog's, where it is there
        "hypothesis",
        "iso3166",  # registering a mailbox
        "multiprocessing",
        "pygments",
        "pypdf",  # activating a mailbox
        "rich",
        "starlette",
        "stdnum",
        "unittest",
        "uvicorn",
    }
)
PROGRAM = """
import atexit, json, sys
from bridge.cli import main
loaded = lambda: [name for name, module in sys.modules.items() if module is not None]
atexit.register(lambda: print(json.dumps(loaded())))
main()
"""


async def test_serve_loads_only_what_it_serves_with(tmp_path: Path) -> None:
    simulator = simulated(messages=1)
    async with SimulatorServer(simulator.app) as api:
        config = write_config(tmp_path, api.url, simulator.token)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM),
            *("serve", "--config", config, "--json", "--verbose", "--log", "json"),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            env={"TEST_PEC_PASSWORD": PASSWORD},
        )
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            async for line in process.stderr:
                if b'"event": "api_request"' in line:
                    process.terminate()
            out, _ = await process.communicate()
    assert process.returncode == 0
    loaded = set(json.loads(out.splitlines()[-1]))
    assert {"bridge.imapserver", "bridge.smtpserver", "bridge.sync", "httpx"} <= loaded
    assert loaded & NEVER_IN_SERVE == set()
