from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from bridge.mailbox import (
    FlagChange,
    Mailboxes,
    MailboxIndex,
    MailboxTransaction,
    NoSuchMailbox,
)
from bridge.model import (
    DELETED,
    FLAGGED,
    SEEN,
    AccountId,
    Added,
    Change,
    Flag,
    Mailbox,
    MailboxId,
    SpecialUse,
    Uid,
)
from bridge.store.base import ReadWork, Store, StoreFailed, StoreFull, Work
from bridge.store.sqlite import SqliteStore
from tests.fakes import FakeClock
from tests.mailbox.conftest import named
from tests.store.made import NOW, ingested

T = TypeVar("T")


async def test_a_new_account_has_its_mailboxes_and_is_subscribed_to_them(
    mailboxes: Mailboxes, account: AccountId
) -> None:
    boxes = await mailboxes.mailboxes(account)
    assert [(box.name, box.special_use) for box in boxes] == [
        ("Archive", SpecialUse.ARCHIVE),
        ("Drafts", SpecialUse.DRAFTS),
        ("INBOX", None),
        ("Sent", SpecialUse.SENT),
        ("Trash", SpecialUse.TRASH),
    ]
    assert await mailboxes.subscriptions(account) == tuple(box.name for box in boxes)
    assert len({box.uid_validity for box in boxes}) == len(boxes)


async def test_an_account_is_opened_once(mailboxes: Mailboxes, account: AccountId) -> None:
    assert await mailboxes.open_account("AZIENDA@pec.example") == account


@pytest.mark.parametrize(
    ("asked", "found"), [("inbox", "INBOX"), ("INBOX", "INBOX"), ("Sent", "Sent"), ("sent", None)]
)
async def test_only_inbox_has_no_case(
    mailboxes: Mailboxes, account: AccountId, asked: str, found: str | None
) -> None:
    box = await mailboxes.find(account, asked)
    assert (box.name if box else None) == found


async def test_special_uses_are_found(mailboxes: Mailboxes, account: AccountId) -> None:
    box = await mailboxes.special(account, SpecialUse.SENT)
    assert box is not None
    assert box.name == "Sent"
    assert await mailboxes.special(account, SpecialUse.JUNK) is None


# -- publication -------------------------------------------------------------------------------


async def test_changes_are_told_in_commit_order_however_many_write(
    mailboxes: Mailboxes, inbox: Mailbox, trash: Mailbox
) -> None:
    told: list[Change] = []
    mailboxes.subscribe(told.append)
    of_inbox: list[Change] = []
    mailboxes.subscribe_mailbox(inbox.account, inbox.id, of_inbox.append)

    async def write(box: Mailbox, number: int) -> None:
        row = await mailboxes.append(box.id, ingested(f"n. {number}"), frozenset(), NOW)
        await mailboxes.change_flags(box.id, [row.uid], FlagChange.ADD, frozenset({SEEN}))

    await asyncio.gather(*(write((inbox, trash)[n % 2], n) for n in range(60)))
    for box in (inbox, trash):
        modseqs = [change.modseq for change in told if change.mailbox == box.id]  # type: ignore[union-attr]
        assert modseqs == list(range(2, 62))
    assert of_inbox == [change for change in told if change.mailbox == inbox.id]  # type: ignore[union-attr]


async def test_an_index_is_current_before_anybody_is_told(
    mailboxes: Mailboxes, inbox: Mailbox
) -> None:
    index = await mailboxes.index(inbox.id)
    seen: list[int] = []
    mailboxes.subscribe(lambda _: seen.append(len(index)))
    for number in range(3):
        await mailboxes.append(inbox.id, ingested(f"n. {number}"), frozenset(), NOW)
    assert seen == [1, 2, 3]


async def test_nothing_is_told_of_what_was_not_kept(mailboxes: Mailboxes, inbox: Mailbox) -> None:
    told: list[Change] = []
    mailboxes.subscribe(told.append)

    async def work(transaction: MailboxTransaction) -> None:
        await transaction.append(inbox.id, ingested(), frozenset(), NOW)
        raise StoreFailed("made up")

    with pytest.raises(StoreFailed):
        await mailboxes.write(work)
    assert told == []
    assert len(await mailboxes.index(inbox.id)) == 0


async def test_a_message_that_finds_no_room_is_not_told_of(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = await SqliteStore.open(tmp_path / "small", page_limit=200)
    mailboxes = Mailboxes(store, clock)
    account = await mailboxes.open_account("a@pec.example")
    inbox = await mailboxes.find(account, "INBOX")
    assert inbox is not None
    told: list[Change] = []
    mailboxes.subscribe(told.append)
    huge = ingested(body="x" * 2_000_000)
    with pytest.raises(StoreFull):
        await mailboxes.append(inbox.id, huge, frozenset(), NOW)
    await mailboxes.append(inbox.id, ingested("small"), frozenset(), NOW)
    assert [change.messages[0].uid for change in told if isinstance(change, Added)] == [1]
    await store.close()


async def test_a_subscriber_that_fails_costs_nobody_a_change(
    mailboxes: Mailboxes, inbox: Mailbox
) -> None:
    def fail(_: Change) -> None:
        raise ValueError

    told: list[Change] = []
    mailboxes.subscribe(fail)
    mailboxes.subscribe(told.append)
    await mailboxes.append(inbox.id, ingested(), frozenset(), NOW)
    assert len(told) == 1


async def test_who_unsubscribed_is_told_nothing_more(mailboxes: Mailboxes, inbox: Mailbox) -> None:
    told: list[Change] = []
    end_all = mailboxes.subscribe(told.append)
    end_one = mailboxes.subscribe_mailbox(inbox.account, inbox.id, told.append)
    assert mailboxes.watchers(inbox.account) == 1
    end_all()
    end_one()
    assert mailboxes.watchers(inbox.account) == 0
    await mailboxes.append(inbox.id, ingested(), frozenset(), NOW)
    assert told == []


# -- the index ---------------------------------------------------------------------------------


async def test_an_index_loaded_while_messages_arrive_misses_none(
    mailboxes: Mailboxes, inbox: Mailbox
) -> None:
    async def write(number: int) -> None:
        await mailboxes.append(inbox.id, ingested(f"n. {number}"), frozenset(), NOW)

    writes = [asyncio.ensure_future(write(number)) for number in range(50)]
    indexes = [await mailboxes.index(inbox.id)]
    await asyncio.gather(*writes)
    indexes.append(await mailboxes.index(inbox.id))
    assert indexes[0] is indexes[1]
    assert list(indexes[0].uids) == list(range(1, 51))


async def test_an_index_has_what_was_changed_while_it_was_read(
    mailboxes: Mailboxes, store: Store, inbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await mailboxes.append(inbox.id, ingested("one"), frozenset(), NOW)
    opening, go_on = await read_and_held(mailboxes, store, inbox, monkeypatch)
    await mailboxes.append(inbox.id, ingested("two"), frozenset(), NOW)
    await mailboxes.write(
        lambda mtx: mtx.change_flags(inbox.id, [row.uid], FlagChange.ADD, frozenset({SEEN}))
    )
    go_on.set()
    index = await opening
    assert list(index.uids) == [1, 2]
    assert index.flags == [{SEEN}, frozenset()]


async def test_a_mailbox_that_goes_while_its_index_is_read_has_none(
    mailboxes: Mailboxes, store: Store, trash: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, go_on = await read_and_held(mailboxes, store, trash, monkeypatch)
    await mailboxes.write(lambda mtx: mtx.delete(trash.id))
    go_on.set()
    with pytest.raises(NoSuchMailbox):
        await opening


async def read_and_held(
    mailboxes: Mailboxes, store: Store, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> tuple[asyncio.Future[MailboxIndex], asyncio.Event]:
    """Begin to open a mailbox; what was read of it is held back until the event is set."""
    scan, was_read, go_on = store.scan, asyncio.Event(), asyncio.Event()

    async def held(work: ReadWork[T]) -> T:
        found = await scan(work)
        was_read.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(store, "scan", held)
    opening = asyncio.ensure_future(mailboxes.index(box.id))
    await was_read.wait()
    return opening, go_on


async def test_an_index_read_in_several_batches_is_whole(
    mailboxes: Mailboxes, inbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.mailbox.indexes.LOAD_BATCH", 2)
    for number in range(5):
        await mailboxes.append(inbox.id, ingested(f"n. {number}"), frozenset(), NOW)
    assert list((await mailboxes.index(inbox.id)).uids) == [1, 2, 3, 4, 5]


async def test_a_mailbox_said_late_to_be_gone_takes_its_name_from_no_other(
    store: Store, account: AccountId, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are on the disk by then, and the list of mailboxes was read from there."""
    mailboxes = Mailboxes(store, clock)
    write, told = store.write, asyncio.Event()

    async def tell_late(work: Work[T], committed: Callable[[T], None] | None = None) -> T:
        done = await write(work)
        await told.wait()
        if committed is not None:
            committed(done)
        return done

    box = await named(mailboxes, account, "Trash")
    again = Mailboxes(store, clock)
    with monkeypatch.context() as patch:
        patch.setattr(store, "write", tell_late)
        going = asyncio.ensure_future(again.write(lambda mtx: mtx.delete(box.id)))
        await asyncio.sleep(0)
    new = await mailboxes.write(lambda mtx: mtx.create(account, "Trash"))
    assert await again.find(account, "Trash") == new
    told.set()
    await going
    assert await again.find(account, "Trash") == new


async def test_two_who_open_a_mailbox_at_once_share_its_index(
    mailboxes: Mailboxes, inbox: Mailbox
) -> None:
    first, second = await asyncio.gather(mailboxes.index(inbox.id), mailboxes.index(inbox.id))
    assert first is second


async def test_a_mailbox_that_is_gone_has_no_index(mailboxes: Mailboxes) -> None:
    with pytest.raises(NoSuchMailbox):
        await mailboxes.index(MailboxId(999))


async def test_a_mailbox_deleted_while_it_is_opened_is_gone(
    mailboxes: Mailboxes, trash: Mailbox
) -> None:
    opening = asyncio.ensure_future(mailboxes.index(trash.id))
    await mailboxes.write(lambda transaction: transaction.delete(trash.id))
    await asyncio.gather(opening, return_exceptions=True)
    with pytest.raises(NoSuchMailbox):
        await mailboxes.index(trash.id)


async def test_a_keyword_stays_as_first_spelled(mailboxes: Mailboxes, inbox: Mailbox) -> None:
    for number, name in enumerate(("$Gara", "$GARA")):
        message = ingested(f"n. {number}")
        await mailboxes.append(inbox.id, message, frozenset({Flag(name)}), NOW)
        await mailboxes.index(inbox.id)
    assert (await mailboxes.index(inbox.id)).flags == [{Flag("$Gara")}, {Flag("$Gara")}]


# -- restart, housekeeping ---------------------------------------------------------------------


async def test_a_restart_changes_nothing_a_client_knows(
    mailboxes: Mailboxes, store: Store, account: AccountId, inbox: Mailbox, clock: FakeClock
) -> None:
    for number in range(3):
        await mailboxes.append(inbox.id, ingested(f"n. {number}"), frozenset({FLAGGED}), NOW)
    await mailboxes.expunge(inbox.id, [Uid(2)])
    before = await mailboxes.index(inbox.id)
    again = Mailboxes(store, clock)
    assert await again.open_account("azienda@pec.example") == account
    box = await again.find(account, "INBOX")
    after = await again.index(inbox.id)
    assert box is not None
    assert (box.id, box.uid_validity) == (inbox.id, inbox.uid_validity)
    for name in ("uids", "modseqs", "flags", "contents", "uid_next", "highest_modseq"):
        assert getattr(after, name) == getattr(before, name)


async def test_what_another_has_unmarked_is_not_expunged(
    mailboxes: Mailboxes, inbox: Mailbox
) -> None:
    """Both were marked when the client that expunges was told last."""
    for number in (1, 2):
        await mailboxes.append(inbox.id, ingested(f"n. {number}"), frozenset({DELETED}), NOW)
    both = [Uid(1), Uid(2)]
    await mailboxes.change_flags(inbox.id, both[:1], FlagChange.REMOVE, frozenset({DELETED}))
    assert await mailboxes.expunge_deleted(inbox.id, both) == (2,)
    assert list((await mailboxes.index(inbox.id)).uids) == [1]


async def test_recent_is_written_down_and_never_goes_back(
    mailboxes: Mailboxes, inbox: Mailbox
) -> None:
    for below in (5, 3):
        await mailboxes.claim_recent(inbox.id, Uid(below))
    assert await mailboxes.recent_from(inbox.id) == 5
