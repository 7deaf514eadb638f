"""``outcome``: the same answers from a running bridge and from the data alone, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.outcome import CODES, Code, Until, exit_code
from bridge.model import Outcome
from tests.cli.conftest import Command, Done
from tests.running import apart, running, simulated


def send(outcome: Outcome, state: str = "submitted") -> dict[str, Any]:
    return {"outcome": outcome.value, "state": state}


@pytest.mark.parametrize(
    ("outcomes", "until", "code"),
    [
        ([], Until.FINAL, Code.UNKNOWN),
        ([Outcome.DELIVERED, Outcome.ACCEPTED], Until.FINAL, Code.GOOD),
        ([Outcome.DELIVERED, Outcome.OPEN], Until.FINAL, Code.OPEN),
        ([Outcome.OPEN], Until.SUBMITTED, Code.GOOD),
        ([Outcome.FAILED], Until.SUBMITTED, Code.BAD),
        ([Outcome.OPEN, Outcome.NOT_SENT], Until.FINAL, Code.BAD),
        ([Outcome.FAILED, Outcome.UNCERTAIN], Until.FINAL, Code.UNCERTAIN),
    ],
)
def test_the_worst_counts(outcomes: list[Outcome], until: Until, code: Code) -> None:
    assert exit_code([send(one) for one in outcomes], until) is code
    assert set(CODES) == set(Code)


def test_what_waits_is_not_taken() -> None:
    assert exit_code([send(Outcome.OPEN, "queued")], Until.SUBMITTED) is Code.OPEN


async def test_from_submission_to_the_last_receipt(command: Command, config: Path) -> None:
    simulator = simulated()

    async def ask(*words: str) -> Done:
        return await apart(command, "outcome", *words, "--config", config)

    async with running(config.parent / "data", simulator) as bridge:
        await apart(bridge.submit, "Uno", "uno@altra.example")
        await apart(bridge.submit, "Due", "uno@altra.example", "fail-due@altra.example")
        await apart(bridge.submit, "Tre", "silent-x@altra.example")
        done = await ask("Uno@client.example", "--wait", "--timeout", "15", "--json")
        (good,) = done.json
        assert (good["outcome"], good["message_id"]) == ("delivered", "<Uno@client.example>")
        done = await ask("<Due@client.example>", "--wait", "--timeout", "15")
        assert (done.code, done.err) == (4, "")
        assert "outcome" in done.out
        assert "fail-due@altra.example" in done.out
        taken = ("Tre@client.example", "--wait", "--until", "submitted", "--json")
        assert (await ask(*taken)).json[0]["code"] == simulator.sent[-1].code
        assert (await ask("Tre@client.example", "--wait", "--timeout", "0")).code == 3
        asked = await ask("Quattro@client.example", "--wait", "--json")
        assert (asked.code, json.loads(asked.out)) == (6, [])
        assert "Nothing was submitted here" in asked.err
    alone = await ask(simulator.sent[-1].code, "--wait", "--json")
    assert alone.code == 3
    assert json.loads(alone.out)[0]["state"] == "submitted"
    assert "No bridge is running" in alone.err
    assert (await ask(good["id"], "--wait", "--json")).json == [good]
    events = (await apart(command, "events", "--json", "--config", config)).json
    of_it = [one["event"] for one in events if one["id"] == good["id"]]
    assert of_it == ["queued", "submitted", "accepted", "delivered"]
    done = await apart(command, "events", "--follow", "--config", config)
    assert (done.code, done.out) == (1, "")
    assert "No bridge is running" in done.err
