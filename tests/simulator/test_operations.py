"""The seven operations: shapes, texts and status codes as the vendor describes them."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from bridge.simulator import SEQUENCE_READING, Operation, Simulator
from tests.fakes import FakeClock
from tests.simulator.caller import ADDRESS, PASSWORD, Caller, calling, without

UNAUTHORIZED = {"success": False, "message": "Authorization is not valid or empty"}
NOT_VALID = {"success": False, "message": "Post parameter is not valid"}


async def test_send_answers_201_with_a_code(api: Caller, simulator: Simulator) -> None:
    answer = await api.send(subject="Invio di prova")
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    fields = answer.json()
    code = fields.pop("message_id")
    assert fields == {"success": True, "sent": 1, "message": ""}
    assert re.fullmatch(r"20260115100000\d\d", code)
    (sent,) = simulator.sent
    assert (sent.code, sent.subject, sent.sender) == (code, "Invio di prova", ADDRESS)
    assert (sent.mailbox, sent.recipients) == (ADDRESS, ("cliente@altra.invalid",))


async def test_send_takes_one_recipient_as_a_string(api: Caller, simulator: Simulator) -> None:
    answer = await api.send(recipient="uno@altra.invalid")
    assert answer.status_code == 201
    assert simulator.sent[0].recipients == ("uno@altra.invalid",)


@pytest.mark.parametrize("as_list", [True, False], ids=["array", "object"])
async def test_send_keeps_attachments_and_their_digests(
    api: Caller, simulator: Simulator, as_list: bool
) -> None:
    content = bytes(range(256)) * 3
    file = "data:application/pdf;base64," + base64.b64encode(content).decode()
    entry = {"name": "contratto è.pdf", "file": file}
    answer = await api.send(attachments=[entry] if as_list else entry)
    assert answer.status_code == 201
    (kept,) = simulator.sent[0].attachments
    assert (kept.name, kept.media_type, kept.size_bytes) == (
        "contratto è.pdf",
        "application/pdf",
        768,
    )
    assert kept.content == content
    assert kept.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": None},
        {"sender": "nessuno"},
        {"recipient": None},
        {"recipient": []},
        {"recipient": ["a@b.invalid", "non un indirizzo"]},
        {"recipient": "a@b.invalid, c@d.invalid"},
        {"recipient": {"to": "a@b.invalid"}},
        {"subject": None},
        {"subject": 3},
        {"body": None},
        {"attachments": "no"},
        {"attachments": [3]},
        {"attachments": [{"name": "a.txt"}]},
        {"attachments": [{"name": "", "file": "data:text/plain;base64,"}]},
        {"attachments": [{"name": "a.txt", "file": "data:text/plain;base64,%%%"}]},
    ],
    ids=str,
)
async def test_send_refuses_what_is_not_valid(
    api: Caller, simulator: Simulator, changes: dict[str, object]
) -> None:
    answer = await api.send(**changes)
    assert (answer.status_code, answer.json()) == (400, NOT_VALID)
    assert simulator.sent == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe"], ids=repr)
async def test_send_refuses_what_is_no_json_object(api: Caller, body: bytes) -> None:
    answer = await api.client.post("/send", content=body, headers=api.bearer)
    assert (answer.status_code, answer.json()) == (400, NOT_VALID)


@pytest.mark.parametrize(
    "changes", [{"username": None}, {"password": None}, {"password": "altra"}], ids=str
)
async def test_send_needs_the_credentials_of_a_mailbox(
    api: Caller, simulator: Simulator, changes: dict[str, object]
) -> None:
    answer = await api.send(**changes)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
    assert simulator.sent == []


PATHS = ["/send/2020082610003492", "/inbox", "/inbox/1", "/quota/INBOX"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("missing", ["Authorization", "x-username", "x-password"])
async def test_every_get_needs_token_and_credentials(api: Caller, path: str, missing: str) -> None:
    answer = await api.client.get(path, headers=without(api.headers, missing))
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    "authorization", ["Bearer wrong", "simulator-token", "Basic simulator-token", "Bearer è"]
)
async def test_a_wrong_token_is_refused(api: Caller, authorization: str) -> None:
    headers = {**api.headers, "Authorization": authorization.encode().decode("latin-1")}
    answer = await api.client.get(
        "/inbox",
        headers=[(key.encode(), value.encode("latin-1")) for key, value in headers.items()],
    )
    assert answer.status_code == 401


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_a_password_with_accents_is_read_in_either_encoding(
    api: Caller, simulator: Simulator, encoding: str
) -> None:
    simulator.set_password(ADDRESS, "perché")
    headers = {**api.headers, "x-password": "perché"}
    raw = [(key.encode(), value.encode(encoding)) for key, value in headers.items()]
    assert (await api.client.get("/inbox", headers=raw)).status_code == 200


async def test_a_changed_token_or_password_locks_the_caller_out(
    api: Caller, simulator: Simulator
) -> None:
    simulator.token = "new"
    assert (await api.get("/inbox")).status_code == 401
    simulator.token = simulator.options.token
    assert (await api.get("/inbox")).status_code == 200
    simulator.set_password(ADDRESS, "new")
    assert (await api.get("/inbox")).status_code == 401
    assert (await api.send()).status_code == 401


async def test_send_status_lists_everything_about_a_code(api: Caller, simulator: Simulator) -> None:
    code = (await api.send(recipient=[ADDRESS], body="<p>Salve</p>")).json()["message_id"]
    answer = await api.get(f"/send/{code}")
    assert answer.status_code == 200
    date = "Thu, 15 Jan 2026 10:00:00 +0100"
    receipt = "posta-certificata@pec.invalid"
    assert answer.json() == {
        "data": [
            {
                "sender": receipt,
                "recipient": ADDRESS,
                "data": date,
                "object": f"ACCETTAZIONE: Prova {code}",
                "message": "",
            },
            {
                "sender": f'"Per conto di: {ADDRESS}" ',
                "recipient": f'"{ADDRESS}" ',
                "data": date,
                "object": f"POSTA CERTIFICATA: Prova {code}",
                "message": "Salve",
            },
            {
                "sender": receipt,
                "recipient": ADDRESS,
                "data": date,
                "object": f"CONSEGNA: Prova {code}",
                "message": "Salve",
            },
        ],
        "success": True,
        "message": "",
    }


async def test_send_status_of_an_unknown_code_is_404(api: Caller) -> None:
    answer = await api.get("/send/2020082610003492")
    assert answer.status_code == 404
    assert answer.json() == {"success": False, "message": "Result empty"}


async def test_send_delete_takes_away_replies_too(api: Caller, simulator: Simulator) -> None:
    code = (await api.send()).json()["message_id"]
    simulator.inject(ADDRESS, subject=f"POSTA CERTIFICATA: Re: Prova {code}")
    simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: altro")
    answer = await api.delete(f"/send/{code}")
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": "Operation succefull"}
    assert await api.subjects() == ["POSTA CERTIFICATA: altro"]
    again = await api.delete(f"/send/{code}")
    assert again.status_code == 404
    assert again.json() == {"success": False, "message": "Email not found"}


async def test_inbox_lists_up_to_25_with_the_described_fields(
    api: Caller, simulator: Simulator
) -> None:
    simulator.seed(ADDRESS, 26)
    answer = (await api.get("/inbox")).json()
    assert set(answer) == {"data", "success", "message", "total", "page", "n_of_pages"}
    assert len(answer["data"]) == 25
    assert set(answer["data"][0]) == {"sender", "recipient", "date", "object", "id"}
    assert isinstance(answer["data"][0]["id"], int)


async def test_an_empty_inbox_is_an_empty_list(api: Caller) -> None:
    answer = (await api.get("/inbox")).json()
    assert (answer["data"], answer["total"]) == ([], "0")


@pytest.mark.parametrize("page", ["", "x", "-3", "1.5", "\uff19"])
async def test_a_page_that_is_no_number_is_the_first(
    api: Caller, simulator: Simulator, page: str
) -> None:
    simulator.seed(ADDRESS, 30)
    assert await api.rows(page=page) == await api.rows()


async def test_q_searches_subject_sender_and_recipient(api: Caller, simulator: Simulator) -> None:
    simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: Fattura 12")
    simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: Diffida", sender="fatture@x.invalid")
    simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: altro")
    rows = await api.rows(q="FATTUR")
    assert [row["id"] for row in rows] == [1, 2]
    assert await api.rows(q="assente") == []


async def test_inbox_get_returns_the_message(api: Caller, simulator: Simulator) -> None:
    simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: Ciao", body="Però, 100%", sender="x@y.z")
    answer = await api.get("/inbox/1")
    assert answer.status_code == 200
    assert answer.json() == {
        "data": {
            "sender": "x@y.z",
            "recipient": ADDRESS,
            "date": "Thu, 15 Jan 2026 10:00:00 +0100",
            "object": "POSTA CERTIFICATA: Ciao",
            "body": "Per%C3%B2%2C+100%25",
        },
        "success": True,
        "message": "",
    }


@pytest.mark.parametrize("identifier", ["2", "0", "abc", "-1", "9" * 40, "%00"])
async def test_inbox_get_of_an_unknown_id_is_404(
    api: Caller, simulator: Simulator, identifier: str
) -> None:
    simulator.inject(ADDRESS, subject="una")
    answer = await api.get(f"/inbox/{identifier}")
    assert answer.status_code == 404
    assert answer.json() == {"success": False, "message": "Message not found"}


async def test_inbox_delete_takes_one_row_away(api: Caller, simulator: Simulator) -> None:
    for subject in ("una", "due", "tre"):
        simulator.inject(ADDRESS, subject=subject)
    answer = await api.delete("/inbox/2")
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "message": "Message deleted"}
    assert await api.subjects() == ["una", "tre"]


async def test_quota_is_told_for_inbox_only(api: Caller, simulator: Simulator) -> None:
    simulator.set_quota(ADDRESS, used_bytes=171012 * 1024, limit_bytes=1024**3)
    for name in ("INBOX", "inbox"):
        answer = await api.get(f"/quota/{name}")
        assert answer.status_code == 200
        assert answer.json() == {
            "data": {"usage": 171012, "limit": 1048576},
            "success": True,
            "message": "",
        }
    other = await api.get("/quota/Archive")
    assert other.status_code == 400
    assert other.json() == {
        "success": False,
        "message": "An error occured: the requested mailbox might be unavailable",
    }


async def test_quota_grows_with_what_arrives(api: Caller, simulator: Simulator) -> None:
    before = (await api.get("/quota/INBOX")).json()["data"]["usage"]
    await api.send(recipient=[ADDRESS], body="x" * 50_000)
    after = (await api.get("/quota/INBOX")).json()["data"]["usage"]
    assert after - before >= 100_000 // 1024


async def test_mailboxes_are_apart(clock: FakeClock) -> None:
    simulator = Simulator(SEQUENCE_READING, clock)
    simulator.add_mailbox("altra@pec.invalid", "sua", username="utente-altro")
    async with calling(simulator) as api:
        await api.send(recipient=["ALTRA@pec.invalid"])
        theirs = {**api.bearer, "x-username": "utente-altro", "x-password": "sua"}
        rows = (await api.client.get("/inbox", headers=theirs)).json()["data"]
        assert [row["object"].split(":")[0] for row in rows] == ["POSTA CERTIFICATA"]
        ours = await api.subjects()
        assert [subject.split(":")[0] for subject in ours] == ["ACCETTAZIONE", "CONSEGNA"]


def test_an_address_or_user_name_is_used_once(clock: FakeClock) -> None:
    simulator = Simulator(SEQUENCE_READING, clock)
    simulator.add_mailbox("a@pec.invalid", PASSWORD, username="a")
    with pytest.raises(ValueError, match="there already"):
        simulator.add_mailbox("A@PEC.invalid", PASSWORD)
    with pytest.raises(ValueError, match="there already"):
        simulator.add_mailbox("b@pec.invalid", PASSWORD, username="A")


async def test_every_call_is_recorded_with_its_time(
    api: Caller, simulator: Simulator, clock: FakeClock
) -> None:
    await api.get("/inbox", page=3)
    await clock.advance(0.0005)
    await api.send(sender="?")
    await api.get("/quota/INBOX")
    calls = simulator.calls()
    assert [(call.operation, call.target, call.status) for call in calls] == [
        (Operation.INBOX_LIST, "page=3", 200),
        (Operation.SEND, "", 400),
        (Operation.QUOTA, "INBOX", 200),
    ]
    assert calls[1].received_s - calls[0].received_s == pytest.approx(0.0005)
    assert [call.processed for call in calls] == [True, False, True]
    assert [call.mailbox for call in calls] == [ADDRESS, None, ADDRESS]
    assert len(simulator.calls(Operation.SEND)) == 1
