"""What to type into a mail program for an account, from where the bridge listens. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.config import Config, Listen
from bridge.language import Sentence, say
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


def steps(facts: Mapping[str, Any]) -> dict[str, list[Sentence]]:
    """Return what to do in each mail program, a line for each step; ``facts``: ``connection``'s."""
    imap, smtp = facts["imap"], facts["smtp"]
    if imap is None or smtp is None:
        return {}
    name = say("user name {user}", user=facts["user"])
    return {
        "Thunderbird": [
            say("Account Settings, Add Mail Account, Configure manually:"),
            say(
                "incoming IMAP, {server}, authentication: normal password, {name};",
                server=_words(imap),
                name=name,
            ),
            say(
                "outgoing SMTP, {server}, authentication: normal password, {name}.",
                server=_words(smtp),
                name=name,
            ),
        ],
        "Outlook": [
            say("Add Account, Advanced options, Let me set up my account manually, IMAP:"),
            say("incoming server {server};", server=_outlook(imap)),
            say("outgoing server {server}; {name}.", server=_outlook(smtp), name=name),
        ],
        "Apple Mail": [
            say("Add Account, Other Mail Account; then Settings, Accounts, Server Settings with"),
            say('"Automatically manage connection settings" off:'),
            say(
                "incoming {server}, authentication: password, {name};",
                server=_apple(imap),
                name=name,
            ),
            say(
                "outgoing {server}, authentication: password, {name}.",
                server=_apple(smtp),
                name=name,
            ),
        ],
    }


def _words(server: Mapping[str, Any]) -> Sentence:
    return say(
        "{place}, connection security: {security}", place=_place(server), security=_security(server)
    )


def _outlook(server: Mapping[str, Any]) -> Sentence:
    return say(
        "{place}, encryption method: {security}", place=_place(server), security=_security(server)
    )


def _security(server: Mapping[str, Any]) -> str:
    security = str(server["security"])
    return say("none") if security == "none" else security


def _apple(server: Mapping[str, Any]) -> Sentence:
    place = _place(server)
    if server["security"] == "none":
        return say('{place}, "Use TLS/SSL" off, "Allow insecure authentication" on', place=place)
    return say('{place}, "Use TLS/SSL" on', place=place)


def _place(server: Mapping[str, Any]) -> Sentence:
    if not server["port"]:
        return say("{host}, port (any free one; `pec-bridge status` shows it)", host=server["host"])
    return say("{host}, port {port}", host=server["host"], port=server["port"])
