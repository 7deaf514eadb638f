"""HTML of megabytes as text: a slice at a time, in linear time, and as if it were in one go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.html import to_text
from bridge.mime.html.to_text import SLICE_CHARS, markup_text
from tests.costs.measure import assert_linear
from tests.selected import some

PUMPS = [
    "<",
    "<br",
    " a",
    "<br>",
    "<br> ",
    "<!",
    "<!>",
    "<? x ",
    "&",
    "&amp;",
    "&#0",
    "-",
    "</",
    "<script ",
    "<script>",
    "<a '",
    '<a "x>">',
    "<!-- -->",
    "\n",
    "<td>",
]


@pytest.mark.parametrize("end", ["", ">", "-->"])
@pytest.mark.parametrize("pump", some(PUMPS, 10))
def test_markup_costs_its_length(pump: str, end: str) -> None:
    def make(size: int) -> str:
        return "<p>" + pump * (size // len(pump)) + end

    assert_linear(markup_text, make, 4 * SLICE_CHARS)


@pytest.mark.parametrize("pump", PUMPS)
def test_no_pattern_looks_through_more_than_some_slices(pump: str) -> None:
    markup = "<p>" + pump * (20 * SLICE_CHARS // len(pump))
    pieces = list(to_text._pieces(markup))
    assert "".join(pieces) == markup
    assert max(map(len, pieces)) <= 2 * SLICE_CHARS


PARTS = st.sampled_from(
    (
        *(" ", "a", "b c", "\n", "\t", ">", "  ", "é", "< ", "<>", "-->", "&am", "p;", "&amp;"),
        *("<br>", " <br> ", "<p>", "</p>", "<b>", "</b>", "<td>", " <td> ", "&#65;", "&#00065;"),
        *("<!-- <x> -->", "<!---->", "<!-->", "<!doctype x>", "<? x>", "</ 3>", "<style>b<"),
        *("<script a>var <b> x</script >", "<style>a</style>", '<a title="x>y">', "</p title='<'>"),
    )
)


@given(st.lists(PARTS, max_size=60).map("".join), st.sampled_from((8, 16, 50, 200)))
def test_slices_change_nothing(markup: str, size: int) -> None:
    whole = markup_text(markup)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(to_text, "SLICE_CHARS", size)
        assert markup_text(markup) == whole
