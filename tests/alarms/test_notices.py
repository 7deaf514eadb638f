"""Notices by the thousand: few messages, nothing left out, and what is over is said."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm, update_alarm
from bridge.alarms.collector import Collector
from bridge.alarms.kind import REFUSED
from bridge.alarms.notices import (
    FIRST_AFTER,
    MOST_OF_MESSAGES,
    MOST_SINGLY,
    day_in_rome,
    due_at,
    tell,
)
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId
from bridge.store.base import Store
from bridge.store.notices import NoticeDay, NoticeRow
from tests.alarms.test_alarm import messages
from tests.fakes import FakeClock

MOST_A_DAY = 20
MINUTE_S, DAY_S = 60, 86_400
STEP_S = 10 * MINUTE_S
BEGIN = datetime(2026, 1, 14, 23, 0, tzinfo=UTC)
"""Midnight in Rome."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(BEGIN)


@pytest.fixture
def collector(store: Store, mailboxes: Mailboxes, clock: FakeClock) -> Collector:
    return Collector(store, mailboxes, clock)


async def fail(
    mailboxes: Mailboxes,
    account: AccountId,
    clock: FakeClock,
    number: int,
    kind: AlarmKind = AlarmKind.FAILURE,
) -> None:
    now = clock.now()

    async def work(mtx: MailboxTransaction) -> None:
        detail = f"Lettera {number} | anna{number}@pec.example"
        words = Notice(f"Mancata / Failed: {number}", "Ita.", "Eng.", detail)
        await raise_alarm(mtx, Alarm(account, kind, f"Q{number}", words), now)

    await mailboxes.write(work)


async def end(mailboxes: Mailboxes, account: AccountId, clock: FakeClock, number: int) -> None:
    now = clock.now()
    await mailboxes.write(
        lambda mtx: clear_alarm(mtx, account, AlarmKind.FAILURE, f"Q{number}", now)
    )


async def collected(store: Store, mailboxes: Mailboxes, account: AccountId) -> tuple[str, str]:
    """Return subject and text of the one collected message in INBOX."""
    found = [
        one
        for one in await messages(store, mailboxes, account)
        if str(one["Message-ID"]).startswith("<notices.")
    ]
    (message,) = found
    return str(message["Subject"]), str(message.get_content())


async def test_the_first_are_told_singly_and_all_of_them_together(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock, collector: Collector
) -> None:
    for number in range(37):
        await fail(mailboxes, account, clock, number)
    assert len(await messages(store, mailboxes, account)) == MOST_OF_MESSAGES
    await collector.look()
    assert len(await messages(store, mailboxes, account)) == MOST_OF_MESSAGES
    await clock.advance(FIRST_AFTER.total_seconds())
    await collector.look()
    subject, text = await collected(store, mailboxes, account)
    assert "37 non consegnati" in subject
    assert "37 not delivered" in subject
    for number in range(37):
        assert f"Lettera {number} | anna{number}@pec.example" in text


async def test_the_collected_message_is_written_anew_in_place(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock, collector: Collector
) -> None:
    for number in range(10):
        await fail(mailboxes, account, clock, number)
    await clock.advance(DAY_S / 24)
    await collector.look()
    await fail(mailboxes, account, clock, 10)
    await end(mailboxes, account, clock, 3)
    await clock.advance(DAY_S / 24)
    await collector.look()
    subject, text = await collected(store, mailboxes, account)
    assert "11 not delivered" in subject
    assert "11 not delivered (1 ended)" in text
    (over,) = [line for line in text.splitlines() if "(cessato / ended)" in line]
    assert "Lettera 3 |" in over
    assert len(await messages(store, mailboxes, account)) == MOST_OF_MESSAGES + 1


async def test_what_is_over_alone_is_said_too(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock, collector: Collector
) -> None:
    for number in range(10):
        await fail(mailboxes, account, clock, number)
    await clock.advance(DAY_S / 24)
    await collector.look()
    for number in range(10):
        await end(mailboxes, account, clock, number)
    await clock.advance(DAY_S / 24)
    await collector.look()
    _, text = await collected(store, mailboxes, account)
    assert "10 not delivered (10 ended)" in text


async def test_a_day_is_twenty_messages_at_the_most_and_misses_nothing(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock, collector: Collector
) -> None:
    inbox = await mailboxes.find(account, "INBOX")
    assert inbox is not None
    before, told = inbox.uid_next, []
    kinds = (AlarmKind.FAILURE, AlarmKind.OPEN_12H, AlarmKind.CREDENTIALS, AlarmKind.READING)
    for step in range(2 * DAY_S // STEP_S):
        await fail(mailboxes, account, clock, step, kinds[step % len(kinds)])
        await collector.look()
        await clock.advance(STEP_S)
        if (step + 1) * STEP_S % DAY_S == 0:
            box = await mailboxes.find(account, "INBOX")
            assert box is not None
            told.append(box.uid_next - before)
            before = box.uid_next
    assert max(told) <= MOST_A_DAY
    await clock.advance(DAY_S / 2)
    await collector.look()
    texts = [str(one.get_content()) for one in await messages(store, mailboxes, account)]
    subjects = [str(one["Subject"]) for one in await messages(store, mailboxes, account)]
    for step in range(2 * DAY_S // STEP_S):
        listed = any(f"Lettera {step} |" in text for text in texts)
        assert listed or f"Mancata / Failed: {step}" in subjects


async def test_what_is_about_the_account_keeps_its_room(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock
) -> None:
    for number in range(100):
        await fail(mailboxes, account, clock, number)
    await fail(mailboxes, account, clock, 100, AlarmKind.CREDENTIALS)
    found = await messages(store, mailboxes, account)
    assert found[-1]["Subject"] == "Mancata / Failed: 100"
    assert len(found) == MOST_OF_MESSAGES + 1


async def test_bounces_are_told_together_too(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock, collector: Collector
) -> None:
    now = clock.now()
    for number in range(30):
        raw = f"Subject: Bounce {number}\r\n\r\nNo.\r\n".encode()
        line = f"Lettera {number} | Q{number}"
        await mailboxes.write(
            lambda mtx, line=line, raw=raw, number=number: tell(  # type: ignore[misc]
                mtx,
                NoticeRow(account, day_in_rome(now), REFUSED, f"Q{number}", line, now),
                raw,
            )
        )
    await clock.advance(FIRST_AFTER.total_seconds())
    await collector.look()
    subject, text = await collected(store, mailboxes, account)
    assert "30 not sent" in subject
    assert all(f"Lettera {number} | Q{number}" in text for number in range(30))
    subjects = Counter(str(one["Subject"])[:6] for one in await messages(store, mailboxes, account))
    assert subjects["Bounce"] == MOST_OF_MESSAGES


async def test_what_was_not_told_before_a_long_stop_is_told_after_it(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock, collector: Collector
) -> None:
    for number in range(10):
        await fail(mailboxes, account, clock, number)
    await clock.advance(40 * DAY_S)
    await fail(mailboxes, account, clock, 10)
    await collector.look()
    subject, text = await collected(store, mailboxes, account)
    assert "10 not delivered" in subject
    assert "Lettera 9 |" in text


async def test_what_a_clock_that_ran_ahead_put_off_is_told_now(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock
) -> None:
    ahead = FakeClock(clock.now() + timedelta(days=400))
    for number in range(10):
        await fail(mailboxes, account, ahead, number)
    await Collector(store, mailboxes, clock).look()
    _, text = await collected(store, mailboxes, account)
    assert "Lettera 9 |" in text


async def test_a_message_that_somebody_filed_stays(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock, collector: Collector
) -> None:
    for number in range(10):
        await fail(mailboxes, account, clock, number)
    await clock.advance(DAY_S / 24)
    await collector.look()
    inbox = await mailboxes.find(account, "INBOX")
    archive = await mailboxes.find(account, "Archive")
    assert inbox is not None
    assert archive is not None
    index = await mailboxes.index(inbox.id)
    uid = index.row(len(index) - 1).uid
    now = clock.now()

    async def work(mtx: MailboxTransaction) -> None:
        await mtx.move(inbox.id, [uid], archive.id)

    await mailboxes.write(work)
    await fail(mailboxes, account, clock, 10)
    await clock.advance(DAY_S / 24)
    await collector.look()
    subject, _ = await collected(store, mailboxes, account)
    assert "11 not delivered" in subject
    assert len(await mailboxes.index(archive.id)) == 1
    assert now < clock.now()


def waits(account: AccountId, figure: int) -> Alarm:
    return Alarm(account, AlarmKind.WAITING, "", Notice(f"Wait: {figure}", "Ita.", "Eng."))


async def update(mailboxes: Mailboxes, account: AccountId, clock: FakeClock, figure: int) -> None:
    now = clock.now()
    await mailboxes.write(lambda mtx: update_alarm(mtx, waits(account, figure), now))


async def waiting(store: Store, mailboxes: Mailboxes, account: AccountId) -> tuple[str, list[str]]:
    (alarm,) = await store.read(lambda tx: tx.alarms(account))
    shown = [str(one["Subject"]) for one in await messages(store, mailboxes, account)]
    return alarm.text, shown


async def test_figures_are_new_in_the_row_at_once_and_in_the_message_now_and_then(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock
) -> None:
    now = clock.now()
    await mailboxes.write(lambda mtx: raise_alarm(mtx, waits(account, 1), now))
    await update(mailboxes, account, clock, 2)
    assert await waiting(store, mailboxes, account) == ("Wait: 2", ["Wait: 1"])
    await clock.advance(DAY_S / 6)
    await update(mailboxes, account, clock, 3)
    assert await waiting(store, mailboxes, account) == ("Wait: 3", ["Wait: 3"])


async def test_a_message_that_was_deleted_does_not_come_back_with_new_figures(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock
) -> None:
    now = clock.now()
    await mailboxes.write(lambda mtx: raise_alarm(mtx, waits(account, 1), now))
    inbox = await mailboxes.find(account, "INBOX")
    assert inbox is not None
    index = await mailboxes.index(inbox.id)
    uid = index.row(0).uid
    await mailboxes.write(lambda mtx: mtx.expunge(inbox.id, [uid]))
    await clock.advance(DAY_S / 6)
    await update(mailboxes, account, clock, 3)
    assert await waiting(store, mailboxes, account) == ("Wait: 3", [])


@given(st.lists(st.integers(0, 30 * MINUTE_S), max_size=200))
def test_however_notices_come_a_day_of_25_hours_writes_ten_times(gaps: list[int]) -> None:
    day, now, writes = NoticeDay(AccountId(1), BEGIN.date()), BEGIN, 0
    end = BEGIN + timedelta(hours=25)
    for gap_s in gaps:
        now = due_at(day, now + timedelta(seconds=gap_s))
        if now >= end:
            break
        writes += 1
        day = NoticeDay(day.account, day.day, writes=writes, written_at=now)
    assert writes <= MOST_A_DAY - MOST_SINGLY - 1
