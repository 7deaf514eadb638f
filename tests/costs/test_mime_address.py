"""Address lists of any length and shape, in messages that come and that are to be sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.limits import ADDRESS_FIELDS_BYTES, ADDRESSES_SHOWN, MIB, TEXT_SLICE_CHARS
from bridge.mime.grammar.addr_spec import comparable
from bridge.mime.grammar.header import read_fields
from bridge.mime.ingest.searchtext import with_single_blanks
from bridge.mime.lenient.address import parse_addresses
from bridge.mime.lenient.envelope import ImapEnvelope
from bridge.mime.strict.part import parse_fields, split_header
from bridge.mime.strict.rules import SubmissionFault, SubmissionRules
from bridge.mime.strict.submission import Additions, Envelope, check_submission
from bridge.mime.strict.text import addresses
from bridge.operations.autoconfig import domain_of
from bridge.receipts.address import plain_address
from tests.costs.measure import assert_linear, peak

PUMPS = (
    *(
        "g:a@b,",
        "g:a@b;",
        "a:",
        "((",
        "(",
        "()",
        "(a",
        '"',
        '"\\',
        "\\",
        ",",
        ";",
        "<",
        "<@",
        "<a:",
    ),
    *("<@a,", "@", "a@", "a@[", "[", ".", "a.", "a@b,", "a@b ", "A <a@b>, ", "a b ", "a(b)", "<>"),
)
SHAPES = st.lists(
    st.sampled_from(
        [*PUMPS, "Rossi, M.", '"Rossi, M." ', "<a@b.it>", "c@d.it", ")", ">", " ", "=?"]
    ),
    max_size=30,
).map("".join)
ADDITIONS = Additions(lambda: "Thu, 1 Jan 2026 00:00:00 +0100", lambda: "<1@pec.example>")


def _submit(header: str) -> str:
    """Return what the sender is told."""
    raw = f"{header}\r\nSubject: x\r\n\r\nx\r\n".encode()
    envelope = Envelope("a@pec.example", ("b@pec.example",))
    try:
        check_submission(raw, envelope, SubmissionRules(), ADDITIONS)
    except SubmissionFault as fault:
        return fault.sentence
    return ""


def _folded(value: str, name: str = "To") -> str:
    lines = [value[at : at + 900] for at in range(0, len(value), 900)]
    return f"{name}: " + "\r\n ".join(lines)


@pytest.mark.parametrize("pump", PUMPS)
def test_any_list_to_send_to_costs_its_length(pump: str) -> None:
    assert_linear(
        lambda text: addresses([text]), lambda size: pump * (size // len(pump)) + "@x", 12_000
    )


@pytest.mark.parametrize("pump", PUMPS)
def test_any_list_to_be_shown_costs_its_length(pump: str) -> None:
    assert_linear(
        lambda text: parse_addresses(text.encode()), lambda size: pump * (size // len(pump)), 12_000
    )


@pytest.mark.parametrize("pump", ["((((", "a:a:a:", "<a:<a:", "g:(((("])
def test_nothing_nests_too_deep(pump: str) -> None:
    assert _submit(f"From: a@pec.example\r\n{_folded(pump * 20_000)}").startswith(
        ("The message has no recipient", "This field of the message")
    )


def test_many_fields_cost_their_number() -> None:
    def make(size: int) -> bytes:
        return b"".join(b"To: a%d@pec.example\r\n" % n for n in range(size)) + b"\r\n"

    assert_linear(lambda raw: ImapEnvelope(read_fields(raw)), make, 2_000)


@pytest.mark.parametrize(
    "limit_bytes",
    [ADDRESS_FIELDS_BYTES // 10, pytest.param(ADDRESS_FIELDS_BYTES, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("pump", ['"', "a@b,", "a "])
def test_a_header_is_read_up_to_its_limits(
    monkeypatch: pytest.MonkeyPatch, pump: str, limit_bytes: int
) -> None:
    monkeypatch.setattr("bridge.mime.lenient.envelope.ADDRESS_FIELDS_BYTES", limit_bytes)
    value = (pump * (limit_bytes // len(pump))).encode()
    fields = [(name, value) for name in (b"from", b"to", b"cc") for _ in range(3)]
    with peak() as held:
        envelope = ImapEnvelope(fields)
    assert sum(map(len, envelope.addresses.values())) <= ADDRESSES_SHOWN
    assert held.size_bytes < 100 * limit_bytes


def test_who_names_thousands_of_authors_is_told_about_ten() -> None:
    authors = ", ".join(f"a{n}@pec.example" for n in range(20_000))
    told = _submit(f"{_folded(authors, 'From')}\r\nTo: b@pec.example")
    assert "a9@pec.example and 19990 more" in told
    assert len(told) < 1_000


def test_a_domain_of_any_length_is_compared_at_once() -> None:
    assert_linear(lambda text: comparable(f"a@{text}"), lambda size: "\u00e8" * size, 20_000)
    assert_linear(lambda text: comparable(f'"{text}"@x'), lambda size: "\\" * size, 100_000)


@pytest.mark.parametrize("read", [comparable, plain_address, domain_of])
def test_a_domain_of_many_different_letters_is_read_at_once(read: Callable[[str], object]) -> None:
    """Punycode takes the square of how many different ones there are."""
    assert_linear(lambda text: read(f"a@{text}"), _letters, 1_000)


def _letters(count: int) -> str:
    return "".join(map(chr, range(0x4E00, 0x4E00 + count)))


@given(st.lists(SHAPES, max_size=3))
def test_any_shape_of_list_is_read(values: list[str]) -> None:
    with suppress(SubmissionFault):
        check_submission(
            "".join(f"To: {value}\r\n" for value in values).encode() + b"\r\n",
            Envelope("a@pec.example", ("b@pec.example",)),
            SubmissionRules(),
            ADDITIONS,
        )
    assert all("@" in one for one in addresses(values))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("Amici: a@b.it, Anna <c@d.it>; e@f.it", ("a@b.it", "c@d.it", "e@f.it")),
        ('"un@nome": a@b.it;', ("a@b.it",)),
        ("a@b.it (uno, due: tre; (quattro)), c@d.it", ("a@b.it", "c@d.it")),
        ('"Rossi, M." <a@b.it>, "x;y"@z.it', ("a@b.it", '"x;y"@z.it')),
        ("<@r.it,@s.it:a@b.it>, c@[IPv6:2001:db8::1]", ("a@b.it", "c@[IPv6:2001:db8::1]")),
        ("a@b.it (senza fine, c@d.it", ("a@b.it",)),
    ],
)
def test_lists_as_people_write_them(value: str, read: tuple[str, ...]) -> None:
    assert addresses([value]) == read


@pytest.mark.parametrize("piece", [b'"', b"a ", b"a@b.it,\r\n ", b"\r\n ", b"\r", b" "])
def test_long_fields_are_found_in_linear_time(piece: bytes) -> None:
    def make(size: int) -> bytes:
        return b"To: " + piece * (size // len(piece)) + b"\r\n\r\nx\r\n"

    assert_linear(split_header, make, MIB // 4)
    assert_linear(lambda raw: parse_fields(raw[: split_header(raw)[1]]), make, MIB // 4)


@pytest.mark.parametrize("piece", ["a", " ", "\t \r\n", "a  b", " a"])
def test_blanks_of_long_fields_are_collapsed_in_slices_as_in_one_go(piece: str) -> None:
    for more in range(7):
        text = piece * (3 * TEXT_SLICE_CHARS // len(piece) + more)
        assert with_single_blanks(text) == re.sub("[ \t\r\n]+", " ", text)
