"""What is said to a service manager, and what it hands over; each emulated."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.net import manager
from bridge.net.listen import Listen
from bridge.net.manager import (
    CannotTake,
    Passed,
    notify,
    notify_ready,
    notify_reloading,
    passed_sockets,
    watchdog_s,
)

PATIENCE_S = 20.0
ME = str(os.getpid())

pytestmark = pytest.mark.skipif(os.name == "nt", reason="protocols of Unix")


@pytest.fixture(params=["path", "abstract"])
def heard(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """Give the manager's end of ``NOTIFY_SOCKET``."""
    name = f"@{tmp_path}/n" if request.param == "abstract" else str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(name.replace("@", "\0", 1))
        end.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield end


def test_the_manager_is_told(heard: socket.socket) -> None:
    notify_ready("2 accounts,\n1 alarm.")
    assert heard.recv(1000) == b"READY=1\nSTATUS=2 accounts, 1 alarm."
    notify_reloading()
    kind, _, since = heard.recv(1000).partition(b"\n")
    assert kind == b"RELOADING=1"
    assert since.startswith(b"MONOTONIC_USEC=")


def test_without_a_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nonexistent/socket")
    notify("READY=1")


@pytest.mark.parametrize(
    ("environment", "wanted_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": ME}, 0.5),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog(environment: dict[str, str], wanted_s: float | None) -> None:
    assert watchdog_s(environment) == wanted_s


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(manager, "FIRST_DESCRIPTOR", server.fileno())
        yield server


@pytest.mark.parametrize(
    ("name", "protocol", "implicit_tls"),
    [
        ("imap", "imap", False),
        ("imaps", "imap", True),
        ("smtp", "smtp", False),
        ("smtps", "smtp", True),
    ],
)
def test_a_socket_by_its_name(
    listening: socket.socket, name: str, protocol: str, implicit_tls: bool
) -> None:
    os.set_inheritable(listening.fileno(), True)
    environment = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": name, "LISTEN_PID": ME, "OTHER": "stays"}
    (one,) = passed_sockets(environment)
    host, port = listening.getsockname()
    assert one == Passed(protocol, Listen(host, port, implicit_tls, listening.fileno()))  # type: ignore[arg-type]
    assert environment == {"OTHER": "stays"}
    assert not os.get_inheritable(listening.fileno())
    assert listening.fileno() > 0
    listening.getsockname()  # it was not closed


def test_a_socket_by_its_port(listening: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(manager.PORTS, listening.getsockname()[1], "smtps")
    environment = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "pec-bridge.socket", "LISTEN_PID": ME}
    (one,) = passed_sockets(environment)
    assert (one.protocol, one.listen.implicit_tls) == ("smtp", True)


def test_a_socket_that_says_nothing(listening: socket.socket) -> None:
    with pytest.raises(CannotTake, match="set FileDescriptorName= to imap, imaps, smtp or smtps"):
        passed_sockets({"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web", "LISTEN_PID": ME})


@pytest.mark.parametrize("environment", [{}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}])
def test_what_is_for_another_process(environment: dict[str, str]) -> None:
    assert passed_sockets(environment) == ()


@pytest.mark.parametrize("what", ["datagram", "not listening", "file", "nothing"])
def test_what_cannot_be_used(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as mute,
        open(os.devnull, "rb") as file,
    ):
        given = {
            "datagram": datagram.fileno(),
            "not listening": mute.fileno(),
            "file": file.fileno(),
            "nothing": 10**6,
        }
        monkeypatch.setattr(manager, "FIRST_DESCRIPTOR", given[what])
        with pytest.raises(CannotTake):
            passed_sockets({"LISTEN_FDS": "1", "LISTEN_FDNAMES": "imap", "LISTEN_PID": ME})
