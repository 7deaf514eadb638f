from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from bridge.limits import CONTROL_STRANGERS
from bridge.operations import control
from bridge.operations.control import ControlServer, NotRunning, OperationFailed, Progress, ask
from tests.streams import hang_up


async def perform(name: str, arguments: Mapping[str, Any], progress: Progress) -> Any:
    match name:
        case "echo":
            return arguments
        case "count":
            for done in range(3):
                progress(done, 3)
            return None
        case "refuse":
            raise OperationFailed("No such entry.")
        case "wait":
            await asyncio.Event().wait()
    raise ZeroDivisionError("a secret detail")


@asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[ControlServer]:
    server = ControlServer(data_dir, perform)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture(params=["unix", "long path", "no unix"])
def data_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("d")
    if request.param == "long path":
        folder = folder / ("x" * 120)
        folder.mkdir()
    if request.param == "no unix":
        request.getfixturevalue("monkeypatch").setattr(control, "UNIX_PATH_LIMIT_BYTES", 0)
    return folder


async def test_operations(data_dir: Path) -> None:
    async with running(data_dir):
        assert await ask(data_dir, "echo", {"a": ["è", 1, None]}) == {"a": ["è", 1, None]}
        seen: list[tuple[int, int]] = []
        assert await ask(data_dir, "count", {}, lambda *step: seen.append(step)) is None
        assert seen == [(0, 3), (1, 3), (2, 3)]
        assert await ask(data_dir, "count", {}) is None
        with pytest.raises(OperationFailed, match=r"^No such entry\.$"):
            await ask(data_dir, "refuse", {})
        with pytest.raises(OperationFailed, match="its log says why"):
            await ask(data_dir, "unknown", {})
        assert len(await ask(data_dir, "echo", {"long": "x" * 3_000_000})) == 1


async def test_who_asks_need_not_wait_for_ever(data_dir: Path) -> None:
    async with running(data_dir):
        with pytest.raises(OperationFailed, match=r"did not answer within 0\.01 s"):
            await ask(data_dir, "wait", {}, within_s=0.01)
        assert await ask(data_dir, "echo", {}, within_s=10.0) == {}


def modes(data_dir: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in data_dir.glob("control.*")]


async def test_nobody_else_may_connect(data_dir: Path) -> None:
    async with running(data_dir):
        assert modes(data_dir) == [0o600]
    assert modes(data_dir) == []


async def test_not_running(data_dir: Path) -> None:
    with pytest.raises(NotRunning):
        await ask(data_dir, "echo", {})
    async with running(data_dir):
        pass
    with pytest.raises(NotRunning):
        await ask(data_dir, "echo", {})


async def test_what_a_crash_leaves_is_no_hindrance(data_dir: Path) -> None:
    (data_dir / control.PORT_NAME).write_text("[1, ")
    (data_dir / control.SOCKET_NAME).touch()
    with pytest.raises(NotRunning):
        await ask(data_dir, "echo", {})
    async with running(data_dir):
        assert await ask(data_dir, "echo", {}) == {}


async def test_stopping_ends_what_is_under_way(data_dir: Path) -> None:
    async with running(data_dir):
        waiting = asyncio.ensure_future(ask(data_dir, "wait", {}))
        await ask(data_dir, "echo", {})
        await ask(data_dir, "echo", {})
    with pytest.raises(OperationFailed, match="stopped before"):
        await waiting


@pytest.fixture
def by_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose bridge is asked on a port of this machine, which anybody here reaches."""
    monkeypatch.setattr(control, "UNIX_PATH_LIMIT_BYTES", 0)
    return tmp_path


async def connect(data_dir: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = json.loads((data_dir / control.PORT_NAME).read_text())[0]
    return await asyncio.open_connection("127.0.0.1", port)


async def test_a_wrong_password_gets_no_word(by_port: Path) -> None:
    async with running(by_port):
        path = by_port / control.PORT_NAME
        port = path.read_text().split(",")[0]
        path.write_text(f'{port}, "guess"]')
        with pytest.raises(OperationFailed, match="stopped before"):
            await ask(by_port, "echo", {})


@pytest.mark.parametrize(
    "said",
    [
        b"[" * 50_000 + b"\n",
        '{"password": "è"}\n'.encode(),
        b'{"do": "echo", "with": {}, "password": ""}\n',
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\n",
        b"\xff\xfe\n",
        b"x" * 1_000_000,
    ],
    ids=["nested", "letters", "no password", "a browser", "nothing", "no text", "without end"],
)
async def test_what_others_say_fails_nothing(by_port: Path, said: bytes) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    async with running(by_port):
        with structlog.testing.capture_logs() as logs:
            reader, writer = await connect(by_port)
            with contextlib.suppress(ConnectionError):
                writer.write(said)
                assert await asyncio.wait_for(reader.read(), 10) == b""
            await hang_up(writer)
            assert await ask(by_port, "echo", {}) == {}
        gc.collect()  # a task's exception that nobody asked for is told then
        assert [one for one in logs if one["log_level"] == "error"] == []
    assert faults == []


async def test_who_says_no_password_makes_room(by_port: Path) -> None:
    async with running(by_port):
        streams = [await connect(by_port) for _ in range(CONTROL_STRANGERS + 2)]
        for reader, _ in streams[:2]:
            assert await asyncio.wait_for(reader.read(), 10) == b""
        assert await ask(by_port, "echo", {}) == {}
        assert not any(reader.at_eof() for reader, _ in streams[3:])
        await hang_up(*(writer for _, writer in streams))


async def test_who_says_no_password_is_hung_up_on(
    by_port: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "CONTROL_PASSWORD_S", 0.05)
    async with running(by_port):
        waiting = asyncio.ensure_future(ask(by_port, "wait", {}))
        reader, writer = await connect(by_port)
        writer.write(b"gue")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        assert not waiting.done(), "who said it may take his time"
        await hang_up(writer)
    with pytest.raises(OperationFailed, match="stopped before"):
        await waiting


async def test_a_request_nested_too_deeply_is_dropped(data_dir: Path) -> None:
    async with running(data_dir):
        reader, writer, password = await control._connect(data_dir)
        writer.write(f"{password}\n".encode() if password else b"")
        writer.write(b"[" * 50_000 + b"\n")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        await hang_up(writer)
        assert await ask(data_dir, "echo", {}) == {}
