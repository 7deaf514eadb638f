"""Which submission in ``Sent`` a client's own copy without a Message-ID is."""

from __future__ import annotations

import pytest

from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import Mailbox, QueueId
from bridge.store.outbox import NewSubmission
from tests.store.made import NOW

RAW = b"From: azienda@pec.example\r\nTo: cliente@altra.example\r\n\r\nSalve.\r\n"


async def submitted(mailboxes: Mailboxes, sent: Mailbox, name: str, raw: bytes = RAW) -> int:
    """Let a text be submitted, with the Message-ID that it is given; returns its UID in Sent."""
    message_id = f"<{name}@pec.example>"
    message = await mailboxes.prepare(f"Message-ID: {message_id}\r\n".encode() + raw)

    async def work(mtx: MailboxTransaction) -> int:
        row = await mtx.append(sent.id, message, frozenset(), NOW)
        entry = NewSubmission(
            QueueId(name),
            sent.account,
            message_id,
            "",
            ("cliente@altra.example",),
            row.content,
            b"",
            NOW,
        )
        await mtx.tx.add_submission(entry)
        return int(row.uid)

    return await mailboxes.write(work)


async def filed(mailboxes: Mailboxes, sent: Mailbox, raw: bytes = RAW) -> int:
    """Let the client file a copy of its own; returns the UID that it is under."""
    row = await mailboxes.append(sent.id, await mailboxes.prepare(raw), frozenset(), NOW)
    return int(row.uid)


async def test_of_two_submissions_alike_it_is_the_newest(
    mailboxes: Mailboxes, sent: Mailbox
) -> None:
    uids = [await submitted(mailboxes, sent, name) for name in ("A1", "A2")]
    assert await filed(mailboxes, sent) == uids[1]


@pytest.mark.parametrize(("beside", "is_known"), [(1, True), (2, False)])
async def test_it_is_looked_for_among_the_newest_messages_only(
    mailboxes: Mailboxes,
    sent: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    beside: int,
    is_known: bool,
) -> None:
    """A client files it right before or after it submits; a text of long ago is another's."""
    monkeypatch.setattr("bridge.mailbox.own_copy.NEWEST", 2)
    uid = await submitted(mailboxes, sent, "A1")
    for number in range(beside):
        await filed(mailboxes, sent, RAW + f"{number}\r\n".encode())
    assert (await filed(mailboxes, sent) == uid) is is_known


@pytest.mark.parametrize("is_longer", [True, False])
async def test_one_without_a_text_is_no_copy_of_one_that_has_one(
    mailboxes: Mailboxes, sent: Mailbox, is_longer: bool
) -> None:
    bare = RAW[: RAW.index(b"Salve")]
    uid = await submitted(mailboxes, sent, "A1", bare if is_longer else RAW)
    assert await filed(mailboxes, sent, RAW if is_longer else bare) != uid
