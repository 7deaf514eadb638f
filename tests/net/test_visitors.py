"""Who may stay and who goes."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.limits import STRANGER_GRACE_S, STRANGERS_PER_ADDRESS
from bridge.net.visitors import Crowd, Visitors


@dataclass(eq=False)
class One:
    address: str = "192.0.2.1"
    is_counted: bool = True
    guesses: int = 0


OLD = STRANGER_GRACE_S + 1


def test_an_address_has_so_many_strangers() -> None:
    visitors = Visitors[One](1000)
    first = [One() for _ in range(STRANGERS_PER_ADDRESS)]
    for one in first:
        assert visitors.enter(one, 0.0).stays
    late = One()
    verdict = visitors.enter(late, OLD)
    assert (verdict.stays, verdict.goes) == (True, first[0])
    assert len(visitors) == STRANGERS_PER_ADDRESS
    assert visitors.enter(One(address="198.51.100.9"), OLD).goes is None


def test_it_is_told_how_full_it_is_and_who_had_to_go() -> None:
    visitors = Visitors[One](2)
    for one in (One(), One(is_counted=False)):
        visitors.enter(one, 0.0)
    assert visitors.crowd == Crowd(2, 2, 1, 0)
    assert not visitors.enter(One(), 0.0).stays
    assert visitors.enter(One(), OLD).stays
    assert visitors.crowd == Crowd(2, 2, 1, 2)


def test_the_young_are_left_alone() -> None:
    visitors = Visitors[One](1000)
    for _ in range(STRANGERS_PER_ADDRESS):
        visitors.enter(One(), 0.0)
    assert not visitors.enter(One(), STRANGER_GRACE_S).stays
    assert visitors.enter(One(), OLD).stays


def test_who_guessed_most_goes_first_however_young() -> None:
    visitors = Visitors[One](3)
    for one in (guesser := One(guesses=2), One(guesses=1), One()):
        visitors.enter(one, 0.0)
    assert visitors.enter(One(), 1.0).goes is guesser


def test_users_are_not_counted_and_never_go() -> None:
    visitors = Visitors[One](STRANGERS_PER_ADDRESS + 10)
    for _ in range(STRANGERS_PER_ADDRESS + 10):
        assert visitors.enter(One(is_counted=False), 0.0).stays
    verdict = visitors.enter(One(), 10 * OLD)
    assert (verdict.stays, verdict.goes) == (False, None)


def test_who_left_makes_room() -> None:
    visitors = Visitors[One](1)
    visitors.enter(one := One(), 0.0)
    visitors.leave(one)
    visitors.leave(one)
    assert visitors.enter(One(), 0.0).stays
    assert len(list(visitors)) == 1
