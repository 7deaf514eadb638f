"""Who guesses waits; who does not, does not."""

from __future__ import annotations

import asyncio
import gc
import itertools

import pytest

from bridge.limits import (
    GUESS_FORGOTTEN_S,
    GUESS_PAUSE_S,
    GUESSES_AT_ONCE,
    GUESSES_FREE,
    GUESSES_REMEMBERED,
    LOGIN_S,
)
from bridge.login.guessing import FIRST_PAUSE_S, GuessGuard
from tests.fakes import FakeClock

MINE, OTHER = "a@pec.example", "b@pec.example"
HERE, THERE = "192.0.2.1", "198.51.100.9"


@pytest.fixture
def guard(clock: FakeClock) -> GuessGuard:
    return GuessGuard(clock, [MINE, OTHER])


def test_the_wait_begins_doubles_and_ends(guard: GuessGuard) -> None:
    pauses = []
    for _ in range(GUESSES_FREE + 20):
        pauses.append(guard.pause_s(HERE, MINE))
        guard.failed(HERE, MINE)
    assert pauses[:GUESSES_FREE] == [0.0] * GUESSES_FREE
    assert pauses[GUESSES_FREE] == FIRST_PAUSE_S
    grown = [one for one in pauses[GUESSES_FREE:] if one < GUESS_PAUSE_S]
    assert all(later == 2 * one for one, later in itertools.pairwise(grown))
    assert pauses[-1] == GUESS_PAUSE_S


def guess(guard: GuessGuard, peer: str, login: str, times: int = 100) -> None:
    for _ in range(times):
        guard.failed(peer, login)


async def test_whose_logins_wait_is_told_and_no_name_that_is_no_account(
    guard: GuessGuard, clock: FakeClock
) -> None:
    assert guard.slowed() == []
    guess(guard, HERE, MINE, GUESSES_FREE)
    guess(guard, THERE, "a password typed as a name")
    slowed = [(one.by, one.who, one.failures, one.pause_s) for one in guard.slowed()]
    assert slowed == [
        ("peer", THERE, 100, GUESS_PAUSE_S),
        ("peer", HERE, GUESSES_FREE, FIRST_PAUSE_S),
        ("account", MINE, GUESSES_FREE, FIRST_PAUSE_S),
    ]
    await clock.advance(GUESS_FORGOTTEN_S + 1)
    assert guard.slowed() == []


async def test_many_connections_are_no_way_round_the_wait(
    guard: GuessGuard, clock: FakeClock
) -> None:
    looked_at: list[str] = []

    async def log_in(password: str) -> None:
        async with guard.turn(HERE, MINE):
            looked_at.append(password)
            if password == "right":
                guard.succeeded(HERE, MINE)
            else:
                guard.failed(HERE, MINE)

    tries = [asyncio.create_task(log_in("wrong")) for _ in range(400)]
    tries.append(asyncio.create_task(log_in("right")))
    await clock.advance(FIRST_PAUSE_S / 2)
    assert len(looked_at) <= GUESSES_AT_ONCE
    await clock.advance(10 * GUESS_PAUSE_S)
    assert len(looked_at) <= 12 * GUESSES_AT_ONCE
    await clock.advance(LOGIN_S - 10 * GUESS_PAUSE_S - 1)
    assert looked_at[-1] == "right", "he has his turn before his connection is ended"
    await asyncio.gather(*tries)


async def test_a_turn_ends_with_whoever_has_it(guard: GuessGuard, clock: FakeClock) -> None:
    guess(guard, HERE, MINE)

    async def log_in() -> None:
        async with guard.turn(HERE, MINE):
            pass

    waiting = [asyncio.create_task(log_in()) for _ in range(2 * GUESSES_AT_ONCE)]
    await clock.advance(GUESS_PAUSE_S / 2)
    for one in waiting[: GUESSES_AT_ONCE + 3]:
        one.cancel()
    await clock.advance(GUESS_PAUSE_S)
    await asyncio.gather(*waiting, return_exceptions=True)
    await clock.advance(GUESS_PAUSE_S)
    assert [one.cancelled() for one in waiting].count(False) == GUESSES_AT_ONCE - 3
    waiting.clear()
    del one
    gc.collect()  # what cancelled a task remembers its frames
    assert not guard._turns, "nothing is kept of whoever is gone"


def test_an_account_is_guarded_from_everywhere(guard: GuessGuard) -> None:
    for number in range(100):
        guard.failed(f"192.0.2.{number}", MINE)
    assert guard.pause_s(THERE, MINE.upper()) == GUESS_PAUSE_S
    assert guard.pause_s(THERE, OTHER) == 0.0


def test_where_an_account_is_used_from_it_does_not_wait_for_guessers(guard: GuessGuard) -> None:
    guard.succeeded(THERE, MINE)
    guess(guard, HERE, MINE)
    assert guard.pause_s(THERE, MINE) == 0.0
    guess(guard, THERE, MINE)
    assert guard.pause_s(THERE, MINE) == GUESS_PAUSE_S  # who guesses there waits all the same


@pytest.mark.parametrize("login", [OTHER, "nobody"])
def test_who_shares_an_address_with_guessers_waits_until_his_first_login(
    guard: GuessGuard, login: str
) -> None:
    guess(guard, HERE, login)
    assert guard.pause_s(HERE, MINE) == GUESS_PAUSE_S
    guard.succeeded(HERE, MINE)
    assert guard.pause_s(HERE, MINE) == 0.0
    assert guard.pause_s(HERE, OTHER) == GUESS_PAUSE_S


def test_a_login_does_not_wipe_out_what_was_guessed_at_the_account(guard: GuessGuard) -> None:
    guess(guard, HERE, MINE)
    guard.succeeded(HERE, MINE)
    assert guard.pause_s(HERE, MINE) == GUESS_PAUSE_S


def test_a_peer_that_tries_name_after_name_waits(guard: GuessGuard) -> None:
    for number in range(100):
        guard.failed(HERE, f"user{number}")
    assert guard.pause_s(HERE, MINE) == GUESS_PAUSE_S
    assert guard.pause_s(THERE, "user1") == 0.0


async def test_failures_are_forgotten(guard: GuessGuard, clock: FakeClock) -> None:
    guess(guard, HERE, MINE)
    await clock.advance(GUESS_FORGOTTEN_S + 1)
    assert guard.pause_s(HERE, MINE) == 0.0
    guard.failed(HERE, MINE)
    assert guard.pause_s(HERE, MINE) == 0.0


def test_what_is_remembered_is_bounded(guard: GuessGuard) -> None:
    guess(guard, HERE, MINE)
    guard.succeeded(HERE, OTHER)
    for number in range(GUESSES_REMEMBERED + 1):
        guard.failed(f"peer{number}", "x")
        guard.succeeded(f"peer{number}", MINE)
    assert guard.pause_s(HERE, OTHER) == 0.0
    guess(guard, THERE, OTHER)
    assert guard.pause_s(HERE, OTHER) == GUESS_PAUSE_S  # forgotten that it is used from there


def test_a_name_is_logged_only_if_it_is_one(guard: GuessGuard) -> None:
    assert guard.shown("A@pec.example") == "A@pec.example"
    assert guard.shown("my-password\r\n") == "(not an account)"
