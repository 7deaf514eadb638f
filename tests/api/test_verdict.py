"""What each answer to ``POST /send`` proves, as a table of statuses and bodies."""

from __future__ import annotations

import json

import httpx
import pytest

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.errors import ApiError, NotSent, OutcomeUnknown, Refused
from bridge.api.schema import SendAnswer, SendRequest
from tests.api.server import byte_server, replies
from tests.fakes import FakeClock

CODE, OTHER = "2020082610003492", "202009211526363"
QUOTED = "2026011510203344"
MESSAGE = SendRequest("a@pec.example", ("b@pec.example",), f"Pratica {QUOTED}", "<p>testo</p>")

TAKEN, DOUBT, NO, LATER = SendAnswer, OutcomeUnknown, Refused, NotSent


def yes(**fields: object) -> bytes:
    return json.dumps({"success": True, **fields}).encode()


def no(message: object, **fields: object) -> bytes:
    return json.dumps({"success": False, "message": message, **fields}).encode()


TABLE: list[tuple[int, bytes, type, str | None]] = [
    # taken: a yes, one code, and at least one PEC
    (201, yes(message_id=CODE), TAKEN, CODE),
    (200, yes(message_id=int(OTHER), sent="3"), TAKEN, OTHER),
    (200, yes(data={"message_id": CODE}, sent=None), TAKEN, CODE),
    (200, yes(message_id=CODE, sent=True), TAKEN, CODE),
    (200, yes(message_id=CODE, data={"message_id": CODE}), TAKEN, CODE),
    # a yes whose id is no code
    (201, yes(message_id="550 5.1.1 unknown user"), DOUBT, None),
    (201, yes(message_id="error occurred connecting to SMTP"), DOUBT, None),
    (201, yes(message_id=False), DOUBT, None),
    (201, yes(message_id=True), DOUBT, None),
    (201, yes(message_id=0), DOUBT, None),
    (201, yes(message_id="0"), DOUBT, None),
    (201, yes(message_id=""), DOUBT, None),
    (201, yes(message_id=None), DOUBT, None),
    (201, yes(message_id=[]), DOUBT, None),
    (201, yes(message_id=[CODE]), DOUBT, CODE),
    (201, yes(message_id={"id": CODE}), DOUBT, CODE),
    (201, b'{"success": true, "message_id": 2020082610003492.0}', DOUBT, CODE),
    (201, b'{"success": true, "message_id": 2.0200826100034e15}', DOUBT, None),
    (201, yes(message_id=CODE + "\r\n"), DOUBT, CODE),
    (201, yes(message_id=f"/var/spool/{CODE}.eml"), DOUBT, CODE),
    (201, yes(message_id=f"<b>{CODE}</b>"), DOUBT, CODE),
    (201, yes(message_id="2020999910003492"), DOUBT, None),
    (201, yes(message_id=CODE, data={"message_id": OTHER}), DOUBT, CODE),
    # a yes and a code, but nothing was sent
    (201, yes(message_id=CODE, sent=0), DOUBT, CODE),
    (201, yes(message_id=CODE, sent=-1), DOUBT, CODE),
    (201, yes(message_id=CODE, sent="0"), DOUBT, CODE),
    (201, yes(message_id=CODE, sent=0.4), DOUBT, CODE),
    (201, yes(message_id=CODE, sent=False), DOUBT, CODE),
    (201, yes(message_id=CODE, sent=[]), DOUBT, CODE),
    (200, yes(message_id=CODE, message="MySQL Error 2006"), DOUBT, CODE),
    (200, b'{"success": [], "message_id": "%s"}' % CODE.encode(), DOUBT, CODE),
    # a no that names a code, wherever it stands
    (200, no("", message_id=CODE), DOUBT, CODE),
    (200, no(f"queued as {CODE}"), DOUBT, CODE),
    (400, no("", data={"id": CODE}), DOUBT, CODE),
    (401, no("", message_id=CODE), DOUBT, CODE),
    (429, f"<p>{CODE}</p>".encode(), DOUBT, CODE),
    (500, no("", message_id=int(CODE)), DOUBT, CODE),
    # a no that comes from something that broke while it worked
    (200, no("MySQL Error 2006"), DOUBT, None),
    (200, no({"error": {"message": "MySQL Error 1205: Lock wait timeout exceeded"}}), DOUBT, None),
    (400, no("MySQL Error {code}"), DOUBT, None),
    (404, b"<h1>SQLSTATE[HY000] server has gone away</h1>", DOUBT, None),
    (422, no("Connection timed out"), DOUBT, None),
    (402, no("Internal Server Error"), DOUBT, None),
    # statuses that prove nothing
    (302, b"", DOUBT, None),
    (408, b"", DOUBT, None),
    (409, no("already sent"), DOUBT, None),
    (425, b"", DOUBT, None),
    (499, b"", DOUBT, None),
    (500, b"", DOUBT, None),
    (200, b"", DOUBT, None),
    # plain noes
    (200, no("Post parameter is not valid"), NO, None),
    (200, no("", message_id="550 user unknown"), NO, None),
    (400, no("Post parameter is not valid"), NO, None),
    (400, no(f"subject not valid: Pratica {QUOTED}"), NO, None),
    (403, b"", NO, None),
    (413, b"<h1>Request Entity Too Large</h1>", NO, None),
    (401, no("Authorization is not valid or empty"), LATER, None),
    (402, b"", LATER, None),
    (429, b"slow down", LATER, None),
]


async def outcome(client: PecClient) -> SendAnswer | ApiError:
    try:
        return await client.send(MESSAGE)
    except ApiError as error:
        return error


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    TABLE,
    ids=[f"{number}-{status}" for number, (status, *_) in enumerate(TABLE)],
)
async def test_what_an_answer_to_a_send_proves(
    clock: FakeClock, status: int, body: bytes, kind: type, code: str | None
) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(status, content=body))
    connection = ApiConnection("https://api.test", "gettone", clock=clock, transport=transport)
    client = PecClient(connection, username="utente", password="parola", clock=clock)
    found = await outcome(client)
    assert type(found) is kind
    assert getattr(found, "code", None) == code


CUT: list[tuple[int, bytes, type, str | None]] = [
    (400, b'{"success": false, "message_id": "%s", "mess' % CODE.encode(), DOUBT, CODE),
    (400, b'{"success": false, "message_id": "20200826', DOUBT, None),
    (400, b"", DOUBT, None),
    (403, b"{", DOUBT, None),
    (401, b'{"message_id": "2020', DOUBT, None),
    (401, b'{"succ', LATER, None),
    (402, b"", LATER, None),
    (429, b"{", LATER, None),
    (429, b'{"message_id": "%s"' % CODE.encode(), DOUBT, CODE),
]


@pytest.mark.parametrize(
    ("status", "begun", "kind", "code"), CUT, ids=[f"{n}-{cut[0]}" for n, cut in enumerate(CUT)]
)
async def test_what_a_broken_off_answer_proves(
    clock: FakeClock, status: int, begun: bytes, kind: type, code: str | None
) -> None:
    content = b"HTTP/1.1 %d X\r\nContent-Length: 900\r\n\r\n%s" % (status, begun)
    async with byte_server(replies(content)) as server:
        connection = ApiConnection(server.url, "gettone", clock=clock)
        client = PecClient(connection, username="utente", password="parola", clock=clock)
        found = await outcome(client)
        await connection.aclose()
    assert type(found) is kind
    assert getattr(found, "code", None) == code
