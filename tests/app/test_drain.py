"""A bridge that is drained: nothing more comes in, what may leave leaves, and it ends."""

from __future__ import annotations

import asyncio
import smtplib
from pathlib import Path

import pytest

from bridge.operations.control import OperationFailed, ask
from bridge.simulator import FaultRule, Hold, Operation, Phase, Simulator
from tests.running import ADDRESS, PATIENCE_S, Running, apart, eventually, running, simulated, until

TO = "silent-x@altra.example"


def held_up(simulator: Simulator) -> Hold:
    """Let the API keep the next answer to itself."""
    hold = Hold()
    simulator.faults.add(
        FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.SEND, hold=hold)
    )
    return hold


async def is_refused(bridge: Running) -> bool:
    try:
        await apart(bridge.submit, "Tardi", TO)
    except (OSError, smtplib.SMTPException):
        return True
    return False


async def test_what_is_in_hand_ends_and_nothing_new_comes(tmp_path: Path) -> None:
    simulator = simulated()
    hold = held_up(simulator)
    async with running(tmp_path, simulator) as bridge:
        ended = asyncio.ensure_future(bridge.bridge.wait())
        await apart(bridge.submit, "In mano", TO)
        await until(lambda: simulator.calls(Operation.SEND))
        draining = asyncio.ensure_future(ask(tmp_path, "drain", {}))
        await eventually(lambda: is_refused(bridge))
        client = await apart(bridge.imap)
        assert (await apart(client.select))[0] == "OK"
        await apart(client.logout)
        with pytest.raises(OperationFailed, match="already"):
            await ask(tmp_path, "drain", {})
        assert not draining.done()
        assert not ended.done()
        hold.release.set()
        assert await asyncio.wait_for(draining, PATIENCE_S) == {"left": 0}
        await asyncio.wait_for(ended, PATIENCE_S)
    assert "In mano" in {sent.subject for sent in simulator.sent}


async def test_what_has_to_wait_is_left_and_counted(tmp_path: Path) -> None:
    simulator = simulated()
    async with running(tmp_path, simulator) as bridge:
        await ask(tmp_path, "queue pause", {"account": ADDRESS})
        for number in range(2):
            await apart(bridge.submit, f"Messaggio {number}", TO)
        assert await asyncio.wait_for(ask(tmp_path, "drain", {}), PATIENCE_S) == {"left": 2}
        await asyncio.wait_for(bridge.bridge.wait(), PATIENCE_S)
    assert simulator.sent == []
    async with running(tmp_path, simulator):
        await ask(tmp_path, "queue resume", {})
        await until(lambda: len(simulator.sent) == 2)
