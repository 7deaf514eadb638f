"""offlineimap: copies both ways, flags and new messages too."""

from __future__ import annotations

import imaplib
from pathlib import Path

import pytest

from tests.peers.conftest import Run
from tests.peers.demo import Demo, running_demo

pytestmark = pytest.mark.peer

CONFIG = """\
[general]
accounts = demo
metadata = {path}/metadata

[Account demo]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {path}/mail

[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {port}
remoteuser = {address}
remotepass = {password}
ssl = no
starttls = no
"""

DRAFT = "From: demo@pec.example\nSubject: Bozza\nDate: Thu, 15 Jan 2026 10:00:00 +0100\n\nCiao\n"


async def test_offlineimap_syncs_both_ways(run: Run, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    with running_demo(data_dir) as demo:
        total = demo.state()["mailboxes"][0]["messages"]
        await demo.until(lambda subjects: len(subjects) == total)
        sync(run, demo, tmp_path)
        inbox = tmp_path / "mail" / "INBOX"
        copied = sorted(one for one in inbox.glob("*/*") if one.is_file())
        assert len(copied) == total
        copied[0].rename(inbox / "cur" / f"{copied[0].name.partition(':')[0]}:2,FS")
        (tmp_path / "mail" / "Drafts" / "new" / "1.draft").write_text(DRAFT)
        sync(run, demo, tmp_path)
        with imaplib.IMAP4("127.0.0.1", demo.imap_port, timeout=30) as imap:
            imap.login(demo.address, demo.password)
            imap.select("INBOX", readonly=True)
            flagged = imap.search(None, "FLAGGED", "SEEN")[1][0]
            assert len(flagged.split()) == 1
            assert imap.select("Drafts", readonly=True)[1] == [b"1"]
            assert imap.search(None, "SUBJECT", "Bozza")[1] == [b"1"]
        before = sorted(one.name for one in inbox.glob("*/*"))
        sync(run, demo, tmp_path)
        assert sorted(one.name for one in inbox.glob("*/*")) == before


def sync(run: Run, demo: Demo, path: Path) -> None:
    file = path / "offlineimaprc"
    file.write_text(
        CONFIG.format(port=demo.imap_port, address=demo.address, password=demo.password, path=path)
    )
    done = run("offlineimap", "-o", "-u", "quiet", "-c", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERROR" not in done.stdout + done.stderr
