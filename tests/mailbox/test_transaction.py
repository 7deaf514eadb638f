from __future__ import annotations

import pytest

from bridge.mailbox import FlagChange, Mailboxes, MailboxTransaction, NoSuchMailbox
from bridge.model import (
    FLAGGED,
    SEEN,
    AccountId,
    Added,
    Change,
    ContentId,
    Expunged,
    Flag,
    FlagsChanged,
    Mailbox,
    MailboxCreated,
    MailboxDeleted,
    MailboxId,
    MailboxRenamed,
    MessageRow,
    ModSeq,
    SubscriptionChanged,
    Uid,
)
from bridge.store.base import Store, Transaction
from bridge.store.deletions import DeletionState
from bridge.store.remote import NewRemote
from tests.store.made import NOW, ingested


async def append(mailboxes: Mailboxes, mailbox: Mailbox, *subjects: str) -> list[MessageRow]:
    return [
        await mailboxes.append(mailbox.id, ingested(subject), frozenset(), NOW)
        for subject in subjects
    ]


async def uids(store: Store, mailbox: Mailbox) -> list[int]:
    return [row[0] for row in await store.scan(lambda tx: tx.index_rows(mailbox.id))]


# -- UIDs and MODSEQs --------------------------------------------------------------------------


async def test_uids_and_modseqs_rise_by_one(mailboxes: Mailboxes, inbox: Mailbox) -> None:
    rows = await append(mailboxes, inbox, "one", "two", "three")
    assert [(row.uid, row.modseq) for row in rows] == [(1, 2), (2, 3), (3, 4)]


async def test_a_uid_is_never_used_again(mailboxes: Mailboxes, inbox: Mailbox) -> None:
    await append(mailboxes, inbox, "one", "two")
    await mailboxes.expunge(inbox.id, [Uid(1), Uid(2)])
    (row,) = await append(mailboxes, inbox, "three")
    assert (row.uid, row.modseq) == (3, 5)


async def test_mailboxes_count_on_their_own(
    mailboxes: Mailboxes, inbox: Mailbox, trash: Mailbox
) -> None:
    await append(mailboxes, inbox, "one", "two")
    (row,) = await append(mailboxes, trash, "three")
    assert (row.uid, row.modseq) == (1, 2)


async def test_uids_end_where_32_bits_do(
    mailboxes: Mailboxes, store: Store, inbox: Mailbox, trash: Mailbox
) -> None:
    async def work(tx: Transaction) -> None:
        content = await tx.add_content(inbox.account, ingested("last but one"))
        row = MessageRow(Uid(0xFFFFFFFE), ModSeq(2), frozenset(), NOW, NOW, 1, content)
        for box in (inbox, trash):
            await tx.add_messages(box.id, [row])

    await store.write(work)
    assert (await append(mailboxes, inbox, "last"))[0].uid == 0xFFFFFFFF
    with pytest.raises(OverflowError, match="used up its UIDs"):
        await append(mailboxes, inbox, "one too many")
    assert (await mailboxes.copy(inbox.id, [Uid(0xFFFFFFFF)], trash)).pairs[0][1] == 0xFFFFFFFF
    with pytest.raises(OverflowError, match="used up its UIDs"):
        await mailboxes.copy(inbox.id, [Uid(0xFFFFFFFF)], trash)


async def test_nothing_is_appended_to_a_mailbox_that_is_gone(mailboxes: Mailboxes) -> None:
    with pytest.raises(NoSuchMailbox):
        await mailboxes.append(MailboxId(999), ingested(), frozenset(), NOW)


# -- flags -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "given", "left"),
    [
        pytest.param(FlagChange.SET, {FLAGGED}, {FLAGGED}, id="set"),
        pytest.param(FlagChange.ADD, {FLAGGED}, {SEEN, Flag("$Work"), FLAGGED}, id="add"),
        pytest.param(FlagChange.REMOVE, {SEEN}, {Flag("$Work")}, id="remove"),
        pytest.param(FlagChange.REMOVE, {Flag("$WORK")}, {SEEN}, id="a keyword has no case"),
        pytest.param(FlagChange.ADD, {Flag("$work")}, {SEEN, Flag("$Work")}, id="nor when added"),
    ],
)
async def test_flags_combine(
    mailboxes: Mailboxes, inbox: Mailbox, how: FlagChange, given: set[Flag], left: set[Flag]
) -> None:
    flags = frozenset({SEEN, Flag("$Work")})
    row = await mailboxes.append(inbox.id, ingested(), flags, NOW)
    await mailboxes.change_flags(inbox.id, [row.uid], how, frozenset(given))
    assert (await mailboxes.index(inbox.id)).flags == [left]


async def test_one_change_of_many_is_one_modseq(mailboxes: Mailboxes, inbox: Mailbox) -> None:
    await append(mailboxes, inbox, "one", "two")
    asked = [Uid(1), Uid(2), Uid(9)]
    outcome = await mailboxes.change_flags(inbox.id, asked, FlagChange.ADD, frozenset({SEEN}))
    assert outcome.modseq == 4
    assert outcome.changed == {1: {SEEN}, 2: {SEEN}}
    assert outcome.missing == (9,)


async def test_flags_that_stay_the_same_keep_their_modseq(
    mailboxes: Mailboxes, inbox: Mailbox
) -> None:
    row = await mailboxes.append(inbox.id, ingested(), frozenset({SEEN}), NOW)
    told: list[Change] = []
    mailboxes.subscribe(told.append)
    outcome = await mailboxes.change_flags(inbox.id, [row.uid], FlagChange.ADD, frozenset({SEEN}))
    assert outcome.changed == {}
    assert told == []
    assert list((await mailboxes.index(inbox.id)).modseqs) == [row.modseq]


async def test_what_changed_since_is_left_alone(mailboxes: Mailboxes, inbox: Mailbox) -> None:
    """RFC 7162 §3.1.3."""
    await append(mailboxes, inbox, "one", "two")
    asked = [Uid(1), Uid(2)]
    outcome = await mailboxes.change_flags(
        inbox.id, asked, FlagChange.ADD, frozenset({SEEN}), ModSeq(2)
    )
    assert outcome.conflicts == (2,)
    assert outcome.changed == {1: {SEEN}}


async def test_flags_of_a_sent_message_follow_it_everywhere(
    mailboxes: Mailboxes, account: AccountId, inbox: Mailbox, trash: Mailbox
) -> None:
    (row,) = await append(mailboxes, inbox, "one")
    await mailboxes.copy(inbox.id, [row.uid], trash)

    async def work(transaction: MailboxTransaction) -> None:
        add, remove = frozenset({FLAGGED}), frozenset({SEEN})
        await transaction.flag_sent(account, row.content, "", add, remove)

    await mailboxes.write(work)
    for mailbox in (inbox, trash):
        assert (await mailboxes.index(mailbox.id)).flags == [{FLAGGED}]


# -- copy, move, expunge -----------------------------------------------------------------------


async def test_a_copy_keeps_flags_and_date_and_gets_a_uid_of_its_own(
    mailboxes: Mailboxes, inbox: Mailbox, trash: Mailbox
) -> None:
    await append(mailboxes, trash, "already there")
    rows = [
        await mailboxes.append(inbox.id, ingested(subject), frozenset({SEEN}), NOW.replace(day=day))
        for day, subject in ((1, "one"), (2, "two"))
    ]
    outcome = await mailboxes.copy(inbox.id, [Uid(2), Uid(1), Uid(9)], trash)
    assert outcome.pairs == ((1, 2), (2, 3))
    index = await mailboxes.index(trash.id)
    copies = [index.row(1), index.row(2)]
    assert [copy.content for copy in copies] == [row.content for row in rows]
    assert [copy.internal_date for copy in copies] == [row.internal_date for row in rows]
    assert [copy.flags for copy in copies] == [{SEEN}, {SEEN}]
    assert len(await mailboxes.index(inbox.id)) == 2


async def test_a_move_takes_away_what_it_copied(
    mailboxes: Mailboxes, store: Store, inbox: Mailbox, trash: Mailbox
) -> None:
    await append(mailboxes, inbox, "one", "two")
    told: list[Change] = []
    mailboxes.subscribe(told.append)
    outcome = await mailboxes.move(inbox.id, [Uid(2)], trash)
    assert outcome.pairs == ((2, 1),)
    assert await uids(store, inbox) == [1]
    assert await uids(store, trash) == [1]
    assert [type(change) for change in told] == [Added, Expunged]


async def test_a_move_within_a_mailbox_gives_new_uids(
    mailboxes: Mailboxes, store: Store, inbox: Mailbox
) -> None:
    await append(mailboxes, inbox, "one", "two")
    outcome = await mailboxes.move(inbox.id, [Uid(1)], inbox)
    assert outcome.pairs == ((1, 3),)
    assert await uids(store, inbox) == [2, 3]


async def remote_of(store: Store, account: AccountId, content: ContentId) -> None:
    """Say that a content is a row of the API's inbox."""

    async def work(tx: Transaction) -> None:
        new = NewRemote(
            account,
            b"f",
            "7",
            "{}",
            sender="a",
            recipient="b",
            date_text="",
            subject="s",
            received_at=NOW,
            first_seen=NOW,
        )
        remote = await tx.add_remote(new)
        await tx.keep_remote_body(remote, "body", b"s" * 32, content)

    await store.write(work)


async def wanted(store: Store, account: AccountId) -> list[ContentId | None]:
    """Return the contents that are to be deleted at the API."""
    rows = await store.read(lambda tx: tx.deletions(account, DeletionState.WANTED))
    return [row.remote.content for row in rows]


async def test_only_the_last_copys_expunge_deletes_at_the_api(
    mailboxes: Mailboxes, store: Store, account: AccountId, inbox: Mailbox, trash: Mailbox
) -> None:
    (row,) = await append(mailboxes, inbox, "one")
    await remote_of(store, account, row.content)
    await mailboxes.copy(inbox.id, [row.uid], trash)
    await mailboxes.expunge(inbox.id, [row.uid])
    assert await wanted(store, account) == []
    await mailboxes.expunge(trash.id, [Uid(1)])
    assert await wanted(store, account) == [row.content]


async def test_a_move_deletes_nothing_at_the_api(
    mailboxes: Mailboxes, store: Store, account: AccountId, inbox: Mailbox, trash: Mailbox
) -> None:
    (row,) = await append(mailboxes, inbox, "one")
    await remote_of(store, account, row.content)
    await mailboxes.move(inbox.id, [row.uid], trash)
    assert await wanted(store, account) == []


async def test_deleting_a_mailbox_is_a_final_expunge(
    mailboxes: Mailboxes, store: Store, account: AccountId, trash: Mailbox
) -> None:
    (row,) = await append(mailboxes, trash, "one")
    await remote_of(store, account, row.content)
    await mailboxes.write(lambda transaction: transaction.delete(trash.id))
    assert await wanted(store, account) == [row.content]


async def test_what_vanished_at_the_api_leaves_one_mailbox_and_asks_for_nothing(
    mailboxes: Mailboxes, store: Store, account: AccountId, inbox: Mailbox, trash: Mailbox
) -> None:
    (row,) = await append(mailboxes, inbox, "one")
    await remote_of(store, account, row.content)
    await mailboxes.copy(inbox.id, [row.uid], trash)
    gone = await mailboxes.write(lambda one: one.withdraw(inbox.id, row.content))
    assert gone == (1,)
    assert await uids(store, inbox) == []
    assert await uids(store, trash) == [1]
    assert await wanted(store, account) == []


async def test_the_last_copy_of_what_vanished_asks_for_nothing_either(
    mailboxes: Mailboxes, store: Store, account: AccountId, inbox: Mailbox
) -> None:
    (row,) = await append(mailboxes, inbox, "one")
    await remote_of(store, account, row.content)
    assert await mailboxes.write(lambda one: one.withdraw(inbox.id, row.content)) == (1,)
    assert await wanted(store, account) == []


async def test_what_vanished_takes_no_other_message_with_it(
    mailboxes: Mailboxes, store: Store, inbox: Mailbox, trash: Mailbox
) -> None:
    """A copy elsewhere has a UID that is another message's here."""
    _, two = await append(mailboxes, inbox, "one", "two")
    await mailboxes.copy(inbox.id, [two.uid], trash)
    assert await uids(store, trash) == [1]
    gone = await mailboxes.write(lambda mtx: mtx.withdraw(inbox.id, two.content))
    assert (gone, await uids(store, inbox)) == ((2,), [1])


async def test_all_or_none_copies_nothing_if_one_is_gone(
    mailboxes: Mailboxes, store: Store, inbox: Mailbox, trash: Mailbox
) -> None:
    """RFC 3501 §6.4.7."""
    await append(mailboxes, inbox, "one")
    asked = [Uid(1), Uid(9)]
    pairs = await mailboxes.write(lambda mtx: mtx.move(inbox.id, asked, trash.id, all_or_none=True))
    assert (pairs, await uids(store, inbox), await uids(store, trash)) == ((), [1], [])


async def test_an_expunge_says_what_was_there(mailboxes: Mailboxes, inbox: Mailbox) -> None:
    await append(mailboxes, inbox, "one", "two")
    assert await mailboxes.expunge(inbox.id, [Uid(9), Uid(2), Uid(2)]) == (2,)
    assert await mailboxes.expunge(inbox.id, [Uid(2)]) == ()


# -- Sent --------------------------------------------------------------------------------------


async def test_a_message_id_is_in_sent_once(mailboxes: Mailboxes, sent: Mailbox) -> None:
    ours = await mailboxes.append(
        sent.id, ingested("one", message_id="<a@b>"), frozenset({SEEN}), NOW
    )
    told: list[Change] = []
    mailboxes.subscribe(told.append)
    theirs = await mailboxes.append(
        sent.id, ingested("one, as the client stores it", message_id="<a@b>"), frozenset(), NOW
    )
    assert theirs == ours
    assert told == []
    assert len(await mailboxes.index(sent.id)) == 1


async def test_without_a_message_id_nothing_is_taken_for_the_same(
    mailboxes: Mailboxes, sent: Mailbox
) -> None:
    await append(mailboxes, sent, "one", "one")
    assert list((await mailboxes.index(sent.id)).uids) == [1, 2]


async def test_other_mailboxes_hold_a_message_as_often_as_it_comes(
    mailboxes: Mailboxes, inbox: Mailbox
) -> None:
    for _ in range(2):
        await mailboxes.append(inbox.id, ingested(message_id="<a@b>"), frozenset(), NOW)
    index = await mailboxes.index(inbox.id)
    assert list(index.uids) == [1, 2]
    assert len(set(index.contents)) == 1


# -- mailboxes ---------------------------------------------------------------------------------


async def test_each_step_leaves_its_change(mailboxes: Mailboxes, account: AccountId) -> None:
    told: list[Change] = []
    mailboxes.subscribe(told.append)

    async def work(transaction: MailboxTransaction) -> Mailbox:
        box = await transaction.create(account, "Gare")
        await transaction.subscribe(account, "Gare")
        await transaction.append(box.id, ingested(), frozenset(), NOW)
        await transaction.change_flags(box.id, [Uid(1)], FlagChange.SET, frozenset({SEEN}))
        await transaction.expunge(box.id, [Uid(1)])
        await transaction.rename(box.id, "Bandi")
        await transaction.unsubscribe(account, "Gare")
        await transaction.delete(box.id)
        return box

    box = await mailboxes.write(work)
    assert [type(change) for change in told] == [
        MailboxCreated,
        SubscriptionChanged,
        Added,
        FlagsChanged,
        Expunged,
        MailboxRenamed,
        SubscriptionChanged,
        MailboxDeleted,
    ]
    modseqs = [
        change.modseq for change in told if isinstance(change, Added | FlagsChanged | Expunged)
    ]
    assert modseqs == [2, 3, 4]
    assert await mailboxes.find(account, "Bandi") is None
    with pytest.raises(NoSuchMailbox):
        await mailboxes.index(box.id)


async def test_a_name_used_again_is_another_mailbox(
    mailboxes: Mailboxes, account: AccountId, trash: Mailbox
) -> None:
    await mailboxes.write(lambda transaction: transaction.delete(trash.id))
    again = await mailboxes.write(lambda transaction: transaction.create(account, "Trash"))
    assert again.uid_validity > trash.uid_validity
    assert await mailboxes.find(account, "Trash") == again
