"""A PostgreSQL server of the tests' own: on a Unix socket in a temporary folder, gone afterwards.

Debian's ``postgresql`` brings the programs. Nothing is synced, which no test could tell;
it is with the settings ``DURABLE``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg

VERSIONS = Path("/usr/lib/postgresql")
TEMPLATE = "bridge_template"
_NUMBERS = count(1)

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",
    "log_min_messages": "warning",
}

DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on", "shared_buffers": "128MB"}
"""As a server comes: what benchmarks measure."""


def missing() -> str | None:
    """Return why no server can be had, None if one can."""
    if programs() is None:
        return "PostgreSQL is not installed (Debian: postgresql)"
    if os.geteuid() == 0 and _somebody() is None:
        return "PostgreSQL does not run as root, and there is nobody else"
    return None


def programs() -> Path | None:
    """Return where the newest server's programs are."""
    found = sorted(VERSIONS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    return None if elsewhere is None else Path(elsewhere).parent


def _somebody() -> str | None:
    """Return whom the server runs as, where we are root."""
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None


class Cluster:
    """A server; it runs once ``start`` returned, until ``remove``."""

    def __init__(self, **settings: str) -> None:
        bin_dir = programs()
        assert bin_dir is not None
        self._bin = bin_dir
        self._user = _somebody() if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._call("initdb", "-D", str(self.data), "-U", "bridge", "-A", "trust", "--no-sync")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            for name, value in (SETTINGS | settings).items():
                file.write(f"{name} = '{value}'\n")
            file.write(f"unix_socket_directories = '{self.folder}'\n")
        self.server: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Where the server keeps everything."""
        return self.folder / "data"

    def url(self, database: str) -> str:
        """Return what a store is opened with."""
        return f"postgresql://bridge@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start the server; returns when it answers."""
        self._call("pg_ctl", "-D", str(self.data), "-w", "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        """End the server: ``immediate`` is a crash, ``fast`` is in order."""
        self._call("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    def pids(self) -> list[int]:
        """Return the server's processes, the first one first."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, text=True, check=False
        )
        return [first, *map(int, children.stdout.split())]

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement by itself."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def new_database(self, template: str = "template0") -> str:
        """Return the name of a database that was just made."""
        name = f"t{next(_NUMBERS)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return name

    def drop(self, database: str) -> None:
        """Take a database away, whoever uses it."""
        self.run(f"DROP DATABASE {database} WITH (FORCE)")

    def remove(self) -> None:
        """End the server and take all of it away."""
        if (self.data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def _call(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments],
            user=self._user,
            cwd=self.folder,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            check=False,
            umask=0o077,
        )
        assert done.returncode == 0, done.stderr.decode()


def running(**settings: str) -> Iterator[Cluster]:
    """Give a server that runs."""
    cluster = Cluster(**settings)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
