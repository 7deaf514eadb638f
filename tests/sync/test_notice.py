"""What a person is told of a row stands on lines of its own, whatever is in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bridge.simulator import SEQUENCE_READING
from bridge.sync.notice import SHOWN_CHARS, doubted
from tests.sync.world import ADDRESS, world


async def test_a_row_that_ends_lines_ends_none_of_a_notice(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.inject(ADDRESS, subject="Prova")
        await here.sync_now()
        row = (await here.store.read(lambda tx: tx.remote_rows(here.account)))[0]
    hostile = "a\r\nBcc: b\u2028c\x00d\ud800"
    notice = doubted(replace(row, subject=hostile, sender=hostile * 99), "perché", "why")
    line = "a Bcc: b c d\ufffd"
    assert notice.subject.endswith(f": {line}")
    assert f"\n\n    {line}\n    {(line * 99)[:SHOWN_CHARS]}\n    " in notice.english
