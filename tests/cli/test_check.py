"""``check``: all is well with a bridge that runs; each fault has its verdict and what mends it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bridge.app.bridge import Bridge
from bridge.app.bundle import KINDS, plain_settings
from bridge.app.check_api import clock_of, rights
from bridge.app.check_machine import certificate, disk, folder, writable
from bridge.cli.whole import whole_settings
from bridge.clock import SystemClock
from bridge.simulator import Simulator, SimulatorServer
from bridge.store.sqlite.connection import FILE_NAME
from tests.cli.conftest import Command
from tests.running import ADDRESS, PASSWORD, apart, settings, simulated

SECRET_WORDS = (PASSWORD, ADDRESS, "gettone", "Fattura")


def written(folder: Path, url: str, token: str) -> Path:
    (folder / "token").write_text(token)
    (folder / "password").write_text(PASSWORD)
    path = folder / "config.toml"
    path.write_text(
        f"""\
data_dir = "data"
[api]
base_url = "{url}"
token = {{ file = "token" }}
[imap]
listen = ["127.0.0.1:0", "imaps://127.0.0.1:0"]
[smtp]
listen = ["127.0.0.1:0"]
[web]
listen = ["127.0.0.1:0", "https://127.0.0.1:0"]
[[account]]
address = "{ADDRESS}"
password = {{ file = "password" }}
"""
    )
    return path


@asynccontextmanager
async def up(tmp_path: Path) -> AsyncIterator[tuple[Path, Simulator]]:
    simulator = simulated(messages=2)
    async with SimulatorServer(simulator.app) as server:
        path = written(tmp_path, server.url, simulator.token)
        file, secrets = whole_settings(path)
        bridge = Bridge(file.config, secrets, clock=SystemClock(), random=Random(1))
        await bridge.start()
        try:
            yield path, simulator
        finally:
            await bridge.stop()


def by_check(done: str) -> dict[str, dict[str, Any]]:
    return {one["check"]: one for one in json.loads(done)}


async def test_all_is_well(command: Command, tmp_path: Path) -> None:
    async with up(tmp_path) as (path, _):
        done = await apart(command, "check", "--json", "--config", path)
        shown = await apart(command, "doctor", "--config", path)
    found = by_check(done.out)
    assert (done.code, done.err) == (0, "")
    assert not [one for one in found.values() if one["verdict"] in ("failed", "warning")]
    assert f"mailbox {ADDRESS}" in found
    logins = [one for name, one in found.items() if " login at " in name]
    assert [one["verdict"] for one in logins] == ["ok"] * 3
    assert sum("TLSv1.3" in one["evidence"] for one in logins) == 3
    pages = [one["evidence"] for name, one in found.items() if name.startswith("page at ")]
    assert sorted(pages) == ["it answers, TLSv1.3", "it answers, in clear on this machine"]
    assert "every page is readable" in found["store"]["evidence"]
    assert "it answers (HTTP 404); the clock here is" in found["API and clock"]["evidence"]
    assert shown.code == 0
    assert PASSWORD not in done.out + shown.out


async def test_what_is_wrong_is_said_with_what_mends_it(command: Command, tmp_path: Path) -> None:
    async with up(tmp_path) as (path, simulator):
        simulator.token = "another"
        (tmp_path / "password").write_text("wrong")
        path.chmod(0o666)
        (tmp_path / "data").chmod(0o755)
        done = await apart(command, "check", "--json", "--config", path)
    found = by_check(done.out)
    assert done.code == 1
    failing = {name: one for name, one in found.items() if one["verdict"] == "failed"}
    assert {name.partition(" at ")[0] for name in failing} == {
        "configuration's mode",
        "data's folder",
        f"mailbox {ADDRESS}",
        "IMAP login",
        "SMTP login",
    }
    assert all(one["mend"] for one in failing.values())
    assert "chmod 700" in found["data's folder"]["mend"]
    assert "account test" in found[f"mailbox {ADDRESS}"]["mend"]


async def test_without_a_bridge_ports_are_tried(command: Command, tmp_path: Path) -> None:
    simulator = simulated()
    async with SimulatorServer(simulator.app) as server:
        path = written(tmp_path, server.url, simulator.token)
        port = server.url.rpartition(":")[2]
        path.write_text(
            path.read_text().replace(
                'smtp]\nlisten = ["127.0.0.1:0', f'smtp]\nlisten = ["127.0.0.1:{port}'
            )
        )
        done = await apart(command, "check", "--json", "--config", path)
    found = by_check(done.out)
    assert done.code == 1
    assert found["bridge"]["verdict"] == "warning"
    assert found["logins"]["verdict"] == "skipped"
    assert found["IMAP port 127.0.0.1:0"]["verdict"] == "ok"
    assert "another program uses it" in found[f"SMTP port 127.0.0.1:{port}"]["evidence"]
    assert found["store"]["verdict"] == "skipped"
    assert not (tmp_path / "data").exists()


def test_an_api_that_cannot_be_reached(command: Command, config: Path) -> None:
    done = command("check", "--json", "--config", config)
    found = by_check(done.out)
    assert done.code == 1
    assert found["name of the API"]["verdict"] == "failed"
    assert "api.invalid" in found[f"mailbox {ADDRESS}"]["evidence"]


def test_every_fault_of_the_configuration_is_a_finding(command: Command, config: Path) -> None:
    config.write_text(config.read_text().replace("secret", "nowhere") + "[send]\nrate = 1\n")
    done = command("check", "--json", "--config", config)
    assert done.code == 1
    found = json.loads(done.out)
    assert [one["verdict"] for one in found] == ["failed"] * 3
    done = command("check", "--config", config.parent / "none.toml")
    assert (done.code, "cannot be read" in done.out) == (1, True)


async def test_a_damaged_store(command: Command, tmp_path: Path) -> None:
    async with up(tmp_path) as (path, _):
        pass
    database = tmp_path / "data" / FILE_NAME
    content = bytearray(database.read_bytes())
    content[8192:16384] = b"x" * 8192
    database.write_bytes(content)
    done = await apart(command, "check", "--json", "--config", path)
    found = by_check(done.out)
    assert found["store"]["verdict"] == "failed"
    assert "put a backup back" in found["store"]["mend"]


async def test_a_report_for_strangers_names_nobody(command: Command, tmp_path: Path) -> None:
    report = tmp_path / "report.zip"
    async with up(tmp_path) as (path, simulator):
        simulator.token = "another"
        await apart(command, "check", "--bundle", report, "--config", path)
    with zipfile.ZipFile(report) as archive:
        pages = {name: archive.read(name).decode() for name in archive.namelist()}
    text = "".join(pages.values())
    assert set(pages) == {"findings.json", "versions.json", "settings.json", "status.json"}
    for word in (*SECRET_WORDS, simulator.token, str(tmp_path), "127.0.0.1", "pec.example"):
        assert word not in text
    findings = json.loads(pages["findings.json"])
    assert {"check": "mailbox", "verdict": "failed", "code": "credentials"} in findings
    assert {one["check"] for one in findings} <= set(KINDS)
    assert json.loads(pages["settings.json"])["api"]["token"] == {
        name: "not set" if name != "file" else "set"
        for name in ("file", "env", "command", "keyring", "credential")
    }


def test_settings_in_a_report_are_numbers_and_choices(tmp_path: Path) -> None:
    found = plain_settings(settings(tmp_path))
    assert found["send"]["plan"] == "standard"
    assert found["send"]["rate_per_s"] == 1000.0
    assert found["account"] == {"count": 1}
    assert found["data_dir"] == "set"
    assert str(tmp_path) not in json.dumps(found)


NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead_s", "verdict"), [(0, "ok"), (-29, "ok"), (40, "warning"), (-400, "failed")]
)
def test_a_clock_that_is_wrong(ahead_s: int, verdict: str) -> None:
    fields = {"Date": "Thu, 26 Nov 2026 12:00:00 GMT"}
    found = clock_of(fields, 404, NOW + timedelta(seconds=ahead_s))
    assert found.verdict == verdict
    assert f"{abs(ahead_s)} s {'ahead' if ahead_s > 0 else 'behind'}" in found.evidence
    assert clock_of({}, 200, NOW).verdict == "warning"


@pytest.mark.parametrize(
    ("missing", "days", "verdict"),
    [
        (set(), None, "ok"),
        (set(), 200, "ok"),
        (set(), 20, "warning"),
        (set(), -1, "failed"),
        ({"POST:a/send"}, 200, "failed"),
    ],
)
def test_a_tokens_rights_and_life(missing: set[str], days: int | None, verdict: str) -> None:
    until = None if days is None else NOW + timedelta(days=days)
    assert rights(missing, until, NOW).verdict == verdict


def test_modes_disk_and_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder(tmp_path).verdict == "ok"
    tmp_path.chmod(0o750)
    assert folder(tmp_path).verdict == "failed"
    file = tmp_path / "config.toml"
    file.write_text("")
    assert writable(file).verdict == "ok"
    for free, verdict in (2**40, "ok"), (2**29, "warning"), (2**20, "failed"):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr("shutil.disk_usage", lambda _, usage=usage: usage)
        assert disk(tmp_path / "not" / "there").verdict == verdict
    assert certificate(settings(tmp_path), NOW).verdict == "skipped"
