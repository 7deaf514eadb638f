"""Requests that wait: for news, for no longer than they may, and so many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from bridge.limits import API_WAITS, API_WAITS_PER_KEY
from bridge.model import SubmissionState
from bridge.simulator import Operation
from tests.web.contract.conftest import STUDIO, Office, Program, named, soon


async def waiting(office: Office, erp: Program, count: int = 1) -> list[asyncio.Future[Any]]:
    """Let so many requests wait for events."""
    url = "/api/v1/events?wait=60"
    requests: list[asyncio.Future[Any]] = [
        asyncio.ensure_future(erp.get(url)) for _ in range(count)
    ]
    await office.rig.quiet()
    return requests


async def ended(office: Office, requests: list[asyncio.Future[Any]]) -> list[httpx.Response]:
    """End what waits by an event; return the answers."""
    await office.rig.submit("Prova")
    await office.rig.submit("Prova", account=1)
    await office.rig.pass_time(2)
    return [await asyncio.wait_for(one, 5) for one in requests]


async def test_an_event_ends_a_wait_at_once(office: Office) -> None:
    erp = await office.erp()
    requests = await waiting(office, erp)
    await office.rig.pass_time(20)
    assert not requests[0].done()
    (answer,) = await ended(office, requests)
    assert [one["event"] for one in answer.json()["events"]] == ["queued"]


async def test_a_wait_without_news_ends_with_nothing(office: Office) -> None:
    erp = await office.erp()
    answer = await soon(erp.ask("events", wait=7), office, 7)
    assert answer == {"events": [], "next": 0, "missing": False}
    assert office.clock.monotonic() == 7


async def test_another_accounts_news_end_no_wait(office: Office) -> None:
    erp = await office.erp()
    requests = await waiting(office, erp)
    await office.rig.submit("Prova", account=1)
    await office.rig.pass_time(61)
    assert (await requests[0]).json()["events"] == []


async def test_so_many_wait_with_a_key_and_no_more(office: Office) -> None:
    erp, other = await office.erp(), await office.erp("studio", STUDIO)
    requests = await waiting(office, erp, API_WAITS_PER_KEY)
    answer = await erp.get("/api/v1/events?wait=1")
    assert named(answer) == (429, "too-many-waits")
    assert answer.headers["Retry-After"] == "5"
    assert (await erp.ask("events"))["events"] == []  # who does not wait is answered
    requests += await waiting(office, other)
    assert not any(one.done() for one in requests)
    assert {one.status_code for one in await ended(office, requests)} == {200}
    assert (await erp.ask("events", wait=1))["events"]  # there is room again


async def test_so_many_wait_in_all_and_no_more(office: Office) -> None:
    requests = []
    for number in range(API_WAITS // API_WAITS_PER_KEY):
        erp = await office.erp(f"ERP {number}")
        requests += await waiting(office, erp, API_WAITS_PER_KEY)
    assert not any(one.done() for one in requests)
    last = await office.erp("one more")
    assert await last.problem("events", wait=1) == (429, "too-many-waits")
    assert {one.status_code for one in await ended(office, requests)} == {200}


async def test_a_key_revoked_during_a_wait_is_told_nothing_more(office: Office) -> None:
    made = await office.key()
    (request,) = await waiting(office, office.program(made["key"]))
    await office.do("apikey revoke", which=made["id"])
    await office.rig.submit("Prova")
    await office.rig.pass_time(1)
    assert named(await asyncio.wait_for(request, 5)) == (401, "unauthorized")


async def test_a_key_revoked_while_a_body_comes_decides_nothing(office: Office) -> None:
    """Whoever asks may send the body as slowly as he likes."""
    made = await office.key(write=True)
    erp = office.program(made["key"])
    office.simulator.faults.answer(Operation.SEND, 402, times=None)
    id = await office.rig.submit("Prova")
    begun = asyncio.Event()
    revoked = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        begun.set()
        await revoked.wait()
        yield b"}"

    request = asyncio.ensure_future(
        erp.post(
            f"/api/v1/sends/{id}/cancel",
            content=body(),
            headers={"Content-Type": "application/json"},
        )
    )
    await asyncio.wait_for(begun.wait(), 5)
    await office.rig.quiet()  # the key was looked at
    await office.do("apikey revoke", which=made["id"])
    revoked.set()
    assert named(await asyncio.wait_for(request, 5)) == (401, "unauthorized")
    assert (await office.rig.row(id)).state is not SubmissionState.CANCELLED


async def test_a_key_revoked_while_its_evidence_is_made_is_given_none(office: Office) -> None:
    made = await office.key()
    erp = office.program(made["key"])
    id = await office.rig.submit("Prova")
    async with office.services.archiving:  # somebody else's is made
        request = asyncio.ensure_future(erp.get(f"/api/v1/sends/{id}/evidence.zip"))
        await office.rig.quiet()
        await office.do("apikey revoke", which=made["id"])
    assert named(await asyncio.wait_for(request, 10)) == (401, "unauthorized")


async def test_a_wait_with_a_revoked_key_ends_soon_also_without_news(office: Office) -> None:
    made = await office.key()
    (request,) = await waiting(office, office.program(made["key"]))
    await office.do("apikey revoke", which=made["id"])
    await office.rig.pass_time(5)
    assert named(await asyncio.wait_for(request, 5)) == (401, "unauthorized")


async def test_a_wait_is_over_when_its_client_has_gone(office: Office) -> None:
    erp = await office.erp()
    left = asyncio.Event()
    answers: list[Mapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not left.is_set() and not answers:
            answers.append({})
            return {"type": "http.request", "body": b"", "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answers.append(message)

    shown = erp.headers["authorization"]
    scope = {
        "type": "http", "method": "GET", "path": "/api/v1/events",
        "raw_path": b"/api/v1/events", "query_string": b"wait=60", "scheme": "http",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1180),
        "headers": [(b"host", b"127.0.0.1"), (b"authorization", shown.encode())],
    }  # fmt: skip
    task = asyncio.ensure_future(office.app(scope, receive, send))
    await office.rig.quiet()
    assert not task.done()
    left.set()
    await asyncio.wait_for(task, 5)
    assert office.clock.monotonic() == 0
    assert office.services.answered["gone"] == 1
    assert office.clock.next_wake_s is None  # nobody waits for anything any more


@pytest.mark.parametrize("path", ["events?after=999", "events?after=999&wait=30"])
async def test_a_position_of_other_data_is_said(office: Office, path: str) -> None:
    erp = await office.erp()
    answer = await erp.get(f"/api/v1/{path}")
    assert named(answer) == (409, "unknown-position")
    assert "begin anew" in answer.json()["detail"]


@pytest.mark.parametrize("more", ["", "&wait=30"])
async def test_a_position_behind_a_backup_that_was_put_back_is_said(
    office: Office, more: str
) -> None:
    """Also once as much has happened since as the lost data had told."""
    erp = await office.erp()
    await office.rig.submit("Prova")
    kept = (await erp.ask("events"))["next"]
    await office.rig.store.write(lambda tx: tx.leave_out_numbers())  # as ``Lineage.open`` does
    for number in range(5):
        await office.rig.submit(f"Dopo {number}")
    answer = await erp.get(f"/api/v1/events?after={kept + 3}{more}")
    assert named(answer) == (409, "unknown-position")
    assert "Begin anew" in answer.json()["detail"]
    behind = await erp.ask("events", after=kept)
    assert [one["event"] for one in behind["events"]] == ["queued"] * 5
    assert (await erp.ask("events", after=behind["next"]))["events"] == []
