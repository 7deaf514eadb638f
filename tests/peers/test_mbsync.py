"""mbsync: copies the whole account, and the second time finds nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers.conftest import Run
from tests.peers.demo import running_demo

pytestmark = pytest.mark.peer

CONFIG = """\
IMAPAccount demo
Host 127.0.0.1
Port {port}
User {address}
Pass {password}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account demo

MaildirStore near
Path {path}/mail/
Inbox {path}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
"""


async def test_mbsync_has_nothing_to_do_the_second_time(run: Run, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (tmp_path / "mail").mkdir()
    with running_demo(data_dir) as demo:
        total = demo.state()["mailboxes"][0]["messages"]
        await demo.until(lambda subjects: len(subjects) == total)
        file = tmp_path / "mbsyncrc"
        file.write_text(
            CONFIG.format(
                port=demo.imap_port, address=demo.address, password=demo.password, path=tmp_path
            )
        )
        first = run("mbsync", "-c", file, "-a", "-V")
        assert first.returncode == 0, first.stdout + first.stderr
        copied = [one for one in (tmp_path / "mail" / "INBOX").glob("*/*") if one.is_file()]
        assert len(copied) == total
        before = snapshot(tmp_path / "mail")
        second = run("mbsync", "-c", file, "-a", "-V")
        assert second.returncode == 0, second.stdout + second.stderr
        assert snapshot(tmp_path / "mail") == before


def snapshot(path: Path) -> dict[str, int]:
    """Return every message file and its modification time."""
    messages = [
        one for one in path.rglob("*") if one.is_file() and one.parent.name in ("cur", "new")
    ]
    return {str(one): one.stat().st_mtime_ns for one in messages}
