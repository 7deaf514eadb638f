from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.html_inline import clean, content_ids, inline_images, join


@pytest.mark.parametrize(
    ("markup", "ids"),
    [
        ('<img src="cid:a@b">', {"a@b"}),
        ("<img src=cid:a@b>", {"a@b"}),
        ("<td background='CID:x'>", {"x"}),
        ('<div style="background: url(cid:y)">', {"y"}),
        ('<img src="cid:a%40b">', {"a@b"}),
        ('<img src="cid:a&amp;b">', {"a&b"}),
        ('<a href="https://x/?cid=1">placid:z mycid:q</a>', set()),
    ],
)
def test_references(markup: str, ids: set[str]) -> None:
    assert content_ids(markup) == ids


def test_images_go_inside_and_unknown_references_stay() -> None:
    markup = '<img src="cid:a%40b"><img src="cid:other">'
    shown = inline_images(markup, {"a@b": "data:image/png;base64,AA"}.get)
    assert shown == '<img src="data:image/png;base64,AA"><img src="cid:other">'


@pytest.mark.parametrize(
    ("markup", "cleaned"),
    [
        pytest.param("<p>è</p>", "<p>&#232;</p>", id="text"),
        pytest.param("a<script>x</script>b", "ab", id="script"),
        pytest.param("a<SCRIPT src='x'>è\n</script >b", "ab", id="script, spelled otherwise"),
        pytest.param("a<script>never closed", "a<script>never closed", id="unclosed script"),
        pytest.param("<scripture>x</scripture>", "<scripture>x</scripture>", id="another element"),
        pytest.param(
            "<style>p:after{content:'è'}</style>è",
            "<style>p:after{content:'è'}</style>&#232;",
            id="style",
        ),
        pytest.param("<title>è</title>", "<title>&#232;</title>", id="title"),
        pytest.param(
            "<!-- è <script>x</script> -->è", "<!-- è <script>x</script> -->&#232;", id="comment"
        ),
        pytest.param(
            "<!--[if mso]>è<![endif]-->x", "<!--[if mso]>è<![endif]-->x", id="Outlook's comment"
        ),
        pytest.param(
            "<style>a<style>b</style>c", "<style>a<style>b</style>c", id="style twice opened"
        ),
    ],
)
def test_clean(markup: str, cleaned: str) -> None:
    assert clean(markup) == cleaned


@given(
    st.lists(
        st.sampled_from(["<script>", "</script>", "<style>", "</style>", "<!--", "-->", "è", "x "])
    ).map("".join)
)
def test_cleaning_twice_changes_nothing_and_no_closed_script_stays(markup: str) -> None:
    once = clean(markup)
    assert clean(once) == once


@pytest.mark.parametrize("opening", ["<script", "<style>", "<!--", "<title ", "<head", "<body "])
def test_unclosed_elements_cost_no_more_than_closed_ones(opening: str) -> None:
    """Quadratic time would take minutes here."""
    markup = opening * 40_000
    assert clean(markup) == markup
    assert join([markup, "x"]).endswith("</html>\n")


def test_a_document_stays_as_it_is() -> None:
    document = "<!DOCTYPE html><html><head><title>t</title></head><body>x</body></html>"
    assert join([document]) == document


def test_a_fragment_becomes_a_document() -> None:
    assert join(["<p>x</p>"]) == "<!DOCTYPE html>\n<html><body>\n<p>x</p>\n</body></html>\n"


@pytest.mark.parametrize(
    ("fragment", "shown"),
    [
        pytest.param("<p>x</p>", "<p>x</p>", id="fragment"),
        pytest.param("<html><body>x</body></html>", "<div>x</div>", id="document"),
        pytest.param(
            '<html><head><title>t</title><style>p{}</style></head><body bgcolor="red">x</body>',
            '<style>p{}</style><div bgcolor="red">x</div>',
            id="its colours and styles",
        ),
        pytest.param(
            "<!doctype html><html><head><style>p{}</style></head>x</html>",
            "<style>p{}</style><div>x</div>",
            id="without a body element",
        ),
        pytest.param("<body>x", "<div>x</div>", id="unclosed"),
    ],
)
def test_documents_are_put_one_below_the_other(fragment: str, shown: str) -> None:
    joined = join([fragment, "<p>last</p>"])
    assert joined == f"<!DOCTYPE html>\n<html><body>\n{shown}\n<p>last</p>\n</body></html>\n"
