from __future__ import annotations

from typing import Any

import pytest

from bridge.operations.mailprograms import connection, listeners, steps
from tests.running import ADDRESS, settings


def port(protocol: str, host: str, number: int, tls: str) -> dict[str, Any]:
    return {"protocol": protocol, "host": host, "port": number, "tls": tls}


@pytest.mark.parametrize(
    ("ports", "server"),
    [
        ([("127.0.0.1", 1143, "starttls")], ("localhost", 1143, "none")),
        ([("::1", 1143, "starttls")], ("localhost", 1143, "none")),
        ([("0.0.0.0", 143, "starttls")], ("here", 143, "STARTTLS")),
        ([("::", 143, "starttls"), ("::", 993, "implicit")], ("here", 993, "SSL/TLS")),
        ([("::1", 993, "implicit"), ("10.0.0.1", 1, "starttls")], ("10.0.0.1", 1, "STARTTLS")),
        ([("::1", 1, "starttls"), ("::1", 2, "implicit")], ("localhost", 2, "SSL/TLS")),
        ([("127.0.0.1", 0, "starttls")], ("localhost", None, "none")),
    ],
)
def test_which_listener_and_how(
    ports: list[tuple[str, int, str]], server: tuple[str, int | None, str]
) -> None:
    facts = connection(ADDRESS, [port("imap", *one) for one in ports], "here")
    assert facts["smtp"] is None
    assert tuple(facts["imap"].values()) == server


def test_every_program_is_told_user_hosts_ports_and_security(tmp_path: Any) -> None:
    ports = [port("imap", "0.0.0.0", 993, "implicit"), port("smtp", "0.0.0.0", 587, "starttls")]
    told = steps(connection(ADDRESS, ports, "here"))
    assert set(told) == {"Thunderbird", "Outlook", "Apple Mail"}
    for lines in told.values():
        text = " ".join(lines)
        for word in (ADDRESS, "here, port 993", "here, port 587", "TLS"):
            assert word in text
    assert steps(connection(ADDRESS, [], "here")) == {}
    assert [one["protocol"] for one in listeners(settings(tmp_path))] == ["imap", "smtp"]
