"""What a started bridge says about itself: where it listens and for whom; values only."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from bridge.language import say

ProtocolName = Literal["imap", "smtp", "http"]
"""As the ready line writes them."""

TlsUse = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True, slots=True)
class Listener:
    """One open port."""

    protocol: ProtocolName
    host: str
    port: int
    tls: TlsUse

    def as_json(self) -> dict[str, Any]:
        """Return it without its protocol."""
        return {"host": self.host, "port": self.port, "tls": self.tls}


@dataclass(frozen=True, slots=True)
class Listening:
    """Everything that is up, in the order of the settings; ``fingerprint`` is the certificate's."""

    listeners: tuple[Listener, ...]
    api_url: str
    accounts: tuple[str, ...]
    fingerprint: str

    def first(self, protocol: ProtocolName) -> Listener | None:
        """Return the first listener of a protocol."""
        return next((one for one in self.listeners if one.protocol == protocol), None)

    @property
    def web_url(self) -> str | None:
        """Where a browser finds the page; None if nowhere."""
        web = self.first("http")
        return None if web is None else url_of(web)

    def as_json(self) -> dict[str, Any]:
        """Return the facts of the ready line."""
        imap, smtp = self.first("imap"), self.first("smtp")
        return {
            "ready": True,
            "imap": imap and imap.as_json(),
            "smtp": smtp and smtp.as_json(),
            "web": {"url": self.web_url} if self.web_url else None,
            "api": {"url": self.api_url},
            "listeners": [
                {"protocol": listener.protocol, **listener.as_json()} for listener in self.listeners
            ],
            "accounts": [{"address": address} for address in self.accounts],
        }


ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where one may listen


def url_of(listener: Listener) -> str:
    """Return the URL by which this machine reaches a listener of HTTP."""
    host = ANY_ADDRESS.get(listener.host, listener.host)
    scheme = "https" if listener.tls == "implicit" else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{listener.port}/"


@dataclass(frozen=True, slots=True)
class Running:
    """A bridge that runs: since when (aware), what is up, and what gives the facts of now.

    ``throttles`` gives ``throttle_facts``, ``traces`` a ``trace_facts`` for each trace that is on.
    """

    since: datetime
    listening: Listening
    throttles: Callable[[], dict[str, Any]] = dict
    traces: Callable[[], list[dict[str, Any]]] = list

    @property
    def fingerprint(self) -> str:
        """The certificate's."""
        return self.listening.fingerprint

    def now(self, api_url: str, accounts: tuple[str, ...], fingerprint: str) -> Running:
        """Return the same bridge for these accounts, with another API and certificate perhaps."""
        listening = replace(
            self.listening, api_url=api_url, accounts=accounts, fingerprint=fingerprint
        )
        return replace(self, listening=listening)


_REASONS = {
    errno.EADDRINUSE: say("another program uses it. Stop that program or choose another port."),
    errno.EACCES: say("a right is missing, which ports below 1024 need. Choose another port."),
    errno.EADDRNOTAVAIL: say(
        "this machine has no such address. Choose another, such as 127.0.0.1."
    ),
}


class CannotListen(Exception):
    """A port cannot be had; the text says what to do about it."""

    def __init__(self, table: str, wanted: Iterable[tuple[str, int]], error: OSError) -> None:
        addresses = ", ".join(f"{host}:{port}" for host, port in wanted)
        reason = _REASONS.get(error.errno or 0, say("{why}.", why=error.strerror or error))
        super().__init__(
            say(
                "[{table}] listen: {addresses} cannot be opened: {reason}",
                table=table,
                addresses=addresses,
                reason=reason,
            )
        )
