"""The state page, its JSON, and the control endpoints."""

from __future__ import annotations

import hashlib
import json

import pytest

from bridge.registration.whole import check
from bridge.simulator import Failure, Operation, Phase, Simulator
from tests.fakes import FakeClock
from tests.registration.test_whole import GOOD, TODAY
from tests.simulator.caller import ADDRESS, PASSWORD, Caller


async def test_the_state_tells_what_was_received_and_when(
    api: Caller, simulator: Simulator, clock: FakeClock
) -> None:
    await clock.advance(0.000125)
    file = "data:text/plain;base64,YQ=="
    await api.send(recipient=["late-a@x.invalid"], attachments=[{"name": "a.txt", "file": file}])
    simulator.faults.fail(Operation.QUOTA, Phase.BEFORE, Failure.RESET, times=None)
    simulator.faults.answer(None, 402, times=3)
    state = (await api.client.get("/_simulator/state")).json()
    assert state["sent_count"] == 1
    (sent,) = state["sent"]
    assert sent["received_at"] == "2026-01-15T09:00:00.000125+00:00"
    assert sent["received_s"] == pytest.approx(0.000125)
    assert sent["recipients"] == ["late-a@x.invalid"]
    assert sent["attachments"] == [
        {
            "name": "a.txt",
            "media_type": "text/plain",
            "size_bytes": 1,
            "sha256": hashlib.sha256(b"a").hexdigest(),
        }
    ]
    assert state["receipts_pending"] == 2
    assert [fault["result"] for fault in state["faults_pending"]] == ["reset", 402]
    (mailbox,) = state["mailboxes"]
    assert mailbox["messages"] == 1
    assert mailbox["inbox"][0]["subject"] == f"ACCETTAZIONE: Prova {sent['code']}"
    (call,) = state["calls"]
    assert (call["operation"], call["status"], call["processed"]) == ("POST /send", 201, True)
    assert state["options"]["ids"] == "sequence"


@pytest.mark.parametrize("path", ["/_simulator", "/_simulator/state"])
async def test_no_secret_is_shown(api: Caller, simulator: Simulator, path: str) -> None:
    await api.send()
    await api.send(password="another-wrong-one")
    text = (await api.client.get(path)).text
    for secret in (PASSWORD, "another-wrong-one", simulator.token):
        assert secret not in text
        assert secret not in repr(simulator.sent) + repr(simulator.calls())
        assert secret not in repr(simulator.options)


async def test_the_page_escapes_what_it_shows(api: Caller, simulator: Simulator) -> None:
    await api.send(subject="<script>alert(1)</script>")
    simulator.inject(ADDRESS, subject="<b>x</b>")
    page = (await api.client.get("/_simulator")).text
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "fail-…" in page


async def test_long_histories_are_cut(api: Caller, simulator: Simulator) -> None:
    simulator.seed(ADDRESS, 300)
    state = (await api.client.get("/_simulator/state")).json()
    (mailbox,) = state["mailboxes"]
    assert (mailbox["messages"], len(mailbox["inbox"])) == (300, 200)
    assert mailbox["inbox"][-1]["id"] == 300


async def test_a_message_is_put_in_over_http(api: Caller) -> None:
    fields = {"mailbox": ADDRESS.upper(), "subject": "POSTA CERTIFICATA: ciao", "body": "Ehi"}
    assert (await api.client.post("/_simulator/messages", json=fields)).status_code == 201
    assert await api.subjects() == ["POSTA CERTIFICATA: ciao"]


@pytest.mark.parametrize(
    "fields", [{}, [], {"mailbox": "x@y.z", "subject": "a"}, {"mailbox": ADDRESS}], ids=str
)
async def test_a_message_that_makes_no_sense_is_400(api: Caller, fields: object) -> None:
    answer = await api.client.post("/_simulator/messages", json=fields)
    assert answer.status_code == 400
    assert "mailbox" in answer.json()["message"]


async def test_faults_are_ordered_and_cleared_over_http(api: Caller) -> None:
    rule = {
        "phase": "instead",
        "operation": "GET /inbox",
        "mailbox": ADDRESS,
        "status": 503,
        "body": {"success": False},
        "headers": {"Retry-After": "9"},
        "skip": 1,
        "times": None,
    }
    assert (await api.client.post("/_simulator/faults", json=rule)).status_code == 201
    assert (await api.get("/inbox")).status_code == 200
    struck = await api.get("/inbox")
    assert (struck.status_code, struck.headers["Retry-After"]) == (503, "9")
    assert (await api.client.delete("/_simulator/faults")).status_code == 200
    assert (await api.get("/inbox")).status_code == 200
    broken = {"phase": "after", "operation": "POST /send", "failure": "timeout", "delay_s": 0}
    assert (await api.client.post("/_simulator/faults", json=broken)).json()["result"] == "timeout"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"phase": "never", "status": 500},
        {"phase": "before", "failure": "boredom"},
        {"phase": "before", "operation": "PUT /send", "status": 500},
        {"phase": "before", "status": 1000},
        {"phase": "before", "status": 500, "headers": []},
        {"phase": "instead", "failure": "reset"},
    ],
    ids=str,
)
async def test_a_fault_that_makes_no_sense_is_400(api: Caller, fields: object) -> None:
    answer = await api.client.post("/_simulator/faults", json=fields)
    assert answer.status_code == 400
    assert "phase" in answer.json()["message"]


async def test_a_mailbox_of_the_administration_is_moved(api: Caller, simulator: Simulator) -> None:
    registry = simulator.administration.registry
    box = registry.register(dict(check(GOOD, TODAY).values))
    for state in ("documenti_errati", "evasa"):
        wanted = {"id": box.id, "state": state}
        answer = await api.client.post("/_simulator/mailboxes", json=wanted)
        assert (answer.status_code, answer.json()["data"]["stato"]) == (200, state)
    assert box.address in simulator.addresses


@pytest.mark.parametrize("content", [b"", b"[]", b'{"id": "x", "state": "evasa"}', b'{"state": 1}'])
async def test_a_move_that_makes_no_sense_is_said_to_be_one(
    api: Caller, simulator: Simulator, content: bytes
) -> None:
    box = simulator.administration.registry.register(dict(check(GOOD, TODAY).values))
    for wanted in (content, json.dumps({"id": box.id, "state": "venduta"}).encode()):
        answer = await api.client.post("/_simulator/mailboxes", content=wanted)
        assert answer.status_code == 400
        assert "registrata, in_evasione" in answer.json()["message"]
    assert box.state == "registrata"
