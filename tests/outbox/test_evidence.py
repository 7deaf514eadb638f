from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import QueueId
from bridge.outbox.evidence import AFTER, BEFORE, PossibleSend, fits, proves, same_subject, weigh
from bridge.store.receipts import Acceptance
from bridge.store.remote import RemoteId

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
TO = ("cliente@altra.invalid",)
SECOND = timedelta(seconds=1)


def sending(
    name: str = "A",
    subject: str = "Fattura",
    to: tuple[str, ...] = TO,
    after_s: float = 0,
    named_code: str | None = None,
    under_way: bool = False,
) -> PossibleSend:
    started_at = NOW + timedelta(seconds=after_s)
    return PossibleSend(QueueId(name), subject, to, started_at, named_code, under_way)


def acceptance(
    remote: int = 1,
    subject: str = "Fattura",
    to: tuple[str, ...] = TO,
    after_s: float = 5,
    code: str | None = "",
) -> Acceptance:
    at = NOW + timedelta(seconds=after_s)
    named = f"202601150900{remote:04}" if code == "" else code
    return Acceptance(RemoteId(remote), named, subject, at, to)


SUBJECTS = {
    "the same": ("Fattura 12", "Fattura 12", True),
    "another": ("Fattura 12", "Fattura 13", False),
    "case and blanks": ("Fattura  n. 12 ", "fattura n. 12", True),
    "accents lost": ("Perché è così", "Perche e cosi", True),
    "replacement characters": ("Perché è così", "Perch\ufffd \ufffd cos\ufffd", True),
    "two replacement characters for each": ("Perché", "Perch\ufffd\ufffd", True),
    "question marks": ("Perché è così", "Perch? ? cos?", True),
    "decomposed": ("Perché", "Perche\u0301", True),
    "cut": ("Un oggetto piuttosto lungo, tagliato", "Un oggetto piuttosto lungo, t", True),
    "cut too short to tell": ("Un oggetto", "Un ogg", False),
    "longer than ours": ("Un oggetto piuttosto lungo", "Un oggetto piuttosto lungo e oltre", False),
    "both empty": ("", "", True),
    "ours empty": ("", "Fattura", False),
    "theirs empty": ("Fattura", "", False),
    "nothing left of theirs": ("日本", "??", False),
}


@pytest.mark.parametrize(("sent", "shown", "same"), SUBJECTS.values(), ids=SUBJECTS)
def test_subjects_are_compared_without_what_listings_spoil(
    sent: str, shown: str, same: bool
) -> None:
    assert same_subject(sent, shown) is same


@given(st.text(max_size=60))
def test_a_subject_is_its_own(subject: str) -> None:
    assert same_subject(subject, subject) or not subject.isascii()


@pytest.mark.parametrize(
    ("after", "fitting"),
    [
        (-BEFORE - SECOND, False),
        (-BEFORE, True),
        (timedelta(0), True),
        (AFTER, True),
        (AFTER + SECOND, False),
    ],
    ids=str,
)
def test_an_acceptance_is_of_the_time_of_its_send(after: timedelta, fitting: bool) -> None:
    assert fits(sending(), acceptance(after_s=after.total_seconds())) is fitting


@pytest.mark.parametrize(
    ("named", "fitting"),
    [
        ((), True),
        (("Cliente@ALTRA.invalid",), True),
        (("estraneo@altra.invalid",), False),
        (("cliente@altra.invalid", "estraneo@altra.invalid"), False),
    ],
    ids=str,
)
def test_an_acceptance_that_names_a_stranger_is_not_ours(
    named: tuple[str, ...], fitting: bool
) -> None:
    assert fits(sending(), acceptance(to=named)) is fitting


def test_an_acceptance_for_one_of_our_recipients_may_be_ours() -> None:
    ours = ("uno@altra.invalid", "due@altra.invalid")
    assert fits(sending(to=ours), acceptance(to=("due@altra.invalid",)))


def codes(sendings: list[PossibleSend], acceptances: list[Acceptance]) -> dict[str, str | None]:
    return {id: one.code for id, one in weigh(sendings, acceptances).matched.items()}


def test_one_send_and_its_acceptance() -> None:
    assert codes([sending()], [acceptance(1)]) == {"A": "2026011509000001"}


def test_nothing_without_an_acceptance() -> None:
    evidence = weigh([sending()], [acceptance(subject="Altro")])
    assert evidence.matched == {}
    assert evidence.doubtful == {}


def test_a_code_that_the_answer_named_decides_whatever_the_time() -> None:
    named = sending(named_code="2026011509000002")
    found = [acceptance(1), acceptance(2, after_s=9_999)]
    assert codes([named], found) == {"A": "2026011509000002"}


@pytest.mark.parametrize(
    "other",
    [
        acceptance(2, subject="I: Fattura"),
        acceptance(2, subject="I: ACCETTAZIONE: Fattura"),
        acceptance(2, to=("estraneo@altra.invalid",)),
        acceptance(2, after_s=-9_999),
    ],
    ids=["of a forward", "of a receipt forwarded", "to a stranger", "older than the send"],
)
def test_a_code_that_the_answer_named_is_no_proof_alone(other: Acceptance) -> None:
    assert codes([sending(named_code=str(other.code))], [other]) == {}


def test_twins_get_an_acceptance_each_in_order_of_time() -> None:
    twins = [sending("A"), sending("B", after_s=60)]
    found = [acceptance(2, after_s=61), acceptance(1, after_s=2)]
    assert codes(twins, found) == {"A": "2026011509000001", "B": "2026011509000002"}


def test_too_few_acceptances_for_twins_decide_nothing() -> None:
    evidence = weigh([sending("A"), sending("B", after_s=1)], [acceptance(1)])
    assert evidence.matched == {}
    assert evidence.doubtful == {"A": ("2026011509000001",), "B": ("2026011509000001",)}


def test_more_acceptances_than_sends_decide_nothing() -> None:
    evidence = weigh([sending("A")], [acceptance(1), acceptance(2, after_s=9)])
    assert evidence.matched == {}
    assert evidence.doubtful == {"A": ("2026011509000001", "2026011509000002")}


def test_what_is_older_than_the_send_decides_nothing_and_is_said() -> None:
    evidence = weigh([sending()], [acceptance(1, after_s=-600)])
    assert evidence.matched == {}
    assert evidence.doubtful == {"A": ("2026011509000001",)}


def test_one_that_is_too_old_puts_those_beside_it_in_doubt() -> None:
    """With a clock four minutes ahead, the second's acceptance would fit the first."""
    sendings = [sending("A", to=TO), sending("B", to=("altro@altra.invalid",), after_s=240)]
    found = [acceptance(1, to=(), after_s=-235), acceptance(2, to=(), after_s=5)]
    evidence = weigh(sendings, found)
    assert evidence.matched == {}
    assert set(evidence.doubtful) == {"A", "B"}


def test_the_acceptance_of_an_earlier_send_casts_no_doubt_on_a_later() -> None:
    sendings = [sending("A"), sending("B", after_s=240)]
    found = [acceptance(1, after_s=5), acceptance(2, after_s=245)]
    assert codes(sendings, found) == {"A": "2026011509000001", "B": "2026011509000002"}


def test_by_time_alone_sends_of_other_people_are_told_apart() -> None:
    sendings = [sending("A", to=TO), sending("B", to=("altro@altra.invalid",), after_s=240)]
    found = [acceptance(1, to=(), after_s=-60), acceptance(2, to=TO, after_s=245)]
    assert codes(sendings, found) == {}
    found = [acceptance(1, to=(), after_s=5), acceptance(2, to=sendings[1].recipients, after_s=245)]
    assert codes(sendings, found) == {"A": "2026011509000001", "B": "2026011509000002"}


def test_one_code_on_several_acceptances_is_one_send() -> None:
    ours = ("uno@altra.invalid", "due@altra.invalid")
    found = [
        acceptance(1, to=ours[:1], code="2026011509000099"),
        acceptance(2, to=ours[1:], code="2026011509000099"),
    ]
    assert codes([sending(to=ours)], found) == {"A": "2026011509000099"}


def test_recipients_tell_sends_of_one_subject_apart() -> None:
    one, both = ("uno@altra.invalid",), ("uno@altra.invalid", "due@altra.invalid")
    sends = [sending("A", to=both), sending("B", to=one)]
    found = [acceptance(1, to=one), acceptance(2, to=both)]
    assert codes(sends, found) == {"A": "2026011509000002", "B": "2026011509000001"}


def test_what_could_be_shared_out_in_two_ways_is_not() -> None:
    """Two lost sends to different people, and acceptances that name nobody."""
    sends = [sending("A", to=("uno@altra.invalid",)), sending("B", to=("due@altra.invalid",))]
    found = [acceptance(1, to=()), acceptance(2, to=())]
    evidence = weigh(sends, found)
    assert evidence.matched == {}
    assert set(evidence.doubtful) == {"A", "B"}


def test_one_name_settles_both_of_two() -> None:
    sends = [sending("A", to=("uno@altra.invalid",)), sending("B", to=("due@altra.invalid",))]
    found = [acceptance(1, to=()), acceptance(2, to=("uno@altra.invalid",))]
    assert codes(sends, found) == {"A": "2026011509000002", "B": "2026011509000001"}


def test_an_entry_tried_twice_was_sent_if_one_acceptance_is_there() -> None:
    tries = [sending("A"), sending("A", after_s=60)]
    assert codes(tries, [acceptance(1, after_s=65)]) == {"A": "2026011509000001"}
    two = [acceptance(1, after_s=2), acceptance(2, after_s=65)]
    assert codes(tries, two) == {"A": "2026011509000001"}
    assert codes(tries, [*two, acceptance(3, after_s=70)]) == {}


def test_a_send_under_way_that_fits_keeps_the_others_waiting() -> None:
    evidence = weigh([sending("A"), sending("B", under_way=True)], [acceptance(1)])
    assert evidence.matched == {}
    assert evidence.doubtful == {}


def test_other_sends_are_not_kept_waiting() -> None:
    sends = [sending("A"), sending("B", subject="Altro", under_way=True)]
    assert codes(sends, [acceptance(1)]) == {"A": "2026011509000001"}


@given(
    st.lists(st.tuples(st.sampled_from("xy"), st.integers(0, 1800)), max_size=5),
    st.lists(st.tuples(st.sampled_from("xy"), st.integers(-300, 3600)), max_size=5),
)
def test_nothing_is_matched_twice_or_to_what_does_not_fit(
    sends: list[tuple[str, int]], accepted: list[tuple[str, int]]
) -> None:
    sendings = [sending(str(n), subject=s, after_s=at) for n, (s, at) in enumerate(sends)]
    acceptances = [acceptance(n, subject=s, after_s=at) for n, (s, at) in enumerate(accepted, 1)]
    matched = weigh(sendings, acceptances).matched
    by_id = {one.id: one for one in sendings}
    assert len({one.remote for one in matched.values()}) == len(matched)
    assert all(fits(by_id[id], one) for id, one in matched.items())


def test_a_shorter_subject_with_a_code_is_not_ours_cut() -> None:
    ours = sending(subject=f"{LONG}, seguito")
    assert not fits(ours, acceptance(subject=LONG))
    assert fits(ours, acceptance(subject=f"{LONG}, seguito"))


SERVICE = "posta-certificata@pec.invalid"


@pytest.mark.parametrize(
    ("changes", "issuers", "believed"),
    [
        ({}, (), True),
        ({"recipients": ()}, (), False),
        ({"recipients": ()}, (SERVICE,), True),
        ({"recipients": ()}, ("posta-certificata@altra.invalid",), False),
        ({"recipients": (), "readable": False}, (SERVICE,), False),
        ({"sender": "mario.rossi@pec.invalid"}, (), False),
        ({"sender": "mario.rossi@pec.invalid"}, ("mario.rossi@pec.invalid",), False),
        ({"sender": f'"{SERVICE}" <mario@pec.invalid>'}, (SERVICE,), False),
        ({"sender": f"{SERVICE}, mario@pec.invalid"}, (SERVICE,), False),
    ],
)
def test_who_may_speak_for_a_send_of_unknown_code(
    changes: dict[str, Any], issuers: tuple[str, ...], believed: bool
) -> None:
    one = replace(acceptance(), **{"sender": SERVICE, **changes})
    assert proves(one, frozenset(issuers)) is believed


LONG = "Un oggetto piuttosto lungo, che il servizio taglia"


@pytest.mark.parametrize(
    ("shown", "fitting"),
    [(LONG, False), (LONG.upper(), False), (LONG[:-10], True)],
    ids=["whole, so sent elsewhere", "whole but for case", "cut, and the code with it"],
)
def test_without_a_code_only_a_cut_subject_is_evidence(shown: str, fitting: bool) -> None:
    assert fits(sending(subject=LONG), acceptance(subject=shown, code=None)) is fitting


def test_acceptances_of_one_code_are_one_that_names_all_of_them() -> None:
    """A message sent elsewhere, to one of ours and to others, may get one for each (Q20)."""
    ours = acceptance(1)
    theirs = acceptance(2, to=("altro@altra.invalid",), code=ours.code)
    assert weigh([sending()], [ours]).matched
    for both in ([ours, theirs], [theirs, ours]):
        assert weigh([sending()], both).matched == {}
    each = [acceptance(1, to=TO[:1]), acceptance(2, to=("due@altra.invalid",), code=ours.code)]
    to_both = sending(to=(*TO, "due@altra.invalid"))
    assert weigh([to_both], each).matched[to_both.id].code == ours.code
