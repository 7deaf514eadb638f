"""The API's rows in the store: where they stand, their bodies, deletions, alarms, progress."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest

from bridge.model import AccountId, ContentId, Mailbox, QueueId, Uid
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.deletions import DeletionState
from bridge.store.receipts import ReceiptBasis, ReceiptRow
from bridge.store.remote import NewRemote, RemoteCount, RemoteId, Worth
from tests.store.made import NOW, ingested
from tests.store.made import row as message_row


def new(account: AccountId, name: str = "A", rank: float = 0.0, **changes: object) -> NewRemote:
    fields: dict[str, object] = {
        "account": account,
        "fingerprint": name.encode(),
        "api_id": "7",
        "raw": '{"id": 7}',
        "sender": "anna@pec.example",
        "recipient": "bruno@pec.example",
        "date_text": "oggi",
        "subject": f"Oggetto {name}",
        "received_at": NOW,
        "first_seen": NOW + timedelta(minutes=1),
        "rank": rank,
    }
    return NewRemote(**{**fields, **changes})  # type: ignore[arg-type]


async def add(store: Store, rows: Sequence[NewRemote]) -> list[RemoteId]:
    async def work(tx: Transaction) -> list[RemoteId]:
        return [await tx.add_remote(row) for row in rows]

    return await store.write(work)


async def keep(store: Store, account: AccountId, remote: RemoteId, body: str) -> ContentId:
    async def work(tx: Transaction) -> ContentId:
        content = await tx.add_content(account, ingested(body))
        await tx.keep_remote_body(remote, body, hashlib.sha256(body.encode()).digest(), content)
        return content

    return await store.write(work)


async def read(store: Store, of: AccountId | RemoteId, what: str, *arguments: object) -> object:
    async def work(tx: ReadTransaction) -> object:
        return await getattr(tx, what)(of, *arguments)

    return await store.read(work)


async def test_a_row_comes_back_as_it_was_kept(store: Store, account: AccountId) -> None:
    (remote,) = await add(store, [new(account, received_at=None)])
    row = await store.read(lambda tx: tx.remote_row(remote))
    assert row is not None
    assert (row.account, row.fingerprint, row.api_id) == (account, b"A", "7")
    assert (row.sender, row.recipient, row.date_text) == (
        "anna@pec.example",
        "bruno@pec.example",
        "oggi",
    )
    assert (row.subject, row.received_at, row.first_seen) == (
        "Oggetto A",
        None,
        NOW + timedelta(minutes=1),
    )
    assert (row.body_sha256, row.content, row.gone_at, row.kind) == (None, None, None, "")
    assert await store.read(lambda tx: tx.remote_raw(remote)) == '{"id": 7}'


@pytest.mark.parametrize("text", ["", "a\0b\r\n", "\ufffd", "x" * 100_000], ids=repr)
async def test_any_text_is_kept_as_received(store: Store, account: AccountId, text: str) -> None:
    (remote,) = await add(store, [new(account, subject=text[:50])])
    await keep(store, account, remote, text)
    row = await store.read(lambda tx: tx.remote_row(remote))
    assert row is not None
    assert row.subject == text[:50]
    assert await store.read(lambda tx: tx.remote_body(remote)) == text
    assert row.body_sha256 == hashlib.sha256(text.encode()).digest()


async def test_places_are_given_newest_first(store: Store, account: AccountId) -> None:
    one, two, three = await add(
        store, [new(account, "A", 1.0), new(account, "B", 3.0), new(account, "A", 2.0)]
    )
    places = await store.read(lambda tx: tx.places_of(account, [b"A", b"C", b"A"]))
    assert [place.remote for place in places] == [three, one]
    everything = await store.read(lambda tx: tx.places_between(account, None, None, 10))
    assert [place.remote for place in everything] == [two, three, one]
    some = await store.read(lambda tx: tx.places_between(account, 1.5, 3.0, 1))
    assert [place.remote for place in some] == [two]


@pytest.mark.parametrize(
    ("rank", "newer", "expected"),
    [
        (2.0, True, 3.0),
        (2.0, False, 1.0),
        (1.5, True, 2.0),
        (3.0, True, None),
        (1.0, False, None),
        (None, True, 3.0),
        (None, False, 1.0),
    ],
)
async def test_the_rank_beside_another(
    store: Store, account: AccountId, rank: float | None, newer: bool, expected: float | None
) -> None:
    await add(store, [new(account, rank=rank_of) for rank_of in (1.0, 2.0, 3.0)])
    assert await store.read(lambda tx: tx.rank_beside(account, rank, newer=newer)) == expected


async def test_ranks_and_ids_move(store: Store, account: AccountId) -> None:
    one, two = await add(store, [new(account, "A", 1.0), new(account, "B", 2.0)])

    async def work(tx: Transaction) -> None:
        await tx.place_remote([(one, "70"), (two, "71")], 3)
        await tx.rank_remote([(one, 3.0)])

    await store.write(work)
    places = await store.read(lambda tx: tx.places_between(account, None, None, 10))
    assert [(place.remote, place.api_id, place.rank) for place in places] == [
        (one, "70", 3.0),
        (two, "71", 2.0),
    ]
    assert await store.read(lambda tx: tx.places_newer(account, 2.0)) == 1


async def test_the_last_turn_is_that_of_the_latest_move(store: Store, account: AccountId) -> None:
    assert await read(store, account, "last_turn") == 0
    one, two, _ = await add(store, [new(account, name, turn=1) for name in "ABC"])
    assert await read(store, account, "last_turn") == 1
    await store.write(lambda tx: tx.place_remote([(one, "70")], 3))
    await store.write(lambda tx: tx.place_remote([(two, "71")], 2))
    places = await store.read(lambda tx: tx.places_between(account, None, None, 10))
    assert sorted(place.turn for place in places) == [1, 2, 3]
    assert await read(store, account, "last_turn") == 3
    await store.write(lambda tx: tx.mark_remote_gone(one, NOW))
    assert await read(store, account, "last_turn") == 2


async def test_counts_follow_bodies_and_departures(store: Store, account: AccountId) -> None:
    one, two, _ = await add(store, [new(account, name) for name in "ABC"])
    await keep(store, account, one, "testo")
    await keep(store, account, two, "altro")
    assert await read(store, account, "remote_count") == RemoteCount(live=3, filed=2)
    await store.write(lambda tx: tx.mark_remote_gone(one, NOW))
    assert await read(store, account, "remote_count") == RemoteCount(live=2, filed=1)


async def test_a_body_comes_in_slices_of_its_bytes(store: Store, account: AccountId) -> None:
    one, two = await add(store, [new(account, name) for name in "AB"])
    await keep(store, account, one, "perch\u00e9")
    for start, length, piece in ((0, 100, b"perch\xc3\xa9"), (6, 1, b"\xa9"), (7, 1, b"")):
        found = await read(store, one, "remote_body_slice", start, length)
        assert found == piece
    assert await read(store, two, "remote_body_slice", 0, 1) == b""


async def judged(store: Store, *judged: tuple[RemoteId, Worth, str | None]) -> None:
    async def work(tx: Transaction) -> None:
        for one in judged:
            await tx.judge_remote(*one)

    await store.write(work)


async def test_bodies_to_be_fetched_come_newest_first(store: Store, account: AccountId) -> None:
    one, two, three, four = await add(
        store, [new(account, name, rank) for rank, name in enumerate("ABCD")]
    )
    await judged(store, *((each, Worth.RECEIPT, None) for each in (one, two, three, four)))
    await keep(store, account, two, "testo")
    await store.write(lambda tx: tx.mark_remote_gone(four, NOW))
    rows = await store.read(lambda tx: tx.remote_without_body(account, 5))
    assert [row.id for row in rows] == [three, one]
    assert len(await store.read(lambda tx: tx.remote_without_body(account, 1))) == 1


async def test_bodies_that_are_being_fetched_are_left_out(store: Store, account: AccountId) -> None:
    rows = await add(store, [new(account, name, rank) for rank, name in enumerate("ABC")])
    await judged(store, *((each, Worth.RECEIPT, None) for each in rows))
    left = await store.read(lambda tx: tx.remote_without_body(account, 1, besides=rows[1:]))
    assert [row.id for row in left] == rows[:1]
    assert await store.read(lambda tx: tx.remote_without_body(account, 1, besides=rows)) == []


async def test_some_rows_are_read_at_once(store: Store, account: AccountId) -> None:
    rows = await add(store, [new(account, name, rank) for rank, name in enumerate("ABCD")])
    some = [rows[3], rows[0], RemoteId(99)]
    found = await store.read(lambda tx: tx.remotes_of(some))
    assert found == {
        rows[0]: await store.read(lambda tx: tx.remote_row(rows[0])),
        rows[3]: await store.read(lambda tx: tx.remote_row(rows[3])),
    }
    assert await store.read(lambda tx: tx.remotes_of([])) == {}


async def _mark_gone(tx: Transaction, remote: RemoteId, *, deleted: bool) -> None:
    await tx.mark_remote_gone(remote, NOW, deleted=deleted)


async def test_names_of_rows_that_may_return(store: Store, account: AccountId) -> None:
    """Each is one that ``gone_remote`` finds a row of, and there is no other."""
    other = await store.write(lambda tx: tx.add_account("other@pec.example"))
    names = [f"{number}" for number in range(120)]  # more than a statement asks for
    rows = await add(store, [new(account, name, rank) for rank, name in enumerate(names)])
    await add(store, [new(other, name, rank) for rank, name in enumerate(names)])
    asked = [name.encode() for name in names]
    assert await store.read(lambda tx: tx.gone_names(account, asked)) == set()
    for remote in (rows[0], rows[60], rows[119]):
        await keep(store, account, remote, "testo")
        how = partial(_mark_gone, remote=remote, deleted=remote == rows[60])
        await store.write(how)
    await store.write(lambda tx: tx.mark_remote_gone(rows[1], NOW))  # its text was never read
    assert await store.read(lambda tx: tx.gone_names(account, asked)) == {b"0", b"119"}
    assert await store.read(lambda tx: tx.gone_names(other, asked)) == set()
    assert await store.read(lambda tx: tx.gone_names(account, asked[1:])) == {b"119"}
    assert await store.read(lambda tx: tx.gone_names(account, [])) == set()


async def test_places_of_many_names(store: Store, account: AccountId) -> None:
    names = [f"{number}" for number in range(120)]
    rows = await add(store, [new(account, name, rank) for rank, name in enumerate(names)])
    asked = [name.encode() for name in names]
    places = await store.read(lambda tx: tx.places_of(account, asked))
    assert [place.remote for place in places] == rows[::-1]


async def test_bodies_to_be_fetched_come_by_worth(store: Store, account: AccountId) -> None:
    rows = await add(store, [new(account, name, rank) for rank, name in enumerate("ABCDEF")])
    unjudged = await store.read(lambda tx: tx.remote_unjudged(account, 5))
    assert [row.id for row in unjudged] == rows[:5]
    worths = (Worth.CONFIRMATION, Worth.INCOMING, Worth.RECEIPT, Worth.FAILURE, Worth.INCOMING)
    await judged(store, *((one, worth, None) for one, worth in zip(rows, worths, strict=False)))
    missed = await store.read(lambda tx: tx.remote_without_body(account, 9))
    assert [row.id for row in missed] == [rows[4], rows[1], rows[3], rows[2]]
    assert [row.worth for row in missed] == sorted(worths[1:])
    spare = await store.read(lambda tx: tx.remote_without_body(account, 9, confirming=True))
    assert [row.id for row in spare] == rows[:1]
    assert [row.id for row in await store.read(lambda tx: tx.oldest_bodiless(account, 9))] == [
        rows[1],
        rows[2],
        rows[3],
        rows[4],
        rows[5],  # it was not judged: nobody knows what it says
    ]
    count = await store.read(lambda tx: tx.remote_count(account))
    assert (count.live, count.filed) == (6, 0)


async def test_a_judged_row_is_found_by_its_code_until_its_body_is_here(
    store: Store, account: AccountId
) -> None:
    one, two = await add(store, [new(account, name) for name in "AB"])
    await judged(store, (one, Worth.RECEIPT, "C1"), (two, Worth.RECEIPT, "C2"))

    async def found(code: str) -> list[RemoteId]:
        rows = await store.read(lambda tx: tx.listed_with_code(account, code))
        return [row.id for row in rows]

    assert (await found("C1"), await found("C2"), await found("C3")) == ([one], [two], [])
    await store.write(lambda tx: tx.mark_remote_gone(two, NOW))
    assert await found("C2") == [two]
    await keep(store, account, one, "testo")
    assert await found("C1") == []


async def test_what_is_just_like_a_row_is_known_also_when_it_is_gone(
    store: Store, account: AccountId
) -> None:
    one, two, other = await add(store, [new(account, name) for name in "AAB"])
    for _ in range(2):
        assert await store.read(lambda tx: tx.has_like(one))
        assert await store.read(lambda tx: tx.has_like(two))
        assert not await store.read(lambda tx: tx.has_like(other))
        await store.write(lambda tx: tx.mark_remote_gone(two, NOW))


async def test_a_receipt_by_its_row_gives_way_to_its_text(store: Store, account: AccountId) -> None:
    (remote,) = await add(store, [new(account)])
    by_row = ReceiptRow(remote, QueueId("Q"), "delivery", NOW, (), "", (), ReceiptBasis.ROW)
    by_text = replace(by_row, addresses=("a@x.it",), detail="d", basis=ReceiptBasis.TEXT)
    known = []
    for receipt in (by_row, by_row, by_text, by_text, by_row):
        known.append(await store.write(lambda tx, receipt=receipt: tx.add_receipt(receipt)))  # type: ignore[misc]
    assert known == [True, False, True, False, False]
    assert await store.read(lambda tx: tx.receipts_of(QueueId("Q"))) == [by_text]


async def test_a_row_that_is_released_is_to_be_judged_anew(
    store: Store, account: AccountId
) -> None:
    (remote,) = await add(store, [new(account)])
    await judged(store, (remote, Worth.CONFIRMATION, "C1"))
    await store.write(lambda tx: tx.claim_remote(remote, QueueId("Q")))
    await store.write(lambda tx: tx.release_remote(remote))
    (row,) = await store.read(lambda tx: tx.remote_unjudged(account, 9))
    assert (row.id, row.submission, row.worth) == (remote, None, None)


async def test_gone_rows_are_no_longer_listed_but_kept(store: Store, account: AccountId) -> None:
    (remote,) = await add(store, [new(account)])
    content = await keep(store, account, remote, "testo")
    for later in (0, 5):
        at = NOW + timedelta(minutes=later)
        await store.write(lambda tx, at=at: tx.mark_remote_gone(remote, at))  # type: ignore[misc]
    assert await read(store, account, "remote_rows") == []
    assert await read(store, account, "places_of", [b"A"]) == []
    assert await read(store, account, "remote_of_content", content) is None
    row = await store.read(lambda tx: tx.remote_row(remote))
    assert row is not None
    assert row.gone_at == NOW
    assert await store.read(lambda tx: tx.remote_body(remote)) == "testo"


async def wish(store: Store, account: AccountId, content: ContentId) -> bool:
    return await store.write(lambda tx: tx.record_deletion_intent(account, content, NOW))


async def test_a_wish_to_delete_is_written_down_if_there_is_a_row(
    store: Store, account: AccountId
) -> None:
    (remote,) = await add(store, [new(account)])
    content = await keep(store, account, remote, "testo")
    other = await store.write(lambda tx: tx.add_content(account, ingested("nostro")))
    assert await wish(store, account, content)
    assert not await wish(store, account, other)
    (row,) = await store.read(lambda tx: tx.deletions(account, DeletionState.WANTED))
    assert (row.remote.id, row.requested_at, row.state, row.reason) == (
        remote,
        NOW,
        DeletionState.WANTED,
        "",
    )


@pytest.mark.parametrize("state", [DeletionState.KEPT, DeletionState.DOUBTED])
async def test_a_second_expunge_wants_again_what_was_kept_or_doubted(
    store: Store, account: AccountId, state: DeletionState
) -> None:
    (remote,) = await add(store, [new(account)])
    content = await keep(store, account, remote, "testo")
    await wish(store, account, content)
    await store.write(lambda tx: tx.settle_deletion(remote, state, "perché", NOW))
    (row,) = await store.read(lambda tx: tx.deletions(account, state))
    assert row.reason == "perché"
    assert await wish(store, account, content)
    assert len(await store.read(lambda tx: tx.deletions(account, DeletionState.WANTED))) == 1


async def test_what_is_gone_is_not_wanted_again(store: Store, account: AccountId) -> None:
    (remote,) = await add(store, [new(account)])
    content = await keep(store, account, remote, "testo")
    await store.write(lambda tx: tx.mark_remote_gone(remote, NOW))
    assert not await wish(store, account, content)


async def test_the_archive_is_kept_for_its_time_and_then_leaves_nothing(
    store: Store, account: AccountId
) -> None:
    kept, gone = await add(store, [new(account, "A"), new(account, "B")])
    content = await keep(store, account, gone, "testo")
    await wish(store, account, content)

    async def leave(tx: Transaction) -> None:
        await tx.mark_remote_gone(gone, NOW)
        receipt = ReceiptRow(gone, QueueId("Q"), "delivery", NOW, (), "")
        await tx.add_receipt(receipt)

    await store.write(leave)
    assert await store.write(lambda tx: tx.drop_archived_bodies(NOW, 10)) == 0
    later = NOW + timedelta(days=1)
    assert await store.write(lambda tx: tx.drop_archived_bodies(later, 10)) == 1
    assert await store.read(lambda tx: tx.remote_row(gone)) is None
    assert await store.read(lambda tx: tx.remote_body(gone)) is None
    assert await store.read(lambda tx: tx.remote_row(kept)) is not None
    assert await store.write(lambda tx: tx.drop_orphans(later + timedelta(1), 10)) == 1


async def test_a_text_that_a_mailbox_shows_outlives_the_archive(
    store: Store, account: AccountId, inbox: Mailbox
) -> None:
    (remote,) = await add(store, [new(account)])
    content = await keep(store, account, remote, "testo")

    async def work(tx: Transaction) -> None:
        await tx.add_messages(inbox.id, [message_row(1, content)])
        await tx.mark_remote_gone(remote, NOW)

    await store.write(work)
    later = NOW + timedelta(days=1)
    await store.write(lambda tx: tx.drop_archived_bodies(later, 10))
    assert await store.write(lambda tx: tx.drop_orphans(later + timedelta(1), 10)) == 0
    assert await store.read(lambda tx: tx.message_row(inbox.id, Uid(1))) is not None


async def test_an_alarm_is_raised_once_until_it_is_cleared(
    store: Store, account: AccountId
) -> None:
    async def work(tx: Transaction) -> list[bool]:
        return [
            await tx.add_alarm(account, "quota", "80", "piena", NOW),
            await tx.add_alarm(account, "quota", "80", "piena", NOW),
            await tx.add_alarm(account, "quota", "90", "piena", NOW),
            await tx.clear_alarm(account, "quota", "80", NOW),
            await tx.clear_alarm(account, "quota", "80", NOW),
            await tx.add_alarm(account, "quota", "80", "di nuovo", NOW + timedelta(1)),
        ]

    assert await store.write(work) == [True, False, True, True, False, True]
    alarms = await store.read(lambda tx: tx.alarms(account))
    assert [(alarm.key, alarm.text) for alarm in alarms] == [("90", "piena"), ("80", "di nuovo")]


async def test_progress_and_requests_are_remembered_by_account_and_day(
    store: Store, account: AccountId
) -> None:
    other = await store.write(lambda tx: tx.add_account("altra@pec.example"))
    today = date(2026, 1, 15)

    async def work(tx: Transaction) -> None:
        await tx.set_sync_state(account, "uno")
        await tx.set_sync_state(account, "due")
        await tx.record_requests_made(account, today - timedelta(500), "look", 9)
        await tx.record_requests_made(account, today, "look", 10)
        await tx.record_requests_made(account, today, "body", 1)
        await tx.record_requests_made(account, today, "look", 20)

    await store.write(work)
    assert await read(store, account, "sync_state") == "due"
    assert await read(store, other, "sync_state") == ""
    assert await read(store, account, "requests_made", today) == {"look": 20, "body": 1}
    assert await read(store, account, "requests_made", today - timedelta(500)) == {}
    assert await read(store, account, "requests_made", today + timedelta(1)) == {}
    assert await read(store, other, "requests_made", today) == {}


async def test_accounts_do_not_see_each_others_rows(store: Store, account: AccountId) -> None:
    other = await store.write(lambda tx: tx.add_account("altra@pec.example"))
    await add(store, [new(account, "A", 1.0), new(other, "A", 5.0)])
    assert len(await store.read(lambda tx: tx.places_of(account, [b"A"]))) == 1
    assert await store.read(lambda tx: tx.rank_beside(account, None, newer=True)) == 1.0
    assert await store.read(lambda tx: tx.places_newer(account, 0.0)) == 1
