"""When the next look is, as a person is told it, and why not sooner."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import cast

import pytest

from bridge.api.budget import RequestBudget
from bridge.api.errors import NotSent
from bridge.api.purpose import Purpose
from bridge.mailbox import Mailboxes
from bridge.model import AccountId
from bridge.sync import pace as words
from bridge.sync.pace import Pace
from bridge.sync.pages import InboxClient
from bridge.sync.settings import SyncAccount
from tests.fakes import FakeClock
from tests.sync.test_days import Watched


def made(clock: FakeClock, *, watchers: int = 1, per_day: int = 0) -> tuple[Pace, RequestBudget]:
    budget = RequestBudget(clock, per_day)
    account = SyncAccount(AccountId(1), "a@pec.invalid", cast("InboxClient", None), budget)
    mailboxes = cast("Mailboxes", Watched(watchers))
    return Pace(account, mailboxes, clock, Random(1), 60.0), budget


async def next_look(pace: Pace, clock: FakeClock) -> tuple[float, str]:
    found = await pace.next_look()
    return (found.at - clock.now()).total_seconds(), found.why


async def test_next_look(clock: FakeClock) -> None:
    pace, _ = made(clock)
    assert await next_look(pace, clock) == (30.0, words.IN_TURN)
    await clock.advance(20.0)
    assert await next_look(pace, clock) == (10.0, words.IN_TURN)
    await clock.advance(600.0)
    assert await next_look(pace, clock) == (0.0, words.IN_TURN)
    unseen, _ = made(clock, watchers=0)
    assert await next_look(unseen, clock) == (300.0, words.NOBODY_LOOKS)


async def test_next_look_where_requests_are_few(clock: FakeClock) -> None:
    pace, budget = made(clock, per_day=4)
    for _ in range(3):
        await budget.spend(Purpose.LOOK)
    in_s, why = await next_look(pace, clock)
    assert (in_s > 3600, why) == (True, words.SPREAD)


async def test_looks_leave_requests_to_what_is_not_listed_yet(clock: FakeClock) -> None:
    pace, _ = made(clock)
    pace.lags(is_behind=True)
    assert await next_look(pace, clock) == (words.BEHIND_S, words.SPREAD)
    pace.lags(is_behind=False)
    assert await next_look(pace, clock) == (30.0, words.IN_TURN)


@pytest.mark.parametrize(
    ("kind", "of_looks", "why"),
    [
        ("unreachable", True, words.AFTER_AN_ERROR),
        ("unreachable", False, words.IN_TURN),
        ("credentials", True, words.FOR_A_PERSON),
        ("budget", True, words.USED_UP),
    ],
)
async def test_next_look_after_trouble(
    clock: FakeClock, kind: str, of_looks: bool, why: str
) -> None:
    pace, _ = made(clock)
    error = NotSent("No.", kind=kind, retry_after_s=1000.0)  # type: ignore[arg-type]
    waiting = asyncio.ensure_future(pace.pause(error, of_looks=of_looks))
    await clock.advance(10.0)
    in_s, found = await next_look(pace, clock)
    assert found == why
    assert in_s == pytest.approx(990.0 if of_looks else 20.0, abs=1.0)
    await clock.advance(timedelta(minutes=30).total_seconds())
    await waiting
    assert (await next_look(pace, clock))[1] == words.IN_TURN
