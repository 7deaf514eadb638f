"""A whole bridge tells of what waits and nobody sends."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bridge.config import Account, Config, SecretSource
from bridge.operations.control import OperationFailed, ask
from bridge.simulator import Operation
from tests.running import ADDRESS, apart, eventually, running, simulated, until


def another_account(config: Config) -> Config:
    other = Account(address="studio@pec.example", password=SecretSource(env="UNUSED"))
    return dataclasses.replace(config, account=(other,))


def impatient(config: Config) -> Config:
    return dataclasses.replace(config, send=dataclasses.replace(config.send, waiting_alarm_min=1.0))


async def test_the_queue_of_a_removed_account_is_told_of(tmp_path: Path) -> None:
    simulator = simulated()
    simulator.faults.answer(Operation.SEND, 429, times=None)
    async with running(tmp_path, simulator) as bridge:
        await apart(bridge.submit, "Dimenticato", "silent-x@altra.example")
        await until(lambda: simulator.calls(Operation.SEND))
    async with running(tmp_path, simulator, change=another_account):

        async def told() -> list[dict[str, str]]:
            alarms: list[dict[str, str]] = (await ask(tmp_path, "status", {}))["alarms"]
            return [alarm for alarm in alarms if alarm["kind"] == "waiting"]

        (alarm,) = await eventually(told)
        assert (alarm["account"], alarm["key"]) == (ADDRESS, "removed")
        (entry,) = await ask(tmp_path, "queue list", {})
        assert f"{ADDRESS} is not in the configuration" in entry["reason"]
        with pytest.raises(OperationFailed, match="not in the configuration"):
            await ask(tmp_path, "queue retry", {"id": entry["id"]})


async def test_status_says_why_nothing_leaves(tmp_path: Path) -> None:
    simulator = simulated()
    simulator.faults.answer(Operation.SEND, 429, times=None)
    async with running(tmp_path, simulator, change=impatient) as bridge:
        await apart(bridge.submit, "In attesa", "silent-x@altra.example")

        async def told() -> str:
            (account,) = (await ask(tmp_path, "status", {}))["accounts"]
            return account["error"] or ""

        assert "slow down" in await eventually(told)
        assert "Next try at" in await eventually(told)
