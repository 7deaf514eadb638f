from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import structlog

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection, ApiRequest, header_value
from bridge.api.errors import ApiError, NotSent, OutcomeUnknown
from bridge.api.schema import Attachment, SendRequest
from bridge.clock import SystemClock
from tests.api.server import answer, byte_server, hangs_up, never_answers, replies

TOKEN = "tok-5f0c1e"
PASSWORD = "pw-77aa99"
SENT = answer(201, b'{"success": true, "sent": 1, "message_id": "2020082610003492"}')
EMPTY_PAGE = answer(200, b'{"data": [], "success": true, "total": 0}')
MESSAGE = SendRequest("a@pec.example", ("b@pec.example",), "s", "body")


def connect(url: str, timeout_s: float = 5.0) -> ApiConnection:
    return ApiConnection(url, TOKEN, clock=SystemClock(), timeout_s=timeout_s)


def client_of(connection: ApiConnection) -> PecClient:
    return PecClient(connection, username="user", password=PASSWORD, clock=SystemClock())


@pytest.fixture
async def unused_url() -> AsyncIterator[str]:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: nobody else gets the port
        yield f"http://127.0.0.1:{closed.getsockname()[1]}"


async def test_no_listener_is_not_sent(unused_url: str) -> None:
    connection = connect(unused_url)
    started: list[bool] = []

    async def start() -> None:
        started.append(True)

    with pytest.raises(NotSent) as failure:
        await client_of(connection).send(MESSAGE, start)
    assert failure.value.kind == "unreachable"
    assert not started
    await connection.aclose()


@pytest.mark.parametrize("base", ["ftp://127.0.0.1", "http://name.invalid"])
async def test_no_such_way_is_not_sent(base: str) -> None:
    connection = connect(base)
    with pytest.raises(NotSent):
        await client_of(connection).send(MESSAGE)
    await connection.aclose()


@pytest.mark.slow
async def test_a_tls_failure_is_not_sent() -> None:
    async with byte_server(replies(SENT)) as server:
        connection = connect(server.url.replace("http:", "https:"))
        with pytest.raises(NotSent):
            await client_of(connection).send(MESSAGE)
        await connection.aclose()


@pytest.mark.parametrize("after_bytes", [0, 1, 60, 300])
async def test_hanging_up_at_any_time_leaves_it_open(after_bytes: int) -> None:
    async with byte_server(hangs_up(after_bytes)) as server:
        connection = connect(server.url)
        with pytest.raises(OutcomeUnknown):
            await client_of(connection).send(MESSAGE)
        await connection.aclose()
        assert server.connections == 1


async def test_silence_ends_with_the_timeout_and_is_not_repeated() -> None:
    async with byte_server(never_answers(), replies(SENT)) as server:
        connection = connect(server.url, timeout_s=0.05)
        with pytest.raises(OutcomeUnknown, match="in time"):
            await client_of(connection).send(MESSAGE)
        await connection.aclose()
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 201 Created\r\nContent-Length: 90\r\n\r\n{",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=["cut", "another protocol", "bad chunk", "bad gzip"],
)
async def test_a_damaged_answer_leaves_it_open(content: bytes) -> None:
    async with byte_server(replies(content)) as server:
        connection = connect(server.url)
        with pytest.raises(OutcomeUnknown):
            await client_of(connection).send(MESSAGE)
        await connection.aclose()


async def test_a_no_is_a_no_even_if_its_words_are_lost() -> None:
    cut = b"HTTP/1.1 429 X\r\nContent-Length: 90\r\n\r\n{"
    async with byte_server(replies(cut)) as server:
        connection = connect(server.url)
        with pytest.raises(NotSent) as failure:
            await client_of(connection).send(MESSAGE)
        assert failure.value.kind == "rate"
        await connection.aclose()


async def test_a_send_never_uses_a_kept_connection() -> None:
    """A server that hangs up on an idle connection must not make a send uncertain."""
    async with byte_server(
        replies(EMPTY_PAGE, then_hang=True), replies(SENT, then_hang=True), replies(SENT)
    ) as server:
        connection = connect(server.url)
        client = client_of(connection)
        await client.inbox_page()
        await client.send(MESSAGE)
        await client.send(MESSAGE)
        await connection.aclose()
        assert server.connections == 3


async def test_reads_share_a_connection() -> None:
    async with byte_server(replies(EMPTY_PAGE, EMPTY_PAGE, EMPTY_PAGE)) as server:
        connection = connect(server.url)
        for _ in range(3):
            await client_of(connection).inbox_page()
        await connection.aclose()
        assert server.connections == 1


async def test_no_redirect_no_cookie_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    redirect = answer(302, b"", b"Location: /elsewhere", b"Set-Cookie: session=1; Path=/")
    async with byte_server(replies(redirect, EMPTY_PAGE)) as server:
        connection = connect(server.url)
        with pytest.raises(OutcomeUnknown):
            await client_of(connection).inbox_page()
        await client_of(connection).inbox_page()
        await connection.aclose()
        assert len(server.requests) == 2
        assert b"ookie" not in server.requests[1]


async def test_what_is_on_the_wire() -> None:
    async with byte_server(replies(SENT)) as server:
        connection = connect(server.url + "/base/")
        await client_of(connection).send(MESSAGE)
        await connection.aclose()
    head, _, _body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"post /base/send http/1.1"
    assert b"content-type: application/json" in lines
    assert b"authorization: bearer " + TOKEN.encode() in lines
    assert not any(line.startswith(b"transfer-encoding") for line in lines)


async def test_an_endless_answer_is_cut_off() -> None:
    async with byte_server(replies(answer(200, b"x" * 100_000))) as server:
        connection = connect(server.url)
        with pytest.raises(OutcomeUnknown, match="longer than 5000 bytes"):
            await connection.exchange(ApiRequest("GET", "/inbox", {}, limit_bytes=5_000))
        await connection.aclose()


async def test_start_comes_before_the_first_byte() -> None:
    async with byte_server(replies(SENT)) as server:
        connection = connect(server.url)
        seen: list[int] = []

        async def start() -> None:
            await asyncio.sleep(0)
            seen.append(len(server.requests))

        await client_of(connection).send(MESSAGE, start)
        await connection.aclose()
        assert server.connections == 1
        assert set(seen) == {0}


async def test_30_mb_leave_the_loop_free() -> None:
    request = SendRequest(
        "a@x", ("b@x",), "s", "b" * 3_000_000, (Attachment("f", "a/b", bytes(20_000_000)),)
    )
    async with byte_server(replies(SENT)) as server:
        connection = connect(server.url, timeout_s=30)
        turns = 0

        async def tick() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        ticking = asyncio.ensure_future(tick())
        await client_of(connection).send(request)
        ticking.cancel()
        await connection.aclose()
    assert turns > 300
    assert len(server.requests[0]) > 29_000_000


async def test_no_secret_in_any_error_log_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = b'{"success": false, "message": "bad %s for %s"}' % (PASSWORD.encode(), TOKEN.encode())
    answers = [answer(status, echo) for status in (200, 400, 401, 500)]
    seen: list[str] = []
    with structlog.testing.capture_logs() as logs:
        async with byte_server(replies(*answers)) as server:
            connection = connect(server.url)
            client = client_of(connection)
            for _ in (*answers, "hang up"):
                with pytest.raises(ApiError) as failure:
                    await client.quota()
                error = failure.value
                assert error.__cause__ is None
                assert error.__context__ is None
                seen += [repr(error), str(error), error.answer, error.reason, str(vars(error))]
            seen += [repr(connection), repr(client), str(logs)]
            await connection.aclose()
    # httpcore's debug lines name no request header; what it logs of answers is not ours to mask.
    seen += [record.getMessage() for record in caplog.records if record.name != "httpcore.http11"]
    assert not [text for text in seen if PASSWORD in text or TOKEN in text]
    assert any("***" in text for text in seen)


@pytest.mark.parametrize("value", [" qq", "qq ", "q\r\nq", "qq\x00", "qq\x7f"])
def test_a_secret_that_cannot_be_sent_is_named_not_shown(value: str) -> None:
    with pytest.raises(ValueError, match=r"^the token has blanks") as failure:
        header_value(value, "the token")
    assert "qq" not in str(failure.value)
    with pytest.raises(ValueError, match="the token"):
        ApiConnection("http://127.0.0.1", value, clock=SystemClock())


async def test_what_comes_of_requests_is_counted(unused_url: str) -> None:
    results: Counter[str] = Counter()
    async with byte_server(replies(EMPTY_PAGE), hangs_up(10)) as server:
        for url in (server.url, server.url, unused_url):
            connection = ApiConnection(url, TOKEN, clock=SystemClock(), results=results)
            try:
                with contextlib.suppress(ApiError):
                    await connection.exchange(ApiRequest("GET", "/inbox", {}))
            finally:
                await connection.aclose()
    assert results == {"200": 1, "unknown": 1, "not sent": 1}


@pytest.mark.parametrize("late", [False, True], ids=["before", "while it connects"])
async def test_nothing_is_changed_by_a_bridge_that_may_not_lead_any_more(late: bool) -> None:
    answers = iter((late, False))
    async with byte_server(*[replies(EMPTY_PAGE)] * 3) as server:
        connection = ApiConnection(
            server.url, TOKEN, clock=SystemClock(), may_change=lambda: next(answers)
        )
        try:
            for method in ("DELETE", "POST"):
                answers = iter((late, False))
                with pytest.raises(NotSent, match="still leads"):
                    await connection.exchange(ApiRequest(method, "/inbox/1", {}))
            assert not any(server.requests)
            answers = iter(())
            await connection.exchange(ApiRequest("GET", "/inbox", {}))
        finally:
            await connection.aclose()
