from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.limits import MIB
from bridge.mime.html.to_text import markup_text
from tests.costs.measure import peak


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        pytest.param("plain", "plain", id="none"),
        pytest.param("<p>a</p><p>b</p>", "a\nb", id="paragraphs"),
        pytest.param("a<br>b<BR/>c", "a\nb\nc", id="breaks"),
        pytest.param("f<b>o</b>o", "foo", id="inline tags are nothing"),
        pytest.param("one\r\n  two <i>three</i>", "one two three", id="runs of blanks"),
        pytest.param("<tr><td>a</td><td>b</td></tr>", "a b", id="cells"),
        pytest.param(
            "perch&eacute; &lt;b&gt; &#232;&#xE8;&amp;", "perché <b> èè&", id="references"
        ),
        pytest.param("&#99999999999;&#xffffffffff; &#0;", "�� �", id="references to nothing"),
        pytest.param("&#%s;" % ("9" * 5000), "�", id="a very long reference"),
        pytest.param("a<!-- <p>x --> b", "a b", id="comment"),
        pytest.param("n. 12<!-- -->345", "n. 12345", id="comment inside a word"),
        pytest.param("a<!-->b<!--->c<!---->d", "abcd", id="comments closed at once"),
        pytest.param("a<!-- x --!>b<!-- > -- -> x-->c", "abc", id="comments closed otherwise"),
        pytest.param("a<!--<!-- x -->b", "ab", id="comment in a comment"),
        pytest.param('a<!x "y>b<?z \'>c</ q">d</>e', "abcde", id="what counts as a comment"),
        pytest.param("a<![endif]>b<![CDATA[c]]>d", "abd", id="conditions"),
        pytest.param('<!DOCTYPE html "x > y">a', "a", id="declaration with a sign in it"),
        pytest.param("<style>p {}</style>a<script>b()</script >c", "ac", id="style and script"),
        pytest.param("<head><title>t</title></head><body>a", "a", id="title"),
        pytest.param("a<style>p {}", "a", id="style without an end"),
        pytest.param("a<!-- b", "a", id="comment without an end"),
        pytest.param('<a title="x > y">b</a>', "b", id="sign in an attribute"),
        pytest.param('<a title="x>b</a>', "b", id="attribute without an end"),
        pytest.param("1 < 2 > 0", "1 < 2 > 0", id="signs that are no tags"),
        pytest.param("a <p", "a <p", id="tag without an end"),
        pytest.param("<!DOCTYPE html><?xml?>a", "a", id="declarations"),
        pytest.param("<paragraph>a</paragraph>", "a", id="unknown tags"),
    ],
)
def test_text(markup: str, text: str) -> None:
    assert markup_text(markup) == text


@given(
    st.lists(
        st.one_of(
            st.text(max_size=5),
            st.sampled_from(
                ["<", ">", "<p>", "</p", "<!--", "-->", "<script>", "&", "&#", '"', "'"]
            ),
        )
    ).map("".join)
)
def test_anything_has_a_text(markup: str) -> None:
    assert len(markup_text(markup)) <= len(markup)


@pytest.mark.parametrize("piece", ["testo ", "<p>testo</p>\n", "perch\u00e9 <b>x</b>\n\n"])
def test_a_page_takes_a_few_times_its_size(piece: str) -> None:
    page = "<div>" + piece * (4 * MIB // len(piece))
    with peak() as held:
        markup_text(page)
    assert held.size_bytes < 9 * sys.getsizeof(page)


@pytest.mark.parametrize(
    "piece",
    ["<", "<a", "<!", "</ ", "<!-- --", '<a "', "<!--", "<script>", "<script ", "&#9", "<br "],
)
def test_very_many_beginnings_take_no_more_than_their_time(piece: str) -> None:
    markup = piece * (200_000 // len(piece))
    start_s = time.process_time()
    markup_text(markup)
    assert time.process_time() - start_s < 2, "a hundredth of it if linear"
