"""Where a server listens: ``127.0.0.1:1143``, ``[::1]:1143``, ``imaps://0.0.0.0:1993``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bridge.language import say
from bridge.net.address import is_loopback

_LAST_PORT = 65_535
_FORM = re.compile(
    r"(?:(?P<scheme>[a-z]+)://)?(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:/\[\]]+)):(?P<port>\d{1,5})/?"
)


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on; port 0 is any free one. Without ``implicit_tls``: STARTTLS.

    ``descriptor`` is a socket that listens there already, None where one is to be opened.
    """

    host: str
    port: int
    implicit_tls: bool = False
    descriptor: int | None = None

    def __post_init__(self) -> None:
        if not self.host or not 0 <= self.port <= _LAST_PORT:
            raise ValueError(say("an address to listen on needs a host and a port up to 65535"))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)

    @staticmethod
    def reader(protocol: str) -> Callable[[object], Listen]:
        """Return the reader of one such setting; ``protocol`` + "s" means implicit TLS."""

        def read(value: object) -> Listen:
            if isinstance(value, Listen):
                return value
            match = _FORM.fullmatch(value) if isinstance(value, str) else None
            if match is None or int(match["port"]) > _LAST_PORT:
                raise ValueError(say('must be written "host:port", such as "127.0.0.1:1143"'))
            scheme = match["scheme"] or protocol
            if scheme not in (protocol, f"{protocol}s"):
                raise ValueError(say("cannot begin with {scheme}://", scheme=scheme))
            return Listen(match["v6"] or match["host"], int(match["port"]), scheme != protocol)

        return read
