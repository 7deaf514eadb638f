"""Sending as a bridge puts it together: what is looked at first, and what goes on beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import httpx

from bridge.app.resources import Resources
from bridge.app.sending import OutboxService
from bridge.clock import Clock, SystemClock
from bridge.config import Account, Config, SecretSource
from bridge.credentials import AccountSecrets, Secret, Secrets
from bridge.model import SubmissionState
from bridge.operations.control import ask
from bridge.outbox.decision import Decisions
from bridge.outbox.lineage import LONG_AGO
from bridge.simulator import Failure, Operation, Phase, Simulator
from bridge.store.lineage import LineageRow
from bridge.store.outbox import SubmissionRow
from tests.fakes import FakeClock
from tests.running import PASSWORD, apart, eventually, running, settings, simulated, until

STEP = timedelta(days=1)


@asynccontextmanager
async def opened(config: Config, simulator: Simulator, clock: Clock) -> AsyncIterator[Resources]:
    secret = Secret(PASSWORD)
    secrets = Secrets(Secret(simulator.token), (AccountSecrets(secret, secret),))
    transport = httpx.ASGITransport(app=simulator.app)
    resources = await Resources.open(config, secrets, clock=clock, http_transport=transport)
    try:
        yield resources
    finally:
        await resources.close()


@asynccontextmanager
async def at_work(resources: Resources, name: str) -> AsyncIterator[None]:
    """Let one of the works go on."""
    sending = await OutboxService.build(resources, Random(1), lambda account: None)
    task = asyncio.ensure_future(sending.works()[name]())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def only_row(resources: Resources) -> SubmissionRow:
    (row,) = await resources.store.read(lambda tx: tx.submissions())
    return row


async def test_what_is_sent_again_is_looked_for_before_anything_is_sent(tmp_path: Path) -> None:
    """A person said so while no bridge ran, so nobody could look."""
    simulator = simulated()
    simulator.faults.fail(Operation.SEND, Phase.AFTER, Failure.TIMEOUT)
    simulator.faults.fail(Operation.INBOX_LIST, Phase.BEFORE, Failure.TIMEOUT, times=None)
    async with running(tmp_path, simulator) as bridge:
        await apart(bridge.submit, "Fattura", "cliente@altra.example")

        async def is_uncertain() -> bool:
            return [one["state"] for one in await ask(tmp_path, "queue list", {})] == ["uncertain"]

        await eventually(is_uncertain)
    simulator.faults.clear()
    async with opened(settings(tmp_path), simulator, SystemClock()) as resources:
        row = await only_row(resources)
        await Decisions(resources.mailboxes, resources.clock).resolve_resend(row.id)
        async with at_work(resources, "dispatcher"):

            async def is_sent() -> bool:
                return (await only_row(resources)).state is SubmissionState.SUBMITTED

            await eventually(is_sent)
        assert [one.code for one in simulator.sent] == [(await only_row(resources)).code]


async def test_a_bridge_that_runs_keeps_its_queue_from_being_called_old(tmp_path: Path) -> None:
    """What waits for an account that left the settings is tried by nobody."""
    simulator, config = simulated(), settings(tmp_path)
    clock = FakeClock(SystemClock().now())
    simulator.faults.answer(Operation.SEND, 429, times=None)
    async with running(tmp_path, simulator) as bridge:
        await apart(bridge.submit, "In attesa", "cliente@altra.example")
    other = Account(address="studio@pec.example", password=SecretSource(env="UNUSED"))
    removed = replace(config, account=(other,))
    async with opened(removed, simulator, clock) as resources, at_work(resources, "lineage"):
        for _day in range(LONG_AGO // STEP + 2):
            await until(lambda: clock.next_wake_s is not None)
            await clock.advance(STEP.total_seconds())

            async def is_noted() -> bool:
                lineage: LineageRow | None = await resources.store.read(lambda tx: tx.lineage())
                return lineage is not None and clock.now() - lineage.seen_at < STEP

            await eventually(is_noted)
    async with opened(config, simulator, clock) as resources:
        assert (await only_row(resources)).state is SubmissionState.QUEUED
