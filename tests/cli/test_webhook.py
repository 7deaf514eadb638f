"""``webhook``, ``alarm test``, and what ``status`` and ``check`` say of those who are told."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bridge.app.bridge import Bridge
from bridge.cli.whole import whole_settings
from bridge.clock import SystemClock
from bridge.simulator import SimulatorServer
from bridge.store.sqlite.connection import FILE_NAME
from tests.cli.conftest import Command
from tests.cli.test_check import by_check, written
from tests.hooks.receiver import Inbox, receiving
from tests.running import ADDRESS, PASSWORD, SIGNING, Running, apart, simulated, until

RECIPIENT = "cliente@altra.example"


def told(path: Path, inbox: Inbox, more: str = "") -> None:
    (path.parent / "webhook").write_text(SIGNING)
    text = path.read_text()
    path.write_text(
        f"""{text}
[[account.webhook]]
name = "erp"
url = "{inbox.url}"
secret = {{ file = "webhook" }}
timeout_s = 5
{more}
"""
    )


@asynccontextmanager
async def up(tmp_path: Path, inbox: Inbox, more: str = "") -> AsyncIterator[tuple[Path, Running]]:
    simulator = simulated()
    async with SimulatorServer(simulator.app) as server:
        path = written(tmp_path, server.url, simulator.token)
        told(path, inbox, more)
        file, secrets = whole_settings(path)
        bridge = Bridge(file.config, secrets, clock=SystemClock(), random=Random(1))
        listening = await bridge.start()
        try:
            yield path, Running(bridge, listening, file.config)
        finally:
            await bridge.stop()


Shown = Callable[..., Any]


async def test_list_and_test_while_a_bridge_runs(tmp_path: Path, command: Command) -> None:
    with receiving(Inbox()) as inbox:
        async with up(tmp_path, inbox) as (path, _running):
            (tried,) = (await apart(command, "webhook", "test", "--config", path, "--json")).json
            assert tried == {
                "hook": "erp",
                "account": ADDRESS,
                "place": f"http://127.0.0.1:{inbox.port}",
                "taken": True,
                "reason": None,
            }
            (sample,) = inbox.taken
            assert (sample.event["event"], sample.event["number"]) == ("test", 0)
            (hook,) = (await apart(command, "webhook", "list", "--config", path, "--json")).json
            assert (hook["name"], hook["waiting"], hook["dead"]) == ("erp", 0, 0)
            shown = await apart(command, "webhook", "list", "--config", path)
            assert "well" in shown.out
            inbox.respond = lambda _request: 500
            failed = await apart(command, "webhook", "test", "erp", "--config", path)
            assert failed.code == 1
            assert "answered with status 500" in failed.out
            unknown = await apart(command, "webhook", "test", "nobody", "--config", path)
            assert "There is no webhook called nobody" in unknown.err


async def test_what_fails_is_in_the_status(tmp_path: Path, command: Command) -> None:
    with receiving(Inbox(lambda _request: 503)) as inbox:
        async with up(tmp_path, inbox) as (path, running):
            await apart(running.submit, "Uno", RECIPIENT)
            await until(lambda: inbox.heard)

            async def failing() -> bool:
                done = await apart(command, "status", "--config", path, "--json")
                return bool(done.json["hooks"][0]["is_down"])

            while not await failing():  # noqa: ASYNC110 - the bridge writes it down meanwhile
                await asyncio.sleep(0.05)
            shown = await apart(command, "status", "--config", path)
            assert f"down: 127.0.0.1:{inbox.port} answered with status 503" in shown.out
            assert "waiting since" in shown.out
        # It works on the data when none runs, too.
        (hook,) = (await apart(command, "webhook", "list", "--config", path, "--json")).json
        assert hook["waiting"] >= 1
        assert hook["error"] == f"127.0.0.1:{inbox.port} answered with status 503"


def kill_deliveries(data_dir: Path) -> None:
    """Let all that waits be dead, as after three days."""
    with closing(sqlite3.connect(data_dir / FILE_NAME)) as connection, connection:
        connection.execute(
            "UPDATE delivery SET state = 'dead', head = 0, died_at = since, error = 'no'"
        )


async def test_what_was_given_up_is_listed_and_told_again(tmp_path: Path, command: Command) -> None:
    with receiving(Inbox(lambda _request: 503)) as inbox:
        async with up(tmp_path, inbox) as (path, running):
            await apart(running.submit, "Uno", RECIPIENT)
            await until(lambda: inbox.heard)
        kill_deliveries(tmp_path / "data")
        dead = (await apart(command, "webhook", "list", "--dead", "--config", path, "--json")).json
        assert dead[0]["event"] == "queued"
        assert {one["error"] for one in dead} == {"no"}
        check = await apart(command, "status", "--check", "--config", path)
        assert f"hook erp: {len(dead)} events were given up" in check.out
        wrong = await apart(command, "webhook", "redeliver", "999", "--config", path)
        assert "No dead delivery has the id 999" in wrong.err
        which = await apart(command, "webhook", "redeliver", "--config", path)
        assert (which.code, "say which" in which.err) == (2, True)
        inbox.respond = lambda _request: 204
        done = await apart(
            command, "webhook", "redeliver", "--hook", "erp", "--config", path, "--json"
        )
        assert done.json["redelivered"] == len(dead)
        async with up(tmp_path, inbox) as (path, _running):
            await until(lambda: len(inbox.taken) >= len(dead))
            none = await apart(command, "webhook", "list", "--dead", "--config", path)
            assert none.out == "Nothing was given up.\n"
        assert inbox.numbers()[: len(dead)] == sorted(one["number"] for one in dead)


async def test_alarms_are_tried_and_need_somebody_who_is_told(
    tmp_path: Path, command: Command
) -> None:
    more = """
[[alarms.webhook]]
name = "monitoring"
url = "http://127.0.0.1:{port}/alarms"
secret = {{ file = "webhook" }}
"""
    with receiving(Inbox()) as inbox:
        async with up(tmp_path, inbox, more.format(port=inbox.port)) as (path, _running):
            (tried,) = (await apart(command, "alarm", "test", "--config", path, "--json")).json
            assert (tried["way"], tried["taken"]) == ("webhook monitoring", True)
        (request,) = inbox.taken
        assert request.event["event"] == "alarms"
        assert request.event["raised"][0]["kind"] == "test"
        # And without a running bridge, which needs the secrets.
        inbox.taken.clear()
        (tried,) = (await apart(command, "alarm", "test", "--config", path, "--json")).json
        assert tried["taken"]
        assert len(inbox.taken) == 1


def test_nobody_is_told(command: Command, config: Path) -> None:
    done = command("alarm", "test", "--config", config)
    assert done.code == 1
    assert "Nobody outside is told of alarms" in done.err
    assert command("webhook", "list", "--config", config).out == "Nobody is told of events.\n"


async def test_check_looks_at_those_who_are_told(tmp_path: Path, command: Command) -> None:
    more = """
[[account.webhook]]
command = ["/nonexistent/told"]
[[webhook]]
command = ["sh", "-c", "true"]
[alarms]
to = "x@y.example"
[alarms.smtp]
host = "127.0.0.1"
port = 9
tls = "none"
"""
    with receiving(Inbox()) as inbox:
        async with up(tmp_path, inbox, more) as (path, _running):
            found = by_check((await apart(command, "check", "--config", path, "--json")).out)
    assert found[f"webhook erp of {ADDRESS}"]["verdict"] == "ok"
    assert inbox.heard == [], "nothing is told"
    assert found["webhook sh"]["verdict"] == "ok"
    assert found[f"webhook told of {ADDRESS}"]["evidence"] == "/nonexistent/told is not there"
    assert found["alarms by mail"]["evidence"] == (
        "127.0.0.1:9 refuses the connection; nothing listens there"
    )


async def test_no_secret_and_no_path_of_a_url_is_shown(tmp_path: Path, command: Command) -> None:
    with receiving(Inbox(lambda _request: 500, path="/geheim?token=geheim")) as inbox:
        async with up(tmp_path, inbox) as (path, running):
            await apart(running.submit, "Uno", RECIPIENT)
            await until(lambda: inbox.heard)
            for words in (
                ("webhook", "list"),
                ("webhook", "test"),
                ("status",),
                ("status", "--json"),
                ("check", "--json"),
            ):
                done = await apart(command, *words, "--config", path)
                for secret in ("geheim", SIGNING, PASSWORD):
                    assert secret not in done.out + done.err, words
    assert inbox.heard[0].path.startswith("/geheim")


def test_a_secret_that_is_none_is_told_by_check(
    tmp_path: Path, command: Command, config: Path
) -> None:
    inbox = Inbox()
    told(config, inbox)
    (config.parent / "webhook").write_text("geheim")
    done = command("check", "--config", config, "--json")
    assert done.code == 1
    (fault,) = [one for one in json.loads(done.out) if one["verdict"] == "failed"]
    assert "account[1].webhook[1].secret: must be whsec_" in fault["evidence"]
    assert "geheim" not in done.out


@pytest.mark.parametrize("words", [("webhook", "list"), ("status",)])
def test_a_configuration_that_names_a_hook_and_no_data(
    words: tuple[str, ...], command: Command, config: Path
) -> None:
    told(config, Inbox())
    done = command(*words, "--config", config)
    assert "erp" in done.out
