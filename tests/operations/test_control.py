from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.operations import control
from bridge.operations.control import ControlServer, NotRunning, OperationFailed, Progress, ask


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


async def test_a_wrong_password_gets_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "UNIX_PATH_LIMIT_BYTES", 0)
    async with running(tmp_path):
        path = tmp_path / control.PORT_NAME
        port = path.read_text().split(",")[0]
        path.write_text(f'{port}, "guess"]')
        with pytest.raises(OperationFailed, match="stopped before"):
            await ask(tmp_path, "echo", {})
