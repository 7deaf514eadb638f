"""Normal forms in linear time."""

from __future__ import annotations

import sys
from unicodedata import combining, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.charset.normalise import Form, in_slices, normalised, stream_safe
from bridge.limits import MARKS_IN_A_ROW, TEXT_SLICE_CHARS
from tests.costs.measure import assert_linear

FORMS: list[Form] = ["NFC", "NFD", "NFKC", "NFKD"]
MARKS = ["\u0327\u0301", "\u0301\u0327", "\u0345\u0315\u0300", "\u05b0\u0591", "\uff9e\u0301"]
MARKS += ["\u0f73\u0f71", "\U0001d165\u0327", "\U0001e944\U0001e94a"]


@pytest.mark.parametrize("form", FORMS)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_what_people_write_is_normalised_as_ever(form: Form, text: str) -> None:
    assert normalised(form, text) == normalize(form, text)


@pytest.mark.parametrize("marks", MARKS)
def test_runs_of_marks_are_cut(marks: str) -> None:
    cut = stream_safe(f"a{marks * 100}b{marks * 5}c")
    assert cut == f"a{(marks * 100)[:MARKS_IN_A_ROW]}b{marks * 5}c"


def test_every_mark_there_is_counts() -> None:
    for code in range(0x80, sys.maxunicode + 1):
        letter = chr(code)
        if combining(normalize("NFKD", letter)[0]):
            assert len(stream_safe(letter * 40)) == MARKS_IN_A_ROW, hex(code)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("marks", MARKS)
def test_runs_of_marks_cost_their_length(form: Form, marks: str) -> None:
    assert_linear(lambda text: normalised(form, text), lambda size: "a" + marks * size, 16_000)


@pytest.mark.parametrize(
    "piece", ["à", "a\u0300", "\r\n", "\r", "x\r\n", "\u4e2d", "a\u0327\u0301b"]
)
def test_slices_are_cut_where_nothing_changes(piece: str) -> None:
    text = piece * (3 * TEXT_SLICE_CHARS // len(piece))

    def change(part: str) -> str:
        return normalize("NFKD", part).replace("\r\n", "\n").replace("\r", "\n")

    for shift in ("", "x", "xy"):
        assert in_slices(change, shift + text) == change(shift + text)


def test_no_slice_is_long() -> None:
    seen: list[int] = []

    def change(part: str) -> str:
        seen.append(len(part))
        return part

    for text in ("a" * 400_000, "\u0301" * 400_000, "\r\n" * 200_000):
        assert in_slices(change, text) == text
    assert max(seen) <= TEXT_SLICE_CHARS
    assert min(seen) > 0
