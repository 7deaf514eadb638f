"""``status``: with a bridge running, without, with one that hangs, and with nothing at all."""

from __future__ import annotations

import hashlib
import imaplib
import json
import re
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge import __version__
from bridge.app.lock import DataLock
from bridge.cli import status as status_command
from bridge.operations.control import SOCKET_NAME
from bridge.store.sqlite.connection import FILE_NAME
from tests.cli.conftest import Command
from tests.running import ADDRESS, Running, apart, eventually, running, simulated

FORECAST = "At today's volume about 240 requests are needed; 1,440 are allowed."
NO_PLAN_USED = {"name": "standard", "period": "day", "limit": 3500, "used": 0}


def test_status_of_a_bridge_that_never_ran_makes_nothing(command: Command, config: Path) -> None:
    done = command("status", "--json", "--config", config)
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out) == {
        "running": False,
        "version": __version__,
        "since": None,
        "listeners": [],
        "throttles": {},
        "traces": [],
        "accounts": [
            {
                "address": ADDRESS,
                "last_sync": None,
                "next_sync": None,
                "next_sync_why": None,
                "error": None,
                "refused": False,
                "paused_since": None,
                "waiting": None,
                "quota": None,
                "plan": NO_PLAN_USED,
                "progress": None,
                "requests": {
                    "per_day": 1440,
                    "used": 0,
                    "remaining": 1440,
                    "used_for": {},
                    "waiting": [],
                    "subscription": None,
                },
                "forecast": {
                    "needed": 240,
                    "essential": 240,
                    "allowed": 1440,
                    "texts_a_day": 0,
                    "texts_lag_days": 0,
                    "states_lag_days": 0,
                    "text": FORECAST,
                },
                "hint": None,
            }
        ],
        "queue": {},
        "alarms": [],
        "bridges": [],
        "hooks": [],
        "alarms_out": [],
        "tls": {"fingerprint": None},
        "store": None,
    }
    shown = command("status", "--config", config)
    assert shown.code == 1
    for text in ("No bridge is running on ", ADDRESS, "never", "0 of 3500 a day", "queue: empty"):
        assert text in shown.out
    checked = command("status", "--check", "--config", config)
    assert checked.code == 2
    assert checked.out == (
        "PEC-BRIDGE CRITICAL - no bridge is running | waiting=0 uncertain=0 alarms=0\n"
    )
    assert not (config.parent / "data").exists()


async def status_when(
    command: Command, config: Path, condition: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """Ask until the account's facts fulfil ``condition``, and return the whole status."""

    async def fulfilled() -> dict[str, Any] | None:
        status = await status_now(command, config)
        return status if condition(status["accounts"][0]) else None

    status = await eventually(fulfilled)
    assert status is not None
    return status


async def status_now(command: Command, config: Path) -> dict[str, Any]:
    done = await apart(command, "status", "--json", "--config", config)
    status = json.loads(done.out)
    assert isinstance(status, dict)
    assert status["running"]
    assert done.code == int(all(one["refused"] for one in status["accounts"]))
    return status


async def test_status_of_a_running_bridge(command: Command, config: Path) -> None:
    simulator = simulated(messages=3)
    async with running(config.parent / "data", simulator) as bridge:
        whole = {"fetched": 3, "total": 3}
        status = await status_when(command, config, lambda one: one["progress"] == whole)
        assert status["accounts"][0]["error"] is None
        assert status["tls"]["fingerprint"] == bridge.listening.fingerprint
        await apart(bridge.submit, "Prova", "mute-x@altra.example")
        status = await status_when(command, config, lambda one: one["plan"]["used"])
        assert status["accounts"][0]["plan"] == {**NO_PLAN_USED, "used": 1}
        assert sum(status["queue"].values()) == 1
        await status_when(command, config, lambda one: one["last_sync"])
        shown = await apart(command, "status", "--config", config)
        assert "messages   3 of 3 read\n" in shown.out
        assert "standard: 1 of 3500 a day" in shown.out
        assert f"IMAP         127.0.0.1:{bridge.port('imap')} (STARTTLS)\n" in shown.out
        assert f"pec-bridge {__version__} has been running since " in shown.out
        assert status["version"] == __version__
        assert status["listeners"] == bridge.listening.as_json()["listeners"]
        assert status["since"] <= status["accounts"][0]["next_sync"]
        checked = await apart(command, "status", "--check", "--config", config)
        assert (checked.code, checked.err) == (0, "")
        words = f"1 account, version {__version__} | waiting=0 uncertain=0 alarms=0"
        assert checked.out == f"PEC-BRIDGE OK - {words}\n"


async def test_status_tells_what_is_wrong(command: Command, config: Path) -> None:
    simulator = simulated()
    simulator.faults.answer(None, 401, {"success": False, "message": "No"}, times=None)
    async with running(config.parent / "data", simulator):
        status = await status_when(command, config, lambda one: one["error"])

        async def alarmed() -> list[dict[str, Any]]:
            alarms = (await status_now(command, config))["alarms"]
            assert isinstance(alarms, list)
            return alarms

        (alarm, *_) = await eventually(alarmed)
        assert status["accounts"][0]["last_sync"] is None
        assert set(alarm) == {*("id", "account", "kind", "key", "text", "at", "acknowledged_at")}
        assert alarm["account"] == ADDRESS
        shown = await apart(command, "status", "--config", config)
        assert shown.code == 1
        assert alarm["text"] in shown.out
        assert "next sync" in shown.out
        assert "(a pause after a refusal)" in shown.out
        checked = await apart(command, "status", "--check", "--config", config)
        assert checked.code == 2
        assert checked.out.startswith(f"PEC-BRIDGE CRITICAL - {ADDRESS}: The API refused the token")
        assert checked.out.count("\n") == 1
        assert alarm in (await apart(command, "alarm", "list", "--json", "--config", config)).json
        kind = ("--kind", alarm["kind"])
        of_kind = await apart(command, "alarm", "list", *kind, "--config", config)
        assert alarm["text"] in of_kind.out
        other = await apart(command, "alarm", "list", "--kind", "quota", "--config", config)
        assert other.out == "No alarms.\n"


async def test_an_api_out_of_reach_is_named_with_the_cause(
    command: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **options: Any) -> Any:
        if host in ("api.invalid", b"api.invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    told = "The API could not be reached: api.invalid is a name that nobody knows"
    async with running(config.parent / "data", httpx.AsyncHTTPTransport()):
        status = await status_when(command, config, lambda one: one["error"])
        account = status["accounts"][0]
        assert account["error"].startswith(told)
        assert not account["refused"]
        assert account["next_sync_why"] == "a pause after an error"
        checked = await apart(command, "status", "--check", "--config", config)
        quota = await apart(command, "quota", "--config", config)
    assert checked.code == 1
    assert checked.out.startswith(f"PEC-BRIDGE WARNING - {ADDRESS}: {told}")
    assert (quota.code, quota.out) == (1, "")
    assert quota.err.startswith(told)


async def test_status_of_a_bridge_that_was_stopped_is_what_it_wrote_down(
    command: Command, config: Path
) -> None:
    data = config.parent / "data"
    simulator = simulated(messages=2)
    async with running(data, simulator) as bridge:
        await apart(bridge.submit, "Prova", "mute-x@altra.example")
        last = await status_when(
            command, config, lambda one: one["plan"]["used"] and one["last_sync"]
        )
    before = contents(data)
    done = await apart(command, "status", "--json", "--config", config)
    status = json.loads(done.out)
    assert (done.code, status["running"], status["store"]) == (1, False, None)
    account = status["accounts"][0]
    assert account["plan"] == {**NO_PLAN_USED, "used": 1}
    assert account["last_sync"] >= last["accounts"][0]["last_sync"]
    assert sum(status["queue"].values()) == 1
    assert contents(data) == before


def contents(folder: Path) -> dict[str, str]:
    """Return the digest of each file, but for SQLite's index of its log."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file() and not path.name.endswith("-shm") and path.stat().st_size
    }


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(b"no database" * 1000), "is damaged"),
        (lambda path: set_version(path, 3), "another version of pec-bridge wrote the data"),
        (lambda path: set_version(path, 9999), "a newer pec-bridge wrote the data"),
    ],
    ids=["damaged", "older", "newer"],
)
def test_a_store_that_tells_nothing_is_no_reason_not_to_say_what_is_so(
    command: Command, config: Path, spoil: Callable[[Path], object], words: str
) -> None:
    path = config.parent / "data" / FILE_NAME
    path.parent.mkdir()
    spoil(path)
    before = path.read_bytes()
    done = command("status", "--config", config)
    assert (done.code, done.err) == (1, "")
    assert "No bridge is running" in done.out
    assert words in done.out
    assert path.read_bytes() == before


def set_version(path: Path, number: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {number}")
    connection.close()


def test_data_that_somebody_holds_without_answering_are_looked_at(
    command: Command, config: Path
) -> None:
    lock = DataLock(config.parent / "data")
    try:
        done = command("status", "--config", config)
    finally:
        lock.release()
    assert done.code == 1
    assert "No bridge is running" in done.out


def test_a_bridge_that_hangs_is_told_from_one_that_works(
    command: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = config.parent / "data"
    data.mkdir()
    monkeypatch.setattr(status_command, "ANSWERS_WITHIN_S", 0.05)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(data / SOCKET_NAME))
        mute.listen()
        done = command("status", "--config", config)
        checked = command("status", "--check", "--config", config)
    assert (done.code, done.out) == (1, "")
    assert "did not answer within 0.05 s" in done.err
    assert checked.code == 2
    assert checked.out.startswith("PEC-BRIDGE CRITICAL - The bridge on ")
    assert checked.out.count("\n") == 1


def test_check_tells_a_faulty_configuration_in_one_line(command: Command, config: Path) -> None:
    config.write_text("nonsense = 1\n")
    done = command("status", "--check", "--config", config)
    assert (done.code, done.out) == (
        2,
        "PEC-BRIDGE CRITICAL - the configuration has faults\n",
    )
    assert "nonsense" in done.err


def guessed(bridge: Running, times: int) -> None:
    for _ in range(times):
        with pytest.raises(imaplib.IMAP4.error):
            bridge.imap("wrong")


async def test_who_guesses_is_seen(
    command: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.login.guessing.GUESSES_FREE", 1)
    monkeypatch.setattr("bridge.login.guessing.GUESS_PAUSE_S", 0.25)
    async with running(config.parent / "data", simulated()) as bridge:
        quiet = (await apart(command, "status", "--json", "--config", config)).json
        assert quiet["throttles"]["logins"]["slowed_count"] == 0
        await apart(guessed, bridge, 2)
        status = (await apart(command, "status", "--json", "--config", config)).json
        assert status["throttles"]["logins"]["slowed"] == [
            {"peer": "127.0.0.1", "failures": 2, "pause_s": 0.25},
            {"account": ADDRESS, "failures": 2, "pause_s": 0.25},
        ]
        shown = (await apart(command, "status", "--config", config)).out
        assert "127.0.0.1: 2 failed logins, waits 0.25 s" in shown
        assert re.search(r"  connected +IMAP \d of \d+[^;\n]*; SMTP 0 of \d+\n", shown)
