from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.html.inline import clean, inline_images, join, references


@pytest.mark.parametrize(
    ("markup", "ids"),
    [
        ('<img src="cid:a@b">', {"a@b"}),
        ("<img src=cid:a@b>", {"a@b"}),
        ("<td background='CID:x'>", {"x"}),
        ('<div style="background: url(cid:y)">', {"y"}),
        ('<img src="cid:a%40b">', {"a@b"}),
        ('<img src="cid:a&amp;b">', {"a&b"}),
        ("<IMG alt='a > b' SRC = ' CID:x '>", {"x"}),
        ("<img alt='<x' src=cid:y>", {"y"}),
        ("<img/src=cid:x>", {"x"}),
        ('<img srcset="cid:a 1x, cid:b 2x">', {"a", "b"}),
        ('<img srcset="cid:a,cid:b 2x">', {"a,cid:b"}),
        ("<style>p { background: url( 'cid:x' ) }</style>", {"x"}),
        ('<p style="background:url(&quot;cid:x&quot;)">', {"x"}),
        ("<svg><image xlink:href='cid:x'/></svg>", {"x"}),
        ('<input type=image src="cid:x">', {"x"}),
        ('<video poster="cid:x">', {"x"}),
        ("<!--> <img src=cid:x>", {"x"}),
        ('<a href="https://x/?cid=1">placid:z mycid:q</a>', set()),
        ('<a href="cid:x">cid:y</a>', set()),
        ("<!-- <img src=cid:x> -->", set()),
        ("<!-- <img src=cid:x>", set()),
        ("<title><img src=cid:x></title><script>'<img src=cid:x>'</script>", set()),
        ("<textarea><img src=cid:x></textarea>", set()),
        ('<object data="cid:x"><embed src="cid:x"><iframe src="cid:x">', set()),
        ('<img src="cid:x', set()),
        ('<p title="cid:x" alt=\'<img src="cid:x">\'>', set()),
        ("<style>/* cid:x */</style>", set()),
        ("< img src=cid:x>", set()),
        ("<style>/* url(cid:x) */ p { background: url(cid:y) }</style>", {"y"}),
        ("<style>p { a: b } /* url(cid:x)</style><img src=cid:y>", {"y"}),
        ('<p style="/* url(cid:x) ** */ background: url(cid:y)">', {"y"}),
        ('<input type=text src="cid:x"><input src="cid:y">', set()),
        ('<INPUT SRC="cid:x" TYPE=" Image ">', {"x"}),
        ('<img src="https://x/y.png" src="cid:x">', set()),
        ('<img src="cid:x" SRC="cid:y">', {"x"}),
        ("<template><img src=cid:x></template><img src=cid:y>", {"y"}),
        ("<iframe src=a><img src=cid:x></iframe><noframes><img src=cid:x></noframes>", set()),
    ],
)
def test_references(markup: str, ids: set[str]) -> None:
    assert {one.content_ids()[-1] for one in references(markup)} == ids


def test_an_id_may_be_escaped_or_stand_as_it_is() -> None:
    (reference,) = references('<img src="cid:a%40b">')
    assert reference.content_ids() == ("a%40b", "a@b")


def test_images_go_inside_where_they_are_shown() -> None:
    markup = '<img src="cid:a"><a href="cid:a">cid:a</a><img src=cid:a><img src="cid:other">'
    first, second, _other = references(markup)
    shown = inline_images(markup, [(first, "data:x"), (second, "data:y")])
    assert shown == (
        '<img src="data:x"><a href="cid:a">cid:a</a><img src=data:y><img src="cid:other">'
    )


@pytest.mark.parametrize(
    ("markup", "cleaned"),
    [
        pytest.param("<p>è</p>", "<p>&#232;</p>", id="text"),
        pytest.param("a<script>x</script>b", "ab", id="script"),
        pytest.param("a<SCRIPT src='x'>è\n</script >b", "ab", id="script, spelled otherwise"),
        pytest.param(
            "<scr<script></script><script></script>ipt>x</script>",
            "<scr ipt>x</script>",
            id="script around a script",
        ),
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
        st.sampled_from(
            [
                "<script>",
                "</script>",
                "<scr",
                "ipt>",
                "<style>",
                "</style>",
                "<!--",
                "-->",
                "è",
                "x ",
            ]
        )
    ).map("".join)
)
def test_cleaning_twice_changes_nothing_and_no_closed_script_stays(markup: str) -> None:
    once = clean(markup)
    assert clean(once) == once


@pytest.mark.parametrize(
    "opening",
    [
        *("<script", "<style>", "<!--", "<title ", "<head", "<body ", "<img src=cid:x ", "<p x='"),
        *("cid:x <textarea>", "<img src='cid:", "<p style='cid:", "<style>url(cid:x", "</cid:"),
    ],
)
def test_unclosed_elements_cost_no_more_than_closed_ones(opening: str) -> None:
    """Quadratic time would take minutes here."""
    markup = opening * 40_000
    references(markup)
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
        pytest.param(
            "<style>è<body>è<script>1</script></style>",
            "<div>&#232;</style></div>",
            id="a body that begins within a style",
        ),
    ],
)
def test_documents_are_put_one_below_the_other(fragment: str, shown: str) -> None:
    joined = join([fragment, "<p>last</p>"])
    assert joined == f"<!DOCTYPE html>\n<html><body>\n{shown}\n<p>last</p>\n</body></html>\n"
