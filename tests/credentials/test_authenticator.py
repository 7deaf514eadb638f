from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.credentials import Authenticator, Login, Secret
from bridge.credentials.local import Hashed, hash_password
from bridge.model import AccountId

CLEAR = (
    Login(AccountId(1), "Azienda@pec.example", Secret("hush")),
    Login(AccountId(2), "b@pec.example", Secret("pàss"), Secret("local")),
)


@pytest.mark.parametrize(
    ("login", "password", "account"),
    [
        ("Azienda@pec.example", "hush", 1),
        ("AZIENDA@PEC.EXAMPLE", "hush", 1),
        ("b@pec.example", "pàss", 2),
        ("b@pec.example", "local", 2),
        ("b@pec.example", "hush", None),
        ("b@pec.example", "", None),
        ("b@pec.example", "\ud800", None),
        ("b", "pàss", None),
        ("", "", None),
        ("c@pec.example", "hush", None),
        ("Azienda@pec.example", "local", None),
    ],
)
async def test_logins(login: str, password: str, account: int | None) -> None:
    assert await Authenticator(CLEAR).check(login, password) == account


@given(st.text(max_size=20), st.text(max_size=20))
async def test_a_guess_opens_nothing(login: str, password: str) -> None:
    assert await Authenticator(CLEAR).check(login, password) is None


@dataclass
class Checks:
    """Counts what hashes are asked, and on which threads, at most how many at once."""

    passwords: list[str] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    now: int = 0
    most: int = 0


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Checks:
    checks, fits = Checks(), Hashed.fits

    def counted(hashed: Hashed, password: str) -> bool:
        checks.passwords.append(password)
        checks.threads.add(threading.get_ident())
        checks.now += 1
        checks.most = max(checks.most, checks.now)
        try:
            return fits(hashed, password)
        finally:
            checks.now -= 1

    monkeypatch.setattr(Hashed, "fits", counted)
    return checks


@pytest.fixture
def authenticator(monkeypatch: pytest.MonkeyPatch) -> Authenticator:
    monkeypatch.setattr("bridge.credentials.local.LOG2_N", 8)  # quick
    login = Login(AccountId(1), "a@pec.example", Secret("own"), Secret(hash_password("local")))
    return Authenticator((login, *CLEAR))


async def test_either_password_opens_and_a_right_one_is_hashed_once(
    authenticator: Authenticator, checks: Checks
) -> None:
    for _ in range(20):
        assert await authenticator.check("a@pec.example", "own") == 1
        assert await authenticator.check("A@pec.example", "local") == 1
    assert checks.passwords == ["local"]


async def test_no_hash_is_worked_out_on_the_loop_nor_two_at_once(
    authenticator: Authenticator, checks: Checks
) -> None:
    guesses = [authenticator.check("a@pec.example", f"guess {number}") for number in range(4)]
    assert await asyncio.gather(*guesses) == [None] * 4
    assert threading.get_ident() not in checks.threads
    assert checks.most == 1


async def test_many_that_log_in_at_once_cost_one_hash(
    authenticator: Authenticator, checks: Checks
) -> None:
    logins = [authenticator.check("a@pec.example", "local") for _ in range(20)]
    assert await asyncio.gather(*logins) == [1] * 20
    assert checks.passwords == ["local"]


async def test_the_time_says_nothing_of_names(authenticator: Authenticator, checks: Checks) -> None:
    for name in ("a@pec.example", "b@pec.example", "nobody@pec.example"):
        assert await authenticator.check(name, "guess") is None
    assert len(checks.passwords) == 3
    assert await authenticator.check("nobody@pec.example", "local") is None


async def test_what_opens_one_account_opens_no_other(authenticator: Authenticator) -> None:
    assert await authenticator.check("a@pec.example", "local") == 1
    assert await authenticator.check("Azienda@pec.example", "own") is None


async def test_what_is_kept_in_memory_is_no_password_made_here(
    authenticator: Authenticator,
) -> None:
    await authenticator.check("a@pec.example", "local")
    entries = authenticator._entries.values()
    assert not [one for one in entries if "local" in repr(one) or "own" in repr(one)]


def test_a_seal_is_of_the_passwords_and_the_token() -> None:
    """So that another process knows it, and a changed password ends what was begun by the old."""
    one, other = Secret("one"), Secret("other")

    def seal(token: str, *secrets: Secret) -> bytes:
        login = Login(AccountId(1), "a@pec.example", *secrets)
        return Authenticator([login]).seal(AccountId(1), token)

    assert seal("t", one) == seal("t", one) != seal("t", other)
    assert seal("t", one) != seal("u", one)
    assert seal("t", one, other) == seal("t", one) + seal("t", other)
    assert Authenticator([]).seal(AccountId(1), "t") == b""
