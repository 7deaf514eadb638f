"""Work in a process of its own ends within its limits, or is ended."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog.testing

from bridge.apart.process import Apart, ApartCrashed, ApartFailed, TooCostly, program, told
from bridge.apart.program import line
from bridge.spool import Spooled, SpoolFile
from tests.running import until

BEGIN = "import sys; from bridge.apart import program; "


def python(statements: str) -> Sequence[str]:
    return (sys.executable, "-P", "-c", statements)


def doing(work: str) -> Sequence[str]:
    return python(f"{BEGIN}sys.exit(program.begin({work}))")


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
        value, behind = told(made)
        assert value == 1
        assert behind.whole() == b"what is given" * 2
    assert os.listdir(tmp_path) == []


async def test_long_texts_are_told_beside_the_rest(tmp_path: Path) -> None:
    """Megabytes of JSON take long to read, in one step that holds the interpreter."""
    long = '"\\\ud800à€\n' * 20_000
    value = {"long": long, "within": {"it": long[1:], "short": "à"}, "list": ["x"], "empty": {}}
    made = SpoolFile.holding(tmp_path, [line(value), b"the rest"])
    assert len(made.line()) < 200
    told_value, rest = told(made)
    assert told_value == value
    assert rest.whole() == b"the rest"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no limit of time")
async def test_time_on_the_processor_is_bounded(tmp_path: Path, given: SpoolFile) -> None:
    """Also within one long step of Python, of which nothing inside can see the end."""
    limit = "program.APART_CPU_S = 1; "
    work = "lambda given, made: sum(iter(int, 1))"
    with pytest.raises(TooCostly, match="60 seconds of work"):
        await Apart(tmp_path).run(python(f"{BEGIN}{limit}sys.exit(program.begin({work}))"), given)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of memory")
async def test_memory_is_bounded(tmp_path: Path, given: SpoolFile) -> None:
    """That of something small too, which works beside something large."""
    for name, small in (("APART_BYTES", 1), ("APART_SMALL_MEMORY_BYTES", 99)):
        limit = f"program.{name} = 192 << 20; program.APART_SMALL_BYTES = {small}; "
        work = "lambda given, made: bytes(192 << 20)"
        with pytest.raises(TooCostly, match="memory"):
            await Apart(tmp_path).run(
                python(f"{BEGIN}{limit}sys.exit(program.begin({work}))"), given
            )


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("how", ["killed", "too slow"])
async def test_what_is_killed_twice_is_too_costly(
    tmp_path: Path, given: SpoolFile, how: str
) -> None:
    """Nobody can tell the first time whether it was for what it did; restarts do not forget it."""
    killed, deadline_s = python("import os; os.kill(os.getpid(), 9)"), 60.0
    if how == "too slow":
        killed, deadline_s = SLEEPS, 0.2
    other = SpoolFile.holding(tmp_path, [b"something else"])
    with pytest.raises(ApartFailed, match="tried once more"):
        await Apart(tmp_path, deadline_s=deadline_s).run(killed, given)
    restarted = Apart(tmp_path, deadline_s=deadline_s)
    with pytest.raises(ApartFailed, match="tried once more"):
        await restarted.run(killed, other)
    with pytest.raises(TooCostly, match="not for the first time"):
        await restarted.run(killed, given)
    with pytest.raises(ApartFailed, match="tried once more"):
        await restarted.run(killed, given)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
async def test_what_ends_by_itself_the_second_time_was_at_no_fault(
    tmp_path: Path, given: SpoolFile
) -> None:
    killed = python("import os; os.kill(os.getpid(), 9)")
    apart = Apart(tmp_path)
    for _ in range(2):
        with pytest.raises(ApartFailed, match="tried once more"):
            await apart.run(killed, given, known_by=Spooled(given, 0, 4))
        given.append(b"is given in another way")
        await apart.run(doing("print"), given, known_by=Spooled(given, 0, 4))
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
async def test_who_is_told_to_stop_took_nothing(
    tmp_path: Path, given: SpoolFile, name: str
) -> None:
    """A service manager ends all processes of a service: no message is refused for that."""
    usual = f"signal.signal(signal.{name}, signal.SIG_DFL)"  # whoever began the tests may ignore it
    work = f"import os, signal; {usual}; os.kill(os.getpid(), signal.{name})"
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


async def test_a_crash_says_where_it_was_and_not_what_was_written(
    tmp_path: Path, given: SpoolFile
) -> None:
    broken = "lambda given, made: __import__('json').loads(given.read())"
    with structlog.testing.capture_logs() as logs, pytest.raises(ApartCrashed):
        await Apart(tmp_path).run(doing(broken), given)
    (told,) = logs
    assert "JSONDecodeError in decoder.py:" in told["said"]
    assert "given" not in told["said"].replace("given, made", "")
    assert told["program"] == sys.executable


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
async def test_an_interpreter_that_breaks_says_where(tmp_path: Path, given: SpoolFile) -> None:
    module = tmp_path / "breaks.py"
    module.write_text("import os\nprint('x' * 99_999, file=__import__('sys').stderr)\nos.abort()\n")
    begun = list(program(str(module), "an argument").command)
    begun.remove("-m")
    with structlog.testing.capture_logs() as logs, pytest.raises(ApartCrashed):
        await Apart(tmp_path).run(begun, given)
    (told,) = logs
    assert "Fatal Python error: Aborted" in told["said"]
    assert len(told["said"]) <= 4096


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_it_ends_with_the_daemon(tmp_path: Path) -> None:
    """Even in the middle of one long step, and although nobody tells it."""
    work = f"{BEGIN}from pathlib import Path; sys.exit(program.begin(lambda given, made: ("
    work += f"Path({str(tmp_path / 'up')!r}).write_text(str(__import__('os').getpid())),"
    work += "sum(iter(int, 1)))))"
    daemon = (
        "import asyncio; from bridge.apart.process import Apart;"
        "from bridge.spool import SpoolFile;"
        f"asyncio.run(Apart().run({python(work)!r}, SpoolFile(None)))"
    )
    running = await asyncio.create_subprocess_exec(*python(daemon))
    up = tmp_path / "up"
    await until(lambda: up.exists() and up.read_text() != "")
    child = Path("/proc", up.read_text())
    assert (child / "oom_score_adj").read_text() == "1000\n"
    running.kill()
    await running.wait()
    await until(lambda: not child.exists() or "\nState:\tZ" in (child / "status").read_text())


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


async def test_a_large_one_works_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.apart.process.APART_SMALL_BYTES", -1)
    apart = Apart(tmp_path)
    mark = tmp_path / "mark"
    alone = "import os, time; os.mkdir(sys.argv[1]); time.sleep(0.2); os.rmdir(sys.argv[1])"
    program = (*python(f"import sys; {alone}"), str(mark))
    await asyncio.gather(*(apart.run(program, SpoolFile(tmp_path)) for _ in range(3)))
