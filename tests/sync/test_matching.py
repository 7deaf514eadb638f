"""Matching a page with what is known: tables, one case a line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.schema import InboxRow, UnreadableRow
from bridge.store.remote import Place, RemoteId
from bridge.sync.alignment import Alignment, Order, missing
from bridge.sync.departures import Departures
from bridge.sync.listed import Listed, fingerprint, listed
from bridge.sync.matching import align
from bridge.sync.ranking import ranked
from bridge.sync.shifts import drifted, is_replaced

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def row(number: str, subject: object = "Oggetto", **changes: object) -> InboxRow:
    fields: dict[str, object] = {
        "api_id": number,
        "sender": "a@x.invalid",
        "recipient": "b@x.invalid",
        "date_text": "Thu, 15 Jan 2026 12:00:00 +0000",
        "subject": subject,
        "raw": "{}",
        "date": NOON,
    }
    return InboxRow(**{**fields, **changes})  # type: ignore[arg-type]


def one(name: str, api_id: str) -> Listed:
    return listed(row(api_id, name))


def place(
    number: int,
    name: str,
    api_id: str,
    rank: float,
    turn: int = 0,
    drift: tuple[int, int] = (0, 0),
) -> Place:
    named = fingerprint(row(api_id, name))
    return Place(RemoteId(number), named, api_id, rank, b"body", turn, drift)


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({}, True),
        ({"api_id": "99"}, True),
        ({"sender": " a@x.invalid "}, True),
        ({"date_text": "2026-01-15 13:00:00"}, True),
        ({"raw": '{"id": 2}'}, True),
        ({"subject": "Altro"}, False),
        ({"sender": "c@x.invalid"}, False),
        ({"recipient": "c@x.invalid"}, False),
        ({"date": NOON + timedelta(seconds=1)}, False),
        ({"date": None, "date_text": "ieri"}, False),
    ],
    ids=str,
)
def test_what_names_a_row(changes: dict[str, object], is_same: bool) -> None:
    assert (fingerprint(row("1")) == fingerprint(row("1", **changes))) is is_same


def test_an_unreadable_row_is_named_by_its_json() -> None:
    assert fingerprint(UnreadableRow("null")) == fingerprint(UnreadableRow("null"))
    assert fingerprint(UnreadableRow("null")) != fingerprint(UnreadableRow("[1]"))


KNOWN = [place(3, "C", "3", 3.0), place(2, "B", "2", 2.0), place(1, "A", "1", 1.0)]


def renumbered(*names: str) -> list[Place]:
    """Return rows that a page lists under ids lower by one, the newest first."""
    ranks = range(len(names), 0, -1)
    return [place(at, name, str(at), float(at)) for name, at in zip(names, ranks, strict=True)]


CASES = {
    "as it was": ("C3 B2 A1", KNOWN, {0: 3, 1: 2, 2: 1}, [], []),
    "one is new": ("D4 C3 B2 A1", KNOWN, {1: 3, 2: 2, 3: 1}, [0], []),
    "renumbered": ("C2 B1 A0", KNOWN, {0: 3, 1: 2, 2: 1}, [], []),
    "only one is under another id": ("C3 B9 A1", KNOWN, {0: 3, 2: 1}, [], ["B"]),
    "alone and under another id": ("B9", KNOWN, {}, [], ["B"]),
    "renumbered above a gap, beside one row only": ("C2 A1", KNOWN, {1: 1}, [], ["C"]),
    "one is missing": ("C3 A1", KNOWN, {0: 3, 1: 1}, [], []),
    "nothing is known": ("C3 B2 A1", [], {}, [0, 1, 2], []),
    "new twins": ("X2 X1", [], {}, [], ["X"]),
    "twins as they were": (
        "X2 X1",
        [place(2, "X", "2", 2.0), place(1, "X", "1", 1.0)],
        {0: 2, 1: 1},
        [],
        [],
    ),
    "twins renumbered with their neighbour": (
        "X5 X4 A0",
        [place(3, "X", "6", 3.0), place(2, "X", "5", 2.0), place(1, "A", "1", 1.0)],
        {0: 3, 1: 2, 2: 1},
        [],
        [],
    ),
    "twins renumbered, their neighbour not": (
        "X5 X4 A1",
        [place(3, "X", "6", 3.0), place(2, "X", "5", 2.0), place(1, "A", "1", 1.0)],
        {2: 1},
        [],
        ["X"],
    ),
    "one more twin": ("X2 X1", [place(1, "X", "1", 1.0)], {}, [], ["X"]),
    "one twin less": (
        "X1 A0",
        [place(3, "X", "3", 3.0), place(2, "X", "2", 2.0), place(1, "A", "0", 1.0)],
        {1: 1},
        [],
        ["X"],
    ),
    "one twin less, the other moved with its neighbour": (
        "X7 B1 A0",
        [place(4, "X", "8", 4.0), place(3, "X", "6", 3.0), *renumbered("B", "A")],
        {1: 2, 2: 1},
        [],
        ["X"],
    ),
    "the same row elsewhere, or another": (
        "A9 C3 B2",
        KNOWN,
        {1: 3, 2: 2},
        [],
        ["A"],
    ),
}


@pytest.mark.parametrize(("page", "known", "pairs", "fresh", "doubtful"), CASES.values(), ids=CASES)
def test_a_page_beside_what_is_known(
    page: str,
    known: list[Place],
    pairs: dict[int, int],
    fresh: list[int],
    doubtful: list[str],
) -> None:
    alignment = align([one(item[0], item[1:]) for item in page.split()], known)
    assert {index: found.remote for index, found in alignment.partners.items()} == pairs
    assert list(alignment.fresh) == fresh
    assert alignment.doubtful == {fingerprint(row("", name)) for name in doubtful}


def test_rows_without_an_id_are_told_apart_by_their_count_alone() -> None:
    nothing = listed(UnreadableRow("null"))
    known = [Place(RemoteId(1), nothing.fingerprint, "", 1.0, None)]
    alignment = align([nothing, nothing], known)
    assert (alignment.fresh, alignment.doubtful) == ((1,), frozenset())


def test_moved_rows_are_known_under_their_new_ids() -> None:
    alignment = align([one("C", "2"), one("B", "1"), one("A", "1")], KNOWN)
    assert alignment.moved == [(3, "2"), (2, "1")]


@pytest.mark.parametrize(
    ("page", "upper", "lower", "ranks"),
    [
        ("D4 C3 B2 A1", None, None, {0: 4.0}),
        ("E5 D4 C3", None, 2.0, {0: 5.0, 1: 4.0}),
        ("B2 A1 Z0", 3.0, None, {2: 0.0}),
        ("C3 Y7 B2", None, 1.0, {1: 2.5}),
        ("Q2 P1", None, None, {0: 2.0, 1: 1.0}),
        ("Q2 P1", 10.0, None, {0: 9.0, 1: 8.0}),
        ("Q2", 10.0, 9.0, {0: 9.5}),
    ],
)
def test_new_rows_are_ranked_between_their_neighbours(
    page: str, upper: float | None, lower: float | None, ranks: dict[int, float]
) -> None:
    rows = [one(item[0], item[1:]) for item in page.split()]
    names = {item.fingerprint for item in rows}
    alignment = align(rows, [known for known in KNOWN if known.fingerprint in names])
    assert ranked(alignment, upper, lower) == ranks


def test_what_should_be_on_a_page_and_is_not_is_missing() -> None:
    alignment = align([one("C", "3"), one("A", "1")], [KNOWN[0], KNOWN[2]])
    assert missing(alignment, KNOWN) == (KNOWN[1],)


def test_twins_that_are_in_doubt_are_not_missing() -> None:
    twins = [place(3, "X", "3", 3.0), place(2, "X", "2", 2.0)]
    alignment = align([one("X", "1"), one("A", "0")], [*twins, place(1, "A", "0", 1.0)])
    assert alignment.doubtful == {twins[0].fingerprint}
    assert missing(alignment, twins) == ()


names = st.lists(st.sampled_from("ABCDEFGH"), min_size=1, max_size=25)


@given(names, st.data())
def test_no_known_row_is_ever_declared_new(page: list[str], data: st.DataObject) -> None:
    rows = [one(name, str(100 - index)) for index, name in enumerate(page)]
    kept = data.draw(st.lists(st.sampled_from(range(len(rows))), unique=True))
    known = [
        place(
            index + 1,
            page[index],
            str(data.draw(st.integers(0, 120))),
            100.0 - index,
            data.draw(st.integers(0, 3)),
        )
        for index in sorted(kept)
    ]
    alignment = align(rows, known)
    for index in alignment.fresh:
        name = rows[index].fingerprint
        assert all(found.fingerprint != name for found in known)
    assert len(set(alignment.partners.values())) == len(alignment.partners)
    for index, found in alignment.partners.items():
        assert rows[index].fingerprint == found.fingerprint


@pytest.mark.parametrize(
    ("page", "known", "index", "expected"),
    [
        pytest.param(
            ["a9", "x4", "b3"],
            [place(1, "a", "9", 3.0), place(2, "x", "5", 2.0), place(3, "b", "3", 1.0)],
            1, True, id="a row between two that stand moved",
        ),
        pytest.param(
            ["a8", "x4", "b3"],
            [place(1, "a", "9", 3.0), place(2, "x", "5", 2.0), place(3, "b", "3", 1.0)],
            1, False, id="with the rows above it, one below went",
        ),
        pytest.param(
            ["x4", "b3", "c2"],
            [place(2, "x", "5", 2.0), place(3, "b", "3", 1.0), place(4, "c", "2", 0.0)],
            0, False, id="first of its page, one below went",
        ),
        pytest.param(
            ["a9", "b8", "x4"],
            [place(1, "a", "9", 3.0), place(3, "b", "8", 2.0), place(2, "x", "5", 1.0)],
            2, False, id="last of its page, one above went",
        ),
        pytest.param(
            ["x5", "b4", "c3"],
            [place(2, "x", "1", 0.0), place(3, "b", "4", 2.0), place(4, "c", "3", 1.0)],
            0, True, id="it stands above what it was below",
        ),
        pytest.param(["x4"], [place(2, "x", "5", 2.0)], 0, False, id="nobody beside it"),
        pytest.param(
            ["a8", "x4", "b3"],
            [place(1, "a", "8", 3.0, 1), place(2, "x", "5", 2.0), place(3, "b", "3", 1.0, 1)],
            1, False, id="those beside it were noted later",
        ),
        pytest.param(
            ["a8", "x4", "b3"],
            [place(1, "a", "8", 3.0, 1), place(2, "x", "5", 2.0, 1), place(3, "b", "3", 1.0)],
            1, True, id="those beside it were noted with it, or before",
        ),
        pytest.param(
            ["a6", "x4", "b2"],
            [place(1, "a", "8", 3.0), place(2, "x", "5", 2.0, 1), place(3, "b", "4", 1.0)],
            1, False, id="those beside it may have moved before it was noted",
        ),
        pytest.param(
            ["a8", "x4", "b3"],
            [place(1, "a", "8", 3.0, 1), place(2, "x", "5", 2.0, 1, (-1, 0)),
             place(3, "b", "3", 1.0, 1)],
            1, False, id="it drifted with those beside it before",
        ),
        pytest.param(
            ["a8", "x5", "b3"],
            [place(1, "a", "8", 3.0, 1), place(2, "x", "5", 2.0, 1, (-1, -1)),
             place(3, "b", "3", 1.0, 1)],
            1, True, id="it stands where it was before it drifted",
        ),
    ],
)  # fmt: skip
def test_a_row_that_moved_otherwise_than_its_neighbours_is_another(
    page: list[str], known: list[Place], index: int, expected: bool
) -> None:
    rows = [one(name[0], name[1:]) for name in page]
    partners = {at: found for at, row in enumerate(rows) for found in known
                if found.fingerprint == row.fingerprint}  # fmt: skip
    alignment = Alignment(tuple(rows), partners, (), frozenset())
    moved = next(found for found in known if found.fingerprint == rows[index].fingerprint)
    assert is_replaced(moved, alignment, index) is expected


@pytest.mark.parametrize(
    ("api_id", "went", "is_known"),
    [
        pytest.param("17", [(5, 1.0), (5, 2.0), (6, 3.0)], True, id="as many went"),
        pytest.param("17", [(6, 1.0)] * 5, True, id="more went, perhaps later"),
        pytest.param("17", [(5, 1.0), (5, 2.0)], False, id="fewer went"),
        pytest.param("17", [(4, 1.0)] * 3, False, id="before its id was noted"),
        pytest.param("17", [(5, 12.0)] * 3, False, id="newer ones went"),
        pytest.param("17", [], False, id="none went"),
        pytest.param("15", [(5, 1.0)] * 9, False, id="not beside the next"),
        pytest.param("x17", [(5, 1.0)] * 9, False, id="no number"),
        pytest.param("21", [(5, 1.0)] * 9, False, id="upwards"),
    ],
)
def test_a_row_that_went_down_as_others_were_deleted_is_the_one_it_was(
    api_id: str, went: list[tuple[int, float]], is_known: bool
) -> None:
    """It comes onto the page from the next, where nobody saw it since."""
    departures = Departures()
    for turn, rank in went:
        departures.went(turn, rank)
    known = [place(1, "B", "18", 11.0, turn=9), place(2, "A", "20", 10.0, turn=5)]
    alignment = align([one("B", "18"), one("A", api_id)], known, departures=departures)
    assert (known[1] in alignment.partners.values()) is is_known
    assert bool(alignment.doubtful) is not is_known


@pytest.mark.parametrize(
    ("unseen", "expected"),
    [
        pytest.param(place(9, "x", "6", 2.5), [(9, (-2, -1))], id="between two"),
        pytest.param(place(9, "x", "6", 2.5, 0, (-3, -1)), [(9, (-5, -2))], id="once more"),
        pytest.param(place(9, "x", "6", 2.5, 1), [(9, (-2, 0))], id="noted after those"),
        pytest.param(place(9, "x", "1", 0.5), [(9, (-1, 0))], id="older than all"),
        pytest.param(place(9, "x", "9", 4.5), [], id="newer than all"),
        pytest.param(place(9, "x", "", 2.5), [], id="without an id"),
    ],
)
def test_what_is_not_seen_drifts_with_what_moves_beside_it(
    unseen: Place, expected: list[tuple[RemoteId, tuple[int, int]]]
) -> None:
    known = [place(1, "a", "8", 4.0), place(2, "b", "7", 3.0), place(3, "c", "4", 1.0)]
    alignment = align([one("a", "6"), one("b", "5"), one("c", "3")], known)
    assert drifted(alignment, [unseen]) == expected


def test_nothing_drifts_by_those_that_were_noted_later_or_were_not_seen_either() -> None:
    known = [place(1, "a", "8", 4.0, 2), place(3, "c", "4", 1.0, 0, (-1, 0))]
    alignment = align([one("a", "6"), one("c", "2")], known)
    assert drifted(alignment, [place(9, "x", "6", 2.5, 1)]) == []


def test_rows_noted_before_others_tell_about_each_other() -> None:
    """Two that were hidden while one below went, among others that were noted after that."""
    page = [one("a", "8"), one("x", "4"), one("b", "3"), one("y", "2"), one("c", "1")]
    known = [place(1, "a", "8", 5.0, 1), place(2, "x", "5", 4.0), place(3, "b", "3", 3.0, 1)]
    known += [place(4, "y", "3", 2.0), place(5, "c", "1", 1.0, 1)]
    assert not align(page, known).doubtful


def _stands_in_order(order: Mapping[int, Place], index: int, rank: float) -> bool:
    return all((at < index) is (it.rank > rank) for at, it in order.items() if at != index)


@given(
    st.dictionaries(st.integers(0, 12), st.tuples(st.integers(0, 4), st.integers(0, 9))),
    st.integers(0, 12),
    st.integers(0, 4),
    st.integers(0, 9),
)
def test_an_order_answers_what_looking_at_every_row_does(
    rows: dict[int, tuple[int, int]], index: int, turn: int, rank: int
) -> None:
    known = {at: place(at, "x", "1", high, noted) for at, (noted, high) in rows.items()}
    telling = [at for at in sorted(known) if at != index and known[at].turn <= turn]
    above, below = [at for at in telling if at < index], [at for at in telling if at > index]
    order = Order(known)
    assert order.telling(index, turn) == above[-1:] + below[:1]
    assert order.has_room(index, rank) is _stands_in_order(known, index, rank)
