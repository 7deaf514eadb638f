"""How much memory two bridges take that serve many accounts on one PostgreSQL: prints JSON.

``python -m tests.benchmarks.several_memory`` starts a simulated API of 200 mailboxes, a PostgreSQL
server that syncs, and two real ``pec-bridge serve``; the first leads. Each INBOX gets messages by
APPEND. Then every account has a client on each bridge that reads all headers and waits in IDLE. The
resident memory (Linux) is taken at each step.

Goal: 150 MB each with 200 accounts. ``PYTHONDONTWRITEBYTECODE`` must not be set.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests import cluster
from tests.benchmarks.imap_client import PASSWORD, Client
from tests.benchmarks.imap_speed import HEADERS, message, vocabulary
from tests.benchmarks.memory import Memory, running

NAMES = ("leads", "follows")


def address(number: int) -> str:
    """Return an account's address."""
    return f"conto{number}@pec.example"


def write_settings(folder: Path, said: dict[str, Any], url: str, accounts: int) -> Path:
    """Write a bridge's configuration and secrets into a folder of its own."""
    folder.mkdir()
    for name, secret in (("token", said["token"]), ("password", PASSWORD), ("store", url)):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    config = folder / "config.toml"
    config.write_text(
        f"""
        data_dir = "data"
        [api]
        base_url = "{said["api"]["url"]}"
        token = {{ file = "token" }}
        [store]
        url = {{ file = "store" }}
        [imap]
        listen = ["127.0.0.1:0"]
        [smtp]
        listen = ["127.0.0.1:0"]
        [web]
        listen = ["127.0.0.1:0"]
        """
        + "".join(
            f'\n[[account]]\naddress = "{address(number)}"\npassword = {{ file = "password" }}\n'
            for number in range(accounts)
        )
    )
    return config


def fill(port: int, accounts: int, messages: int, size_bytes: int) -> None:
    """Append to each account's INBOX."""
    words = vocabulary()
    for number in range(accounts):
        with closing(Client(port, address(number))) as client:
            client.append_all("INBOX", (message(n, size_bytes, words) for n in range(messages)))


def waiting(port: int, accounts: int) -> list[Client]:
    """Return a client of each account, which read all headers and waits in IDLE."""
    clients = []
    for number in range(accounts):
        client = Client(port, address(number))
        client.command("SELECT INBOX")
        client.command(HEADERS)
        client.begin("IDLE")
        client.response()
        clients.append(client)
    return clients


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--messages", type=int, default=100, help="in each INBOX")
    parser.add_argument("--size", type=int, default=8192, help="bytes of each")
    options = parser.parse_args()
    figures: dict[str, dict[str, float]] = {name: {} for name in NAMES}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        log = folder / "log"
        server = stack.enter_context(contextmanager(cluster.running)(**cluster.DURABLE))
        url = server.url(server.new_database())
        boxes = [
            word
            for n in range(options.accounts)
            for word in ("--mailbox", f"{address(n)}:{PASSWORD}")
        ]
        simulator = ("simulator", "--port", "0", "--json", *boxes)
        _, said = stack.enter_context(running(*simulator, log=log))
        bridges = {}
        for name in NAMES:
            config = write_settings(folder / name, said, url, options.accounts)
            bridges[name] = stack.enter_context(
                running("serve", "--json", "--config", config, log=log)
            )

        def take(step: str) -> None:
            for name, (process, _) in bridges.items():
                figures[name][f"{step}_mb"] = Memory(process).mb()

        take("listening")
        ports = {name: ready["imap"]["port"] for name, (_, ready) in bridges.items()}
        fill(ports["follows"], options.accounts, options.messages, options.size)
        take("filled")
        clients = [one for port in ports.values() for one in waiting(port, options.accounts)]
        take("all_waiting")
        for one in clients:
            one.close()
        take("all_gone")
        for name, (process, _) in bridges.items():
            figures[name]["peak_mb"] = Memory(process).mb("VmHWM")
    json.dump(
        {
            "accounts": options.accounts,
            "messages_each": options.messages,
            "size_bytes": options.size,
            "python": platform.python_version(),
            **figures,
        },
        sys.stdout,
        indent=1,
    )
    print()


if __name__ == "__main__":
    main()
