"""The command line as a caller sees it: arguments in, exit code and two texts out."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from bridge.cli import main
from tests.running import ADDRESS, PASSWORD


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The facts, from exactly one line."""
        assert self.code == 0, self.err
        assert self.out.count("\n") == 1
        return json.loads(self.out)


Command = Callable[..., Done]


@pytest.fixture(autouse=True)
def _only_the_command_is_heard() -> Iterator[None]:
    """Silence the bridge that runs in the same process; undo what a command set for its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Give a function that runs ``pec-bridge`` with arguments, as its console script does."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["pec-bridge", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "300")
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0 if code is None else 1, out, err)

    return run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write a configuration whose data are under the test's folder, and return its path."""
    path = tmp_path / "config.toml"
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    path.write_text(
        f"""\
data_dir = "data"
[api]
base_url = "https://api.invalid"
token = {{ file = "secret" }}
[[account]]
address = "{ADDRESS}"
password = {{ file = "secret" }}
"""
    )
    return path
