"""The daily sums, for every backend: they are what the entries say."""

from __future__ import annotations

from collections import Counter
from datetime import date
from random import Random

import pytest

from bridge.model import AccountId, QueueId, SubmissionState
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.figures import DayFigures, ReceiptSummary
from bridge.store.outbox import Step, SubmissionRow
from tests.bound import bound
from tests.store.made import NOW
from tests.store.test_outbox import submit

DAYS = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 29)]
STATES = list(SubmissionState)
DOUBTED = {SubmissionState.UNCERTAIN, SubmissionState.DROPPED, SubmissionState.RESTORED}
EVER = (date(2000, 1, 1), date(2100, 1, 1))


async def figures(store: Store) -> tuple[DayFigures, ...]:
    return await store.read(lambda tx: tx.day_figures(*EVER))


async def move(store: Store, id: QueueId, new: SubmissionState) -> None:
    async def work(tx: Transaction) -> None:
        row = await tx.submission(id)
        assert row is not None
        await tx.step_submission(id, Step(row.state, new, NOW))

    await store.write(work)


async def test_what_never_left_is_in_no_sum(store: Store, account: AccountId) -> None:
    await submit(store, account, "a")
    assert await figures(store) == ()
    await store.write(lambda tx: tx.count_submission(QueueId("a"), DAYS[0], 1))
    assert [one.messages for one in await figures(store)] == [1]
    await store.write(lambda tx: tx.count_submission(QueueId("a"), None, 0))
    assert await figures(store) == ()


async def test_days_are_bounded_on_both_sides(store: Store, account: AccountId) -> None:
    for number, day in enumerate(DAYS):
        id = await submit(store, account, f"m{number}")
        await store.write(bound(lambda tx, to: tx.count_submission(*to, 1), (id, day)))
    found = await store.read(lambda tx: tx.day_figures(DAYS[1], DAYS[1]))
    assert [(one.account, one.day) for one in found] == [(account, DAYS[1])]
    ids = await store.read(lambda tx: tx.submissions_counted(DAYS[1], DAYS[2]))
    assert ids == (QueueId("m1"), QueueId("m2"))
    other = AccountId(account + 1)
    assert await store.read(lambda tx: tx.submissions_counted(*EVER, other)) == ()


@pytest.mark.parametrize("seed", range(4))
async def test_sums_are_those_of_the_entries(store: Store, account: AccountId, seed: int) -> None:
    random = Random(seed)
    ids = [
        await submit(store, account, f"m{n}", recipients=("a@b.example",) * random.randint(1, 4))
        for n in range(6)
    ]
    known: dict[QueueId, ReceiptSummary] = {}
    for _ in range(60):
        id = random.choice(ids)
        match random.randrange(3):
            case 0:
                day = random.choice([None, *DAYS])
                counted = random.randint(1, 5) if day else 0
                await store.write(
                    bound(lambda tx, to: tx.count_submission(*to), (id, day, counted))
                )
            case 1:
                await move(store, id, random.choice(STATES))
            case _:
                known[id] = ReceiptSummary(*(random.randint(0, 3) for _ in range(4)))
                await store.write(bound(lambda tx, to: tx.keep_outcome(*to), (id, known[id])))
        assert await told(store) == await summed(store, ids, known)


async def told(store: Store) -> dict[date, dict[str, int]]:
    names = DayFigures.__slots__[2:]
    return {
        one.day: {name: getattr(one, name) for name in names if name != "size_bytes"}
        for one in await figures(store)
    }


async def summed(
    store: Store, ids: list[QueueId], known: dict[QueueId, ReceiptSummary]
) -> dict[date, dict[str, int]]:
    async def work(tx: ReadTransaction) -> list[SubmissionRow | None]:
        return [await tx.submission(id) for id in ids]

    sums: dict[date, Counter[str]] = {}
    for row in await store.read(work):
        assert row is not None
        if row.counted_on is None:
            continue
        outcome = known.get(row.id, ReceiptSummary())
        sums.setdefault(row.counted_on, Counter()).update(
            messages=1,
            recipients=len(row.recipients),
            counted=row.counted,
            accepted=outcome.accepted,
            delivered=outcome.delivered,
            failed=outcome.failed,
            ordinary=outcome.ordinary,
            uncertain=len(row.recipients) if row.state in DOUBTED else 0,
        )
    return {day: dict(found) for day, found in sums.items()}


async def test_bytes_are_those_of_the_text(store: Store, account: AccountId) -> None:
    id = await submit(store, account, "a")
    await store.write(lambda tx: tx.count_submission(id, DAYS[0], 1))
    (one,) = await figures(store)
    row = await store.read(lambda tx: tx.submission(id))
    assert row is not None
    raw = await store.read(lambda tx: tx.raw(row.content, 0, 10_000))
    assert one.size_bytes == len(raw)


async def test_a_rare_failure_keeps_sums_and_entry_together(
    store: Store, account: AccountId
) -> None:
    id = await submit(store, account, "a")

    async def work(tx: Transaction) -> None:
        await tx.count_submission(id, DAYS[0], 1)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(work)
    assert await figures(store) == ()
