from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.running import apart, running, simulated


async def test_backup_and_restore(
    command: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, file = config.parent / "data", config.parent / "backup"
    simulator = simulated()
    async with running(data, simulator) as bridge:
        await apart(command, "queue", "pause", "--config", config)
        await apart(bridge.submit, "In attesa", "silent-x@altra.example")
        done = await apart(command, "backup", file, "--json", "--config", config)
        assert done.json == {"file": str(file), "size_bytes": file.stat().st_size}
        assert file.stat().st_mode & 0o077 == 0
        again = await apart(command, "backup", file, "--config", config)
        assert (again.code, again.out) == (1, "")
        assert "--force" in again.err
        over = await apart(command, "backup", file, "--force", "--config", config)
        assert over.code == 0
        running_still = await apart(command, "restore", file, "--yes", "--config", config)
        assert running_still.code == 1
        assert "stop that one first" in running_still.err
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    asked = await apart(command, "restore", file, "--config", config)
    assert asked.code == 1
    assert "Nothing was done." in asked.err
    done = await apart(command, "restore", file, "--yes", "--config", config)
    assert done.code == 0, done.err
    assert "1 messages waited in it" in done.out
    assert "set_aside: " in done.out
    (entry,) = (await apart(command, "queue", "list", "--json", "--config", config)).json
    assert entry["state"] == "restored"


def test_what_is_not_there(command: Command, config: Path) -> None:
    missing = config.parent / "missing"
    done = command("restore", missing, "--config", config)
    assert (done.code, done.err) == (1, f"{missing}: No such file or directory\n")
    done = command("backup", config.parent / "backup", "--config", config)
    assert done.code == 1
    assert "holds no data." in done.err
    assert {one.name for one in config.parent.iterdir()} == {"config.toml", "secret"}


def test_where_nothing_can_be_written(command: Command, config: Path) -> None:
    done = command("backup", "/proc/backup", "--config", config)
    assert done.code == 1
    assert done.err.count("\n") == 1
