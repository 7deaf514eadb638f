"""Telling a command: what it gets, what it does not get, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from bridge.hooks.program import CommandTarget
from bridge.hooks.schedule import TryReport
from bridge.hooks.states import TryOutcome

BODY = b'{"number":1,"detail":"\\u00e8"}'

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="scripts of a Unix shell")


def script(folder: Path, text: str) -> str:
    path = folder / "told"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


async def tell(folder: Path, text: str, timeout_s: float = 10.0, *more: str) -> TryReport:
    target = CommandTarget((script(folder, text), *more), timeout_s, folder)
    return await target.tell("evt_a_1", BODY)


async def test_it_gets_the_json_on_its_standard_input_and_its_words(tmp_path: Path) -> None:
    words = ("a b", "$HOME;true", "'\"")
    report = await tell(
        tmp_path, 'cat > body; printf "%s\\n" "$PEC_BRIDGE_HOOK_ID" "$@" > words', 10.0, *words
    )
    assert report == TryReport(TryOutcome.TAKEN)
    assert json.loads((tmp_path / "body").read_bytes()) == {"number": 1, "detail": "è"}
    assert (tmp_path / "words").read_text().splitlines() == ["evt_a_1", *words]


async def test_it_gets_no_secret_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEC_PASSWORD", "geheim")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials")
    target = CommandTarget((script(tmp_path, "env > seen"),), 10.0, tmp_path)
    await target.tell("evt_a_1", BODY)
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
    assert seen["PATH"] == os.environ["PATH"]
    assert not {"PEC_PASSWORD", "CREDENTIALS_DIRECTORY"} & set(seen)
    assert "geheim" not in str(seen)


@pytest.mark.parametrize("status", [1, 75, 127, 255])
async def test_any_other_status_is_a_refusal(tmp_path: Path, status: int) -> None:
    report = await tell(tmp_path, f"exit {status}")
    assert report.outcome is TryOutcome.REFUSED
    assert report.reason.endswith(f"told ended with status {status}")


async def test_one_that_reads_nothing_and_prints_much_may_succeed(tmp_path: Path) -> None:
    target = CommandTarget((script(tmp_path, "yes | head -c 3000000; exit 0"),), 10.0, tmp_path)
    report = await target.tell("evt_a_1", BODY * 100_000)
    assert report.outcome is TryOutcome.TAKEN


@pytest.mark.parametrize("command", ["/nonexistent/told", "no-such-program-here"])
async def test_one_that_cannot_be_run(tmp_path: Path, command: str) -> None:
    report = await CommandTarget((command,), 10.0, tmp_path).tell("evt_a_1", BODY)
    assert report.outcome is TryOutcome.DOWN
    assert report.reason == f"{command} cannot be run: No such file or directory"


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().split(") ")[1][0] != "Z"


async def children(folder: Path) -> list[int]:
    async with asyncio.timeout(60):
        while True:
            found = (folder / "pids").read_text().split() if (folder / "pids").exists() else []
            if len(found) == 2:
                return list(map(int, found))
            await asyncio.sleep(0.01)


GOES_ON = "trap '' TERM HUP INT\nsleep 300 &\necho $$ $! > pids.new; mv pids.new pids; wait"


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(60):
        while any(map(is_alive, pids)):  # noqa: ASYNC110 - no event tells of their end
            await asyncio.sleep(0.01)


async def test_one_that_goes_on_is_killed_with_all_that_it_began(tmp_path: Path) -> None:
    telling = asyncio.ensure_future(tell(tmp_path, GOES_ON, 1.0))
    pids = await children(tmp_path)
    report = await telling
    assert report.outcome is TryOutcome.DOWN
    assert "did not end within 1 s" in report.reason
    await gone(pids)


async def test_it_ends_with_the_bridge(tmp_path: Path) -> None:
    telling = asyncio.ensure_future(tell(tmp_path, GOES_ON, 60.0))
    pids = await children(tmp_path)
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    await gone(pids)
