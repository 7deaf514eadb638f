"""curl: lists, fetches and submits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers.conftest import Run
from tests.peers.demo import Demo

pytestmark = pytest.mark.peer


def test_curl_lists_and_fetches_inbox(demo: Demo, run: Run) -> None:
    imap = f"imap://127.0.0.1:{demo.imap_port}"
    listing = run("curl", "-sS", "-u", demo.credentials, f"{imap}/")
    assert listing.returncode == 0, listing.stderr
    for name in ("INBOX", "Sent", "Drafts", "Trash", "Archive"):
        assert name in listing.stdout
    message = run("curl", "-sS", "-u", demo.credentials, f"{imap}/INBOX;MAILINDEX=1")
    assert message.returncode == 0, message.stderr
    assert "Subject: " in message.stdout
    found = run("curl", "-sS", "-u", demo.credentials, f"{imap}/INBOX?ALL")
    assert found.stdout.startswith("* SEARCH 1")


async def test_curl_submits(demo: Demo, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "message.eml"
    file.write_text(
        f"From: {demo.address}\r\nTo: fail-x@altra.invalid\r\nSubject: Con curl\r\n\r\nSalve\r\n"
    )
    done = run(
        "curl",
        "-sS",
        *("-u", demo.credentials, f"smtp://127.0.0.1:{demo.smtp_port}"),
        *("--mail-from", demo.address, "--mail-rcpt", "fail-x@altra.invalid", "-T", file),
    )
    assert done.returncode == 0, done.stderr
    await demo.until(
        lambda seen: any(one.startswith("AVVISO DI MANCATA CONSEGNA: Con curl") for one in seen)
    )
    assert len(demo.sent("Con curl")) == 1


def test_curl_with_a_wrong_password_is_refused(demo: Demo, run: Run) -> None:
    done = run("curl", "-sS", "-u", f"{demo.address}:no", f"imap://127.0.0.1:{demo.imap_port}/")
    assert done.returncode == 67, done.stderr
