"""The HTTP server on real sockets: limits, time, TLS, an orderly end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.app.certificate import make
from bridge.clock import Clock, SystemClock
from bridge.limits import (
    WEB_CONNECTIONS_PER_ACCOUNT,
    WEB_HEAD_BYTES,
    WEB_IDLE_S,
    WEB_REQUEST_S,
    WEB_STRANGER_REQUEST_S,
)
from bridge.model import AccountId
from bridge.net.listen import Listen
from bridge.web.listener import CHECK_INTERVAL_S, DOOR, WebServer
from tests.costs.measure import others
from tests.fakes import FakeClock
from tests.streams import hang_up

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
PATIENCE_S = 5.0


class App:
    """Answers ``/`` at once and ``/slow`` when it is told to; ``/in`` makes its sender known."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/in"):
            account = scope["path"].removeprefix("/in").partition("/")[0]
            scope["extensions"][DOOR].know(AccountId(int(account)) if account else None)
        if scope["path"].endswith("slow"):
            self.begun.set()
            await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def serving(
    app: ASGIApp, clock: Clock, *, tls: ssl.SSLContext | None = None, most: int = 8
) -> AsyncIterator[tuple[WebServer, int]]:
    server = WebServer(app, clock, tls=tls, most=most)
    ((_, port),) = await server.start([Listen("127.0.0.1", 0, implicit_tls=tls is not None)])
    try:
        yield server, port
    finally:
        await server.stop()


_writers: list[asyncio.StreamWriter] = []


@pytest.fixture(autouse=True)
async def hung_up() -> AsyncIterator[None]:
    yield
    await hang_up(*_writers)
    _writers.clear()


async def connect(
    port: int, tls: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    streams = await asyncio.open_connection("localhost" if tls else "127.0.0.1", port, ssl=tls)
    _writers.append(streams[1])
    return streams


async def asked(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes = GET
) -> bytes:
    streams[1].write(request)
    return await asyncio.wait_for(streams[0].readuntil(b"\r\n"), PATIENCE_S)


async def is_over(streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await streams[0].read(4096):
                pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


async def test_a_head_too_long_is_refused() -> None:
    async with serving(App(), SystemClock()) as (_, port):
        long = b"GET / HTTP/1.1\r\nX: " + b"x" * 2 * WEB_HEAD_BYTES
        assert b" 400 " in await asked(await connect(port), long)


async def test_nobody_says_where_he_comes_from_but_his_address() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])
        await App()(scope, receive, send)

    async with serving(app, SystemClock()) as (_, port):
        forged = GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 10.9.8.7\r\n\r\n")
        assert b" 200 " in await asked(await connect(port), forged)
    assert seen == ["127.0.0.1"]


async def test_a_request_begins_each_turn_of_the_loop_on_however_many_connections() -> None:
    begun: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(turns.count)
        await App()(scope, receive, send)

    async with serving(app, SystemClock()) as (_, port):
        streams = [await connect(port) for _ in range(8)]
        async with others() as turns:
            for one in streams:
                one[1].write(GET * 20)
            for one in streams:
                for _ in range(20):
                    await asyncio.wait_for(one[0].readuntil(b"0\r\n\r\n"), PATIENCE_S)
    assert len(begun) == len(set(begun)) == 160


async def test_strangers_make_room_and_users_stay() -> None:
    clock = FakeClock()
    async with serving(App(), clock, most=3) as (_, port):
        user = await connect(port)
        assert b" 200 " in await asked(user, GET.replace(b"/ ", b"/in ", 1))
        strangers = [await connect(port) for _ in range(2)]
        for one in strangers:
            assert b" 200 " in await asked(one)
        await clock.advance(2)
        newcomer = await connect(port)
        assert b" 200 " in await asked(newcomer)
        assert await is_over(strangers[0])
        await user[0].readuntil(b"\r\n0\r\n\r\n")
        assert b" 200 " in await asked(user)


async def test_one_account_leaves_room_for_others() -> None:
    clock, mine = FakeClock(), GET.replace(b"/ ", b"/in7 ", 1)
    most = WEB_CONNECTIONS_PER_ACCOUNT + 2
    async with serving(App(), clock, most=most) as (server, port):
        greedy = [await connect(port) for _ in range(most)]
        for one in greedy:
            assert b" 200 " in await asked(one, mine)
        await clock.advance(2)
        for account in (b"/in8 ", b"/in "):
            other = await connect(port)
            assert b" 200 " in await asked(other, GET.replace(b"/ ", account, 1))
        assert [await is_over(one) for one in greedy[-2:]] == [True, True]
        assert len(server._doors) == most
        await greedy[0][0].readuntil(b"\r\n0\r\n\r\n")
        assert b" 200 " in await asked(greedy[0], mine)


@pytest.mark.parametrize(
    ("before", "then", "stays_s"),
    [
        ((), b"", WEB_STRANGER_REQUEST_S),
        ((), b"GET / HT", WEB_STRANGER_REQUEST_S),
        ((), GET.replace(b"/ ", b"/slow ", 1), WEB_STRANGER_REQUEST_S),
        ((GET.replace(b"/ ", b"/in ", 1),), b"GET / HT", WEB_IDLE_S),
        ((), GET.replace(b"/ ", b"/in/slow ", 1), WEB_REQUEST_S),
    ],
    ids=["silent", "half a head", "a stranger's request", "idle", "a user's request"],
)
async def test_who_dawdles_is_hung_up_on(
    before: tuple[bytes, ...], then: bytes, stays_s: float
) -> None:
    clock, app = FakeClock(), App()
    async with serving(app, clock) as (server, port):
        streams = await connect(port)
        for request in before:
            await asked(streams, request)
        streams[1].write(then)
        await asyncio.sleep(0)
        if b"slow" in then:
            await asyncio.wait_for(app.begun.wait(), PATIENCE_S)
        else:
            await asyncio.sleep(0.05)  # what was sent has come by then
        await clock.advance(stays_s - 1)
        assert len(server._doors) == 1
        await clock.advance(CHECK_INTERVAL_S + 2)
        assert len(server._doors) == 0
        app.go_on.set()
        assert await is_over(streams)


async def test_a_request_in_hand_is_answered_before_the_end() -> None:
    app = App()
    server = WebServer(app, SystemClock())
    ((_, port),) = await server.start([Listen("127.0.0.1", 0)])
    idle, busy = await connect(port), await connect(port)
    assert b" 200 " in await asked(idle)
    busy[1].write(GET.replace(b"/ ", b"/slow ", 1))
    await asyncio.wait_for(app.begun.wait(), PATIENCE_S)
    stopping = asyncio.ensure_future(server.stop())
    assert await is_over(idle)
    app.go_on.set()
    assert b" 200 " in await asyncio.wait_for(busy[0].readline(), PATIENCE_S)
    await asyncio.wait_for(stopping, PATIENCE_S)
    with pytest.raises(OSError, match="Connect"):
        await connect(port)


async def test_a_request_that_does_not_end_does_not_hold_up_the_end() -> None:
    app, clock = App(), FakeClock()
    server = WebServer(app, clock, stop_grace_s=7)
    ((_, port),) = await server.start([Listen("127.0.0.1", 0)])
    busy = await connect(port)
    busy[1].write(GET.replace(b"/ ", b"/slow ", 1))
    await asyncio.wait_for(app.begun.wait(), PATIENCE_S)
    stopping = asyncio.ensure_future(server.stop())
    await clock.advance(6.9)
    assert not stopping.done()
    await clock.advance(0.2)
    await asyncio.wait_for(stopping, PATIENCE_S)
    assert await is_over(busy)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "tls.pem"
    make(path, ["localhost"])
    return path


@pytest.fixture
def contexts(certificate: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    return server, ssl.create_default_context(cafile=str(certificate))


async def test_tls_from_the_first_byte(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with serving(App(), SystemClock(), tls=contexts[0]) as (_, port):
        assert b" 200 " in await asked(await connect(port, contexts[1]))


async def test_who_never_ends_the_handshake_is_counted(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    clock = FakeClock()
    async with serving(App(), clock, tls=contexts[0]) as (server, port):
        with socket.create_connection(("127.0.0.1", port)):
            await until(lambda: len(server._doors) == 1)
            await clock.advance(WEB_STRANGER_REQUEST_S + CHECK_INTERVAL_S + 1)
            assert len(server._doors) == 0


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_S * 100)):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to hold")
