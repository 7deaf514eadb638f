"""Work in a process of its own ends within its limits, or is ended."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.apart.process import Apart, ApartCrashed, ApartFailed, TooCostly, told
from bridge.spool import SpoolFile

BEGIN = "import sys; from bridge.apart import program; "


def python(statements: str) -> Sequence[str]:
    return (sys.executable, "-P", "-c", statements)


def doing(work: str, *, limit_bytes: int = 640 << 20) -> Sequence[str]:
    limit = f"program.APART_BYTES = {limit_bytes}; "
    return python(f"{BEGIN}{limit}sys.exit(program.begin({work}))")


SLEEPS = python("import time; time.sleep(600)")


@pytest.fixture
def given(tmp_path: Path) -> SpoolFile:
    file = SpoolFile(tmp_path)
    file.append(b"what is given")
    return file


async def test_what_is_given_comes_in_and_what_is_made_comes_out(
    tmp_path: Path, given: SpoolFile
) -> None:
    work = doing("lambda given, made: made.write(program.line(1) + given.read() * 2)")
    for _ in range(2):  # whoever read it before
        made = await Apart(tmp_path).run(work, given)
        assert made.line() == b"1"
        value, behind = told(made)
        assert value == 1
        assert behind.whole() == b"what is given" * 2
    assert os.listdir(tmp_path) == []


async def test_a_deadline_is_kept(tmp_path: Path, given: SpoolFile) -> None:
    begun = time.monotonic()
    with pytest.raises(TooCostly, match=r"longer than 0\.2 seconds"):
        await Apart(tmp_path, deadline_s=0.2).run(SLEEPS, given)
    assert time.monotonic() - begun < 60


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of memory")
async def test_memory_is_bounded(tmp_path: Path, given: SpoolFile) -> None:
    work = doing("lambda given, made: bytes(192 << 20)", limit_bytes=192 << 20)
    with pytest.raises(TooCostly, match="memory"):
        await Apart(tmp_path).run(work, given)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
async def test_who_is_killed_took_too_much(tmp_path: Path, given: SpoolFile) -> None:
    with pytest.raises(TooCostly, match="memory"):
        await Apart(tmp_path).run(python("import os; os.kill(os.getpid(), 9)"), given)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
async def test_who_is_told_to_stop_took_nothing(
    tmp_path: Path, given: SpoolFile, name: str
) -> None:
    """A service manager ends all processes of a service: no message is refused for that."""
    work = f"import os, signal; os.kill(os.getpid(), signal.{name})"
    with pytest.raises(ApartFailed, match="ended") as caught:
        await Apart(tmp_path).run(python(work), given)
    assert not isinstance(caught.value, ApartCrashed)


@pytest.mark.skipif(sys.platform == "win32", reason="no terminals")
async def test_a_terminal_does_not_interrupt_it(tmp_path: Path, given: SpoolFile) -> None:
    made = await Apart(tmp_path).run(python("import os; print(os.getsid(0))"), given)
    assert int(made.line()) != os.getsid(0)


@pytest.mark.parametrize(
    "begun",
    [
        python("import bridge.not_there"),
        (sys.executable, "-P", "-m", "bridge.not_there"),
        doing("lambda given, made: __import__('bridge.not_there')"),
    ],
    ids=["imported", "run", "imported late"],
)
async def test_a_program_that_is_being_replaced_says_nothing_of_what_was_given(
    tmp_path: Path, given: SpoolFile, begun: Sequence[str]
) -> None:
    with pytest.raises(ApartFailed, match="cannot run") as caught:
        await Apart(tmp_path).run(begun, given)
    assert not isinstance(caught.value, ApartCrashed)


async def test_a_crash_and_a_full_disk_are_told_apart(tmp_path: Path, given: SpoolFile) -> None:
    with pytest.raises(ApartCrashed):
        await Apart(tmp_path).run(doing("lambda given, made: 1 / 0"), given)
    full = "lambda given, made: (_ for _ in ()).throw(OSError(28, 'full'))"
    with pytest.raises(ApartFailed, match="disk") as caught:
        await Apart(tmp_path).run(doing(full), given)
    assert not isinstance(caught.value, ApartCrashed)
    with pytest.raises(ApartFailed, match="begun"):
        await Apart(tmp_path).run(("/no/such/program",), given)
    with pytest.raises(ApartFailed, match="begun"):
        await Apart(tmp_path / "missing").run(doing("print"), given)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size")
@pytest.mark.parametrize("unbuffered", ["", "1"])
async def test_no_part_passes_for_the_whole(
    tmp_path: Path, given: SpoolFile, monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    """A write may stop where the disk is full, without an error; so containers set Python up."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    full = "__import__('resource').setrlimit(__import__('resource').RLIMIT_FSIZE, (99, 99))"
    with pytest.raises(ApartFailed, match="disk"):
        await Apart(tmp_path).run(
            doing(f"lambda given, made: ({full}, made.write(b'x' * 9999))"), given
        )


async def test_cancelling_does_not_wait(tmp_path: Path, given: SpoolFile) -> None:
    begun = time.monotonic()
    work = asyncio.create_task(Apart(tmp_path).run(SLEEPS, given))
    _, pending = await asyncio.wait([work], timeout=0.3)
    assert pending
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert time.monotonic() - begun < 60


async def test_one_works_at_a_time(tmp_path: Path) -> None:
    apart = Apart(tmp_path)
    mark = tmp_path / "mark"
    alone = "import os, time; os.mkdir(sys.argv[1]); time.sleep(0.2); os.rmdir(sys.argv[1])"
    program = (*python(f"import sys; {alone}"), str(mark))
    await asyncio.gather(*(apart.run(program, SpoolFile(tmp_path)) for _ in range(3)))
