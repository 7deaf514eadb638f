from __future__ import annotations

import pytest

from bridge.net.address import is_loopback

HOSTS = {
    "127.0.0.1": True,
    "127.8.9.10": True,
    "::1": True,
    "::1%lo": True,
    "::ffff:127.0.0.1": True,
    "localhost": True,
    "LocalHost": True,
    "192.0.2.1": False,
    "::ffff:192.0.2.1": False,
    "::": False,
    "0.0.0.0": False,
    "fe80::1%eth0": False,
    "localhost.example.org": False,
    "127.0.0.1.example.org": False,
    "": False,
    "unknown": False,
}


@pytest.mark.parametrize(("host", "expected"), HOSTS.items(), ids=HOSTS.keys())
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
