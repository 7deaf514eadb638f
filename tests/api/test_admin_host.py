"""The administration hosts: each request once, no secret in what is said, every outcome known."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from bridge.api.admin_host import SEGMENT_LIMIT_CHARS
from bridge.api.connection import ApiConnection, Basic
from bridge.api.errors import ApiError, NotFound, NotSent, OutcomeUnknown, Refused
from bridge.api.mailbox_schema import MailboxState, NewUser, Space
from bridge.api.mailboxes import MailboxClient
from bridge.api.token_schema import NewToken
from bridge.api.tokens import TokenClient
from tests.api.server import answer, byte_server, never_answers, replies
from tests.api.test_client import Api, says
from tests.fakes import FakeClock
from tests.selected import some

KEY, TOKEN = "key-5f0c1e", "656d1e2f8b3c2a001f7e4a12"
BOX = {"id": "6040e4613a716838dc4eee0e", "casella_pec": "a@pecmassiva.com", "stato": "evasa"}


def mailboxes(api: Api | httpx.AsyncBaseTransport, clock: FakeClock) -> MailboxClient:
    transport = httpx.MockTransport(api) if isinstance(api, Api) else api
    return MailboxClient(
        ApiConnection("https://admin.test", TOKEN, clock=clock, transport=transport), clock
    )


def tokens(api: Api, clock: FakeClock) -> TokenClient:
    connection = ApiConnection(
        "https://oauth.test",
        Basic("a@example.it", KEY),
        clock=clock,
        transport=httpx.MockTransport(api),
    )
    return TokenClient(connection, clock)


CHANGES: dict[str, Callable[[MailboxClient], Awaitable[object]]] = {
    "register": lambda one: one.register({"casella_pec": "a@pecmassiva.com"}),
    "activate": lambda one: one.activate("x", (b"%PDF",)),
    "renew": lambda one: one.renew("x", 1),
    "space": lambda one: one.add_space("x", Space(disk="+1024")),
    "convert": lambda one: one.convert("x", "GOLD"),
    "user": lambda one: one.add_user("x", NewUser("a", "b", "c", "d@e.it")),
    "revoke": lambda one: one.revoke("x"),
}
LOST = [
    httpx.Response(500, text="oops"),
    httpx.Response(503, json={"success": False, "message": "later", "error": 402}),
    httpx.Response(200, text="<html>"),
    httpx.Response(200, json={"success": True, "data": []}),
    httpx.Response(200, json={"success": True, "data": {"id": ""}}),
    httpx.ReadTimeout("x"),
    httpx.RemoteProtocolError("x"),
    httpx.WriteError("x"),
    RuntimeError("x"),
]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("lost", some(LOST, 3), ids=range(len(LOST)))
async def test_a_change_whose_answer_is_lost_is_unknown_and_not_repeated(
    clock: FakeClock, change: Callable[[MailboxClient], Awaitable[object]], lost: Any
) -> None:
    api = Api(lost)
    with pytest.raises(OutcomeUnknown):
        await change(mailboxes(api, clock))
    assert len(api.requests) == 1


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_redirect_is_not_followed(
    clock: FakeClock, change: Callable[[MailboxClient], Awaitable[object]]
) -> None:
    api = Api(httpx.Response(302, headers={"Location": "https://elsewhere.test/"}))
    with pytest.raises(ApiError):
        await change(mailboxes(api, clock))
    assert len(api.requests) == 1


async def test_a_renewal_does_not_go_out_on_a_connection_that_reads_left_open(
    clock: FakeClock,
) -> None:
    body = b'{"success":true,"data":' + str(BOX).replace("'", '"').encode() + b"}"
    async with byte_server(
        replies(answer(200, body), then_hang=True), replies(answer(200, body))
    ) as server:
        connection = ApiConnection(server.url, TOKEN, clock=clock)
        client = MailboxClient(connection, clock)
        await client.mailbox("x")
        assert (await client.renew("x", 2)).state is MailboxState.ACTIVE
        await connection.aclose()
        assert server.connections == 2
    assert server.requests[1].startswith(b"GET /pec/x/rinnovo?anni=2 HTTP/1.1\r\n")


async def test_a_renewal_that_is_not_answered_ends_without_another_try(clock: FakeClock) -> None:
    async with byte_server(never_answers()) as server:
        connection = ApiConnection(server.url, TOKEN, clock=clock, timeout_s=0.1)
        with pytest.raises(OutcomeUnknown):
            await MailboxClient(connection, clock).renew("x", 1)
        await connection.aclose()
        assert server.connections == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, NotSent),
        (402, NotSent),
        (403, Refused),
        (404, NotFound),
        (406, Refused),
        (428, Refused),
        (429, NotSent),
        (500, OutcomeUnknown),
    ],
)
async def test_words_and_number_of_a_refusal_are_told(
    clock: FakeClock, status: int, kind: type[ApiError]
) -> None:
    api = Api(says(status, success=False, message="parole\nloro", error=242, data=None))
    with pytest.raises(kind) as failed:
        await mailboxes(api, clock).register({})
    told = f"parole loro (HTTP {status}, error 242)."
    # Of an unknown outcome the operation says where to look; "register again" would be wrong.
    step = "" if kind is OutcomeUnknown else " Correct it (dates are dd/mm/yyyy), then"
    assert f"{told}{step}" in failed.value.reason
    assert ("again" in failed.value.reason) == (kind is not OutcomeUnknown)


@pytest.mark.parametrize(("status", "step"), [(402, "Top up"), (403, "token"), (400, "Correct")])
async def test_a_number_that_repeats_the_status_is_a_gateways(
    clock: FakeClock, status: int, step: str
) -> None:
    api = Api(says(status, success=False, message="no", error=status, data=None))
    with pytest.raises(ApiError) as failed:
        await mailboxes(api, clock).mailbox("x")
    assert step in failed.value.reason
    assert "domain" not in failed.value.reason


async def test_success_false_is_a_refusal_whatever_the_status(clock: FakeClock) -> None:
    with pytest.raises(Refused, match="refused"):
        await mailboxes(Api(says(200, success=False, message="no")), clock).register({})


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"{}", b'{"success": true, "data": null}', b"PDF"]
)
async def test_a_form_that_is_no_pdf_is_refused(clock: FakeClock, content: bytes) -> None:
    with pytest.raises(Refused, match="no PDF"):
        await mailboxes(Api(httpx.Response(200, content=content)), clock).form("x")


@pytest.mark.parametrize("id", ["", ".", "..", "x" * (SEGMENT_LIMIT_CHARS + 1), "a\nb"])
async def test_what_cannot_be_an_id_is_not_asked_for(clock: FakeClock, id: str) -> None:
    api = Api()
    with pytest.raises(Refused):
        await mailboxes(api, clock).mailbox(id)
    assert api.requests == []


async def test_an_id_cannot_lead_to_another_path(clock: FakeClock) -> None:
    api = Api(says(success=True, data=BOX))
    await mailboxes(api, clock).mailbox("../pec/x/rinnovo?anni=9#")
    assert api.requests[0].url.raw_path == b"/pec/..%2Fpec%2Fx%2Frinnovo%3Fanni%3D9%23"


async def test_no_secret_is_in_errors_logs_or_texts(clock: FakeClock) -> None:
    encoded = base64.b64encode(f"a@example.it:{KEY}".encode()).decode()
    words = f"no {KEY} {encoded} {TOKEN}"
    structlog.reset_defaults()
    with capture_logs() as lines:
        for failing in (says(500, message=words), says(404, message=words), RuntimeError(words)):
            api = Api(failing)
            client = tokens(api, clock)
            with pytest.raises(ApiError) as failed:
                await client.revoke(TOKEN)
            error = failed.value
            shown = f"{error!r} {error.reason} {error.answer} {error.__cause__} {error.__context__}"
            for secret in (KEY, encoded, TOKEN):
                assert secret not in shown
    for secret in (KEY, encoded, TOKEN):
        assert secret not in str(lines)
    assert KEY not in repr(Basic("a", KEY))
    assert any("/tokens/***" in str(line) for line in lines)


async def test_the_account_is_named_as_basic_authentication(clock: FakeClock) -> None:
    api = Api(says(data={"credit": "12.5"}))
    assert (await tokens(api, clock).wallet()).credit_eur == 12.5
    scheme, _, value = api.requests[0].headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(value)) == ("Basic", f"a@example.it:{KEY}".encode())


async def test_a_token_made_in_an_answer_that_cannot_be_read_is_not_kept(clock: FakeClock) -> None:
    api = Api(says(refreshToken=TOKEN))
    with pytest.raises(OutcomeUnknown) as failed:
        await tokens(api, clock).create(NewToken("n", ("s",), 60))
    assert TOKEN not in failed.value.answer + failed.value.reason


async def test_tokens_are_read_page_by_page_to_the_end(clock: FakeClock) -> None:
    first = [{"token": f"{number:024x}"} for number in range(100)]
    api = Api(says(data=first), says(data=[{"token": "f" * 24}, {"name": "none"}]))
    found = await tokens(api, clock).tokens()
    assert len(found) == 101
    assert [dict(one.url.params)["skip"] for one in api.requests] == ["0", "100"]


async def test_a_page_that_repeats_itself_ends_the_list(clock: FakeClock) -> None:
    page = [{"token": f"{number:024x}"} for number in range(100)]
    api = Api(says(data=page), says(data=page))
    assert len(await tokens(api, clock).tokens()) == 100
