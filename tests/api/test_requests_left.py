from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.budget import RequestBudget
from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.errors import NotSent
from bridge.api.purpose import Purpose
from bridge.api.requests_left import RequestsLeft, read_requests_left
from tests.fakes import FakeClock

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
DAY = RequestsLeft(1_440, 3, 40_000.0)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"X-RateLimit-Limit": "1440"}, None),
        ({"X-RateLimit-Limit": "x", "X-RateLimit-Remaining": "3"}, None),
        ({"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": "4"}, None),
        ({"X-RateLimit-Limit": "1440", "X-RateLimit-Remaining": "7"}, RequestsLeft(1440, 7, None)),
        (
            {"RateLimit-Limit": "60, 60;w=60", "RateLimit-Remaining": "7", "RateLimit-Reset": "9"},
            RequestsLeft(60, 7, 9.0),
        ),
        (
            {
                "X-RateLimit-Limit": "1440",
                "X-RateLimit-Remaining": "7",
                "X-RateLimit-Reset": str(int(NOW.timestamp()) + 7_200),
            },
            RequestsLeft(1440, 7, 7_200.0),
        ),
    ],
)
def test_what_the_fields_say(fields: dict[str, str], expected: RequestsLeft | None) -> None:
    assert read_requests_left(fields, NOW) == expected


@given(st.dictionaries(st.sampled_from(["X-RateLimit-Limit", "RateLimit-Reset"]), st.text()))
def test_whatever_they_say_raises_nothing(fields: dict[str, str]) -> None:
    read_requests_left(fields, NOW)


@pytest.mark.parametrize(
    ("allowance", "is_of_a_day"),
    [
        (RequestsLeft(1_440, 9, None), True),
        (RequestsLeft(60, 9, None), False),
        (RequestsLeft(1_440, 9, 30.0), False),
        (RequestsLeft(60, 9, 40_000.0), True),
    ],
)
def test_what_is_of_a_day(allowance: RequestsLeft, is_of_a_day: bool) -> None:
    assert allowance.is_of_a_day is is_of_a_day


@pytest.mark.parametrize("per_day", [0, 1_440])
async def test_what_the_api_says_is_left_counts_if_it_is_less(per_day: int) -> None:
    budget = RequestBudget(FakeClock(), per_day)
    await budget.spend(Purpose.LOOK)
    await budget.heard(DAY)
    assert (await budget.use()).remaining == 3
    with pytest.raises(NotSent):
        await budget.spend(Purpose.BODY)
    for _ in range(3):
        await budget.spend(Purpose.LOOK)
    with pytest.raises(NotSent):
        await budget.spend(Purpose.LOOK)
    assert (await budget.use()).remaining == 0


async def test_what_it_says_of_a_minute_is_not_the_days() -> None:
    budget = RequestBudget(FakeClock(), 1_440)
    await budget.heard(RequestsLeft(60, 0, 30.0))
    await budget.spend(Purpose.BODY)


async def test_the_next_day_forgets_it() -> None:
    clock = FakeClock()
    budget = RequestBudget(clock, 1_440)
    await budget.heard(DAY)
    await clock.advance(86_400)
    assert (await budget.use()).remaining == 1_440
    await budget.spend(Purpose.BODY)


async def test_a_reads_answer_is_heard(clock: FakeClock) -> None:
    fields = {"X-RateLimit-Limit": "1440", "X-RateLimit-Remaining": "5"}
    page = {"data": [], "page": 1, "total": 0, "n_of_pages": 0, "success": True, "message": ""}
    connection = ApiConnection(
        "http://127.0.0.1",
        "t",
        clock=clock,
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=page, headers=fields)),
    )
    budget = RequestBudget(clock, 0)
    client = PecClient(connection, username="a", password="p", clock=clock, budget=budget)
    assert (await budget.use()).remaining is None
    await client.inbox_page()
    use = await budget.use()
    assert (use.per_day, use.remaining) == (1_440, 5)
    await connection.aclose()
