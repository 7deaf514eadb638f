"""What to type into a mail program for an account, from where the bridge listens. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.config import Config, Listen
from bridge.net.address import is_loopback

ANY = frozenset({"0.0.0.0", "::", "*"})  # noqa: S104 - settings to compare, nothing listens


def listeners(config: Config) -> list[dict[str, Any]]:
    """Return where a bridge with these settings listens, as ``status`` tells of one that runs."""
    found: tuple[tuple[str, tuple[Listen, ...]], ...]
    found = (("imap", config.imap.listen), ("smtp", config.smtp.listen))
    return [
        {
            "protocol": protocol,
            "host": one.host,
            "port": one.port,
            "tls": "implicit" if one.implicit_tls else "starttls",
        }
        for protocol, all_of_them in found
        for one in all_of_them
    ]


def connection(address: str, ports: Sequence[Mapping[str, Any]], machine: str) -> dict[str, Any]:
    """Return user name, and host, port and security of each protocol.

    Args:
        address: the account's.
        ports: see ``listeners``.
        machine: the name of the machine that the bridge runs on.
    """
    return {
        "user": address,
        **{protocol: _server(protocol, ports, machine) for protocol in ("imap", "smtp")},
    }


def _server(
    protocol: str, ports: Sequence[Mapping[str, Any]], machine: str
) -> dict[str, Any] | None:
    """Return the server of a protocol, TLS at once and other machines' before this one's own."""
    ours = [one for one in ports if one["protocol"] == protocol]
    if not ours:
        return None
    one = min(ours, key=lambda one: (is_loopback(one["host"]), one["tls"] != "implicit"))
    alone = is_loopback(one["host"])
    host = "localhost" if alone else machine if one["host"] in ANY else one["host"]
    security = {"implicit": "SSL/TLS", "starttls": "none" if alone else "STARTTLS"}[one["tls"]]
    return {"host": host, "port": one["port"] or None, "security": security}


def steps(facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what to do in each mail program, a line for each step; ``facts``: ``connection``'s."""
    imap, smtp = facts["imap"], facts["smtp"]
    if imap is None or smtp is None:
        return {}
    name = f"user name {facts['user']}"
    return {
        "Thunderbird": [
            "Account Settings, Add Mail Account, Configure manually:",
            f"incoming IMAP, {_words(imap)}, authentication: normal password, {name};",
            f"outgoing SMTP, {_words(smtp)}, authentication: normal password, {name}.",
        ],
        "Outlook": [
            "Add Account, Advanced options, Let me set up my account manually, IMAP:",
            f"incoming server {_words(imap, 'encryption method')};",
            f"outgoing server {_words(smtp, 'encryption method')}; {name}.",
        ],
        "Apple Mail": [
            "Add Account, Other Mail Account; then Settings, Accounts, Server Settings with",
            '"Automatically manage connection settings" off:',
            f"incoming {_apple(imap)}, authentication: password, {name};",
            f"outgoing {_apple(smtp)}, authentication: password, {name}.",
        ],
    }


def _words(server: Mapping[str, Any], security: str = "connection security") -> str:
    return f"{_place(server)}, {security}: {server['security']}"


def _apple(server: Mapping[str, Any]) -> str:
    if server["security"] == "none":
        return f'{_place(server)}, "Use TLS/SSL" off, "Allow insecure authentication" on'
    return f'{_place(server)}, "Use TLS/SSL" on'


def _place(server: Mapping[str, Any]) -> str:
    port = server["port"] or "(any free one; `pec-bridge status` shows it)"
    return f"{server['host']}, port {port}"
