"""What no request gets past, and what every answer carries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message
from structlog.testing import capture_logs

from bridge.clock import SystemClock
from bridge.limits import WEB_BODY_BYTES
from bridge.net.listen import Listen
from bridge.web.app import web_app
from bridge.web.guard import HEADERS
from bridge.web.listener import WebServer
from tests.streams import hang_up

HOST = "127.0.0.1:1180"


async def echo(request: Request) -> Response:
    return PlainTextResponse(f"{request.method} {len(await request.body())}")


async def fail(_request: Request) -> Response:
    raise RuntimeError("inside")


def application() -> ASGIApp:
    methods = ["GET", "POST", "PUT", "DELETE"]
    return web_app([Route("/", echo, methods=methods), Route("/fail", fail)], ["pec.example.it"])


def client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=application())
    headers = {"Accept-Language": "en"}
    return httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", headers=headers)


async def test_a_request_within_another_is_not_answered() -> None:
    hidden = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {5 + len(hidden)}\r\n"
    smuggled = f"{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
    server = WebServer(application(), SystemClock())
    ((address, port),) = await server.start([Listen("127.0.0.1", 0)])
    try:
        reader, writer = await asyncio.open_connection(address, port)
        writer.write(smuggled.encode())
        said = await asyncio.wait_for(reader.read(), 5)
        assert said.startswith(b"HTTP/1.1 400 ")
        assert said.count(b"HTTP/1.1") == 1
        await hang_up(writer)
    finally:
        await server.stop()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:1180",
        "[::1]:1180",
        "localhost",
        "LOCALHOST:1180",
        "192.168.1.20:1180",
        "pec.example.it",
        "PEC.example.it.:1180",
    ],
)
async def test_our_own_names_are_answered(host: str) -> None:
    async with client() as browser:
        assert (await browser.get("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "127.0.0.1.attacker.example",
        "attacker.example:1180",
        "pec.example.it.attacker.example",
        "localhost@attacker.example",
        "attacker.example/127.0.0.1",
        "127.0.0.1:port",
        "",
    ],
)
async def test_a_name_that_is_made_to_point_here_is_refused(host: str) -> None:
    async with client() as browser:
        answer = await browser.get("/", headers={"Host": host})
    assert (answer.status_code, "[web] hosts" in answer.text) == (421, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "http://127.0.0.1:8080"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_another_sites_page_changes_nothing(headers: dict[str, str], status: int) -> None:
    async with client() as browser:
        for method in ("POST", "PUT", "DELETE"):
            assert (await browser.request(method, "/", headers=headers)).status_code == status


async def test_no_other_site_may_read() -> None:
    asking = {"Origin": "https://attacker.example", "Access-Control-Request-Method": "GET"}
    async with client() as browser:
        answers = [
            await browser.get("/", headers=asking),
            await browser.options("/", headers=asking),
        ]
    assert [answer.status_code for answer in answers] == [200, 405]
    named = [name for answer in answers for name in answer.headers if "access-control" in name]
    assert named == []


@pytest.mark.parametrize("path", ["/", "/fail", "/nowhere"])
async def test_every_answer_is_dressed(path: str) -> None:
    async with client() as browser:
        answers = [await browser.get(path), await browser.get(path, headers={"Host": "x.example"})]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
        assert answer.headers["Cache-Control"] == "no-store"
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "'none'" in policy


async def test_a_body_too_long_is_refused() -> None:
    async def piecemeal(size: int) -> httpx.Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(size // 1024):
                yield bytes(1024)

        async with client() as browser:
            return await browser.post("/", content=pieces())

    async with client() as browser:
        assert (await browser.post("/", content=bytes(WEB_BODY_BYTES))).status_code == 200
        assert (await browser.post("/", content=bytes(WEB_BODY_BYTES + 1))).status_code == 413
    assert (await piecemeal(WEB_BODY_BYTES)).status_code == 200
    assert (await piecemeal(WEB_BODY_BYTES + 1024)).status_code == 413


async def test_a_refusal_is_in_the_language_of_who_asks() -> None:
    async with client() as browser:
        for language, words in (("it", "non ha questo nome"), ("en", "has no such name")):
            headers = {"Host": "attacker.example", "Accept-Language": language}
            answer = await browser.get("/", headers=headers)
            assert words in answer.text
            assert answer.headers["Content-Language"] == language


@pytest.mark.parametrize(
    ("method", "path", "status", "english", "italian"),
    [
        ("GET", "/nowhere", 404, "There is no such page.", "Non c'è una pagina così."),
        ("POST", "/fail", 405, "This method is not used here.", "Questo metodo qui non si usa."),
    ],
)
async def test_what_nothing_answers_is_said_in_the_language_of_who_asks(
    method: str, path: str, status: int, english: str, italian: str
) -> None:
    async with client() as browser:
        for language, words in (("en", english), ("it", italian)):
            answer = await browser.request(method, path, headers={"Accept-Language": language})
            assert (answer.status_code, answer.text) == (status, f"{words}\n")
        assert ("Allow" in answer.headers) == (status == 405)


async def test_what_fails_inside_is_one_sentence() -> None:
    async with client() as browser:
        answer = await browser.get("/fail")
    assert (answer.status_code, answer.text) == (
        500,
        "The bridge could not do that; its log says why.\n",
    )


@pytest.mark.parametrize("path", ["/", "/api/v1/sends"])
async def test_who_hangs_up_amid_his_body_fills_no_log(path: str) -> None:
    app = web_app([Route(path, echo, methods=["POST"])], [])
    said: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return said.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 1180),
        "headers": [(b"host", HOST.encode()), (b"content-length", b"9")],
    }
    with capture_logs() as logs:
        await app(scope, receive, send)
    assert logs == []
    assert answered == []
