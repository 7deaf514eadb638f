from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bridge.api.budget import RequestBudget
from bridge.api.client import ID_LIMIT_CHARS, PecClient
from bridge.api.connection import ApiConnection
from bridge.api.errors import ApiError, NotFound, NotSent, OutcomeUnknown, Refused
from bridge.api.purpose import Purpose
from bridge.api.schema import Attachment, InboxRow, SendRequest
from bridge.limits import API_MESSAGE_BYTES
from bridge.model import Quota
from tests.fakes import FakeClock

CODE = "2020082610003492"
MESSAGE = SendRequest(
    "a@pec.example",
    ("b@pec.example", "c@pec.example"),
    "Oggetto: è",
    "<p>à</p>",
    (Attachment("x.pdf", "application/pdf", b"%PDF"),),
)


class Api:
    """Answers each request with the next of ``answers`` and keeps the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self._answers = list(answers)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(await request.aread())
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, clock: FakeClock, **options: Any) -> PecClient:
        connection = ApiConnection(
            "https://api.test", "tok-1", clock=clock, transport=httpx.MockTransport(self)
        )
        return PecClient(connection, username="user", password="pässword", clock=clock, **options)


def says(status: int = 200, **answer: object) -> httpx.Response:
    return httpx.Response(status, json=answer)


ROW = {"sender": "s", "recipient": "r", "date": "2020-08-26 10:00:35", "object": "o", "id": 7}


async def test_send(clock: FakeClock) -> None:
    api = Api(says(201, success=True, sent=2, message="", message_id=CODE))
    result = await api.client(clock).send(MESSAGE)
    assert (result.code, result.sent, result.status) == (CODE, 2, 201)
    assert json.loads(result.text)["message_id"] == CODE
    (request,) = api.requests
    assert (request.method, request.url.path) == ("POST", "/send")
    assert json.loads(api.bodies[0]) == {
        "sender": "a@pec.example",
        "recipient": ["b@pec.example", "c@pec.example"],
        "subject": "Oggetto: è",
        "body": "<p>à</p>",
        "attachments": [{"name": "x.pdf", "file": "data:application/pdf;base64,JVBERg=="}],
        "username": "user",
        "password": "pässword",
    }


async def test_attachments_in_plain_base64(clock: FakeClock) -> None:
    api = Api(says(201, success=True, message_id=CODE))
    await api.client(clock, encoding="base64").send(MESSAGE)
    assert json.loads(api.bodies[0])["attachments"] == [{"name": "x.pdf", "file": "JVBERg=="}]


@pytest.mark.parametrize(
    ("answer", "code", "sent"),
    [
        (says(success=True, message_id=CODE), CODE, None),
        (says(success=True, sent="1", message_id=int(CODE)), CODE, 1),
        (says(success=True, data={"message_id": CODE}), CODE, None),
        (says(message_id=CODE), CODE, None),
    ],
    ids=["no count", "number and string", "under data", "no verdict but a code"],
)
async def test_ways_to_say_sent(
    clock: FakeClock, answer: httpx.Response, code: str, sent: int | None
) -> None:
    result = await Api(answer).client(clock).send(MESSAGE)
    assert (result.code, result.sent) == (code, sent)


SENDS = [
    ("no JSON", httpx.Response(201, text="<html>OK</html>"), OutcomeUnknown),
    ("empty", httpx.Response(201), OutcomeUnknown),
    ("a list", httpx.Response(201, json=[]), OutcomeUnknown),
    ("yes without a code", says(201, success=True, message="ok"), OutcomeUnknown),
    ("yes with a text as id", says(201, success=True, message_id="A-1"), OutcomeUnknown),
    ("yes with an absurd code", says(201, success=True, message_id="x" * 5000), OutcomeUnknown),
    ("neither yes nor no", says(201, message_id="error"), OutcomeUnknown),
    ("no with a code", says(success=False, message_id=CODE), OutcomeUnknown),
    ("no with a text as id", says(success=False, message_id="550 user unknown"), Refused),
    ("no", says(success=False, message="Post parameter is not valid"), Refused),
    ("no, nested", says(success=False, message='{"error": {"message": "bad"}}'), Refused),
    ("400", says(400, success=False, message="Post parameter is not valid"), Refused),
    ("400 in HTML", httpx.Response(400, text="<h1>Bad Request</h1>"), Refused),
    ("404", httpx.Response(404, text="nginx"), Refused),
    ("401", says(401, success=False, message="Authorization"), NotSent),
    ("402", httpx.Response(402), NotSent),
    ("429", httpx.Response(429), NotSent),
    ("302", httpx.Response(302, headers={"Location": "/"}), OutcomeUnknown),
    ("500", says(500, success=False, message="MySQL Error 2006"), OutcomeUnknown),
    ("503", httpx.Response(503, text="busy"), OutcomeUnknown),
    ("timeout", httpx.ReadTimeout("x"), OutcomeUnknown),
    ("reset", httpx.ReadError("x"), OutcomeUnknown),
    ("refused connection", httpx.ConnectError("x"), NotSent),
    ("408", httpx.Response(408), OutcomeUnknown),
    ("409", says(409, success=False, message="duplicate"), OutcomeUnknown),
    ("499", httpx.Response(499), OutcomeUnknown),
    ("transport bug", ZeroDivisionError(), OutcomeUnknown),
]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(answer, kind) for _, answer, kind in SENDS],
    ids=[name for name, _, _ in SENDS],
)
async def test_ways_not_to_say_sent(
    clock: FakeClock, answer: httpx.Response | Exception, kind: type[ApiError]
) -> None:
    api = Api(answer)
    with pytest.raises(ApiError) as failure:
        await api.client(clock).send(MESSAGE)
    assert isinstance(failure.value, kind)
    assert len(api.requests) == 1


async def test_a_code_in_a_failure_is_kept(clock: FakeClock) -> None:
    with pytest.raises(OutcomeUnknown) as failure:
        await Api(says(success=False, message_id=CODE)).client(clock).send(MESSAGE)
    assert failure.value.code == CODE


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [("7", 7.0), ("Thu, 15 Jan 2026 09:00:20 GMT", 20.0), ("later", None)],
)
async def test_retry_after(clock: FakeClock, value: str, wait_s: float | None) -> None:
    api = Api(httpx.Response(429, headers={"Retry-After": value}))
    with pytest.raises(NotSent) as failure:
        await api.client(clock).send(MESSAGE)
    assert (failure.value.kind, failure.value.retry_after_s) == ("rate", wait_s)


async def test_inbox_page(clock: FakeClock) -> None:
    api = Api(says(data=[ROW], success=True, total=1, page=0, n_of_pages=1))
    page = await api.client(clock).inbox_page(0, query="à&b")
    (row,) = page.rows
    assert isinstance(row, InboxRow)
    assert (row.api_id, page.total, page.page) == ("7", 1, 0)
    (request,) = api.requests
    assert (request.url.path, dict(request.url.params)) == ("/inbox", {"page": "0", "q": "à&b"})
    assert request.headers["authorization"] == "Bearer tok-1"
    assert request.headers["x-username"] == "user"
    assert (b"x-password", "pässword".encode()) in request.headers.raw


async def test_inbox_page_of_the_apis_choice(clock: FakeClock) -> None:
    api = Api(says(data=[]))
    await api.client(clock).inbox_page()
    assert not api.requests[0].url.query


@pytest.mark.parametrize("status", [200, 404])
async def test_nothing_found_is_an_empty_page(clock: FakeClock, status: int) -> None:
    api = Api(says(404, success=False, message="Result empty"))
    page = await api.client(clock).inbox_page(3)
    assert (page.rows, page.total) == ((), None)


async def test_a_wrong_address_is_no_empty_page(clock: FakeClock) -> None:
    with pytest.raises(NotFound):
        await Api(httpx.Response(404, text="<h1>Not Found</h1>")).client(clock).inbox_page(3)


@pytest.mark.parametrize(
    ("api_id", "raw_path"),
    [
        ("7", b"/inbox/7"),
        ("a/b", b"/inbox/a%2Fb"),
        ("../send/1", b"/inbox/..%2Fsend%2F1"),
        ("7?x=1#y", b"/inbox/7%3Fx%3D1%23y"),
        ("7 è", b"/inbox/7%20%C3%A8"),
        ("%2e%2e", b"/inbox/%252e%252e"),
    ],
)
async def test_an_id_stays_one_segment_of_the_path(
    clock: FakeClock, api_id: str, raw_path: bytes
) -> None:
    api = Api(says(data={**ROW, "body": "b"}), says(success=True))
    client = api.client(clock)
    message = await client.inbox_message(api_id)
    await client.delete_inbox(api_id)
    assert (message.row.api_id, message.body) == (api_id, "b")
    assert [request.url.raw_path for request in api.requests] == [raw_path, raw_path]


@pytest.mark.parametrize("api_id", ["", ".", "..", "....", "9" * (ID_LIMIT_CHARS + 1)])
async def test_an_id_that_names_another_path_is_not_asked_for(
    clock: FakeClock, api_id: str
) -> None:
    api = Api()
    with pytest.raises(Refused):
        await api.client(clock).delete_inbox(api_id)
    assert not api.requests


@pytest.mark.parametrize(
    "answer",
    [
        says(success=True, message="Message deleted"),
        says(message="Operation succefull"),
        httpx.Response(204),
        httpx.Response(200),
    ],
)
@pytest.mark.parametrize("operation", ["delete_inbox", "delete_send"])
async def test_deletions(clock: FakeClock, answer: httpx.Response, operation: str) -> None:
    api = Api(answer)
    await getattr(api.client(clock), operation)("7")
    assert api.requests[0].method == "DELETE"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says(success=False, message="no"), Refused),
        (says(404, success=False, message="Email not found"), NotFound),
        (httpx.Response(200, text="OK"), OutcomeUnknown),
        (httpx.ReadTimeout("x"), OutcomeUnknown),
        (httpx.Response(500), OutcomeUnknown),
    ],
)
async def test_deletions_that_fail(
    clock: FakeClock, answer: httpx.Response | Exception, kind: type[ApiError]
) -> None:
    with pytest.raises(kind):
        await Api(answer).client(clock).delete_inbox("7")


async def test_send_status_and_quota(clock: FakeClock) -> None:
    api = Api(says(data=[ROW], success=True), says(data={"usage": 1, "limit": 2}))
    client = api.client(clock)
    (row,) = await client.send_status(CODE)
    assert row.subject == "o"
    assert await client.quota() == Quota(1024**2, 2 * 1024**2)
    assert [request.url.path for request in api.requests] == [f"/send/{CODE}", "/quota/INBOX"]


async def test_no_receipt_yet(clock: FakeClock) -> None:
    with pytest.raises(NotFound):
        await Api(says(404, success=False, message="Result empty")).client(clock).send_status(CODE)


READS: list[Callable[[PecClient], Any]] = [
    lambda client: client.inbox_page(1),
    lambda client: client.inbox_message("1"),
    lambda client: client.send_status(CODE),
    lambda client: client.quota(),
]


@pytest.mark.parametrize("read", READS, ids=["page", "message", "status", "quota"])
@pytest.mark.parametrize(
    "answer",
    [says(success=True), says(data="x"), httpx.Response(200, text="hm"), says(data=[[]] * 2)],
    ids=["no data", "data is a text", "no JSON", "lists"],
)
async def test_reads_that_say_nothing_end_as_unknown_at_most(
    clock: FakeClock, read: Callable[[PecClient], Any], answer: httpx.Response
) -> None:
    try:
        await read(Api(answer).client(clock))
    except OutcomeUnknown:
        return


async def test_reads_are_charged_and_sends_are_not(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 1)
    api = Api(says(201, success=True, message_id=CODE), says(data=[]), says(success=True))
    client = api.client(clock, budget=budget).charged(Purpose.LOOK)
    await client.send(MESSAGE)
    await client.inbox_page()
    await client.delete_inbox("1")
    with pytest.raises(NotSent, match="budget"):
        await client.inbox_page()
    assert len(api.requests) == 3
    assert (await budget.use()).made == {Purpose.LOOK: 1}


READS_OF_THE_BUDGET: dict[str, Callable[[PecClient], Any]] = {
    "a page": lambda client: client.inbox_page(1),
    "a search": lambda client: client.inbox_page(query="x"),
    "a body": lambda client: client.inbox_message("1"),
    "a send": lambda client: client.send_status("1"),
    "the quota": lambda client: client.quota(),
}


@pytest.mark.parametrize("read", READS_OF_THE_BUDGET.values(), ids=READS_OF_THE_BUDGET)
async def test_every_read_passes_the_budget(
    clock: FakeClock, read: Callable[[PecClient], Any]
) -> None:
    api = Api()
    client = api.client(clock, budget=RequestBudget(clock, 1))
    with pytest.raises(NotSent):
        await read(client)  # a person's request leaves the last one to looks
    assert api.requests == []


async def test_a_large_body_arrives_whole(clock: FakeClock) -> None:
    body = "%C3%A8+" * 200_000
    api = Api(says(data={**ROW, "body": body}))
    message = await api.client(clock).inbox_message("1")
    assert message.body == body
    assert len(body) < API_MESSAGE_BYTES


async def test_the_record_of_an_answer_is_short_and_without_secrets(clock: FakeClock) -> None:
    quoted = "p\u00e4ssword tok-1 " + json.dumps("pässword")
    api = Api(httpx.Response(500, text=quoted + "x" * 10_000))
    with pytest.raises(OutcomeUnknown) as failure:
        await api.client(clock).quota()
    assert failure.value.answer.startswith('*** *** "***"xxx')
    assert len(failure.value.answer) <= 2_000
