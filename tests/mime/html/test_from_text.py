from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.html.from_text import text_to_html, to_ascii


class Shown(HTMLParser):
    """What a reader sees of HTML, roughly."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\n", "")

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "br":
            self.text += "\n"


def inside(markup: str) -> str:
    match = re.fullmatch(r'<div style="font-family: monospace">(.*)</div>', markup, re.DOTALL)
    assert match is not None
    return match[1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("a\r\n", "a", id="the last line end"),
        pytest.param("a\r\nb\nc\rd", "a<br>\nb<br>\nc<br>\nd", id="line ends"),
        pytest.param("a\n\nb", "a<br>\n<br>\nb", id="an empty line"),
        pytest.param("<b> & \"x\"", '&lt;b&gt; &amp; "x"', id="markup"),
        pytest.param(" a", "&nbsp;a", id="indented"),
        pytest.param("a   b", "a &nbsp; b", id="a run of blanks"),
        pytest.param("a\tb", "a &nbsp; &nbsp; &nbsp; b", id="a tab"),
        pytest.param("> quoted", "&gt; quoted", id="a quote in fixed text"),
        pytest.param("è €", "&#232; &#8364;", id="beyond ASCII"),
        pytest.param("cid:x", "cid:x", id="talk of an image"),
        pytest.param("wide line " * 30, None, id="a long line stays one"),
    ],
)  # fmt: skip
def test_fixed_text(text: str, shown: str | None) -> None:
    markup = inside(text_to_html(text))
    if shown is None:
        assert "<br>" not in markup
    else:
        assert markup == shown


@pytest.mark.parametrize(
    ("text", "delsp", "lines"),
    [
        pytest.param("one \ntwo\nthree", False, ["one two", "three"], id="soft breaks"),
        pytest.param("lon \ng", True, ["long"], id="DelSp"),
        pytest.param("  indented\n >x", False, ["&nbsp;indented", "&gt;x"], id="space-stuffed"),
        pytest.param("a \n-- \nsig", False, ["a ", "-- ", "sig"], id="signature"),
        pytest.param("a ", False, ["a "], id="soft break at the end"),
    ],
)
def test_flowed_text(text: str, delsp: bool, lines: list[str]) -> None:
    assert inside(text_to_html(text, flowed=True, delsp=delsp)) == "<br>\n".join(lines)


def test_flowed_quotes_become_blockquotes() -> None:
    markup = inside(text_to_html("> one \n> two\n>> deep\nmine", flowed=True))
    plain = re.sub(r"<blockquote[^>]*>", "<q>", markup).replace("</blockquote>", "</q>")
    assert plain == "<q>one two</q>\n<q><q>deep</q></q>\nmine"


def test_a_quote_that_flows_into_another_depth_ends_there() -> None:
    markup = inside(text_to_html("> one \nmine", flowed=True))
    assert re.sub(r"</?blockquote[^>]*>", "|", markup) == "|one |\nmine"


NONE = [
    *range(0xFDD0, 0xFDF0),
    *(plane << 16 | 0xFFFE | last for plane in range(17) for last in (0, 1)),
]
"""What Unicode says is no character: Python's reader of references leaves them out."""

LETTERS = st.characters(
    blacklist_categories=["Cs", "Cc"], blacklist_characters="".join(map(chr, NONE))
)


@given(st.text(alphabet=LETTERS | st.sampled_from("\n <&>")))
def test_what_is_shown_is_the_text(text: str) -> None:
    markup = text_to_html(text)
    assert markup.isascii()
    expected = text.removesuffix("\n")
    assert Shown(markup).text.replace("\xa0", " ") == expected.replace("\xa0", " ")


@given(st.text(alphabet=st.sampled_from("> \nab"), max_size=60), st.booleans())
def test_flowed_text_is_well_formed_and_loses_no_letter(text: str, delsp: bool) -> None:
    markup = text_to_html(text, flowed=True, delsp=delsp)
    assert markup.count("<blockquote") == markup.count("</blockquote>")
    letters = re.sub("[^ab]", "", text)
    assert re.sub("[^ab]", "", Shown(markup).text) == letters


def test_to_ascii_keeps_the_meaning() -> None:
    assert html.unescape(to_ascii("<p>è 𝄞</p>")) == "<p>è 𝄞</p>"


def one_by_one(text: str) -> str:
    """Return what each line is as HTML by itself, one below the other."""
    lines = re.split("\r\n|\r|\n", text)
    return "<br>\n".join(
        inside(text_to_html(line)) for line in lines[: -1 if lines[-1] == "" else None]
    )


@given(st.text(st.sampled_from(" \t\r\n<&>aè\f\x0b\u2028\0")), st.integers(1, 9))
def test_lines_taken_together_are_as_those_taken_one_by_one(text: str, slice_chars: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bridge.mime.html.from_text.TEXT_SLICE_CHARS", slice_chars)
        assert inside(text_to_html(text)) == one_by_one(text)
