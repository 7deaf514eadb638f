"""On a port: real connections, broken for real."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import socket
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from bridge.clock import SystemClock
from bridge.simulator import (
    SEQUENCE_READING,
    Failure,
    FaultRule,
    Hold,
    Operation,
    Phase,
    Simulator,
    SimulatorServer,
)
from tests.simulator.caller import ADDRESS, PASSWORD, Caller

SILENT = [Failure.CONNECT_TIMEOUT, Failure.WRITE_TIMEOUT, Failure.TIMEOUT]


@pytest.fixture
def simulator() -> Simulator:
    simulator = Simulator(SEQUENCE_READING, SystemClock())
    simulator.add_mailbox(ADDRESS, PASSWORD)
    return simulator


@pytest.fixture
async def api(simulator: Simulator) -> AsyncIterator[Caller]:
    async with (
        SimulatorServer(simulator.app) as server,
        httpx.AsyncClient(base_url=server.url, timeout=5) as client,
    ):
        yield Caller(client, simulator.token)


async def test_a_whole_exchange(api: Caller, simulator: Simulator) -> None:
    assert (await api.send(recipient=[ADDRESS])).status_code == 201
    assert len(await api.rows()) == 3
    assert "Simulated API" in (await api.client.get("/_simulator")).text


@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.DURING, Phase.AFTER])
@pytest.mark.parametrize(
    "failure", [one for one in Failure if one not in SILENT], ids=lambda one: one.name
)
async def test_the_connection_breaks(
    api: Caller, simulator: Simulator, failure: Failure, phase: Phase
) -> None:
    simulator.faults.fail(Operation.SEND, phase, failure)
    with pytest.raises((httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)) as caught:
        await api.send()
    if phase is not Phase.DURING:
        orderly = failure in (Failure.DISCONNECT, Failure.TRUNCATED)
        assert isinstance(caught.value, httpx.RemoteProtocolError) is orderly
    assert len(simulator.sent) == (1 if phase is Phase.AFTER else 0)
    assert (await api.send()).status_code == 201


async def test_a_large_upload_breaks_in_the_middle(api: Caller, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.DURING, Failure.WRITE_ERROR)
    with pytest.raises((httpx.WriteError, httpx.ReadError)):
        await api.send(body="x" * 20_000_000)
    assert simulator.sent == []


@pytest.mark.parametrize("failure", SILENT, ids=lambda one: one.name)
async def test_no_answer_comes(api: Caller, simulator: Simulator, failure: Failure) -> None:
    simulator.faults.fail(Operation.SEND, Phase.AFTER, failure)
    api.client.timeout = httpx.Timeout(5, read=0.05)
    with pytest.raises(httpx.ReadTimeout):
        await api.send()
    assert len(simulator.sent) == 1


async def test_stopping_does_not_wait_for_stalled_callers(simulator: Simulator) -> None:
    hold = Hold()
    hold.release.set()
    simulator.faults.add(FaultRule(phase=Phase.BEFORE, result=Failure.TIMEOUT, hold=hold))
    server = SimulatorServer(simulator.app)
    await server.start()
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        stalled = asyncio.create_task(Caller(client, simulator.token).get("/inbox"))
        await hold.reached.wait()
        await asyncio.wait_for(server.stop(), 10)
        with pytest.raises(httpx.TransportError):
            await stalled
    await server.stop()


async def test_thirty_megabytes_arrive_whole(api: Caller, simulator: Simulator) -> None:
    content = os.urandom(22_000_000)
    file = "data:application/zip;base64," + base64.b64encode(content).decode()
    assert (await api.send(attachments=[{"name": "a.zip", "file": file}])).status_code == 201
    (attachment,) = simulator.sent[0].attachments
    assert attachment.sha256 == hashlib.sha256(content).hexdigest()


async def test_a_caller_that_hangs_up_in_its_request_sends_nothing(simulator: Simulator) -> None:
    async with SimulatorServer(simulator.app) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /send HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        await writer.drain()
        async with httpx.AsyncClient(base_url=server.url) as client:
            await Caller(client, simulator.token).get("/inbox")
        writer.close()
        await writer.wait_closed()
    (call,) = simulator.calls(Operation.SEND)
    assert (call.failure, call.processed, simulator.sent) == (Failure.DISCONNECT, False, [])


async def test_calls_with_latency_overlap(simulator: Simulator) -> None:
    slow = Simulator(SEQUENCE_READING.replace(latency_s=0.05), SystemClock())
    slow.add_mailbox(ADDRESS, PASSWORD)
    limits = httpx.Limits(max_connections=None)
    async with (
        SimulatorServer(slow.app) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30, limits=limits) as client,
    ):
        api = Caller(client, slow.token)
        begun_s = time.monotonic()
        await asyncio.gather(*(api.get("/inbox") for _ in range(40)))
        assert time.monotonic() - begun_s < 40 * 0.05


async def test_a_taken_port_is_an_os_error(simulator: Simulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = SimulatorServer(simulator.app, port=taken.getsockname()[1])
        with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
            await server.start()
        await server.stop()
