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
        "click",  # httpx's own command; typer has it within
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
OF_THE_PAGE = frozenset({"bridge.web.contract", "bridge.web.page", "jinja2", "prometheus_client"})
WITHOUT_PAGE, WITH_PAGE = "[web]\nlisten = []", '[web]\nlisten = ["127.0.0.1:0"]'
PROGRAM = """
import atexit, json, sys
from bridge.cli import main
loaded = lambda: [name for name, module in sys.modules.items() if module is not None]
atexit.register(lambda: print(json.dumps(loaded())))
main()
"""


async def test_serve_loads_only_what_it_serves_with(tmp_path: Path) -> None:
    loaded = await loaded_by_serve(tmp_path, page=False)
    assert {"bridge.imapserver", "bridge.smtpserver", "bridge.sync", "httpx"} <= loaded
    assert loaded & NEVER_IN_SERVE == set()


async def test_a_page_that_nobody_opens_is_not_loaded(tmp_path: Path) -> None:
    loaded = await loaded_by_serve(tmp_path, page=True)
    assert "bridge.web.listener" in loaded
    assert loaded & (NEVER_IN_SERVE | OF_THE_PAGE) == set()


async def loaded_by_serve(tmp_path: Path, *, page: bool) -> set[str]:
    simulator = simulated(messages=1)
    async with SimulatorServer(simulator.app) as api:
        config = write_config(tmp_path, api.url, simulator.token)
        if page:
            settings = config.read_text()
            config.write_text(settings.replace(WITHOUT_PAGE, WITH_PAGE))
            assert config.read_text() != settings
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
    return set(json.loads(out.splitlines()[-1]))
