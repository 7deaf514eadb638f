"""ImapTest, Dovecot's own test of IMAP servers, against ours.

``IMAPTEST`` names the program, ``IMAPTEST_TESTS`` the folder of its scripts (``src/tests``).
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest

from bridge.clock import SystemClock
from bridge.imapserver.settings import ImapSettings
from tests.imapserver.client import ADDRESS, PASSWORD, Rig
from tests.imapserver.conftest import NewRig

PROGRAM = os.environ.get("IMAPTEST", "")
SCRIPTS = os.environ.get("IMAPTEST_TESTS", "")
STRESS_S = 10
NOT_OFFERED = 8
"""Groups for CONTEXT=SEARCH and CONTEXT=SORT (5), URLAUTH (3)."""

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PROGRAM, reason="IMAPTEST names no program"),
]

STATES = {
    "list": "30",
    "status": "30",
    "mcreate": "20",
    "mdelete": "20",
    "mrename": "20",
    "msubs": "20",
    "uidfetch": "40",
    "fetch": "50",
    "fetch2": "50",
    "search": "30",
    "sort": "30",
    "thread": "20",
    "copy": "30",
    "move": "20",
    "store": "50",
    "delete": "30",
    "expunge": "50",
    "append": "80,5",
    "noop": "20",
    "check": "10",
    "logout": "5",
}
"""How likely each command is, in per cent."""


async def run(rig: Rig, *arguments: str) -> str:
    """Return what the program said."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "host=127.0.0.1",
        f"port={rig.port}",
        f"user={ADDRESS}",
        f"pass={PASSWORD}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), STRESS_S + 120)
    return output.decode("utf-8", "replace")


@pytest.fixture
async def real_rig(new_rig: NewRig) -> Rig:
    return await new_rig(settings=ImapSettings(), time=SystemClock())


@pytest.mark.skipif(not SCRIPTS, reason="IMAPTEST_TESTS names no folder")
async def test_scripts(real_rig: Rig) -> None:
    output = await run(real_rig, f"test={SCRIPTS}")
    groups = re.search(r"test groups: (\d+) failed, (\d+) skipped", output)
    assert groups is not None, output
    assert groups[1] == "0", output
    assert int(groups[2]) <= NOT_OFFERED, output
    assert re.findall(r"(\d+)/\d+ individual commands failed", output) == ["0", "0"], output


@pytest.mark.skipif(not SCRIPTS, reason="IMAPTEST_TESTS names no folder")
@pytest.mark.parametrize("mode", ["", "qresync"], ids=["plain", "qresync"])
async def test_stress(real_rig: Rig, mode: str) -> None:
    mbox = Path(SCRIPTS) / "default.mbox"
    arguments = [f"mbox={mbox}", "clients=10", f"secs={STRESS_S}", "msgs=60", "copybox=Archive"]
    states = [f"{state}={likely}" for state, likely in STATES.items()]
    output = await run(real_rig, *arguments, *states, *([mode] if mode else []))
    errors = [line for line in output.splitlines() if re.match(r"Error|Fatal|Panic", line)]
    assert errors == []
    assert "Totals" in output
