"""How much memory the whole bridge takes: ``python -m tests.benchmarks.memory`` prints JSON.

A real ``pec-bridge serve`` against a simulated API in a process of its own. The mailbox is filled
by APPEND, the bridge started anew on it, and its resident memory (Linux) taken when it listens,
with the mailbox selected, after all headers, SORT and THREAD of everything, after all bodies, and
with idle connections beside.
``start_s`` runs from the start of the process to the line that says that it listens.

Goals: 60 MB with 10,000 messages of 8 KB open and 40 KB for each idle connection more
(``--messages 100000 --size 2000``: start within 1 s, 150 MB).
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.imap_client import PASSWORD, USER, Client
from tests.benchmarks.imap_speed import HEADERS, message, vocabulary

PROGRAM = Path(sys.executable).with_name("pec-bridge")
IDLE_CONNECTIONS = 400
BODIES = "UID FETCH 1:* (BODY.PEEK[])"


@contextmanager
def running(*arguments: str | Path, log: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Run a command that says in JSON where it listens; give its process id and what it said."""
    with (
        log.open("ab") as errors,
        subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout is not None
        try:
            yield process.pid, json.loads(process.stdout.readline())
        finally:
            process.terminate()


def write_settings(folder: Path, said: dict[str, Any]) -> Path:
    """Write the configuration and secrets of one account."""
    for name, secret in (("token", said["token"]), ("password", PASSWORD)):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    config = folder / "config.toml"
    config.write_text(
        f"""
        data_dir = "data"
        [api]
        base_url = "{said["api"]["url"]}"
        token = {{ file = "token" }}
        [imap]
        listen = ["127.0.0.1:0"]
        [smtp]
        listen = ["127.0.0.1:0"]
        [[account]]
        address = "{USER}"
        password = {{ file = "password" }}
        """
    )
    return config


class Memory:
    """What the system says of a process, in kilobytes."""

    def __init__(self, process_id: int) -> None:
        self._status = Path(f"/proc/{process_id}/status")

    def kb(self, name: str = "VmRSS") -> int:
        """Return one of its figures."""
        lines = self._status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

    def mb(self, name: str = "VmRSS") -> float:
        """Return one of its figures in megabytes."""
        return round(self.kb(name) / 1024, 1)


def fill(port: int, count: int, size_bytes: int) -> None:
    """Append the messages."""
    words = vocabulary()
    with closing(Client(port)) as client:
        client.append_all("INBOX", (message(n, size_bytes, words) for n in range(count)))


def measure(port: int, memory: Memory) -> dict[str, float]:
    """Take the memory after each thing a mail client does."""
    figures = {"listening_mb": memory.mb()}
    with closing(Client(port)) as client:
        for name, command in (
            ("selected", "SELECT INBOX"),
            ("headers_read", HEADERS),
            ("sorted", "UID SORT (SUBJECT REVERSE FROM DATE) UTF-8 ALL"),
            ("threaded", "UID THREAD REFERENCES UTF-8 ALL"),
            ("bodies_read", BODIES),
        ):
            client.command(command)
            figures[f"{name}_mb"] = memory.mb()
        figures |= with_idle_connections(port, memory)
    figures["not_shared_mb"] = memory.mb("RssAnon")
    figures["peak_mb"] = memory.mb("VmHWM")
    return figures


def with_idle_connections(port: int, memory: Memory) -> dict[str, float]:
    """Take the memory with many connections in IDLE, and what one more of them takes."""
    half = IDLE_CONNECTIONS // 2
    clients: list[Client] = []
    taken_kb = []
    for _ in range(2):  # the first half fills memory that was freed before
        for _ in range(half):
            client = Client(port)
            clients.append(client)
            client.command("SELECT INBOX")
            client.begin("IDLE")
            client.response()
        taken_kb.append(memory.kb())
    for client in clients:
        client.close()
    return {
        f"with_{IDLE_CONNECTIONS}_idle_mb": round(taken_kb[1] / 1024, 1),
        "idle_connection_kb": round((taken_kb[1] - taken_kb[0]) / half, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=8192, help="bytes of each")
    parser.add_argument("--folder", type=Path, help="where the mail is put; a new one by default")
    arguments = parser.parse_args()
    with TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        log = folder / "log"
        mailbox = f"{USER}:{PASSWORD}"
        simulator = ("simulator", "--port", "0", "--json", "--mailbox", mailbox)
        with running(*simulator, log=log) as (_, said):
            serve = ("serve", "--json", "--config", write_settings(folder, said))
            with running(*serve, log=log) as (_, ready):
                fill(ready["imap"]["port"], arguments.messages, arguments.size)
            began_s = time.monotonic()
            with running(*serve, log=log) as (process_id, ready):
                start_s = time.monotonic() - began_s
                figures = measure(ready["imap"]["port"], Memory(process_id))
    json.dump(
        {
            "messages": arguments.messages,
            "size_bytes": arguments.size,
            "python": platform.python_version(),
            "start_s": round(start_s, 2),
            **figures,
        },
        sys.stdout,
        indent=1,
    )
    print()


if __name__ == "__main__":
    main()
