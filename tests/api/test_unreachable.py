"""Why the API could not be reached: against real sockets, and each row of the table."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge.api.connection import DIRECT, ApiConnection, ApiRequest
from bridge.api.errors import NotSent, from_exception
from bridge.api.unreachable import CAUSES, shown_host, why_unreachable
from bridge.api.way import ApiRoute
from bridge.clock import SystemClock

DAY = timedelta(days=1)


async def failure(url: str, timeout_s: float = 5.0, way: ApiRoute = DIRECT) -> str:
    """Ask for something, and return the sentence that comes of it."""
    connection = ApiConnection(url, "token", clock=SystemClock(), timeout_s=timeout_s, way=way)
    try:
        with pytest.raises(NotSent) as raised:
            await connection.exchange(ApiRequest("GET", "/inbox", {}))
    finally:
        await connection.aclose()
    assert raised.value.kind == "unreachable"
    return raised.value.reason


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: nobody else gets the port
        yield closed.getsockname()[1]


async def test_a_closed_port(closed_port: int) -> None:
    reason = await failure(f"http://127.0.0.1:{closed_port}/api")
    host = f"127.0.0.1:{closed_port}"
    told = "refuses the connection; nothing listens there"
    assert reason == f"The API could not be reached: {host} {told}."


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (socket.EAI_NONAME, "is a name that nobody knows"),
        (socket.EAI_AGAIN, "is a name that no name server answers for"),
        (socket.EAI_FAIL, "is a name that cannot be looked up"),
    ],
)
async def test_a_name_that_is_not_known(
    monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def unknown(*_arguments: object, **_options: object) -> list[object]:
        raise socket.gaierror(number, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    reason = await failure("https://ws.pecmassiva.example")
    assert reason.startswith(f"The API could not be reached: ws.pecmassiva.example {words}")


async def test_no_way_to_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_way(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", no_way)
    reason = await failure("http://127.0.0.1:9")
    assert "127.0.0.1:9 is out of reach: this machine has no way to it" in reason


async def test_a_listener_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        host = f"127.0.0.1:{mute.getsockname()[1]}"
        reason = await failure(f"https://{host}", timeout_s=0.1)
    assert reason == f"The API could not be reached: {host} did not take the connection in time."


async def test_a_listener_that_speaks_no_tls() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with served(greet) as host:
        assert f"{host} does not speak TLS there." in await failure(f"https://{host}")


async def test_a_listener_that_hangs_up() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with served(hang_up) as host:
        reason = await failure(f"https://{host}")
    assert f"{host} " in reason
    assert "ConnectError" not in reason


@asynccontextmanager
async def served(serve: object, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Let a server serve on loopback; gives its host and port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)  # type: ignore[arg-type]
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


class Authority:
    """Signs certificates, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
        now = datetime.now(UTC)
        self.certificate = self._sign(self._name, self._key, now - DAY, now + DAY, None)

    def server(self, begin: datetime, end: datetime, host: str) -> ssl.SSLContext:
        """Return what a server with such a certificate speaks TLS with."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        path = self._folder / "server.pem"
        path.write_bytes(
            self._sign(name, key, begin, end, host).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def trusted(self) -> ApiRoute:
        """Return the way of who trusts this authority."""
        path = self._folder / "authority.pem"
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return ApiRoute(ca_file=path)

    def _sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        begin: datetime,
        end: datetime,
        host: str | None,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host is not None:
            named = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
            builder = builder.add_extension(named, critical=False)
        return builder.sign(self._key, hashes.SHA256())


@pytest.mark.parametrize(
    ("begin", "end", "host", "is_trusted", "words"),
    [
        (-2, -1, "127.0.0.1", True, "shows a certificate that has expired."),
        (1, 2, "127.0.0.1", True, "shows a certificate that is not valid yet;"),
        (-1, 1, "127.0.0.2", True, "shows a certificate of another name."),
        (-1, 1, "127.0.0.1", False, "shows a certificate that nobody trusted here has signed"),
    ],
    ids=["expired", "not yet", "another name", "unknown authority"],
)
async def test_a_certificate_that_is_refused(
    tmp_path: Path,
    begin: int,
    end: int,
    host: str,
    is_trusted: bool,
    words: str,
) -> None:
    async def nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    authority, now = Authority(tmp_path), datetime.now(UTC)
    tls = authority.server(now + begin * DAY, now + end * DAY, host)
    async with served(nothing, tls) as address:
        way = authority.trusted() if is_trusted else DIRECT
        reason = await failure(f"https://{address}", way=way)
    assert f"The API could not be reached: {address} {words}" in reason


def caused(*causes: BaseException) -> httpx.ConnectError:
    """Return httpx's error that came from these, one from the next."""
    error = first = httpx.ConnectError("All connection attempts failed")
    for cause in causes:
        error.__cause__ = cause
        error = cause  # type: ignore[assignment]
    return first


def test_of_several_addresses_the_one_that_tells_most_is_told() -> None:
    unreachable = OSError(errno.ENETUNREACH, "no")
    group = ExceptionGroup("all", [unreachable, ConnectionRefusedError(errno.ECONNREFUSED, "no")])
    told = why_unreachable(caused(OSError("All connection attempts failed"), group))
    assert told == "refuses the connection; nothing listens there"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ProxyError("407"), "is behind a proxy that does not let this through"),
        (caused(ConnectionResetError("x")), "broke the connection off while it was made"),
        (caused(PermissionError(errno.EACCES, "x")), "a firewall here forbids it"),
        (caused(OSError(errno.EMFILE, "x")), "too many files are open here"),
        (caused(TimeoutError()), "did not take the connection in time"),
        (caused(ssl.SSLError(1, "x")), "agrees on no TLS: SSLError"),
        (caused(ssl.SSLCertVerificationError(1, "x")), "cannot be relied on: SSLCert"),
    ],
)
def test_rows_of_the_table(error: httpx.HTTPError, words: str) -> None:
    assert words in from_exception(error, "api.example").reason


def test_what_else_went_wrong_before_is_not_taken_for_the_cause() -> None:
    unknown = OSError("All connection attempts failed")
    unknown.__context__ = ConnectionRefusedError("of another request that was being handled")
    assert why_unreachable(caused(unknown)) is None
    hidden = httpx.ConnectError("raised from None, as httpcore does")
    hidden.__context__, hidden.__suppress_context__ = ConnectionRefusedError("of this"), True
    assert why_unreachable(hidden) == "refuses the connection; nothing listens there"


def test_what_is_not_known_keeps_its_name() -> None:
    assert why_unreachable(caused(ValueError("a secret"))) is None
    reason = from_exception(caused(ValueError("a secret")), "api.example").reason
    assert reason == "The API could not be reached (api.example, ConnectError)."
    slow = from_exception(httpx.ReadTimeout("x"), "api.example").reason
    assert slow == "The API did not answer in time (api.example, ReadTimeout)."


def test_words_begin_with_a_verb_and_end_without_a_full_stop() -> None:
    for cause in CAUSES:
        assert cause.words.split()[0] in {
            *("shows", "is", "does", "did", "agrees", "refuses", "broke", "may", "cannot")
        }
        assert not cause.words.endswith(".")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://ws.pecmassiva.com", "ws.pecmassiva.com"),
        ("https://ws.pecmassiva.com:443/x", "ws.pecmassiva.com"),
        ("http://127.0.0.1:8080/x", "127.0.0.1:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_host(url: str, host: str) -> None:
    assert shown_host(url) == host
