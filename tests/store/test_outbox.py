"""The contract of ``store.outbox``, for every backend."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bridge.model import AccountId, ContentId, QueueId, SubmissionState
from bridge.store.base import Store, StoreFailed, Transaction
from bridge.store.outbox import (
    AttemptEnd,
    AttemptRow,
    HoldCause,
    HoldRow,
    NewSubmission,
    Step,
    TransitionRow,
)
from tests.bound import bound
from tests.store.made import NOW, ingested

QUEUED, DISPATCHING, HELD = (
    SubmissionState.QUEUED,
    SubmissionState.DISPATCHING,
    SubmissionState.HELD,
)
LATER = NOW + timedelta(minutes=1, microseconds=7)
DAY = date(2026, 1, 15)


async def submit(
    store: Store,
    account: AccountId,
    name: str,
    *,
    message_id: str = "<a@b>",
    recipients: tuple[str, ...] = ("b@pec.example",),
    fingerprint: bytes = b"",
    kinship: bytes = b"",
    reference: str = "",
) -> QueueId:
    async def work(tx: Transaction) -> ContentId:
        content = await tx.add_content(account, ingested(name))
        await tx.add_submission(
            NewSubmission(
                QueueId(name),
                account,
                message_id,
                name,
                recipients,
                content,
                fingerprint,
                NOW,
                kinship,
                reference=reference,
            )
        )
        return content

    await store.write(work)
    return QueueId(name)


async def step(
    store: Store, id: QueueId, old: SubmissionState, new: SubmissionState, **fields: object
) -> bool:
    move = Step(old, new, LATER, **fields)  # type: ignore[arg-type]
    return await store.write(lambda tx: tx.step_submission(id, move))


@pytest.fixture
async def other(store: Store) -> AccountId:
    return await store.write(lambda tx: tx.add_account("other@pec.example"))


# -- entries -----------------------------------------------------------------------------------


async def test_a_new_entry_is_queued_and_whole(store: Store, account: AccountId) -> None:
    recipients = ("b@pec.example", "città@pec.example")
    id = await submit(store, account, "one", recipients=recipients, fingerprint=b"f")
    row = await store.read(lambda tx: tx.submission(id))
    assert row is not None
    assert (row.id, row.account, row.state, row.recipients) == (id, account, QUEUED, recipients)
    assert (row.message_id, row.subject, row.created_at) == ("<a@b>", "one", NOW)
    assert (row.code, row.reason, row.attempts, row.forced, row.counted) == (None, "", 0, False, 0)
    assert await store.read(lambda tx: tx.submission(QueueId("none"))) is None


@pytest.mark.parametrize(("name", "recipients"), [("", ("b@pec.example",)), ("one", ())])
def test_an_entry_has_a_name_and_a_recipient(name: str, recipients: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="at least one recipient"):
        NewSubmission(QueueId(name), AccountId(1), "", "", recipients, ContentId(1), b"", NOW)


async def test_a_name_is_given_once(store: Store, account: AccountId) -> None:
    await submit(store, account, "one")
    with pytest.raises(StoreFailed):
        await submit(store, account, "one")


async def test_entries_are_found_by_what_names_them(
    store: Store, account: AccountId, other: AccountId
) -> None:
    one = await submit(store, account, "one", message_id="<x@y>")
    await submit(store, other, "two", message_id="<x@y>")
    row = await store.read(lambda tx: tx.submission(one))
    assert row is not None
    by_message_id = await store.read(lambda tx: tx.submissions_by_message_id(account, "<x@y>"))
    by_content = await store.read(lambda tx: tx.submissions_of_content(account, row.content))
    assert by_message_id == by_content == (row,)
    await step(store, one, QUEUED, SubmissionState.SUBMITTED, code="C1", sent_at=LATER)
    (found,) = await store.read(lambda tx: tx.submissions_by_code(account, "C1"))
    assert (found.id, found.sent_at) == (one, LATER)
    assert await store.read(lambda tx: tx.submissions_by_code(other, "C1")) == ()


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        pytest.param({}, ["one", "two", "three"], id="all, oldest first"),
        pytest.param({"state": HELD}, ["two"], id="by state"),
        pytest.param({"limit": 2}, ["one", "two"], id="so many"),
        pytest.param({"since": NOW}, ["one", "two", "three"], id="since then"),
        pytest.param({"since": LATER}, [], id="since later"),
    ],
)
async def test_entries_are_listed(
    store: Store, account: AccountId, narrowed: dict[str, object], found: list[str]
) -> None:
    for name in ("one", "two", "three"):
        await submit(store, account, name)
    await step(store, QueueId("two"), QUEUED, HELD)
    rows = await store.read(lambda tx: tx.submissions(account=account, **narrowed))  # type: ignore[arg-type]
    assert [row.id for row in rows] == found
    counts = await store.read(lambda tx: tx.submission_counts())
    assert counts == {QUEUED: 2, HELD: 1}


async def test_uncertain_entries_are_listed(store: Store, account: AccountId) -> None:
    one = await submit(store, account, "one")
    uncertain = SubmissionState.UNCERTAIN
    assert await store.read(lambda tx: tx.submissions(account=account, state=uncertain)) == ()
    await step(store, one, QUEUED, uncertain, named_code="C9")
    (row,) = await store.read(lambda tx: tx.submissions(account=account, state=uncertain))
    assert (row.id, row.named_code) == (one, "C9")


async def test_what_the_sender_calls_an_entry_finds_it(
    store: Store, account: AccountId, other: AccountId
) -> None:
    for name, reference in (("one", "R1"), ("two", "R1"), ("three", "r1"), ("four", "")):
        await submit(store, account, name, reference=reference)
    await submit(store, other, "five", reference="R1")
    for asked, names in (("R1", ["one", "two"]), ("r1", ["three"]), ("", []), ("R", [])):
        found = await store.read(
            bound(lambda tx, a: tx.submissions_by_reference(account, a), asked)
        )
        assert [row.id for row in found] == names
    assert {row.reference for row in found} <= {asked}


# -- twins -------------------------------------------------------------------------------------


async def test_a_twin_is_the_first_with_the_same_fingerprint(
    store: Store, account: AccountId, other: AccountId
) -> None:
    for name in ("one", "two"):
        await submit(store, account, name, fingerprint=b"f")
    twin = await store.read(lambda tx: tx.submission_twin(account, b"f", NOW))
    assert twin is not None
    assert twin.id == "one"
    for asked in ((other, b"f", NOW), (account, b"g", NOW)):
        assert await store.read(bound(lambda tx, a: tx.submission_twin(*a), asked)) is None


@pytest.mark.parametrize(
    ("state", "is_twin"),
    [
        (SubmissionState.QUEUED, True),
        (SubmissionState.DISPATCHING, True),
        (SubmissionState.HELD, True),
        (SubmissionState.UNCERTAIN, True),
        (SubmissionState.RESTORED, True),
        (SubmissionState.SUBMITTED, False),
        (SubmissionState.CANCELLED, False),
    ],
)
async def test_an_open_twin_never_grows_too_old(
    store: Store, account: AccountId, state: SubmissionState, is_twin: bool
) -> None:
    id = await submit(store, account, "one", fingerprint=b"f")
    if state is not QUEUED:
        await step(store, id, QUEUED, state)
    twin = await store.read(lambda tx: tx.submission_twin(account, b"f", LATER))
    assert (twin is not None) is is_twin


async def test_a_twin_is_as_young_as_its_sending(store: Store, account: AccountId) -> None:
    id = await submit(store, account, "one", fingerprint=b"f")
    await step(store, id, QUEUED, SubmissionState.SUBMITTED, code="C1", sent_at=LATER)
    twin = await store.read(lambda tx: tx.submission_twin(account, b"f", LATER))
    assert twin is not None


async def test_a_kin_has_other_bytes_and_is_young(
    store: Store, account: AccountId, other: AccountId
) -> None:
    for name in ("one", "two"):
        await submit(store, account, name, fingerprint=name.encode(), kinship=b"k")
    for asked, found in (
        ((account, b"k", b"three", NOW), "one"),
        ((account, b"k", b"one", NOW), "two"),
        ((other, b"k", b"three", NOW), None),
        ((account, b"l", b"three", NOW), None),
        ((account, b"k", b"three", LATER), None),
        ((account, b"", b"three", NOW), None),
    ):
        kin = await store.read(bound(lambda tx, a: tx.submission_kin(*a), asked))
        assert (kin and kin.id) == found


async def test_without_a_fingerprint_there_is_no_twin(store: Store, account: AccountId) -> None:
    await submit(store, account, "one", fingerprint=b"")
    assert await store.read(lambda tx: tx.submission_twin(account, b"", NOW)) is None


@pytest.mark.parametrize("state", SubmissionState)
async def test_what_was_never_sent_is_no_twin(
    store: Store, account: AccountId, state: SubmissionState
) -> None:
    id = await submit(store, account, "one", fingerprint=b"f")
    await step(store, id, QUEUED, state)
    twin = await store.read(lambda tx: tx.submission_twin(account, b"f", NOW))
    ended = {SubmissionState.CANCELLED, SubmissionState.DROPPED, SubmissionState.REFUSED}
    assert (twin is None) is (state in ended)


# -- steps -------------------------------------------------------------------------------------


async def test_a_step_is_taken_and_written_down(store: Store, account: AccountId) -> None:
    id = await submit(store, account, "one")
    assert await step(store, id, QUEUED, HELD, reason="no credit", attempt=1, not_before=LATER)
    row = await store.read(lambda tx: tx.submission(id))
    assert row is not None
    assert (row.state, row.reason, row.updated_at, row.not_before) == (
        HELD,
        "no credit",
        LATER,
        LATER,
    )
    assert await store.read(lambda tx: tx.transitions(id)) == (
        TransitionRow(id, LATER, QUEUED, HELD, "no credit", 1),
    )


async def test_a_step_from_another_state_does_nothing(store: Store, account: AccountId) -> None:
    id = await submit(store, account, "one")
    before = await store.read(lambda tx: tx.submission(id))
    assert not await step(store, id, DISPATCHING, SubmissionState.SUBMITTED, code="C1")
    assert not await step(store, QueueId("none"), QUEUED, HELD)
    assert await store.read(lambda tx: tx.submission(id)) == before
    assert await store.read(lambda tx: tx.transitions(id)) == ()


async def test_what_is_known_of_the_api_stays_and_the_rest_is_as_given(
    store: Store, account: AccountId
) -> None:
    id = await submit(store, account, "one")
    await step(
        store, id, QUEUED, DISPATCHING, code="C1", sent_at=NOW, retrying_since=NOW, forced=True
    )
    await step(store, id, DISPATCHING, SubmissionState.UNCERTAIN, named_code="C2")
    row = await store.read(lambda tx: tx.submission(id))
    assert row is not None
    assert (row.code, row.named_code, row.sent_at) == ("C1", "C2", NOW)
    assert (row.retrying_since, row.forced) == (None, False)


async def test_the_oldest_entry_goes_first_and_a_forced_one_before_it(
    store: Store, account: AccountId, other: AccountId
) -> None:
    for name in ("one", "two", "three"):
        await submit(store, account, name)
    await submit(store, other, "elsewhere")

    async def first(*states: SubmissionState) -> str | None:
        row = await store.read(lambda tx: tx.first_submission(account, frozenset(states)))
        return row.id if row else None

    assert await first(QUEUED) == "one"
    await step(store, QueueId("one"), QUEUED, HELD)
    assert await first(QUEUED) == "two"
    assert await first(QUEUED, HELD) == "one"
    await step(store, QueueId("three"), QUEUED, HELD, forced=True)
    assert await first(QUEUED, HELD) == "three"
    assert await first(DISPATCHING) is None


async def test_accounts_wait_while_they_have_something_to_send(
    store: Store, account: AccountId, other: AccountId
) -> None:
    recipients = ("b@pec.example", "c@pec.example")
    one = await submit(store, account, "one", recipients=recipients)
    two = await submit(store, other, "two")
    await step(store, two, QUEUED, HELD)
    assert await store.read(lambda tx: tx.waiting_accounts()) == (account, other)
    assert await store.read(lambda tx: tx.queued_recipients(account)) == 2
    await step(store, one, QUEUED, DISPATCHING)
    assert await store.read(lambda tx: tx.waiting_accounts()) == (other,)
    assert await store.read(lambda tx: tx.queued_recipients(account)) == 0


# -- attempts ----------------------------------------------------------------------------------


async def test_attempts_are_counted_and_kept(store: Store, account: AccountId) -> None:
    id = await submit(store, account, "one")
    assert await store.read(lambda tx: tx.newest_attempt_end()) is None
    for number, at in ((1, NOW), (2, LATER)):
        assert await store.write(bound(lambda tx, at: tx.begin_attempt(id, at), at)) == number
    end = AttemptEnd(LATER, 503, "busy", "the API was busy")
    await store.write(lambda tx: tx.end_attempt(id, 1, end))
    assert await store.read(lambda tx: tx.attempts(id)) == (
        AttemptRow(id, 1, NOW, LATER, 503, "busy", "the API was busy"),
        AttemptRow(id, 2, LATER, None, None, "", ""),
    )
    assert await store.read(lambda tx: tx.newest_attempt_end()) == LATER
    row = await store.read(lambda tx: tx.submission(id))
    assert row is not None
    assert row.attempts == 2


# -- the plan ----------------------------------------------------------------------------------


async def test_an_entry_counts_once_however_often_it_is_counted(
    store: Store, account: AccountId, other: AccountId
) -> None:
    one, two = await submit(store, account, "one"), await submit(store, other, "two")
    next_day = DAY + timedelta(days=1)
    await store.write(lambda tx: tx.count_submission(one, DAY, 3))
    await store.write(lambda tx: tx.count_submission(two, DAY, 1))
    await store.write(lambda tx: tx.count_submission(one, next_day, 2))
    counted = [
        await store.read(bound(lambda tx, s: tx.counted(account, *s), span))
        for span in ((DAY, DAY), (DAY, next_day), (next_day, next_day))
    ]
    assert counted == [0, 2, 2]
    assert await store.read(lambda tx: tx.counted(other, DAY, next_day)) == 1
    await store.write(lambda tx: tx.count_submission(one, None, 0))
    assert await store.read(lambda tx: tx.counted(account, DAY, next_day)) == 0


# -- holds -------------------------------------------------------------------------------------


async def test_an_account_is_held_until_it_is_released(
    store: Store, account: AccountId, other: AccountId
) -> None:
    hold = HoldRow(account, HoldCause.PAYMENT, "no credit", NOW, LATER, 0)
    again = HoldRow(account, HoldCause.PAYMENT, "no credit", NOW, LATER, 1)
    for row in (hold, again):
        await store.write(bound(lambda tx, row: tx.hold_queue(row), row))
    assert await store.read(lambda tx: tx.hold(account)) == again
    assert await store.read(lambda tx: tx.hold(other)) is None
    assert await store.read(lambda tx: tx.holds()) == (again,)
    released = [await store.write(lambda tx: tx.release_queue(account)) for _ in range(2)]
    assert released == [True, False]
    assert await store.read(lambda tx: tx.holds()) == ()
