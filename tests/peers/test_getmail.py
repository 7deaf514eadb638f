"""getmail: fetches every message once, by UID, and none the second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers.conftest import Run
from tests.peers.demo import running_demo

pytestmark = pytest.mark.peer

CONFIG = """\
[retriever]
type = SimpleIMAPRetriever
server = 127.0.0.1
port = {port}
username = {address}
password = {password}
mailboxes = ("INBOX",)

[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "cat > {path}/mail/$$")
allow_root_commands = true

[options]
read_all = false
delete = false
"""


async def test_getmail_fetches_each_message_once(run: Run, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (tmp_path / "mail").mkdir()
    with running_demo(data_dir) as demo:
        total = demo.state()["mailboxes"][0]["messages"]
        await demo.until(lambda subjects: len(subjects) == total)
        (tmp_path / "getmailrc").write_text(
            CONFIG.format(
                port=demo.imap_port, address=demo.address, password=demo.password, path=tmp_path
            )
        )
        for _ in range(2):
            done = run("getmail", "--getmaildir", tmp_path, "--rcfile", tmp_path / "getmailrc")
            assert done.returncode == 0, done.stdout + done.stderr
            assert len(list((tmp_path / "mail").iterdir())) == total
