"""Texts as HTML, of any size and shape."""

from __future__ import annotations

import pytest

from bridge.limits import HTML_BYTES, MIB, QUOTES_SHOWN
from bridge.mime.html.from_text import HtmlTooLong, text_to_html
from bridge.mime.strict.content import convert
from bridge.mime.strict.field import Unreadable
from tests.costs.measure import assert_linear, peak
from tests.selected import some

FLOWS = [
    "a \n",
    "> a \n",
    "a",
    " ",
    "\n",
    ">\n\n",
    ">",
    "a\n",
    "-- \n",
    "\t",
    "&",
    "\r",
    "\u00e8 \r\n",
]


@pytest.mark.parametrize("size", some([15_000, 30_000], 1))
@pytest.mark.parametrize("flowed", [True, False])
@pytest.mark.parametrize("pump", FLOWS)
def test_a_text_costs_its_length(pump: str, flowed: bool, size: int) -> None:
    assert_linear(
        lambda text: text_to_html(text, flowed=flowed),
        lambda size: pump * (size // len(pump)),
        size,
    )


@pytest.mark.parametrize("pump", [">\n\n", ">" * 500 + "\n\n", ">" * 50_000])
def test_quotes_without_end_are_text(pump: str) -> None:
    text = pump * (MIB // 16 // len(pump))
    with peak() as held:
        shown = text_to_html(text, flowed=True)
    assert "<blockquote" not in shown
    assert held.size_bytes < 40 * len(text)


def test_as_many_quotes_as_people_write_are_shown() -> None:
    shown = text_to_html(">> a\n> b\nc\n" * 1_000, flowed=True)
    assert shown.count("<blockquote") == 3_000 <= QUOTES_SHOWN


@pytest.mark.parametrize("pump", ["\t", "\t" * 1000 + "\n"])
def test_a_text_that_becomes_too_long_is_refused(pump: str) -> None:
    text = pump * (HTML_BYTES // 6 // len(pump))
    with pytest.raises(HtmlTooLong):
        text_to_html(text)
    with pytest.raises(Unreadable, match="64 MiB as HTML"):
        convert(b"From: a@b.it\r\nTo: c@d.it\r\n\r\n" + text.encode())
