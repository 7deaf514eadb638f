"""Addresses to listen on, as the settings write them."""

from __future__ import annotations

import pytest

from bridge.net.listen import Listen

READ = Listen.reader("imap")


@pytest.mark.parametrize(
    ("written", "listen"),
    [
        ("127.0.0.1:1143", Listen("127.0.0.1", 1143)),
        ("imap://[::1]:143/", Listen("::1", 143)),
        ("imaps://0.0.0.0:993", Listen("0.0.0.0", 993, implicit_tls=True)),
        (Listen("localhost", 0), Listen("localhost", 0)),
    ],
)
def test_what_is_understood(written: object, listen: Listen) -> None:
    assert READ(written) == listen


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("127.0.0.1", "host:port"),
        ("127.0.0.1:65536", "host:port"),
        (143, "host:port"),
        ("smtp://127.0.0.1:25", "smtp://"),
    ],
)
def test_what_is_not(written: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        READ(written)


@pytest.mark.parametrize(("host", "port"), [("", 1), ("a", -1), ("a", 65_536)])
def test_no_address_without_host_or_port(host: str, port: int) -> None:
    with pytest.raises(ValueError, match="host and a port"):
        Listen(host, port)
