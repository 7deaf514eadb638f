"""Messages as programs see them, and what they decide about one."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from bridge.limits import API_CANDIDATES
from bridge.model import SubmissionState
from bridge.operations.control import Progress
from bridge.simulator import Failure, Operation, Phase
from tests.web.contract.conftest import AZIENDA, STUDIO, Office, named, soon

CODE = "2026011510000099"


async def test_a_message_is_what_the_command_line_says_of_it(office: Office) -> None:
    id = await office.rig.submit("Prova", reference="Ordine 17")
    office.rig.start()
    await office.rig.pass_time(3)
    erp = await office.erp()
    (told,) = (await office.do("outcome", what=id))["sends"]
    assert told["state"] == "submitted"
    assert await erp.ask(f"sends/{id}") == told
    assert await erp.ask("sends") == {"sends": [told], "next": None}


ODD = (
    "Ordine 17/b",
    "100%",
    "%2F",
    "Perché no? 日本 🙂",
    "a+b=c&d#e",
    "'; DROP TABLE submission; --",
    "x" * 200,
    "sends",
    "cancel",
    "%00",
)


@pytest.mark.parametrize("reference", ODD)
async def test_a_message_is_found_by_any_of_its_names(office: Office, reference: str) -> None:
    id = await office.rig.submit("Prova", reference=reference, message_id="<a/b@c%d>")
    office.rig.start()
    await office.rig.pass_time(3)
    erp = await office.erp()
    code = (await erp.ask(f"sends/{id}"))["code"]
    for name in (id, code, reference, "<a/b@c%d>", "a/b@c%d"):
        assert (await erp.ask(f"sends/{quote(name, safe='')}"))["id"] == id
        assert (await erp.ask(f"sends/{quote(name, safe='')}/receipts")) == {"receipts": []}


@pytest.mark.parametrize("name", [*ODD, "y" * 10_000, " ", "<>", "\x00", "\x1b[2J", "nonsense"])
async def test_what_names_nothing_is_not_there(office: Office, name: str) -> None:
    await office.rig.submit("Prova", reference="Ordine 17")
    erp = await office.erp(write=True)
    path = f"sends/{quote(name, safe='')}"
    assert await erp.problem(path) == (404, "unknown-send")
    assert named(await erp.decide(f"{quote(name, safe='')}/cancel")) == (404, "unknown-send")


async def test_of_another_account_nothing_is_seen_or_touched(office: Office) -> None:
    id = await office.rig.submit("Prova", account=1, reference="Ordine 17", message_id="<a@b>")
    erp = await office.erp(write=True)
    for name in (id, "Ordine 17", "<a@b>"):
        path = quote(name, safe="")
        assert await erp.problem(f"sends/{path}") == (404, "unknown-send")
        assert await erp.problem(f"sends/{path}", wait=5) == (404, "unknown-send")
        assert await erp.problem(f"sends/{path}/receipts") == (404, "unknown-send")
        assert await erp.problem(f"sends/{path}/evidence.zip") == (404, "unknown-send")
        assert await erp.problem(f"sends/{path}/receipts/1") == (404, "unknown-send")
        for action, body in (
            ("cancel", {}),
            ("cancel", {"version": 0}),
            ("retry", {"version": 0}),
            ("resolve", {"version": 0, "action": "resend", "force": True}),
        ):
            answer = await erp.decide(f"{path}/{action}", **body)
            assert named(answer) == (404, "unknown-send")
    assert (await erp.ask("sends"))["sends"] == []
    assert (await erp.ask("sends", account=STUDIO))["sends"] == []
    assert (await erp.ask("sends", reference="Ordine 17"))["sends"] == []
    assert (await erp.ask("events"))["events"] == []
    assert await office.rig.state(id) is SubmissionState.QUEUED
    studio = await office.erp("studio", STUDIO)
    assert (await studio.ask("sends/Ordine%2017"))["id"] == id
    assert [one["id"] for one in (await studio.ask("sends", account=STUDIO))["sends"]] == [id]


async def test_a_receipt_is_a_mail_message_of_its_send_alone(office: Office) -> None:
    id = await office.rig.submit("Prova")
    one = {"kind": "delivery", "at": "2026-01-15T09:00:00.000Z", "addresses": [], "detail": ""}
    receipts = [one | {"remote": 7, "size_bytes": 5}, one | {"remote": 8, "size_bytes": None}]
    asked = []

    async def known(name: str, arguments: Mapping[str, Any], progress: Progress) -> Any:
        if name == "export receipt":
            asked.append(arguments)
            return base64.b64encode(b"a\r\nb!"[arguments["at"] :]).decode()
        found = await office.operations.perform(name, arguments, progress)
        return {**found, "receipts": receipts} if name == "export send" else found

    office.services.perform = known
    erp = await office.erp()
    listed = (await erp.ask(f"sends/{id}/receipts"))["receipts"]
    assert [(each["number"], each["size_bytes"]) for each in listed] == [(7, 5), (8, None)]
    answer = await erp.get(f"/api/v1/sends/{id}/receipts/7")
    assert (answer.content, answer.headers["Content-Type"]) == (b"a\r\nb!", "message/rfc822")
    assert asked[0] == {"id": id, "number": 7, "at": 0}
    for number in ("8", "9", "07", "x", "-1", "9" * 100):
        assert await erp.problem(f"sends/{id}/receipts/{number}") == (404, "unknown-receipt")


async def test_an_id_names_its_message_though_others_are_called_like_it(office: Office) -> None:
    id = await office.rig.submit("Prova")
    other = await office.rig.submit("Altra", reference=id)
    erp = await office.erp()
    assert (await erp.ask(f"sends/{id}"))["id"] == id
    assert (await erp.ask(f"sends/{other}"))["id"] == other


async def test_of_many_with_one_name_some_are_listed(office: Office) -> None:
    ids = [await office.rig.submit(f"Prova {n}", reference="Ordine") for n in range(3)]
    erp = await office.erp(write=True)
    answer = await erp.get("/api/v1/sends/Ordine", params={"wait": 30})
    assert named(answer) == (409, "ambiguous-name")
    problem = answer.json()
    assert ([one["id"] for one in problem["candidates"]], problem["more"]) == (ids, False)
    assert named(await erp.decide("Ordine/cancel")) == (409, "ambiguous-name")
    for n in range(API_CANDIDATES):
        await office.rig.submit(f"Altra {n}", reference="Ordine")
    looked_at = []

    async def noted(name: str, arguments: Mapping[str, Any], progress: Progress) -> Any:
        found = await office.operations.perform(name, arguments, progress)
        looked_at.append(len(found["sends"]))
        return found

    office.services.perform = noted
    problem = (await erp.get("/api/v1/sends/Ordine")).json()
    assert (len(problem["candidates"]), problem["more"]) == (API_CANDIDATES, True)
    assert looked_at == [API_CANDIDATES + 1], "however many there are"


async def test_what_narrows_the_list_and_how_it_goes_on(office: Office) -> None:
    ids = []
    for n in range(5):
        ids.append(await office.rig.submit(f"Prova {n}", reference=f"Ordine {n % 2}"))
        await office.clock.advance(60)
    erp = await office.erp()
    page = await erp.ask("sends", limit=2)
    found = page["sends"]
    while page["next"] is not None:
        page = await erp.ask("sends", limit=2, cursor=page["next"])
        found += page["sends"]
    assert [one["id"] for one in found] == ids[::-1]

    async def listed(**query: object) -> list[str]:
        return [one["id"] for one in (await erp.ask("sends", **query))["sends"]]

    assert await listed(since=found[1]["created_at"]) == ids[:2:-1]
    assert await listed(since="2026-01-15T10:03:00.5+01:00") == [ids[4]]
    assert await listed(reference="Ordine 1") == [ids[3], ids[1]]
    assert await listed(account=AZIENDA.upper(), state="queued") == ids[::-1]
    assert await listed(state="refused") == []


async def test_a_wait_ends_when_it_is_known(office: Office) -> None:
    id = await office.rig.submit("Prova")
    erp = await office.erp()
    waiting = asyncio.ensure_future(erp.ask(f"sends/{id}", wait=30, until="submitted"))
    await office.rig.quiet()
    assert not waiting.done()
    office.rig.start()
    assert (await soon(waiting, office, 4))["state"] == "submitted"
    assert office.clock.monotonic() < 10


async def test_a_wait_ends_with_its_time(office: Office) -> None:
    id = await office.rig.submit("Prova")
    erp = await office.erp()
    assert (await soon(erp.ask(f"sends/{id}", wait=12), office, 12))["state"] == "queued"
    assert office.clock.monotonic() == 12


async def test_taking_back_may_be_repeated(office: Office) -> None:
    id = await office.rig.submit("Prova")
    erp = await office.erp(write=True)
    answers = [await erp.decide(f"{id}/cancel", **more) for more in ({}, {}, {"version": 0})]
    answers.append(await erp.post(f"/api/v1/sends/{id}/cancel"))
    assert [one.status_code for one in answers] == [200] * 4
    assert [one.json()["state"] for one in answers] == ["cancelled"] * 4
    assert len(await office.rig.store.read(lambda tx: tx.transitions(id))) == 1


async def test_what_has_left_is_not_taken_back(office: Office) -> None:
    id = await office.rig.submit("Prova")
    erp = await office.erp(write=True)
    office.rig.start()
    await office.rig.pass_time(3)
    answer = await erp.decide(f"{id}/cancel")
    assert named(answer) == (409, "not-possible")
    assert "cannot be taken back" in answer.json()["detail"]
    assert answer.json()["send"] == await erp.ask(f"sends/{id}")
    answer = await erp.decide(f"{id}/cancel", version=0)
    assert named(answer) == (409, "state-changed")
    assert await office.rig.state(id) is SubmissionState.SUBMITTED


async def test_a_resend_that_is_asked_for_again_and_again_is_sent_once(office: Office) -> None:
    """Two programs and a line that broke: also where the message is uncertain anew meanwhile."""
    office.rig.start()
    id = await office.uncertain()
    erp = await office.erp(write=True)
    version = (await erp.ask(f"sends/{id}"))["version"]
    office.simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    said = {"action": "resend", "version": version, "force": True}
    answers = await asyncio.gather(*(erp.decide(f"{id}/resolve", **said) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409, 409]
    await office.rig.pass_time(3)
    assert (await erp.ask(f"sends/{id}"))["state"] == "uncertain"
    answer = await erp.decide(f"{id}/resolve", **said)
    assert named(answer) == (409, "state-changed")
    assert answer.json()["send"]["version"] > version
    assert len(await office.rig.store.read(lambda tx: tx.attempts(id))) == 2


async def test_what_a_person_knows_ends_an_uncertain_message(office: Office) -> None:
    office.rig.start()
    erp = await office.erp(write=True)
    id = await office.uncertain()
    version = (await erp.ask(f"sends/{id}"))["version"]
    answer = await erp.decide(f"{id}/resolve", action="sent", code=CODE, version=version)
    assert named(answer) == (409, "not-possible")  # nothing shows that code
    answer = await erp.decide(
        f"{id}/resolve", action="sent", code=CODE, version=version, force=True
    )
    told = answer.json()
    assert (told["state"], told["code"], told["on_word"]) == ("submitted", CODE, True)
    answer = await erp.decide(f"{id}/resolve", action="reopen", version=told["version"])
    assert answer.json()["state"] == "uncertain"
    answer = await erp.decide(f"{id}/resolve", action="drop", version=answer.json()["version"])
    assert (answer.json()["state"], answer.json()["outcome"]) == ("dropped", "uncertain")


async def test_a_retry_names_what_it_was_decided_on(office: Office) -> None:
    id = await office.rig.submit("Prova")
    erp = await office.erp(write=True)
    assert named(await erp.decide(f"{id}/retry")) == (400, "bad-request")
    answer = await erp.decide(f"{id}/retry", version=0)
    assert named(answer) == (409, "not-possible")  # it waits for nothing
    await office.rig.decisions.cancel(id)
    assert named(await erp.decide(f"{id}/retry", version=0)) == (409, "state-changed")


async def test_reasons_are_said_in_the_language_of_the_settings(office: Office) -> None:
    office.speaks[:] = ["it"]
    office.rig.start()
    id = await office.uncertain()
    erp = await office.erp(write=True)
    told = await erp.ask(f"sends/{id}")
    assert told["reason"].startswith("L'API non ha risposto in tempo")
    answer = await erp.decide(f"{id}/cancel")
    assert answer.json()["detail"] != (await office.do("outcome", what=id))["sends"][0]["reason"]
    assert "non può" in answer.json()["detail"]
    assert answer.json()["send"] == told
