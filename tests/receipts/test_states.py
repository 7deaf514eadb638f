from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.receipts.kind import Kind
from bridge.receipts.states import (
    EFFECTS,
    FAILED_STATES,
    RANK,
    ReceiptEvidence,
    RecipientState,
    standing,
    timeout_kind,
)
from bridge.store.receipts import ReceiptBasis

AT = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
EVERYBODY = ("anna@pec.example", "bruno@pec.example", "carla@pec.example")
ANNA, BRUNO, CARLA = EVERYBODY


def seen(
    kind: Kind, *addresses: str, number: int = 1, ordinary: tuple[str, ...] = ()
) -> ReceiptEvidence:
    at = AT + timedelta(minutes=number)
    return ReceiptEvidence(number, kind, at, addresses, ordinary, f"detail {number}")


ONE_RECIPIENT = [
    ([], "pending"),
    ([Kind.ACCEPTANCE], "accepted"),
    ([Kind.NON_ACCEPTANCE], "failed"),
    ([Kind.NON_ACCEPTANCE_VIRUS], "failed"),
    ([Kind.DELIVERY], "delivered"),
    ([Kind.FAILURE], "failed"),
    ([Kind.FAILURE_VIRUS], "failed"),
    ([Kind.LATE_12H], "late_12h"),
    ([Kind.FAILED_24H], "failed_24h"),
    ([Kind.ACCEPTANCE, Kind.LATE_12H], "late_12h"),
    ([Kind.ACCEPTANCE, Kind.LATE_12H, Kind.DELIVERY], "delivered"),
    ([Kind.ACCEPTANCE, Kind.LATE_12H, Kind.FAILED_24H], "failed_24h"),
    ([Kind.ACCEPTANCE, Kind.FAILED_24H, Kind.DELIVERY], "delivered"),
    ([Kind.ACCEPTANCE, Kind.FAILURE], "failed"),
    ([Kind.DELIVERY, Kind.ACCEPTANCE], "delivered"),
    ([Kind.DELIVERY, Kind.LATE_12H], "delivered"),
    ([Kind.DELIVERY, Kind.FAILED_24H], "delivered"),
    ([Kind.FAILURE, Kind.LATE_12H, Kind.ACCEPTANCE], "failed"),
    ([Kind.TIMEOUT], "pending"),
    ([Kind.UNKNOWN, Kind.ENVELOPE, Kind.ANOMALY, Kind.TAKEN_IN_CHARGE, Kind.SECURITY], "pending"),
]


@pytest.mark.parametrize(
    ("kinds", "state"),
    ONE_RECIPIENT,
    ids=lambda value: (
        str(value) if isinstance(value, str) else "+".join(one.value for one in value)
    ),
)
def test_one_recipient_in_any_order(kinds: list[Kind], state: str) -> None:
    evidence = [seen(kind, ANNA, number=number) for number, kind in enumerate(kinds)]
    for order in permutations(evidence):
        where = standing((ANNA,), (*order, *order))
        assert where.recipients[0].state.value == state


def test_the_only_recipient_needs_no_name() -> None:
    where = standing((ANNA,), [seen(Kind.DELIVERY)])
    assert where.recipients[0].state is RecipientState.DELIVERED


@pytest.mark.parametrize("kind", [Kind.ACCEPTANCE, Kind.DELIVERY])
def test_what_a_text_says_too_rests_on_no_row(kind: Kind) -> None:
    row = replace(seen(kind, number=1), basis=ReceiptBasis.ROW)
    for text in (seen(kind, ANNA, number=2), seen(kind, ANNA, number=0)):
        (one,) = standing((ANNA,), [row, text]).recipients
        assert not one.by_row
    (one,) = standing((ANNA,), [row]).recipients
    assert one.by_row


rows_and_texts = st.lists(
    st.tuples(
        st.sampled_from([Kind.ACCEPTANCE, Kind.DELIVERY, Kind.DELIVERY, Kind.FAILURE]),
        st.sampled_from(["", *EVERYBODY]),
        st.sampled_from(ReceiptBasis),
    ),
    max_size=8,
)


@given(rows_and_texts)
def test_rows_give_nobody_what_no_delivery_of_the_inbox_is_for(
    drawn: list[tuple[Kind, str, ReceiptBasis]],
) -> None:
    evidence = []
    for number, (kind, name, basis) in enumerate(drawn):
        names = (name,) if name and basis is not ReceiptBasis.ROW else ()
        evidence.append(replace(seen(kind, *names, number=number), basis=basis))
    rested = [one for one in standing(EVERYBODY, evidence).recipients if one.by_row]
    inbox = [
        one
        for one in evidence
        if one.kind is Kind.DELIVERY and one.basis is not ReceiptBasis.STATUS
    ]
    if rested:  # with several recipients a row alone can only have delivered
        assert {one.state for one in rested} == {RecipientState.DELIVERED}
        failed = {one.addresses for one in evidence if one.kind is Kind.FAILURE}
        assert all(failed)
        named = {one.addresses for one in inbox if one.addresses}
        count = len(named) + sum(not one.addresses for one in inbox) + len(failed)
        assert count == len(EVERYBODY) if failed else count >= len(EVERYBODY)
        assert not failed & {(one.address,) for one in rested}


@pytest.mark.parametrize(
    ("kind", "names", "deliveries", "settled"),
    [
        (Kind.FAILURE, (ANNA,), 2, True),
        (Kind.FAILURE_VIRUS, (ANNA,), 2, True),
        (Kind.FAILURE, (ANNA,), 1, False),
        (Kind.FAILURE, (ANNA,), 3, False),  # one of them is hers, or of no recipient
        (Kind.FAILURE, (), 2, False),
        (Kind.FAILURE, (ANNA, BRUNO), 2, False),
        (Kind.FAILED_24H, (ANNA,), 2, False),  # she may have it still
        (Kind.NON_ACCEPTANCE, (ANNA,), 2, False),
    ],
)
def test_whom_a_final_failure_names_is_none_of_those_that_rows_settle(
    kind: Kind, names: tuple[str, ...], deliveries: int, *, settled: bool
) -> None:
    failure = seen(kind, *names, number=1)
    rows = [
        replace(seen(Kind.DELIVERY, number=2 + number), basis=ReceiptBasis.ROW)
        for number in range(deliveries)
    ]
    for order in ([failure, *rows], [*rows, failure]):
        where = standing(EVERYBODY, order)
        states = {one.address: one.state for one in where.recipients}
        others = {states[address] for address in EVERYBODY if address != ANNA}
        assert (others == {RecipientState.DELIVERED}) is settled
        assert where.is_final or not settled
        if settled:
            assert states[ANNA] is RecipientState.FAILED
            assert [one.by_row for one in where.recipients if one.address != ANNA] == [True] * 2


@pytest.mark.parametrize(("deliveries", "settled"), [(1, False), (2, True), (3, False)])
def test_an_ordinary_mailbox_is_none_of_those_that_rows_settle(
    deliveries: int, *, settled: bool
) -> None:
    acceptance = replace(seen(Kind.ACCEPTANCE, *EVERYBODY, number=1), uncertifiable=(ANNA,))
    rows = [
        replace(seen(Kind.DELIVERY, number=2 + number), basis=ReceiptBasis.ROW)
        for number in range(deliveries)
    ]
    where = standing(EVERYBODY, [acceptance, *rows])
    states = {one.address: one.state for one in where.recipients}
    assert states.pop(ANNA) is RecipientState.ACCEPTED_UNCERTIFIABLE
    assert (set(states.values()) == {RecipientState.DELIVERED}) is settled


def test_a_delivery_that_names_whom_a_failure_does_settles_nobody_else() -> None:
    failure, text = seen(Kind.FAILURE, ANNA, number=1), seen(Kind.DELIVERY, ANNA, number=2)
    row = replace(seen(Kind.DELIVERY, number=3), basis=ReceiptBasis.ROW)
    where = standing((ANNA, BRUNO), [failure, text, row])
    states = {one.address: one.state for one in where.recipients}
    assert states == {ANNA: RecipientState.DELIVERED, BRUNO: RecipientState.PENDING}


def test_beside_rows_a_delivery_that_names_several_is_nobodys() -> None:
    """One names one recipient: this one can be neither's, and a row alone settles nobody."""
    both = seen(Kind.DELIVERY, ANNA, BRUNO, number=1)
    row = replace(seen(Kind.DELIVERY, number=2), basis=ReceiptBasis.ROW)
    where = standing((ANNA, BRUNO), [both, row])
    assert {one.state for one in where.recipients} == {RecipientState.PENDING}


def test_a_name_in_other_letters_is_the_same() -> None:
    where = standing(EVERYBODY, [seen(Kind.DELIVERY, "ANNA@Pec.Example")])
    assert where.recipients[0].state is RecipientState.DELIVERED


def test_a_name_that_was_not_sent_to_moves_nobody() -> None:
    where = standing(EVERYBODY, [seen(Kind.DELIVERY, "altra@pec.example")])
    assert {one.state for one in where.recipients} == {RecipientState.PENDING}


def test_an_acceptance_tells_ordinary_mail_apart() -> None:
    where = standing(EVERYBODY, [seen(Kind.ACCEPTANCE, *EVERYBODY, ordinary=(BRUNO,))])
    assert [one.state.value for one in where.recipients] == [
        "accepted",
        "accepted_uncertifiable",
        "accepted",
    ]
    assert where.accepted_at == AT + timedelta(minutes=1)


def test_ordinary_recipients_are_not_waited_for() -> None:
    accepted = seen(Kind.ACCEPTANCE, *EVERYBODY, ordinary=(BRUNO, CARLA))
    where = standing(EVERYBODY, [accepted, seen(Kind.DELIVERY, ANNA, number=2)])
    assert where.is_delivered
    assert where.is_final
    only_ordinary = standing(EVERYBODY, [seen(Kind.ACCEPTANCE, *EVERYBODY, ordinary=EVERYBODY)])
    assert only_ordinary.is_final
    assert not only_ordinary.is_delivered


def test_an_acceptance_for_each_recipient_accepts_that_one() -> None:
    """Q20: a request to several may become a PEC for each."""
    where = standing(EVERYBODY, [seen(Kind.ACCEPTANCE, BRUNO)])
    assert [one.state.value for one in where.recipients] == ["pending", "accepted", "pending"]


@pytest.mark.parametrize("failure", [Kind.FAILED_24H, Kind.FAILURE])
def test_a_delivery_after_a_failure_is_a_delivery_in_conflict(failure: Kind) -> None:
    where = standing((ANNA,), [seen(failure, ANNA, number=1), seen(Kind.DELIVERY, ANNA, number=2)])
    (anna,) = where.recipients
    assert (anna.state, anna.conflict) == (RecipientState.DELIVERED, True)
    assert not where.is_failed


def test_since_when_and_why_are_those_of_the_first_receipt_of_its_state() -> None:
    evidence = [seen(Kind.FAILURE, ANNA, number=3), seen(Kind.FAILURE, ANNA, number=2)]
    (anna,) = standing((ANNA,), evidence).recipients
    assert (anna.at, anna.detail) == (AT + timedelta(minutes=2), "detail 2")


# -- receipts that name nobody ---------------------------------------------------------------


def nameless(kind: Kind, *numbers: int) -> list[ReceiptEvidence]:
    return [seen(kind, number=number) for number in numbers]


def test_two_of_three_are_counted_and_nobody_is_guessed() -> None:
    where = standing(EVERYBODY, [seen(Kind.ACCEPTANCE), *nameless(Kind.DELIVERY, 2, 3)])
    assert {one.state for one in where.recipients} == {RecipientState.ACCEPTED}
    assert {one.detail for one in where.recipients} == {"detail 1; 2 of 3 delivered, names unknown"}
    assert where.unnamed == {RecipientState.DELIVERED: 2}
    assert not where.is_delivered
    assert not where.is_final


def test_three_of_three_are_everybody() -> None:
    where = standing(EVERYBODY, [seen(Kind.ACCEPTANCE), *nameless(Kind.DELIVERY, 2, 3, 4)])
    assert where.is_delivered
    assert where.is_final
    assert not where.unnamed


def test_the_same_receipt_twice_is_counted_once() -> None:
    receipts = nameless(Kind.DELIVERY, 2, 3)
    assert standing(EVERYBODY, receipts * 2) == standing(EVERYBODY, receipts)


def test_names_help_the_count() -> None:
    evidence = [seen(Kind.DELIVERY, ANNA, number=1), *nameless(Kind.DELIVERY, 2)]
    where = standing(EVERYBODY, evidence)
    assert where.recipients[0].state is RecipientState.DELIVERED
    assert where.recipients[1].detail == "2 of 3 delivered, names unknown"
    assert standing(EVERYBODY, [*evidence, *nameless(Kind.DELIVERY, 3)]).is_delivered


def test_a_nameless_failure_fails_the_message_but_nobody_in_it() -> None:
    where = standing(EVERYBODY, nameless(Kind.FAILURE, 1))
    assert where.is_failed
    assert not any(one.state in FAILED_STATES for one in where.recipients)
    assert "1 of 3 failed, names unknown" in where.recipients[0].detail


def test_counts_of_different_outcomes_settle_nobody_but_leave_nothing_open() -> None:
    evidence = [*nameless(Kind.DELIVERY, 1, 2), *nameless(Kind.FAILURE, 3)]
    where = standing(EVERYBODY, evidence)
    assert {one.state for one in where.recipients} == {RecipientState.PENDING}
    assert where.is_final
    assert where.is_failed
    assert not where.is_delivered


def test_a_recipient_given_up_may_be_the_one_delivered_to() -> None:
    """A delivery may follow the 24-hour notice: two deliveries then settle two, not which."""
    evidence = [seen(Kind.FAILED_24H, ANNA, number=1), *nameless(Kind.DELIVERY, 2, 3)]
    where = standing(EVERYBODY, evidence)
    assert where.recipients[1].state is RecipientState.PENDING
    assert not where.is_delivered


@pytest.mark.parametrize("turn", [1, -1])
def test_failures_of_two_kinds_settle_nobody_however_many_are_of_one(turn: int) -> None:
    """Two of three gave up after a day: whose the third is nothing tells."""
    people = EVERYBODY[:2]
    evidence = [*nameless(Kind.FAILED_24H, 2, 3), *nameless(Kind.FAILURE, 1 if turn > 0 else 4)]
    where = standing(people, evidence)
    assert {one.state for one in where.recipients} == {RecipientState.PENDING}
    assert where.is_failed
    assert where.is_final


def test_nameless_warnings_are_counted_only() -> None:
    where = standing(EVERYBODY, nameless(Kind.LATE_12H, 1, 2, 3))
    assert {one.state for one in where.recipients} == {RecipientState.PENDING}
    assert "3 of 3 late, names unknown" in where.recipients[0].detail
    assert not where.is_final


# -- properties ------------------------------------------------------------------------------

kinds = st.sampled_from(sorted(Kind, key=lambda kind: kind.value))
who = st.lists(st.sampled_from((*EVERYBODY, "altra@pec.example")), max_size=3).map(tuple)


@st.composite
def evidence_lists(draw: st.DrawFn) -> list[ReceiptEvidence]:
    size = draw(st.integers(0, 8))
    return [
        ReceiptEvidence(
            number,
            draw(kinds),
            AT + timedelta(minutes=draw(st.integers(0, 5))),
            draw(who),
            draw(who),
        )
        for number in range(size)
    ]


@given(evidence_lists(), st.data())
def test_order_and_repeats_change_nothing(
    evidence: list[ReceiptEvidence], data: st.DataObject
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(evidence), max_size=4)) if evidence else []
    shuffled = data.draw(st.permutations(evidence + repeats))
    assert standing(EVERYBODY, shuffled) == standing(EVERYBODY, evidence)


@given(evidence_lists(), kinds, who)
def test_what_was_named_never_falls_back(
    evidence: list[ReceiptEvidence], kind: Kind, addresses: tuple[str, ...]
) -> None:
    named = [one for one in evidence if len(set(one.addresses) & set(EVERYBODY)) == 1]
    before = standing(EVERYBODY, named).recipients
    after = standing(EVERYBODY, [*named, ReceiptEvidence(99, kind, AT, addresses)]).recipients
    assert all(RANK[one.state] <= RANK[two.state] for one, two in zip(before, after, strict=True))


@given(evidence_lists())
def test_nobody_is_delivered_to_without_a_delivery_each(evidence: list[ReceiptEvidence]) -> None:
    delivered = [
        one
        for one in standing(EVERYBODY, evidence).recipients
        if one.state is RecipientState.DELIVERED
    ]
    assert len(delivered) <= sum(one.kind is Kind.DELIVERY for one in evidence)


def test_the_table_has_every_state_but_the_first_and_the_acceptances_own() -> None:
    reached = {effect.state for effect in EFFECTS.values()}
    assert set(RecipientState) - reached == {
        RecipientState.PENDING,
        RecipientState.ACCEPTED_UNCERTIFIABLE,
    }


@pytest.mark.parametrize(
    ("hours", "age_h", "kind"),
    [
        (12, 23.5, Kind.LATE_12H),
        (24, 1, Kind.FAILED_24H),
        (None, 12, Kind.LATE_12H),
        (None, 19.9, Kind.LATE_12H),
        (None, 21, Kind.LATE_12H),
        (None, 22, Kind.FAILED_24H),
        (None, None, Kind.LATE_12H),
    ],
)
def test_the_two_time_notices(hours: int | None, age_h: float | None, kind: Kind) -> None:
    age = None if age_h is None else timedelta(hours=age_h)
    assert timeout_kind(hours, age) is kind


@pytest.mark.parametrize("kind", [Kind.DELIVERY, Kind.FAILURE, Kind.LATE_12H, Kind.FAILED_24H])
def test_one_receipt_that_names_two_is_about_neither(kind: Kind) -> None:
    where = standing(EVERYBODY, [ReceiptEvidence(1, kind, AT, EVERYBODY[:2])])
    assert {one.state for one in where.recipients} == {RecipientState.PENDING}


@pytest.mark.parametrize("kind", [Kind.ACCEPTANCE, Kind.DELIVERY, Kind.FAILURE, Kind.FAILED_24H])
@pytest.mark.parametrize("named", [("x@altro.example",), (EVERYBODY[0], "x@altro.example")])
@pytest.mark.parametrize("to", [EVERYBODY, EVERYBODY[:1]])
def test_what_names_a_stranger_counts_for_nothing(
    kind: Kind, named: tuple[str, ...], to: tuple[str, ...]
) -> None:
    where = standing(to, [ReceiptEvidence(1, kind, AT, named)])
    assert {one.state for one in where.recipients} == {RecipientState.PENDING}
    assert not where.is_answered
    assert where.accepted_at is None
