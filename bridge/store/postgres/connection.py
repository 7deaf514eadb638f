"""How the database is reached, and what a failure of it means.

A connection that the URL says nothing of goes to a server that takes writes (of several hosts, the
one that does), and over a network to one that proves by its certificate to be the one that was
named. Nothing is waited for without an end: not for a network that was cut, nor for a statement,
nor by the server for us.

Failure: psycopg's own errors become ``StoreFull`` or ``StoreFailed`` here and nowhere else.
"""

from __future__ import annotations

import contextlib
import os
import socket
from functools import cached_property
from typing import Any

import psycopg
from psycopg import conninfo
from psycopg.errors import DiskFull

from bridge.language import say
from bridge.store.base import StoreFailed, StoreFull
from bridge.store.postgres.statements import Statements
from bridge.store.postgres.words import register


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection with the statements that were prepared on it."""

    @cached_property
    def statements(self) -> Statements:
        """They, once it was told how texts and numbers go over."""
        return Statements(self)


OLDEST_SERVER = 150_000
"""PostgreSQL 15, as its server tells it."""

CACHED_STATEMENTS = 512
STATEMENT_MOST_S, SCAN_MOST_S = 60, 600
LOCK_MOST_S = 25
"""How long a group waits for another bridge's commit."""
IDLE_MOST_S = 15
"""After how long the server ends a transaction of which nothing more comes."""

_LOCAL = ("localhost", "127.0.0.1", "::1")
_WAYS = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "target_session_attrs": "read-write",
    "application_name": "pec-bridge",
    "client_encoding": "UTF8",
}


def conninfo_of(url: str) -> str:
    """Return what libpq is told.

    Raises:
        StoreFailed: it cannot be read.
    """
    try:
        told = conninfo.conninfo_to_dict(url)
    except psycopg.Error as error:
        raise StoreFailed(
            say("the database's URL cannot be read: {reason}", reason=_first_line(error))
        ) from None
    for way, value in _WAYS.items():
        told.setdefault(way, value)
    hosts = str(told.get("host") or told.get("hostaddr") or "").split(",")
    if any(host and not host.startswith("/") and host not in _LOCAL for host in hosts):
        told.setdefault("sslmode", "verify-full")
        if told["sslmode"] == "verify-full":
            told.setdefault("sslrootcert", "system")
    return conninfo.make_conninfo("", **told)


def name_of(url: str) -> str:
    """Return how the database is called in sentences: no user, no password."""
    told = conninfo.conninfo_to_dict(url)
    name = told.get("dbname") or told.get("user") or ""
    host = told.get("host") or told.get("hostaddr")
    return f"PostgreSQL ({name} at {host})" if host else f"PostgreSQL ({name})"


def connect(told: str, *, statement_most_s: int = STATEMENT_MOST_S) -> Connection:
    """Open a connection; its transactions are begun and ended by the caller.

    Args:
        told: what ``conninfo_of`` returned.
        statement_most_s: how long a statement may take.

    Raises:
        psycopg.Error: it could not be opened.
    """
    connection = Connection.connect(
        told, autocommit=True, cursor_factory=psycopg.RawCursor, prepare_threshold=2
    )
    try:
        connection.prepared_max = CACHED_STATEMENTS
        register(connection.adapters)
        connection.execute(
            f"SET statement_timeout = '{statement_most_s}s'; SET lock_timeout = '{LOCK_MOST_S}s';"
            f" SET idle_in_transaction_session_timeout = '{IDLE_MOST_S}s';"
            " SET client_min_messages = warning"
        )
    except BaseException:
        connection.close()
        raise
    return connection


def cut_off(connection: Connection) -> None:
    """Let whoever waits for the server, on another thread, wait no longer."""
    with contextlib.suppress(OSError, psycopg.Error):
        line = socket.socket(fileno=os.dup(connection.fileno()))
        with line:
            line.shutdown(socket.SHUT_RDWR)


def failure(error: Exception, name: str) -> StoreFailed:
    """Return what psycopg's error means to the store's users."""
    if isinstance(error, DiskFull):
        return StoreFull(say("{path}: {error}", path=name, error=_first_line(error)))
    return StoreFailed(say("{path}: {error}", path=name, error=_first_line(error)))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
