"""Whatever characters and bytes a text has, it is kept as it is, and found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.model import AccountId, ContentId, Mailbox
from bridge.store.base import Store, Transaction
from bridge.store.messages import Part, TextField
from bridge.store.remote import NewRemote, RemoteId
from tests.store.made import NOW, ingested

TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\0\1\2\3\4\5\6",
    "\1\3",
    "\2\3\1",
    "100%_~ \\ ' \" $1 ? :x",
    "perché ПЭК 漢字 🏛 e\u0301 \ufeff \uffff \U0010ffff",
    "a\r\nb\tc\x7f\x85\u2028",
    "x" * 5_000,
)
NEEDLES = (
    "",
    "\0",
    "\1",
    "\2",
    "\3",
    "\1\3",
    "\4",
    "%",
    "_",
    "~",
    "\\",
    "é",
    "漢字",
    "xxx",
    "B",
    "b",
)


def new(account: AccountId, text: str) -> NewRemote:
    return NewRemote(
        account=account,
        fingerprint=text.encode(),
        api_id="1",
        raw=text,
        sender=text,
        recipient="",
        date_text="",
        subject=text,
        received_at=NOW,
        first_seen=NOW,
    )


async def test_short_texts_come_back(store: Store, account: AccountId) -> None:
    async def work(tx: Transaction) -> list[str | None]:
        found = []
        for text in TEXTS:
            remote = await tx.add_remote(new(account, text))
            row = await tx.remote_row(remote)
            assert row is not None
            assert (row.sender, row.subject, row.fingerprint) == (text, text, text.encode())
            found.append(await tx.remote_raw(remote))
        return found

    assert await store.write(work) == list(TEXTS)


async def test_long_texts_come_back_whole_and_in_parts(store: Store, account: AccountId) -> None:
    async def work(tx: Transaction, text: str) -> tuple[RemoteId, ContentId]:
        content = await tx.add_content(account, ingested(f"s{text}", message_id=str(hash(text))))
        remote = await tx.add_remote(new(account, text))
        await tx.keep_remote_body(remote, text, b"digest", content)
        return remote, content

    for text in TEXTS:
        remote, content = await store.write(lambda tx, text=text: work(tx, text))  # type: ignore[misc]
        octets = text.encode()
        assert await store.read(lambda tx, of=remote: tx.remote_body(of)) == text  # type: ignore[misc]
        part = await store.read(lambda tx, of=remote: tx.remote_body_slice(of, 1, 3))  # type: ignore[misc]
        assert part == octets[1:4]
        message = ingested(f"s{text}")
        ((_, raw, envelope),) = await store.read(
            lambda tx, of=content: tx.pieces([of], [Part.RAW, Part.ENVELOPE])  # type: ignore[misc]
        )
        assert (raw, envelope) == (message.raw, message.imap_envelope)
        assert await store.read(lambda tx, of=content: tx.raw(of, 9, 99)) == message.raw[9:108]  # type: ignore[misc, index]


@pytest.mark.parametrize("is_indexed", [False, True])
async def test_every_text_is_found_by_what_it_holds(
    store: Store, inbox: Mailbox, is_indexed: bool
) -> None:
    async def fill(tx: Transaction) -> dict[ContentId, str]:
        contents = {}
        for number, text in enumerate(TEXTS):
            made = ingested(str(number), body=text)
            made = replace(made, search=replace(made.search, subject=text))
            content = await tx.add_content(inbox.account, made)
            await tx.append_message(inbox.id, content, 9, frozenset(), NOW, NOW)
            contents[content] = text
        if is_indexed:
            await tx.index_bodies(100)
        return contents

    contents = await store.write(fill)
    for needle in (*NEEDLES, *TEXTS):
        expected = [content for content, text in contents.items() if needle in text]
        for field in (TextField.BODY, TextField.SUBJECT):
            found, _ = await store.scan(
                lambda tx, field=field, needle=needle: tx.matching_text(inbox.id, field, needle)  # type: ignore[misc]
            )
            assert found == expected, (field, needle)


async def test_lone_surrogates_are_no_text(store: Store, account: AccountId) -> None:
    with pytest.raises(UnicodeEncodeError):
        await store.write(lambda tx: tx.add_subscription(account, "\ud800"))
