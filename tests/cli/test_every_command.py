"""Every command with whatever it may be given and wherever it writes: a sentence, no traceback.

A bug is re-raised by ``main`` (it needs its traceback), so whatever escapes fails the test.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.store.mark import FILE_NAME as MARK
from bridge.store.sqlite.connection import FILE_NAME as DATABASE
from tests.running import ADDRESS
from tests.test_docs import COMMANDS

ALL = sorted(name.split(maxsplit=1)[1] for name in COMMANDS)
RUN_ON = frozenset({"serve", "demo", "simulator"})
"""With good settings these run until they are told to stop."""

pytestmark = pytest.mark.slow

ENDED = frozenset({*range(7), *range(64, 79)})
"""What docs say that commands end with: `outcome` knows 3 to 6, `sendmail` those of sysexits."""
NOWHERE = "http://127.0.0.1:9"

WORDS: dict[str, tuple[str, ...]] = {
    "none": (),
    "an unknown option": ("--nonsense",),
    "odd ones": ("-", "", "a\x00b\x1b[2J", "99999999999999999999999999"),
    "not text": ("\udcff\udcfe",),
    "json, and a file that is none": ("--json", "/nonexistent/a/b"),
    "a value left out": ("--config",),
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))


def settings(folder: Path, data: str = "data") -> Path:
    path = folder / "config.toml"
    (folder / "secret").write_text("parola\n")
    (folder / "secret").chmod(0o600)
    path.write_text(
        f"""\
data_dir = "{folder / data}"
[api]
base_url = "{NOWHERE}"
admin_url = "{NOWHERE}"
oauth_url = "{NOWHERE}"
email = "a@b.example"
token = {{ file = "{folder / "secret"}" }}
api_key = {{ file = "{folder / "secret"}" }}
[[account]]
address = "{ADDRESS}"
password = {{ file = "{folder / "secret"}" }}
"""
    )
    return path


def outcome(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Run a command; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["pec-bridge", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert code is None or isinstance(code, int)
    return code or 0


@pytest.mark.parametrize("name", ALL)
def test_whatever_it_is_given(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "none.toml" if name in RUN_ON else settings(tmp_path)
    for given, more in WORDS.items():
        if name in ("demo", "simulator") and given in ("none", "json"):
            continue
        if name == "mailbox watch" and given.startswith("json"):
            continue  # it goes on looking
        words = [*name.split(), *more]
        if name not in ("demo", "simulator", "help") and given != "a value left out":
            words[len(name.split()) : len(name.split())] = ["--config", str(config)]
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
        assert outcome(monkeypatch, *words) in ENDED, given
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out, given


STREAMS = ["full", "closed"]


@pytest.fixture(params=STREAMS)
def output(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let standard output be full, or closed."""
    path = "/dev/full" if request.param == "full" else os.devnull
    stream = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed below
    if request.param == "closed":
        os.close(stream.fileno())
    monkeypatch.setattr(sys, "stdout", stream)
    yield
    with contextlib.suppress(OSError):
        stream.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.usefixtures("output")
@pytest.mark.parametrize("name", [name for name in ALL if name not in RUN_ON])
def test_wherever_it_writes(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = name.split()
    if name != "help":
        words += ["--config", str(settings(tmp_path))]
    assert outcome(monkeypatch, *words) in ENDED
    assert "Traceback" not in capfd.readouterr().err


DATA = ["a file", "a text", "emptied beside a mark", "a folder"]
ELSEWHERE = ("demo", "simulator", "mailbox", "token", "wallet", "account", "help", "sendmail")
"""Commands that open no data."""


@pytest.mark.parametrize("state", DATA)
@pytest.mark.parametrize("name", [name for name in ALL if name.split()[0] not in ELSEWHERE])
def test_whatever_became_of_the_data(
    name: str,
    state: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    config, data = settings(tmp_path), tmp_path / "data"
    spoil(data, state)
    words = [*name.split(), "--config", str(config), *NEEDED.get(name, ())]
    assert outcome(monkeypatch, *words) in ENDED
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out


NEEDED: dict[str, tuple[str, ...]] = {
    "queue show": ("X",),
    "queue retry": ("X",),
    "queue cancel": ("X",),
    "queue resolve": ("X", "--drop"),
    "receipts show": ("X",),
    "receipts delete": ("2026010100000001",),
    "inbox search": ("x",),
    "alarm ack": ("--all",),
    "archive show": ("X",),
    "outcome": ("X",),
    "export": ("X", "-o", "x.zip"),
    "backup": ("x.backup",),
    "restore": ("x.backup",),
    "usage": ("--month", "2026-01"),
}
"""What a command cannot do without."""


def spoil(data: Path, state: str) -> None:
    if state == "a file":
        data.write_text("no folder")
        return
    data.mkdir(mode=0o700)
    path = data / DATABASE
    match state:
        case "a text":
            path.write_text("no database\n" * 1000)
        case "emptied beside a mark":
            path.touch()
            (data / MARK).write_text("0" * 32 + " " + "0" * 20 + "\n")
        case "a folder":
            (data / "control.sock").write_text("no socket")
            (data / "control.port").write_text("{")
            path.mkdir()
