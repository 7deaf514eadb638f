"""The way to a host: what a proxy is told, what is known when it fails, who is trusted."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.api.connection import ApiConnection, ApiRequest
from bridge.api.errors import NotSent, OutcomeUnknown
from bridge.api.way import ApiRoute, authorities_fault
from bridge.clock import SystemClock
from tests.api.server import answer, read_request
from tests.api.test_unreachable import DAY, Authority, served

HOST = "192.0.2.7"
"""Nobody has it (RFC 5737): whoever gets there went through the proxy."""
TOKEN = "hush-token"


@dataclass
class Proxied:
    """An API behind a proxy, and what each of them was told."""

    proxy: str
    way: ApiRoute
    connects: list[bytes] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    async def ask(self, call: ApiRequest | None = None, start: object = None) -> int:
        connection = ApiConnection(
            f"https://{HOST}", TOKEN, clock=SystemClock(), timeout_s=0.5, way=self.way
        )
        try:
            got = await connection.exchange(call or ApiRequest("GET", "/inbox", {}), start)  # type: ignore[arg-type]
        finally:
            await connection.aclose()
        return got.status


@asynccontextmanager
async def proxied(
    folder: Path, said: bytes | None, answered: bool = True
) -> AsyncIterator[Proxied]:
    """Serve both; the proxy says ``said`` to CONNECT, nothing for None."""
    ended: list[asyncio.Task[None]] = []
    authority, now = Authority(folder), datetime.now(UTC)
    tls = authority.server(now - DAY, now + DAY, HOST)

    async def api(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        world.requests.append(await read_request(reader))
        if answered:
            writer.write(answer(200, b"{}"))
        writer.close()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        ended.append(task)
        world.connects.append(await reader.readuntil(b"\r\n\r\n"))
        if said is None:
            await reader.read()
        else:
            writer.write(said)
            if b" 200 " in said:
                host, _, port = there.partition(":")
                await joined(reader, writer, *await asyncio.open_connection(host, int(port)))
        writer.close()
        await writer.wait_closed()

    async with served(api, tls) as there, served(proxy) as address:
        way = replace(authority.trusted(), proxy=f"http://{address}", proxy_login="us:hush:proxy")
        world = Proxied(address, way)
        yield world
        await asyncio.wait_for(asyncio.gather(*ended, return_exceptions=True), 5)


async def joined(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    reader2: asyncio.StreamReader,
    writer2: asyncio.StreamWriter,
) -> None:
    """Pass bytes both ways until either side ends."""

    async def one_way(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while piece := await source.read(65536):
                target.write(piece)
        except ConnectionError:
            pass
        target.close()
        with contextlib.suppress(ConnectionError):
            await target.wait_closed()

    await asyncio.gather(one_way(reader, writer2), one_way(reader2, writer))


THROUGH = b"HTTP/1.1 200 Fine\r\n\r\n"


async def test_a_proxy_passes_bytes_on_and_sees_no_token(tmp_path: Path) -> None:
    order: list[str] = []
    async with proxied(tmp_path, THROUGH) as world:

        async def start() -> None:
            order.append(f"start after {len(world.connects)} CONNECT")

        async def body() -> AsyncIterator[bytes]:
            yield b"{}"

        call = ApiRequest("POST", "/send", {}, body=body(), body_bytes=2)
        assert await world.ask(call, start) == 200
    (connect,), (request,) = world.connects, world.requests
    assert connect.startswith(f"CONNECT {HOST}:443 ".encode())
    login = base64.b64encode(b"us:hush:proxy")
    assert b"proxy-authorization: basic " + login.lower() in connect.lower()
    assert TOKEN.encode() not in connect
    assert TOKEN.encode() in request
    assert login not in request
    assert order[0] == "start after 1 CONNECT"


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 502 Bad\r\n\r\n", b"", None],
    ids=["login", "bad gateway", "hangs up", "silent"],
)
async def test_what_a_proxy_did_not_let_through_was_not_sent(
    tmp_path: Path, said: bytes | None
) -> None:
    async with proxied(tmp_path, said) as world:
        with pytest.raises(NotSent) as raised:
            await world.ask()
    assert raised.value.kind == "unreachable"
    assert f"{HOST} through {world.proxy} is behind a proxy" in raised.value.reason
    assert "hush" not in raised.value.reason
    assert not world.requests


async def test_what_was_sent_through_a_proxy_may_have_arrived(tmp_path: Path) -> None:
    async with proxied(tmp_path, THROUGH, answered=False) as world:
        with pytest.raises(OutcomeUnknown):
            await world.ask()
    assert world.requests


async def test_a_proxy_that_is_not_there_is_named() -> None:
    way = ApiRoute(proxy="http://127.0.0.1:9")
    with pytest.raises(NotSent, match=rf"{HOST} through 127.0.0.1:9 refuses the connection"):
        await Proxied("", way).ask()


ENVIRONMENT = {"HTTPS_PROXY": "http://env.example:1", "NO_PROXY": "inside.example"}


@pytest.mark.parametrize(
    ("way", "url", "proxy"),
    [
        (ApiRoute(), "https://a.example", None),
        (ApiRoute(trust_env=True), "https://a.example", "http://env.example:1"),
        (ApiRoute(trust_env=True), "https://inside.example", None),
        (ApiRoute(trust_env=True, proxy="http://ours.example:2"), "https://a.example", "http://ours.example:2"),
        (ApiRoute(proxy="http://ours.example:2"), "https://inside.example", "http://ours.example:2"),
        (ApiRoute(proxy="http://ours.example:2"), "http://127.0.0.1:8080", None),
        (ApiRoute(proxy="http://ours.example:2"), "http://localhost", None),
    ],
)  # fmt: skip
def test_the_environment_counts_where_it_is_trusted(
    monkeypatch: pytest.MonkeyPatch, way: ApiRoute, url: str, proxy: str | None
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
        monkeypatch.delenv(name.lower(), raising=False)
    found = way.proxy_to(url)
    assert (None if found is None else str(found.url)) == proxy


def test_authorities_of_the_environment_count_where_it_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = Authority(tmp_path).trusted().ca_file
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)

    def trusted(way: ApiRoute) -> int:
        return len(way.tls("https://a.example").get_ca_certs())

    assert trusted(ApiRoute(trust_env=True)) == trusted(ApiRoute(ca_file=path)) == 1
    assert trusted(ApiRoute()) > 10
    assert ApiRoute().tls("https://a.example").verify_mode is ssl.CERT_REQUIRED
    assert ApiRoute(ca_file=path).tls("https://a.example").check_hostname


def test_a_file_of_authorities_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    assert "No such file" in str(authorities_fault(path))
    path.write_text("hush")
    assert "no certificate in PEM form" in str(authorities_fault(path))
    ours = Authority(tmp_path).trusted().ca_file
    assert ours is not None
    assert authorities_fault(ours) is None


def test_no_login_shows_itself() -> None:
    way = ApiRoute(proxy="http://a:1", proxy_login="us:hush")
    assert "hush" not in repr(way)
    assert way.secrets == ("hush",)
