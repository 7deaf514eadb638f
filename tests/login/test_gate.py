"""Both protocols check a login alike, and the log of it holds no password."""

from __future__ import annotations

import pytest
import structlog

from bridge.limits import GUESSES_FREE
from bridge.login import GuessGuard, LoginGate
from bridge.model import AccountId
from tests.fakes import FakeClock

ADDRESS, PASSWORD = "anna@pec.example", "segreta"


class OneAccount:
    async def check(self, login: str, password: str) -> AccountId | None:
        known = (login.casefold(), password) == (ADDRESS, PASSWORD)
        return AccountId(1) if known else None


@pytest.fixture
def gate(clock: FakeClock) -> LoginGate:
    return LoginGate(OneAccount(), GuessGuard(clock, [ADDRESS]))


@pytest.mark.parametrize("protocol", ["imap", "smtp"])
async def test_a_login_is_one_line_of_the_log(gate: LoginGate, protocol: str) -> None:
    with structlog.testing.capture_logs() as lines:
        assert await gate.enter(protocol, "192.0.2.1", ADDRESS.upper(), PASSWORD) == 1  # type: ignore[arg-type]
        assert await gate.enter(protocol, "192.0.2.1", ADDRESS, "wrong") is None  # type: ignore[arg-type]
        assert await gate.enter(protocol, "192.0.2.1", PASSWORD, "x") is None  # type: ignore[arg-type]
    assert [(line["event"], line["protocol"], line["log_level"]) for line in lines] == [
        ("login", protocol, "info"),
        ("login_failed", protocol, "warning"),
        ("login_failed", protocol, "warning"),
    ]
    assert PASSWORD not in str(lines)


async def test_guesses_on_either_protocol_count_together(gate: LoginGate) -> None:
    for _ in range(GUESSES_FREE):
        await gate.enter("imap", "192.0.2.1", ADDRESS, "wrong")
    assert gate.guard.pause_s("192.0.2.1", ADDRESS) > 0
    assert gate.guard.pause_s("198.51.100.9", ADDRESS) > 0


async def test_where_an_account_is_used_it_does_not_wait_for_others(gate: LoginGate) -> None:
    await gate.enter("smtp", "192.0.2.1", ADDRESS, PASSWORD)
    for _ in range(GUESSES_FREE):
        await gate.enter("imap", "198.51.100.9", ADDRESS, "wrong")
    assert gate.guard.pause_s("192.0.2.1", ADDRESS) == 0
