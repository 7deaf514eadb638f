"""A real ``serve`` beside a real ``simulator``, each a process of its own that can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

READY_WITHIN_S = 30
ADDRESS, PASSWORD, TOKEN = "azienda@pec.invalid", "parola", "gettone"
PROGRAM = Path(sys.executable).with_name("pec-bridge")


@contextmanager
def running(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """Start the program, give its process and what it said when it was ready; kill it after."""
    with subprocess.Popen([PROGRAM, *arguments, "--json"], stdout=subprocess.PIPE) as process:
        patience = threading.Timer(READY_WITHIN_S, process.kill)
        patience.start()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            patience.cancel()
            assert line, "the program did not get ready"
            yield process, json.loads(line)
        finally:
            patience.cancel()
            process.kill()


@contextmanager
def simulating(*options: str) -> Iterator[str]:
    """Run the simulated API with one mailbox; gives its address."""
    words = [word for option in (*options, f"token={TOKEN}") for word in ("--set", option)]
    mailbox = f"{ADDRESS}:{PASSWORD}"
    with running("simulator", "--port", "0", "--mailbox", mailbox, *words) as (_, ready):
        yield ready["api"]["url"]


def configured(folder: Path, simulator: str, more: str = "", *, timeout_s: float = 30) -> Path:
    """Write a configuration of that mailbox, and its secrets, into a folder.

    Args:
        folder: where.
        simulator: the API's address.
        more: what comes behind: further tables, or more of the account's.
        timeout_s: how long an answer of the API is waited for.
    """
    for name, secret in (("token", TOKEN), ("password", PASSWORD)):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    file = folder / "config.toml"
    file.write_text(
        f"""
        data_dir = "data"
        [api]
        base_url = "{simulator}"
        token = {{ file = "token" }}
        timeout_s = {timeout_s}
        [send]
        rate_per_s = 20
        [sync]
        interval_s = 1
        request_budget_per_day = 1000000
        [imap]
        listen = ["127.0.0.1:0"]
        [smtp]
        listen = ["127.0.0.1:0"]
        [[account]]
        address = "{ADDRESS}"
        password = {{ file = "password" }}
        {more}
        """
    )
    return file


def message(subject: str) -> EmailMessage:
    """Return a message by its subject."""
    made = EmailMessage()
    made["From"] = ADDRESS
    made["To"] = "cliente@altra.invalid"
    made["Subject"] = subject
    made["Date"] = "Thu, 15 Jan 2026 10:00:00 +0100"
    made["Message-ID"] = f"<{subject.replace(' ', '.')}@client.invalid>"
    made.set_content("Salve.\n")
    return made


def ask(simulator: str, path: str, value: object = None) -> Any:
    """Ask the simulator what happened, or tell it what is to happen."""
    data = None if value is None else json.dumps(value).encode()
    with urllib.request.urlopen(f"{simulator}/_simulator/{path}", data, timeout=10) as answer:
        return json.load(answer)


def queue(config: Path) -> list[dict[str, Any]]:
    """Return what ``queue list`` says."""
    listed = subprocess.run(
        [PROGRAM, "queue", "list", "--config", config, "--json"],
        capture_output=True,
        check=True,
        timeout=30,
    )
    entries = json.loads(listed.stdout)
    assert isinstance(entries, list)
    return entries
