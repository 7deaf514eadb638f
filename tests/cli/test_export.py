"""``export``: from a send to evidence of it, with the bridge running or not, and its check."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bridge.clock import SystemClock
from bridge.outbox.plan import rome_day
from tests.cli.conftest import Command, Done
from tests.running import PASSWORD, apart, eventually, running, simulated

INSIDE = {"README.txt", "message.eml", "request.json", "attempts.json", "timeline.json"}


def names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def content(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def break_a_byte(path: Path) -> None:
    found = bytearray(path.read_bytes())
    found[len(found) // 2] ^= 1
    path.write_bytes(found)


@pytest.mark.slow
async def test_from_a_send_to_its_evidence(command: Command, config: Path, tmp_path: Path) -> None:
    """Sent, its receipts in, its cost known; exported while the bridge runs, and after."""
    simulator = simulated()

    async def run(*words: object) -> Done:
        return await apart(command, *words, "--config", config)

    async def settled() -> dict[str, Any] | None:
        sends = (await run("receipts", "list", "--json")).json
        states = [one["state"] for send in sends for one in send["recipients"]]
        return sends[0] if sorted(states) == ["delivered", "failed"] else None

    month = f"{rome_day(SystemClock().now()):%Y-%m}"
    path, again, whole = tmp_path / "uno.zip", tmp_path / "due.zip", tmp_path / "mese.zip"
    async with running(config.parent / "data", simulator) as bridge:
        await apart(bridge.submit, "Contratto", "uno@altra.example", "fail-due@altra.example")
        send = await eventually(settled)
        assert send is not None
        totals = (await run("usage", "--month", month, "--json")).json["totals"]
        assert (totals["messages"], totals["delivered"], totals["failed"]) == (1, 1, 1)
        done = await run("export", send["code"], "-o", path)
        assert done.code == 0
        assert "not the signed receipts" in done.err
    done = await run("export", send["message_id"], "-o", again, "--json")
    assert done.json["sends"] == 1
    assert names(path) >= INSIDE
    assert sum(name.endswith(".body.txt") for name in names(path)) == 3
    assert b"Subject: Contratto" in content(path, "message.eml")
    for name in names(path) - {"manifest.json"}:
        assert content(path, name) == content(again, name)
        assert PASSWORD.encode() not in content(path, name)
        assert simulator.token.encode() not in content(path, name)
    posted = json.loads(content(path, "request.json"))["json"]
    assert posted["recipient"] == ["uno@altra.example", "fail-due@altra.example"]
    assert (await run("export", "--month", month, "-o", whole)).code == 0
    checked = (await apart(command, "export", "verify", whole, "--json")).json
    assert (checked["whole"], checked["kind"]) == (True, "collection")
    await apart(break_a_byte, path)
    broken = await apart(command, "export", "verify", path)
    assert broken.code == 1
    assert "NOT whole" in broken.err


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("2026011510000099", "-o", "f.zip"), 1, "Nothing was sent from here with the id, code"),
        (("--month", "2026-13", "-o", "f.zip"), 1, "is no month"),
        (("--month", "2026-01", "-o", "f.zip"), 1, "Nothing was sent in 2026-01"),
        (("Q1", "--month", "2026-01", "-o", "f.zip"), 2, "say which send"),
        (("-o", "f.zip"), 2, "say which send"),
        (("Q1",), 2, "-o F.zip"),
        (("Q1", "other.zip", "-o", "f.zip"), 2, "one argument too many"),
        (("verify",), 2, "needs the file"),
        (("Q1", "-o", "missing/f.zip"), 1, "missing"),
        (("verify", "missing.zip"), 1, "missing.zip"),
    ],
)
async def test_bad_input(
    command: Command,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    words: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = await apart(command, "export", *words, "--config", config)
    assert (done.code, done.out) == (code, "")
    assert sentence in " ".join(done.err.replace("│", " ").split())
    assert not [name for name in os.listdir(tmp_path) if "zip" in name]


async def test_a_file_that_is_there_stays(command: Command, config: Path, tmp_path: Path) -> None:
    path = tmp_path / "f.zip"
    path.touch()
    path.chmod(0o644)
    done = await apart(command, "export", "Q1", "-o", path, "--config", config)
    assert done.code == 1
    assert "--force" in done.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


async def test_what_is_no_archive_is_said(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "f.zip"
    path.touch()
    done = await apart(command, "export", "verify", path)
    assert done.code == 1
    assert "no sound ZIP file" in done.err
