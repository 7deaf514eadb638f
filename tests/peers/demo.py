"""A running ``pec-bridge demo`` in a process of its own, as a newcomer would start it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aioimaplib

READY_WITHIN_S = 30
PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class Demo:
    """How to reach the demo."""

    address: str
    password: str
    imap_port: int
    smtp_port: int
    api_url: str
    web_url: str

    @property
    def credentials(self) -> str:
        return f"{self.address}:{self.password}"

    def state(self) -> dict[str, Any]:
        """Return what the simulated API has seen."""
        with urllib.request.urlopen(f"{self.api_url}/_simulator/state", timeout=10) as answer:
            state = json.load(answer)
        assert isinstance(state, dict)
        return state

    def sent(self, subject: str) -> list[dict[str, Any]]:
        """Return the messages of this subject that reached the API."""
        return [sent for sent in self.state()["sent"] if sent["subject"] == subject]

    async def until(self, condition: Callable[[list[str]], bool]) -> list[str]:
        """Wait in IDLE until INBOX's subjects fulfil ``condition`` and return them."""
        client = aioimaplib.IMAP4(host="127.0.0.1", port=self.imap_port, timeout=PATIENCE_S)
        await client.wait_hello_from_server()
        await client.login(self.address, self.password)
        await client.select("INBOX")
        deadline_s = time.monotonic() + PATIENCE_S
        try:
            while not condition(subjects := await _subjects(client)):
                assert time.monotonic() < deadline_s, subjects
                await client.idle_start(timeout=PATIENCE_S)
                await client.wait_server_push(timeout=PATIENCE_S)
                client.idle_done()
        finally:
            await client.logout()
        return subjects


async def _subjects(client: aioimaplib.IMAP4) -> list[str]:
    await client.noop()
    answer = await client.uid("fetch", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    lines = [bytes(line).decode() for line in answer.lines]
    return [line.partition(":")[2].strip() for line in lines if line.startswith("Subject:")]


@contextmanager
def running_demo(data_dir: Path, *options: str) -> Iterator[Demo]:
    """Start the demo on free ports, give it, end it as systemd would and expect exit 0."""
    program = Path(sys.executable).with_name("pec-bridge")
    ports = [f"--{name}-port=0" for name in ("imap", "smtp", "web")]
    with (data_dir / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [program, "demo", "--json", f"--data-dir={data_dir}", *ports, *options],
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, "PYTHONWARNINGS": "default"},
        )
    assert process.stdout is not None
    try:
        with process.stdout:
            readable, _, _ = select.select([process.stdout], [], [], READY_WITHIN_S)
            line = process.stdout.readline() if readable else b""
            if not line:
                raise AssertionError((data_dir / "stderr").read_text())
            ready = json.loads(line)
            account = ready["accounts"][0]
            yield Demo(
                account["address"],
                account["password"],
                ready["imap"]["port"],
                ready["smtp"]["port"],
                ready["api"]["url"].rstrip("/"),
                ready["web"]["url"],
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0, (data_dir / "stderr").read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
