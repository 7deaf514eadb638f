"""What a started bridge says about itself: where it listens and for whom; values only."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Listener:
    """One open port."""

    protocol: Literal["imap", "smtp"]
    host: str
    port: int
    tls: Literal["none", "starttls", "implicit"]

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

    def first(self, protocol: Literal["imap", "smtp"]) -> Listener | None:
        """Return the first listener of a protocol."""
        return next((one for one in self.listeners if one.protocol == protocol), None)

    def as_json(self) -> dict[str, Any]:
        """Return the facts of the ready line."""
        imap, smtp = self.first("imap"), self.first("smtp")
        return {
            "ready": True,
            "imap": imap and imap.as_json(),
            "smtp": smtp and smtp.as_json(),
            "web": None,
            "api": {"url": self.api_url},
            "listeners": [
                {"protocol": listener.protocol, **listener.as_json()} for listener in self.listeners
            ],
            "accounts": [{"address": address} for address in self.accounts],
        }


@dataclass(frozen=True, slots=True)
class Running:
    """A bridge that runs: since when (aware), and what is up."""

    since: datetime
    listening: Listening

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
    errno.EADDRINUSE: "another program uses it. Stop that program or choose another port.",
    errno.EACCES: "a right is missing, which ports below 1024 need. Choose another port.",
    errno.EADDRNOTAVAIL: "this machine has no such address. Choose another, such as 127.0.0.1.",
}


class CannotListen(Exception):
    """A port cannot be had; the text says what to do about it."""

    def __init__(self, protocol: str, wanted: Iterable[tuple[str, int]], error: OSError) -> None:
        addresses = ", ".join(f"{host}:{port}" for host, port in wanted)
        reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}.")
        super().__init__(f"[{protocol}] listen: {addresses} cannot be opened: {reason}")
