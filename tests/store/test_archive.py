"""The contract of ``store.archive``, for every backend."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from bridge.model import AccountId, QueueId
from bridge.store.archive import Archived, ArchivePlace, ArchiveQuery, Direction
from bridge.store.base import Store, Transaction
from bridge.store.outbox import NewSubmission, SubmissionRow
from bridge.store.remote import NewRemote, RemoteId
from tests.store.made import NOW, ingested

HOUR = timedelta(hours=1)
NUMBERS = count(1)


async def came(
    store: Store,
    account: AccountId,
    subject: str = "Oggetto",
    *,
    at: datetime | None = NOW,
    kind: str | None = "",
    code: str | None = None,
) -> str:
    """Let a row come, with its text unless ``kind`` is None; return its name."""
    new = NewRemote(
        account=account,
        fingerprint=str(next(NUMBERS)).encode(),
        api_id="1",
        raw="{}",
        sender="Anna <anna@pec.example>",
        recipient="azienda@pec.example",
        date_text="",
        subject=subject,
        received_at=at,
        first_seen=NOW,
    )

    async def work(tx: Transaction) -> RemoteId:
        remote = await tx.add_remote(new)
        if kind is not None:
            content = await tx.add_content(account, ingested(subject, message_id=f"<{remote}@x>"))
            await tx.keep_remote_body(remote, "testo", b"d", content)
            await tx.classify_remote(remote, kind, code, subject, ())
        return remote

    return f"R{await store.write(work)}"


async def submitted(
    store: Store, account: AccountId, subject: str = "Oggetto", at: datetime = NOW
) -> str:
    """Put an entry into the outbox; return its id."""
    id = f"Q{next(NUMBERS)}"

    async def work(tx: Transaction) -> None:
        content = await tx.add_content(account, ingested(subject, message_id=f"<{id}@x>"))
        to = ("zoe@altra.example",)
        await tx.add_submission(
            NewSubmission(QueueId(id), account, f"<{id}@x>", subject, to, content, b"", at)
        )

    await store.write(work)
    return id


async def page_of(store: Store, query: ArchiveQuery) -> tuple[Archived, ...]:
    return await store.read(lambda tx: tx.archive_page(query))


async def found(store: Store, query: ArchiveQuery) -> list[str]:
    return [
        one.row.id if isinstance(one.row, SubmissionRow) else f"R{one.row.id}"
        for one in await page_of(store, query)
    ]


async def test_what_came_and_what_was_submitted_is_one_list_newest_first(
    store: Store, account: AccountId
) -> None:
    old = await came(store, account, at=NOW - HOUR)
    sent = await submitted(store, account, at=NOW + HOUR)
    undated = await came(store, account, at=None)
    other = await store.write(lambda tx: tx.add_account("altra@pec.example"))
    await came(store, other)
    await submitted(store, other)
    query = ArchiveQuery(account, 10)
    assert await found(store, query) == [sent, undated, old]
    assert await found(store, replace(query, direction=Direction.RECEIVED)) == [undated, old]
    assert await found(store, replace(query, direction=Direction.SUBMITTED)) == [sent]
    assert await found(store, replace(query, limit=2)) == [sent, undated]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_pages_leave_nothing_out_and_show_nothing_twice(
    store: Store, account: AccountId, limit: int
) -> None:
    """Also where all has the same time."""
    for _ in range(3):
        await came(store, account)
        await submitted(store, account)
    await came(store, account, at=NOW - HOUR)
    await submitted(store, account, at=NOW - HOUR)
    whole = ArchiveQuery(account, 100)
    pages, before = [], None
    while True:
        page = await page_of(store, replace(whole, limit=limit, before=before))
        if not page:
            break
        pages += [one.place for one in page]
        before = pages[-1]
    assert pages == [one.place for one in await page_of(store, whole)]
    assert len(pages) == len(set(pages)) == 8
    assert pages == sorted(pages, reverse=True)


async def test_times_are_bounds(store: Store, account: AccountId) -> None:
    places = [await came(store, account, at=NOW + hours * HOUR) for hours in range(3)]
    query = ArchiveQuery(account, 10, since=NOW + HOUR, until=NOW + 2 * HOUR)
    assert await found(store, query) == [places[1]]


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        (("perche",), True),
        (("anna",), True),
        (("anna@pec", "perche"), True),
        (("perche", "bruno@pec.example"), True),
        (("perche", "niente"), False),
        (("%",), False),
        (("perch_",), False),
        (("100%",), False),
    ],
)
async def test_every_word_has_to_be_in_subject_name_or_address(
    store: Store, account: AccountId, words: tuple[str, ...], is_found: bool
) -> None:
    row = await came(store, account, "Perche no")
    assert await found(store, ArchiveQuery(account, 10, words=words)) == [row] * is_found


async def test_a_row_without_a_message_is_found_as_it_came(
    store: Store, account: AccountId
) -> None:
    row = await came(store, account, "CONSEGNA: Diffida", kind=None)
    for words in (("diffida",), ("anna",), ("azienda@pec",)):
        assert await found(store, ArchiveQuery(account, 10, words=words)) == [row]


async def test_addresses_are_senders_and_recipients(store: Store, account: AccountId) -> None:
    row, sent = await came(store, account), await submitted(store, account)
    for address, expected in (
        ("ANNA@pec.example", [row]),
        ("zoe@", [sent]),
        ("%", []),
        ("nobody@pec.example", []),
    ):
        assert await found(store, ArchiveQuery(account, 10, address=address)) == expected


async def test_kinds_are_those_of_rows_that_were_read_or_their_subjects(
    store: Store, account: AccountId
) -> None:
    read = await came(store, account, "whatever", kind="delivery", code="2026011510000092")
    listed = await came(store, account, "Consegna: Diffida", kind=None, at=NOW - HOUR)
    await came(store, account, "CONSEGNA: but another", kind="unknown")
    await submitted(store, account, "CONSEGNA: sent")
    query = ArchiveQuery(account, 10, kind="delivery", beginnings=("CONSEGNA", "AVVENUTA CONSEGNA"))
    assert await found(store, query) == [read, listed]
    assert await found(store, replace(query, beginnings=())) == [read]
    by_code = ArchiveQuery(account, 10, code="2026011510000092")
    assert await found(store, by_code) == [read]


async def test_what_left_is_told_from_what_is_still_there(store: Store, account: AccountId) -> None:
    live, gone = await came(store, account), await came(store, account)
    remote = RemoteId(int(gone[1:]))
    await store.write(lambda tx: tx.mark_remote_gone(remote, NOW, deleted=True))
    await submitted(store, account)
    assert await found(store, ArchiveQuery(account, 10, gone=True)) == [gone]
    assert await found(store, ArchiveQuery(account, 10, gone=False)) == [live]
    assert await store.read(lambda tx: tx.was_deleted(remote))
    assert not await store.read(lambda tx: tx.was_deleted(RemoteId(int(live[1:]))))
    assert not await store.read(lambda tx: tx.was_deleted(RemoteId(999)))


async def test_texts_have_names(store: Store, account: AccountId) -> None:
    name = await came(store, account, "Diffida")
    row = await store.read(lambda tx: tx.remote_row(RemoteId(int(name[1:]))))
    assert row is not None
    assert row.content is not None
    content = row.content
    text = await store.read(lambda tx: tx.archived_text(content))
    assert text is not None
    assert (text.message_id, text.preview) == (f"<{row.id}@x>", "testo")
    named = await store.read(lambda tx: tx.contents_by_message_id(account, f"<{row.id}@x>"))
    assert named == [content]
    assert await store.read(lambda tx: tx.archived_of_content(account, content)) == (row,)
    other = await store.write(lambda tx: tx.add_account("altra@pec.example"))
    assert await store.read(lambda tx: tx.archived_of_content(other, content)) == ()


def test_of_one_moment_what_was_submitted_is_the_newer() -> None:
    came = ArchivePlace(NOW, Direction.RECEIVED, 9)
    assert came < ArchivePlace(NOW, Direction.SUBMITTED, 1) < replace(came, at=NOW + HOUR)
