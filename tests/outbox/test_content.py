from __future__ import annotations

import base64
import hashlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.apart.process import Apart
from bridge.mime.strict.submission import Submission
from bridge.model import ContentId
from bridge.outbox.content import (
    LARGE_BYTES,
    OFF_LOOP_BYTES,
    SLICE_BYTES,
    Unsendable,
    is_longer,
    load_request,
)
from bridge.simulator import Simulator
from bridge.spool import Spooled
from bridge.store.base import StoreFailed
from bridge.store.outbox import SubmissionRow
from bridge.store.sql.messages import SqlMessages
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, Rig

HEAD = (
    f"From: {ADDRESSES[0]}\r\nTo: b@c.invalid\r\nSubject: Prova\r\nMIME-Version: 1.0\r\n"
    "Message-ID: <uno@client.invalid>\r\nContent-Type: application/pdf\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\n"
).encode()


def of_size(size_bytes: int) -> tuple[bytes, bytes]:
    """Return a message of exactly so many bytes, and the file in it."""
    letters = (size_bytes - len(HEAD)) // 4 * 4
    blanks = size_bytes - len(HEAD) - letters
    content = hashlib.shake_128(b"").digest(letters // 4 * 3)
    raw = HEAD + b"\n" * blanks + base64.b64encode(content)
    assert len(raw) == size_bytes
    return raw, content


async def queued(rig: Rig, raw: bytes) -> SubmissionRow:
    name = "<uno@client.invalid>"
    submission = Submission(raw, name, name, "Prova", (("b@c.invalid",),))
    digest = hashlib.sha256(raw).digest()
    return await rig.row((await rig.outbox.enqueue(rig.accounts[0], submission, digest)).id)


@pytest.fixture
async def rig(tmp_path: Path, clock: FakeClock, simulator: Simulator) -> Rig:
    """An outbox that nothing leaves."""
    return await Rig.open(tmp_path, clock, simulator)


@pytest.mark.parametrize(
    "size_bytes",
    [
        1_000,
        OFF_LOOP_BYTES - 1,
        OFF_LOOP_BYTES,
        OFF_LOOP_BYTES + 1,
        OFF_LOOP_BYTES + 2,
        OFF_LOOP_BYTES + 1 + SLICE_BYTES,
        OFF_LOOP_BYTES + 2 + SLICE_BYTES,
        2 * SLICE_BYTES + 12_345,
    ],
)
async def test_a_text_arrives_whole_however_it_is_sliced(
    rig: Rig, tmp_path: Path, size_bytes: int
) -> None:
    raw, content = of_size(size_bytes)
    row = await queued(rig, raw)
    request = await load_request(rig.store, row, ADDRESSES[0], "refuse", Apart(tmp_path))
    (file,) = request.attachments
    sent = file.content.whole() if isinstance(file.content, Spooled) else file.content
    assert (file.media_type, sent) == ("application/pdf", content)
    assert isinstance(request.body, Spooled) is (size_bytes > LARGE_BYTES)
    assert (request.sender, request.recipients, request.subject) == (
        ADDRESSES[0],
        ("b@c.invalid",),
        "Prova",
    )
    assert await is_longer(rig.store, row, LARGE_BYTES) is (size_bytes > LARGE_BYTES)
    await rig.close()


async def test_a_text_that_is_gone_cannot_be_sent(rig: Rig, tmp_path: Path) -> None:
    row = replace(await queued(rig, of_size(1_000)[0]), content=ContentId(99))
    with pytest.raises(Unsendable, match="no longer in the store"):
        await load_request(rig.store, row, ADDRESSES[0], "refuse", Apart(tmp_path))
    await rig.close()


@pytest.mark.parametrize("reads", [0, 1], ids=["at once", "half way"])
async def test_a_text_that_cannot_be_read_now_is_neither_cut_nor_called_gone(
    rig: Rig, tmp_path: Path, reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await queued(rig, of_size(OFF_LOOP_BYTES + 1 + SLICE_BYTES)[0])
    whole = SqlMessages.raw
    left = [reads]

    async def raw(self: SqlMessages, content: ContentId, start: int, length: int) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise sqlite3.OperationalError("disk I/O error")
        return await whole(self, content, start, length)

    monkeypatch.setattr(SqlMessages, "raw", raw)
    with pytest.raises(StoreFailed):
        await load_request(rig.store, row, ADDRESSES[0], "refuse", Apart(tmp_path))
    monkeypatch.undo()
    await rig.close()


async def test_a_text_that_breaks_the_rules_says_why(rig: Rig, tmp_path: Path) -> None:
    signed = HEAD.replace(b"application/pdf", b"application/pkcs7-mime; smime-type=signed-data")
    row = await queued(rig, signed)
    with pytest.raises(Unsendable, match="S/MIME"):
        await load_request(rig.store, row, ADDRESSES[0], "refuse", Apart(tmp_path))
    request = await load_request(rig.store, row, ADDRESSES[0], "attach", Apart(tmp_path))
    assert request.attachments[0].content == signed
    await rig.close()
