"""Texts found by a whole Message-ID: none that has it is missed, whatever its header looks like."""

from __future__ import annotations

from dataclasses import replace

from bridge.model import ContentId, Mailbox
from bridge.store.base import Store, Transaction
from tests.store.made import NOW, ingested

PLAIN = ("message-id:<a@b>", "subject:x\nmessage-id:<a@b>\nto:y", "message-id:<a@b>\n\tmessage-id:")
ELSE = ("message-id:<c@d>", "subject:<a@b>", "subject:x\n\tmessage-id:<a@b>", "x-message-id:<a@b>")
ODD = (
    "message-id:<c@d>\nmessage-id:<a@b>",
    "message-id:\nmessage-id:<a@b>",
    "message-id:x <a@b>",
    "message-id:<a@b> (comment)",
    "message-id:<c@d><a@b>",
    "message-id:<<a@b>",
    f"message-id:<{'c' * 500}@d>",
    "message-id:",
)
NEITHER = ("subject:x", "")


async def kept(tx: Transaction, inbox: Mailbox, header: str) -> ContentId:
    made = ingested(header)
    made = replace(made, search=replace(made.search, header=header))
    content = await tx.add_content(inbox.account, made)
    await tx.append_message(inbox.id, content, 9, frozenset(), NOW, NOW)
    return content


async def test_only_what_may_have_the_message_id_is_found(store: Store, inbox: Mailbox) -> None:
    async def fill(tx: Transaction) -> dict[ContentId, str]:
        return {await kept(tx, inbox, one): one for one in (*PLAIN, *ELSE, *ODD, *NEITHER)}

    contents = await store.write(fill)
    found = await store.scan(lambda tx: tx.identified(inbox.id, "<a@b>", 99))
    assert [contents[one] for one in found] == [*PLAIN, *ODD]
    assert await store.scan(lambda tx: tx.identified(inbox.id, "<a@b>", 2)) == found[:2]
    assert len(await store.scan(lambda tx: tx.identified(inbox.id, "<e@f>", 99))) == len(ODD)


async def test_a_message_id_is_looked_for_in_one_mailbox(store: Store, inbox: Mailbox) -> None:
    other = await store.write(lambda tx: tx.add_mailbox(inbox.account, "B", None, 1))

    async def fill(tx: Transaction) -> None:
        await kept(tx, inbox, PLAIN[0])
        await tx.append_message(inbox.id, await kept(tx, inbox, PLAIN[1]), 9, frozenset(), NOW, NOW)

    await store.write(fill)
    assert len(await store.scan(lambda tx: tx.identified(inbox.id, "<a@b>", 99))) == 2
    assert await store.scan(lambda tx: tx.identified(other.id, "<a@b>", 99)) == []


async def test_a_message_id_is_that_of_the_renewed_text(store: Store, inbox: Mailbox) -> None:
    content = await store.write(lambda tx: kept(tx, inbox, PLAIN[0]))
    made = ingested(PLAIN[0])
    made = replace(made, search=replace(made.search, header=ELSE[0]))
    await store.write(lambda tx: tx.renew_content(content, made))
    assert await store.scan(lambda tx: tx.identified(inbox.id, "<a@b>", 99)) == []
    assert await store.scan(lambda tx: tx.identified(inbox.id, "<c@d>", 99)) == [content]
