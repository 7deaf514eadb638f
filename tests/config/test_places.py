"""Where settings and data are on Windows and macOS, as platformdirs has it, and on Linux."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from bridge.config.places import usual_data_dir, usual_files


class Dirs:
    """What platformdirs answers."""

    def __init__(self, name: str, appauthor: bool, roaming: bool = False) -> None:
        assert (name, appauthor) == ("pec-bridge", False)
        self.user_config_path = Path("roaming" if roaming else "local", name)
        self.site_config_path = Path("programdata", name)
        self.site_data_path = Path("programdata", name)
        self.user_data_path = Path("library", name)


@pytest.fixture
def _platformdirs(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("platformdirs")
    module.PlatformDirs = Dirs  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "platformdirs", module)


@pytest.mark.usefixtures("_platformdirs")
@pytest.mark.parametrize(
    ("platform", "data"), [("win32", "programdata"), ("darwin", "library")], ids=str
)
def test_elsewhere(monkeypatch: pytest.MonkeyPatch, platform: str, data: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert usual_files({}) == (
        Path("roaming/pec-bridge/config.toml"),
        Path("programdata/pec-bridge/config.toml"),
    )
    assert usual_data_dir() == Path(data, "pec-bridge", "data")


def test_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert usual_files({"HOME": "/home/a"}) == (
        Path("/home/a/.config/pec-bridge/config.toml"),
        Path("/etc/pec-bridge/config.toml"),
    )
    assert usual_data_dir() == Path("/var/lib/pec-bridge")
