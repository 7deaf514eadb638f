"""Texts and keys worked out by older rules give way to those of newer ones."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.mailbox import Mailboxes
from bridge.mailbox.texts import RENEWAL_BATCH_BYTES
from bridge.mime.ingest import ingest
from bridge.model import AccountId, ContentId, MailboxId
from bridge.store.base import Store
from bridge.store.messages import Part, TextField
from bridge.store.sqlite import SqliteStore, migrations
from bridge.store.sqlite.connection import FILE_NAME
from tests.fakes import FakeClock

RAW = (
    b"From: a@b.it\r\nSubject: =?utf-8?q?Caff=C3=A8?=\r\nDate: Wed, 15 Dec 2010  59:10 -0500\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nperch\xc3\xa9 \xe1 no\r\n"
)
OLD = """
UPDATE content SET base_subject = 'old', preview = 'old', sent_on = NULL, sent_at = NULL;
UPDATE content_text SET subject = 'old', header = 'subject:old';
UPDATE content_body_text SET body = 'old rules';
"""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await SqliteStore.open(tmp_path)
    yield store
    await store.close()


async def stored(store: Store, clock: FakeClock, *raws: bytes) -> tuple[Mailboxes, MailboxId]:
    mailboxes = Mailboxes(store, clock)
    account = await mailboxes.open_account("a@pec.example")
    box = await mailboxes.find(account, "Drafts")
    assert box is not None
    for raw in raws:
        await mailboxes.append(box.id, ingest(raw), frozenset(), clock.now())
    return mailboxes, box.id


def make_old(path: Path) -> None:
    """Give the file what an older version would have stored, marked as the step marks it."""
    with sqlite3.connect(path / FILE_NAME) as connection:
        connection.executescript(OLD)
        connection.execute("INSERT INTO stale_content SELECT id FROM content")
    connection.close()


async def found(store: Store, box: MailboxId, needle: str) -> list[ContentId]:
    return (await store.read(lambda tx: tx.matching_text(box, TextField.BODY, needle)))[0]


@pytest.mark.parametrize("indexed", [False, True])
async def test_all_that_is_searched_and_sorted_by_is_renewed(
    store: Store, clock: FakeClock, tmp_path: Path, indexed: bool
) -> None:
    mailboxes, box = await stored(store, clock, RAW)
    make_old(tmp_path)
    if indexed:
        assert await mailboxes.index_bodies() == 1
    (content,) = await found(store, box, "old rules")
    assert await mailboxes.renew_texts() == 1
    assert await mailboxes.renew_texts() == 0
    assert await found(store, box, "old rules") == []
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        left = connection.execute("SELECT rowid FROM body_index WHERE body_index MATCH '\"old\"'")
        assert left.fetchall() == []
    connection.close()
    assert await found(store, box, "perche \ufffd no") == [content]
    (row,) = await store.read(lambda tx: tx.sort_rows([content], frozenset({"base_subject"})))
    assert (row.base_subject, row.sent_at) == ("CAFFE\u0300", 1292389200)
    assert await store.read(lambda tx: tx.sent_days([content])) == [(content, "2010-12-15")]
    subject = await store.read(lambda tx: tx.matching_text(box, TextField.SUBJECT, "caffe"))
    assert subject[0] == [content]
    headers = await store.read(lambda tx: tx.field_texts([content], TextField.HEADER))
    assert headers == [(content, ingest(RAW).search.header)]
    (preview,) = await store.read(lambda tx: tx.pieces([content], [Part.PREVIEW]))
    assert preview[1] == "perché \ufffd no"


async def test_what_a_client_may_have_kept_stays(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    mailboxes, box = await stored(store, clock, RAW)
    parts = [Part.RAW, Part.ENVELOPE, Part.BODY, Part.BODYSTRUCTURE, Part.PARTS, Part.HEADER]
    (content,) = await found(store, box, "no")
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE content_structure SET envelope = x'4e494c'")
    connection.close()
    make_old(tmp_path)
    before = await store.read(lambda tx: tx.pieces([content], parts))
    message = (await mailboxes.index(box)).row(0)
    await mailboxes.renew_texts()
    assert await store.read(lambda tx: tx.pieces([content], parts)) == before
    assert (await Mailboxes(store, clock).index(box)).row(0) == message


async def test_large_texts_are_renewed_one_at_a_time(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    large = [b"Subject: %d\r\n\r\n" % number + b"x" * RENEWAL_BATCH_BYTES for number in range(3)]
    mailboxes, _box = await stored(store, clock, *large)
    make_old(tmp_path)
    assert [await mailboxes.renew_texts() for _ in range(4)] == [1, 1, 1, 0]


def test_what_was_stored_before_is_stale_after_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    before = tuple(step for step in migrations.STEPS if "stale_content" not in step)
    assert len(before) == len(migrations.STEPS) - 1
    at = next(number for number, step in enumerate(migrations.STEPS) if "stale_content" in step)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[:at])
        migrations.migrate(connection)
    connection.execute("INSERT INTO account (id, address) VALUES (?, 'a@b.it')", (AccountId(1),))
    connection.execute(
        "INSERT INTO content"
        " SELECT 7, 1, x'00', 0, NULL, '', NULL, NULL, '', '', '', '', '', '', 0, ''"
    )
    migrations.migrate(connection)
    assert connection.execute("SELECT content FROM stale_content").fetchall() == [(7,)]
    connection.close()
