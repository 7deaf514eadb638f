"""HAProxy before two bridges on one PostgreSQL, as docs/scaling.md has it."""

from __future__ import annotations

import imaplib
import shutil
import smtplib
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests import cluster
from tests.killed import ADDRESS, PASSWORD, PROGRAM, ask, message
from tests.peers.several import Several, several

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed"),
    pytest.mark.skipif(cluster.missing() is not None, reason=str(cluster.missing())),
]

SERVED_WITHIN_S = 15


def submit(all_of_it: Several, subject: str) -> None:
    with smtplib.SMTP("127.0.0.1", all_of_it.smtp_port, timeout=10) as server:
        server.login(ADDRESS, PASSWORD)
        server.send_message(message(subject))


def read(all_of_it: Several) -> None:
    client = imaplib.IMAP4("127.0.0.1", all_of_it.imap_port, timeout=10)
    client.login(ADDRESS, PASSWORD)
    assert client.select("Sent")[0] == "OK"
    client.logout()


def all_sent(all_of_it: Several, count: int) -> None:
    assert len(ask(all_of_it.simulator, "state")["sent"]) >= count


def eventually(work: Callable[[], None]) -> None:
    """Do it again until it works, as mail programs do when a connection is lost."""
    deadline_s = time.monotonic() + SERVED_WITHIN_S
    while True:
        try:
            return work()
        except (OSError, smtplib.SMTPException, imaplib.IMAP4.error, AssertionError):
            if time.monotonic() > deadline_s:
                raise
        time.sleep(0.2)


def test_clients_are_served_while_one_bridge_is_down(tmp_path: Path) -> None:
    with several(tmp_path) as all_of_it:
        for number in range(4):
            submit(all_of_it, f"Prima {number}")
            read(all_of_it)
        status = subprocess.run(
            [PROGRAM, "status", "--config", all_of_it.configs["two"]],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout
        assert "leads" in status
        assert "follows" in status
        all_of_it.bridges["one"].terminate()
        assert all_of_it.bridges["one"].wait(15) == 0
        for number in range(4):
            eventually(partial(submit, all_of_it, f"Dopo {number}"))
            eventually(partial(read, all_of_it))
        eventually(partial(all_sent, all_of_it, 8))
        subjects = [one["subject"] for one in ask(all_of_it.simulator, "state")["sent"]]
        assert len(set(subjects)) == len(subjects) == 8
