"""``queue``: the same answers from a running bridge and from the data alone."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bridge.simulator import Failure, Operation, Phase, Simulator
from tests.cli.conftest import Command, Done
from tests.running import ADDRESS, apart, running, simulated, until

SHAPE = {
    "reference",
    "envid",
    "urgent",
    "expected_at",
    "id",
    "account",
    "state",
    "message_id",
    "subject",
    "recipients",
    "code",
    "reason",
    "attempts",
    "created_at",
    "updated_at",
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def queued(config: Path, simulator: Simulator, state: str) -> None:
    """Leave one entry in the outbox, in ``state``, and stop the bridge."""
    if state == "held":
        simulator.faults.answer(Operation.SEND, 401, {"success": False}, times=None)
    if state == "uncertain":
        simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.RESET)
    async with running(config.parent / "data", simulator) as bridge:
        await apart(bridge.submit, "Prova", "silent-x@altra.example")
        await until(lambda: simulator.calls(Operation.SEND))


async def test_list_and_show(command: Command, config: Path) -> None:
    await queued(config, simulated(), "submitted")
    (entry,) = (await apart(command, "queue", "list", "--json", "--config", config)).json
    assert set(entry) == SHAPE
    assert entry["account"] == ADDRESS
    assert entry["state"] == "submitted"
    assert entry["message_id"] == "<Prova@client.example>"
    assert entry["recipients"] == ["silent-x@altra.example"]
    assert re.fullmatch(r"20\d{12,18}", entry["code"])
    assert INSTANT.fullmatch(entry["created_at"])
    assert INSTANT.fullmatch(entry["updated_at"])
    shown = (await apart(command, "queue", "show", entry["id"], "--json", "--config", config)).json
    assert set(shown) == SHAPE | {"tries", "steps"}
    assert [step["new"] for step in shown["steps"]][-1] == "submitted"
    text = await apart(command, "queue", "show", entry["id"], "--config", config)
    assert f"code: {entry['code']}" in text.out
    text = await apart(command, "queue", "list", "--config", config)
    assert entry["id"] in text.out


async def test_list_narrows_by_state(command: Command, config: Path) -> None:
    await queued(config, simulated(), "held")
    arguments = ("queue", "list", "--json", "--config", config, "--state")
    assert len((await apart(command, *arguments, "held")).json) == 1
    assert (await apart(command, *arguments, "queued")).json == []
    text = await apart(command, "queue", "list", "--state", "queued", "--config", config)
    assert text.out == "No entries.\n"
    for since, count in (("1d", 1), ("2h", 1), ("0h", 0), ("2000-01-01", 1)):
        assert len((await apart(command, *arguments, "held", "--since", since)).json) == count
    refused = await apart(command, *arguments, "held", "--since", "gestern")
    assert refused.code == 2
    assert "is no time" in refused.err


@pytest.mark.parametrize("alone", [True, False], ids=["no bridge", "bridge running"])
@pytest.mark.parametrize(
    ("state", "words", "becomes"),
    [
        ("held", ("cancel",), "cancelled"),
        ("uncertain", ("resolve", "--drop"), "dropped"),
        ("uncertain", ("resolve", "--sent", "2026010100000001", "--force"), "submitted"),
    ],
    ids=["cancel", "drop", "sent"],
)
async def test_decisions(
    command: Command,
    config: Path,
    state: str,
    words: tuple[str, ...],
    becomes: str,
    alone: bool,
) -> None:
    simulator = simulated()
    await queued(config, simulator, state)
    (entry,) = (await apart(command, "queue", "list", "--json", "--config", config)).json
    assert entry["state"] == state
    verb, *options = words
    arguments = ("queue", verb, entry["id"], *options, "--config", config)
    if alone:
        done = await apart(command, *arguments, "--json")
        again = await apart(command, *arguments)
    else:
        async with running(config.parent / "data", simulator):
            done = await apart(command, *arguments, "--json")
            again = await apart(command, *arguments)
    assert done.json["state"] == becomes
    assert (again.code, again.out) == (1, "")
    assert re.fullmatch(r"[A-Z0-9].*\.\n", again.err)
    assert simulator.sent == []


@pytest.mark.parametrize("alone", [True, False], ids=["no bridge", "bridge running"])
@pytest.mark.parametrize(
    ("state", "words"),
    [("held", ("retry",)), ("uncertain", ("resolve", "--resend", "--force"))],
    ids=["retry", "resend"],
)
async def test_decisions_that_send(
    command: Command, config: Path, state: str, words: tuple[str, ...], alone: bool
) -> None:
    simulator = simulated()
    await queued(config, simulator, state)
    (entry,) = (await apart(command, "queue", "list", "--json", "--config", config)).json
    simulator.faults.clear()
    verb, *options = words
    arguments = ("queue", verb, entry["id"], *options, "--json", "--config", config)
    if alone:
        assert (await apart(command, *arguments)).json["state"] == "queued"
        await asyncio.sleep(0)
        assert simulator.sent == []
    async with running(config.parent / "data", simulator):
        if not alone:
            await apart(command, *arguments)
        await until(lambda: simulator.sent)
    assert len(simulator.sent) == 1


async def test_nothing_is_sent_again_unlooked_for_without_a_bridge(
    command: Command, config: Path
) -> None:
    """The secrets are at hand, so the command asks as a bridge would; the API does not answer."""
    await queued(config, simulated(), "uncertain")
    (entry,) = (await apart(command, "queue", "list", "--json", "--config", config)).json
    resend = ("queue", "resolve", entry["id"], "--resend", "--config", config)
    refused = await apart(command, *resend)
    assert (refused.code, refused.out) == (1, "")
    assert "the API could not be asked" in refused.err
    (config.parent / "secret").unlink()
    assert (await apart(command, *resend, "--json")).json["state"] == "queued"


async def test_a_persons_word_shows_until_it_is_taken_back(command: Command, config: Path) -> None:
    code = "2026010100000001"
    await queued(config, simulated(), "uncertain")
    (entry,) = (await apart(command, "queue", "list", "--json", "--config", config)).json
    resolve = ("queue", "resolve", entry["id"], "--config", config)
    refused = await apart(command, *resolve, "--sent", code)
    assert (refused.code, refused.out) == (1, "")
    assert "--force takes your word" in refused.err
    await apart(command, *resolve, "--sent", code, "--force")
    listed = await apart(command, "queue", "list", "--config", config)
    assert "person's word" in " ".join(listed.out.split())
    shown = await apart(command, "queue", "show", entry["id"], "--config", config)
    assert "on_word: yes" in shown.out or "on_word: True" in shown.out
    receipts = (await apart(command, "receipts", "list", "--json", "--config", config)).json
    assert receipts[0]["on_word"] is True
    again = (await apart(command, *resolve, "--reopen", "--json")).json
    assert (again["state"], again["code"]) == ("uncertain", None)


@pytest.mark.parametrize(
    "options",
    [("--drop", "--force"), ("--reopen", "--force"), ("--reopen", "--drop"), ("--force",)],
)
async def test_what_does_not_go_together_is_a_usage_fault(
    command: Command, config: Path, options: tuple[str, ...]
) -> None:
    done = await apart(command, "queue", "resolve", "X", *options, "--config", config)
    assert done.code == 2


@pytest.mark.parametrize("alone", [True, False], ids=["no bridge", "bridge running"])
async def test_pause_and_resume(command: Command, config: Path, alone: bool) -> None:
    async def said(*words: str) -> Done:
        return await apart(command, *words, "--config", config)

    async def story() -> None:
        (flow,) = (await said("queue", "pause", ADDRESS, "--json")).json
        assert INSTANT.fullmatch(flow["paused_since"])
        assert flow == {
            "account": ADDRESS,
            "waiting": 0,
            "flushed": 0,
            "paused_since": flow["paused_since"],
        }
        status = (await said("status")).out
        assert "nothing leaves since " in status
        assert ADDRESS in (await said("queue", "flush")).out
        assert "-" in (await said("queue", "resume")).out
        assert "nothing leaves since " not in (await said("status")).out
        unknown = await said("queue", "pause", "nobody@pec.example")
        assert (unknown.code, unknown.err) == (1, "There is no account nobody@pec.example.\n")

    if alone:
        await story()
    else:
        async with running(config.parent / "data", simulated()):
            await story()
