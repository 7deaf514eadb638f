"""What the IMAP server is told when it is built; values only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bridge.limits import IMAP_CONNECTIONS, LOGIN_S, TLS_HANDSHAKE_S


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """Limits of the server and of each connection.

    ``handshake_timeout_s`` is how long TLS may take to begin.
    ``login_timeout_s`` is how long a client may take to log in, ``idle_timeout_s`` how long it
    may say nothing after that (RFC 3501 §5.4: 30 minutes at least), ``write_timeout_s`` how long
    it may leave untouched what was sent. After each wrong password the connection rests
    ``failure_delay_s``. ``spool_dir`` holds large messages while they arrive; None is the
    system's folder for such files. ``stop_grace_s`` bounds the wait for commands under way.
    """

    max_connections: int = IMAP_CONNECTIONS
    max_login_failures: int = 5
    failure_delay_s: float = 1.0
    login_timeout_s: float = LOGIN_S
    idle_timeout_s: float = 1860.0
    write_timeout_s: float = 300.0
    stop_grace_s: float = 7.0
    spool_dir: Path | None = None
    handshake_timeout_s: float = TLS_HANDSHAKE_S
