"""SEARCH of a Message-ID, by the store's index and without: the same messages."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bridge.imapserver import text
from bridge.store.base import Store
from bridge.store.sql.messages import SqlMessages
from tests.imapserver.client import Rig

HEADERS = (
    b"Message-ID: <a.1@pec.example>\r\n",
    b"Message-ID: <A.1@PEC.example>\r\n",
    b"Message-ID:\r\n <a.1@pec.example>\r\n",
    b"Message-ID: <a.2@pec.example>\r\n",
    b"Message-ID: <a.2@pec.example>\r\nMessage-ID: <a.1@pec.example>\r\n",
    b"Message-ID: a.1@pec.example\r\n",
    b"Message-ID: x <a.1@pec.example>\r\n",
    b"References: <a.1@pec.example>\r\n",
    b"",
)
SEARCHES = {
    "whole": ("HEADER Message-ID <a.1@pec.example>", "1 2 3 5 7"),
    "in capitals": ("HEADER MESSAGE-ID <A.1@PEC.EXAMPLE>", "1 2 3 5 7"),
    "a part": ("HEADER Message-ID a.1@pec.example", "1 2 3 5 6 7"),
    "nobody's": ("HEADER Message-ID <b.1@pec.example>", ""),
    "not": ("NOT HEADER Message-ID <a.1@pec.example>", "4 6 8 9"),
    "several": (
        "OR HEADER Message-ID <a.1@pec.example> HEADER Message-ID <a.2@pec.example>",
        "1 2 3 4 5 7",
    ),
    "another field": ("HEADER References <a.1@pec.example>", "8"),
}


@pytest.mark.parametrize("page", [8, 1, text.PAGE], ids=["index", "too many", "read"])
@pytest.mark.parametrize(("key", "found"), SEARCHES.values(), ids=SEARCHES.keys())
async def test_found(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, key: str, found: str, page: int
) -> None:
    monkeypatch.setattr(text, "PAGE", page)
    for number, header in enumerate(HEADERS):
        await rig.add(header + b"Subject: %d\r\n\r\ntext\r\n" % number)
    client = await rig.client("INBOX")
    assert await client.ok(f"SEARCH {key}") == [f"* SEARCH {found}".rstrip()]


async def test_a_whole_message_id_is_looked_up(
    rig: Rig, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "PAGE", 2)
    for number in range(5):
        await rig.add(b"Message-ID: <%d@pec.example>\r\n\r\n" % number)
    read: list[int] = []
    field_texts = SqlMessages.field_texts

    async def counted(self: SqlMessages, contents: Sequence[int], field: object) -> object:
        read.extend(contents)
        return await field_texts(self, contents, field)  # type: ignore[arg-type]

    async def not_asked(*_: object) -> None:
        raise AssertionError("the whole mailbox was looked through")

    monkeypatch.setattr(SqlMessages, "field_texts", counted)
    monkeypatch.setattr(SqlMessages, "matching_text", not_asked)
    client = await rig.client("INBOX")
    assert await client.ok("SEARCH HEADER Message-ID <3@pec.example>") == ["* SEARCH 4"]
    assert len(read) == 1
