"""What never left leaves ``Sent`` before the eyes of a client, and comes back to it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bridge.operations.control import ask
from bridge.simulator import FaultRule, FixedAnswer, Hold, Operation, Phase
from tests.imapserver.client import Client
from tests.running import ADDRESS, PASSWORD, Running, apart, eventually, running, simulated


async def client_of(bridge: Running) -> Client:
    client = Client(*await asyncio.open_connection("127.0.0.1", bridge.port("imap")))
    await client.line()
    await client.ok(f'LOGIN {ADDRESS} "{PASSWORD}"')
    return client


async def test_a_client_that_idles_in_sent_sees_it_go_and_come_back(tmp_path: Path) -> None:
    simulator = simulated()
    hold = Hold()
    simulator.faults.add(
        FaultRule(phase=Phase.INSTEAD, operation=Operation.SEND, result=FixedAnswer(402), hold=hold)
    )
    async with running(tmp_path, simulator) as bridge:
        watching, asking = await client_of(bridge), await client_of(bridge)
        await watching.ok("SELECT Sent")
        await watching.send(b"w IDLE\r\n")
        assert await watching.line() == b"+ idling"
        await apart(bridge.submit, "In attesa", "silent-x@altra.example")
        assert await watching.line() == b"* 1 EXISTS"
        assert await watching.line() == b"* 1 RECENT"
        hold.release.set()
        assert await watching.line() == b"* 1 EXPUNGE"
        assert await asking.ok("STATUS Unsent (MESSAGES UNSEEN)") == [
            "* STATUS Unsent (MESSAGES 1 UNSEEN 0)"
        ]
        (entry,) = await ask(tmp_path, "queue list", {})
        await ask(tmp_path, "queue retry", {"id": entry["id"]})
        assert await watching.line() == b"* 1 EXISTS"

        async def back() -> bool:
            return await asking.ok("STATUS Unsent (MESSAGES)") == ["* STATUS Unsent (MESSAGES 0)"]

        await eventually(back)
        watching.close()
        asking.close()
