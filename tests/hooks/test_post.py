"""Telling by HTTP against servers that behave as no receiver should."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.api.way import ApiRoute
from bridge.app.certificate import make
from bridge.credentials import Secret, signing_key
from bridge.hooks.post import WebhookPlace, WebhookTarget
from bridge.hooks.schedule import TryReport
from bridge.hooks.states import TryOutcome
from bridge.limits import WEBHOOK_ANSWER_BYTES
from tests.fakes import FakeClock
from tests.hooks.receiver import SECRET, Inbox, receiving

BODY = b'{"number":1}'
KEY = signing_key(Secret(SECRET))


async def tell(url: str, *, timeout_s: float = 5.0, ca_file: Path | None = None) -> TryReport:
    place = WebhookPlace(url, (KEY,), timeout_s, ApiRoute(ca_file=ca_file))
    target = WebhookTarget(place, FakeClock())
    try:
        return await target.tell("evt_a_1", BODY)
    finally:
        await target.aclose()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def whole(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(len(BODY))


async def test_what_is_sent(tmp_path: Path) -> None:
    with receiving(Inbox()) as inbox:
        report = await tell(inbox.url + "?key=k")
    assert report == TryReport(TryOutcome.TAKEN)
    (request,) = inbox.heard
    assert request.path == "/pec?key=k"
    assert request.body == BODY
    fields = {name.lower(): value for name, value in request.fields.items()}
    assert fields.pop("webhook-timestamp") == "1768467600"
    assert fields.pop("webhook-signature").startswith("v1,")
    assert fields.pop("host").startswith("127.0.0.1:")
    assert fields == {
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "content-length": str(len(BODY)),
        "content-type": "application/json",
        "user-agent": "pec-bridge",
        "webhook-id": "evt_a_1",
    }


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, TryOutcome.TAKEN) for status in (200, 201, 202, 204, 299)),
        *((status, TryOutcome.REFUSED) for status in (301, 304, 400, 401, 404, 410, 422)),
        *((status, TryOutcome.DOWN) for status in (408, 425, 429, 500, 502, 503, 504)),
    ],
)
async def test_what_an_answer_means(status: int, outcome: TryOutcome) -> None:
    with receiving(Inbox(lambda _request: status)) as inbox:
        report = await tell(inbox.url)
    assert report.outcome is outcome
    assert (report.reason == "") is (outcome is TryOutcome.TAKEN)


async def test_a_redirect_is_not_followed() -> None:
    with receiving(Inbox(lambda _request: 307)) as inbox:
        report = await tell(inbox.url)
    assert [one.path for one in inbox.heard] == ["/pec"]
    assert report.outcome is TryOutcome.REFUSED
    assert "redirects are not followed" in report.reason


async def test_a_reason_holds_nothing_of_the_url_but_the_host() -> None:
    with receiving(Inbox(lambda _request: 500)) as inbox:
        report = await tell(f"http://127.0.0.1:{inbox.port}/hooks/geheim?token=geheim")
    assert report.reason == f"127.0.0.1:{inbox.port} answered with status 500"


async def test_the_environments_proxy_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with receiving(Inbox()) as inbox:
        assert (await tell(inbox.url)).outcome is TryOutcome.TAKEN


async def test_nobody_there() -> None:
    report = await tell("http://127.0.0.1:9/x")
    assert report.outcome is TryOutcome.DOWN
    assert report.reason == "127.0.0.1:9 refuses the connection; nothing listens there"


async def test_a_name_that_is_not_looked_up_in_time_takes_no_thread_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended, threads = threading.Event(), []

    def hang(host: str, *_: object, **_more: object) -> list[object]:
        threads.append((host, threading.current_thread().name))
        ended.wait(20)
        return []

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", hang)
        reports = [await tell("https://hangs.example/", timeout_s=0.2) for _ in range(3)]
        ended.set()
    assert {one.outcome for one in reports} == {TryOutcome.DOWN}
    assert len(threads) == 3
    assert all(name.startswith("webhook-name") for _, name in threads)


async def test_a_name_that_nobody_knows_is_said() -> None:
    report = await tell("https://nobody.invalid/x")
    assert report.outcome is TryOutcome.DOWN
    assert "nobody.invalid is a name that" in report.reason


async def test_who_does_not_answer_is_not_waited_for() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with served(silent) as port:
        report = await tell(f"http://127.0.0.1:{port}/", timeout_s=0.2)
    assert report.outcome is TryOutcome.DOWN
    assert "did not answer within 0.2 s" in report.reason


async def test_who_answers_byte_by_byte_has_no_more_time() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            writer.write(b"y")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with served(slow) as port, asyncio.timeout(5):
        report = await tell(f"http://127.0.0.1:{port}/", timeout_s=0.3)
    assert report.outcome is TryOutcome.DOWN


async def test_an_answer_without_end_is_cut_off() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await whole(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + bytes(4096) + b"\r\n")
            sent += 4096
            await writer.drain()

    async with served(endless) as port, asyncio.timeout(5):
        report = await tell(f"http://127.0.0.1:{port}/")
    assert report.outcome is TryOutcome.TAKEN, "its status counts"
    assert sent < 100 * WEBHOOK_ANSWER_BYTES


async def test_nothing_is_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000))

    async def packed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
        writer.write(head.encode() + bomb)
        await writer.drain()

    async with served(packed) as port:
        assert (await tell(f"http://127.0.0.1:{port}/")).outcome is TryOutcome.TAKEN


@pytest.mark.parametrize(
    "answer", [b"", b"220 hello\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
)
async def test_half_an_answer_is_none(answer: bytes) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        writer.write(answer)
        await writer.drain()

    async with served(half) as port:
        report = await tell(f"http://127.0.0.1:{port}/")
    assert report.outcome is TryOutcome.DOWN


async def yes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await writer.drain()


async def test_a_certificate_is_verified_with_the_authorities_of_the_settings(
    tmp_path: Path,
) -> None:
    certificate = tmp_path / "tls.pem"
    make(certificate, ["localhost"])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    async with served(yes, tls) as port:
        trusted = await tell(f"https://localhost:{port}/", ca_file=certificate)
        stranger = await tell(f"https://localhost:{port}/")
        misnamed = await tell(f"https://127.0.0.1:{port}/", ca_file=certificate)
    assert trusted.outcome is TryOutcome.TAKEN
    assert "nobody trusted here has signed" in stranger.reason
    assert "certificate of another name" in misnamed.reason
    assert {stranger.outcome, misnamed.outcome} == {TryOutcome.DOWN}


async def test_no_cookie_is_kept() -> None:
    heads = []

    async def sets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await whole(reader))
        writer.write(b"HTTP/1.1 204 No\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with served(sets) as port:
        place = WebhookPlace(f"http://127.0.0.1:{port}/", (KEY,), 5.0, ApiRoute())
        target = WebhookTarget(place, FakeClock())
        for _ in range(2):
            assert (await target.tell("a", BODY)).outcome is TryOutcome.TAKEN
        await target.aclose()
    assert len(heads) == 2
    assert b"ookie" not in heads[1]


def test_keys_are_not_in_the_repr() -> None:
    place = WebhookPlace("https://erp.example/", (KEY,), 5.0, ApiRoute())
    assert "keys" not in repr(place)
