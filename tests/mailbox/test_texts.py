"""Texts: taken apart when they come, and forgotten a day after their last copy."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.mailbox import Mailboxes
from bridge.mailbox.texts import ORPHAN_AGE
from bridge.mime.ingest import ingest
from bridge.model import (
    AccountId,
    Mailbox,
)
from bridge.store.base import Store
from bridge.store.messages import Part
from tests.fakes import FakeClock
from tests.store.made import NOW, ingested


async def test_a_text_outlives_its_last_copy_by_a_day(
    mailboxes: Mailboxes, store: Store, inbox: Mailbox, clock: FakeClock
) -> None:
    row = await mailboxes.append(inbox.id, ingested(), frozenset(), NOW)
    await mailboxes.expunge(inbox.id, [row.uid])
    await clock.advance(ORPHAN_AGE.total_seconds())
    assert await mailboxes.drop_orphans() == 0
    await clock.advance(timedelta(seconds=1).total_seconds())
    assert await mailboxes.drop_orphans() == 1
    assert await store.read(lambda tx: tx.pieces([row.content], [Part.RAW])) == []


async def test_a_large_message_is_taken_apart_like_any_other(
    mailboxes: Mailboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = b"Subject: =?utf-8?q?Perch=C3=A9?=\r\nFrom: a@b.it\r\n\r\nCitt\xc3\xa0\r\n" * 3
    monkeypatch.setattr("bridge.mailbox.texts.APART_FROM_BYTES", 10)
    assert await mailboxes.prepare_large(AccountId(1), raw) == ingest(raw)
