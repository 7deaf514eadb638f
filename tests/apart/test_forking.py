"""A fork has all the bounds that a process of its own has, and knows nothing of those before it."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from bridge.apart.forking import ForkServer
from bridge.apart.process import Apart, ApartCrashed, ApartFailed, TooCostly, program
from bridge.spool import SpoolFile
from tests.running import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no forks")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


@pytest.fixture
async def apart(folder: Path) -> AsyncIterator[Apart]:
    made = Apart(folder)
    yield made
    await made.aclose()


async def work(apart: Apart, *arguments: str, given: bytes = b"what is given") -> SpoolFile:
    file = SpoolFile.holding(apart.folder, [given])
    return await apart.run(program("tests.apart.forked", *arguments), file)


async def told(apart: Apart, given: bytes = b"what is given") -> dict[str, Any]:
    return dict(json.loads((await work(apart, "tell", given=given)).line()))


def is_gone(process: int) -> bool:
    status = Path("/proc", str(process), "status")
    return not status.exists() or "\nState:\tZ" in status.read_text()


def below(process: int) -> list[int]:
    """Return what it has begun, and what that has."""
    found = [
        int(child)
        for task in Path(f"/proc/{process}/task").glob("*/children")
        for child in task.read_text().split()
    ]
    return found + [one for child in found for one in below(child)]


async def test_each_is_a_process_of_its_own_and_knows_nothing_of_those_before(
    apart: Apart,
) -> None:
    one, other = await told(apart, b"one"), await told(apart, b"the other")
    assert (one["given"], other["given"]) == ("one", "the other")
    assert one["before"] == other["before"] == []
    assert one["parent"] == other["parent"] != os.getpid()
    assert one["process"] != other["process"]
    assert one["open"] == other["open"]
    assert one["session"] != os.getsid(0)
    assert other["oom"] == "1000\n"


async def test_two_at_once_have_two_to_fork_from_and_both_stay(apart: Apart) -> None:
    first = await asyncio.gather(told(apart), told(apart))
    again = await asyncio.gather(told(apart), told(apart))
    assert len({one["parent"] for one in first}) == 2
    assert {one["parent"] for one in again} == {one["parent"] for one in first}


async def test_what_is_not_needed_for_long_ends(
    apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.apart.process.IDLE_S", 0.05)
    parent = (await told(apart))["parent"]
    await until(lambda: is_gone(parent))
    assert (await told(apart))["parent"] != parent


async def test_closing_ends_what_is_forked_from(folder: Path) -> None:
    apart = Apart(folder)
    parent = (await told(apart))["parent"]
    await apart.aclose()
    assert is_gone(parent)
    assert (await told(apart))["parent"] != parent
    await apart.aclose()


@pytest.mark.parametrize(
    ("arguments", "fault", "words"),
    [
        (["compute", "1"], TooCostly, "seconds of work"),
        (["take_memory"], TooCostly, "memory"),
        (["crash"], ApartCrashed, "failed"),
        (["abort"], ApartCrashed, "failed"),
        (["write"], ApartFailed, "disk"),
        (["import"], ApartFailed, "cannot run"),
        (["no such work"], ApartFailed, "cannot run"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
async def test_a_bound_ends_one_and_the_next_is_none_the_worse(
    apart: Apart, arguments: list[str], fault: type[Exception], words: str
) -> None:
    parent = (await told(apart))["parent"]
    with pytest.raises(fault, match=words) as caught:
        await work(apart, *arguments)
    assert type(caught.value) is fault
    after = await told(apart)
    assert (after["parent"], after["before"]) == (parent, [])


async def test_a_module_that_is_being_replaced_says_nothing_of_what_was_given(
    apart: Apart, folder: Path
) -> None:
    given = SpoolFile.holding(folder, [b"what is given"])
    with pytest.raises(ApartFailed, match="cannot run") as caught:
        await apart.run(program("bridge.not_there"), given)
    assert type(caught.value) is ApartFailed


async def test_a_crash_says_where_it_was_and_not_what_was_written(apart: Apart) -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(ApartCrashed):
        await work(apart, "crash")
    (line,) = logs
    assert "JSONDecodeError in decoder.py:" in line["said"]
    assert "what is given" not in line["said"]
    assert line["program"] == "tests.apart.forked"
    with structlog.testing.capture_logs() as logs, pytest.raises(ApartCrashed):
        await work(apart, "abort")
    (line,) = logs
    assert "Fatal Python error: Aborted" in line["said"]
    assert len(line["said"]) <= 4096


@pytest.mark.parametrize("how", ["die", "end_the_server"])
async def test_what_is_killed_twice_is_too_costly(apart: Apart, how: str) -> None:
    """Also where it was not the fork that was killed."""
    with pytest.raises(ApartFailed, match="tried once more"):
        await work(apart, how)
    with pytest.raises(TooCostly, match="not for the first time"):
        await work(apart, how)
    assert (await told(apart))["before"] == []


async def test_one_that_does_not_end_is_ended_and_so_is_what_it_was_forked_from(
    folder: Path,
) -> None:
    apart = Apart(folder, deadline_s=0.5)
    parent = (await told(apart))["parent"]
    with pytest.raises(ApartFailed, match="longer than"):
        await work(apart, "compute")
    assert is_gone(parent)
    assert (await told(apart))["parent"] != parent
    await apart.aclose()


async def test_cancelling_ends_the_work(apart: Apart, folder: Path) -> None:
    """Even in the middle of one long step."""
    parent = (await told(apart))["parent"]
    working = asyncio.create_task(work(apart, "compute"))
    await until(lambda: below(parent))
    (child,) = below(parent)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    await until(lambda: is_gone(child))
    assert is_gone(parent)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
async def test_one_that_was_ended_while_it_had_nothing_to_do_costs_nobody_anything(
    apart: Apart, name: str
) -> None:
    parent = (await told(apart))["parent"]
    os.kill(parent, getattr(signal, name))
    await until(lambda: is_gone(parent))
    assert (await told(apart))["parent"] != parent


async def test_a_fork_ends_with_the_daemon(folder: Path) -> None:
    """Even in the middle of one long step, and although nobody tells it."""
    daemon = (
        "import asyncio; from bridge.apart.process import Apart, program;"
        "from bridge.spool import SpoolFile; given = SpoolFile(None); given.append(b'x');"
        "asyncio.run(Apart().run(program('tests.apart.forked', 'compute'), given))"
    )
    running = await asyncio.create_subprocess_exec(sys.executable, "-P", "-c", daemon)
    await until(lambda: len(below(running.pid)) == 2)
    both = below(running.pid)
    running.kill()
    await running.wait()
    await until(lambda: all(map(is_gone, both)))


def test_it_ends_with_its_last_use_in_a_cycle_too() -> None:
    """Garbage is told to end in any order: its socket would have warned that nobody closed it."""
    server = ForkServer()
    pid, ours = server._process.pid, server._socket
    circle: list[object] = [ours, server]
    circle.append(circle)
    del server, ours, circle
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
