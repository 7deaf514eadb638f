from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.language import say
from bridge.mime.strict.field import Unreadable, structured, unfold, unstructured, word_of


@pytest.mark.parametrize(
    ("value", "word", "parameters"),
    [
        pytest.param("Text/HTML; Charset=UTF-8", "text/html", {"charset": "UTF-8"}, id="plain"),
        pytest.param("text/plain (Plain)", "text/plain", {}, id="comment"),
        pytest.param("(a (b) \\) c) 8bit", "8bit", {}, id="nested comment"),
        pytest.param("8bit(as is)", "8bit", {}, id="a comment that touches"),
        pytest.param("a/b(x);name(y)=(z)c", "a/b", {"name": "c"}, id="comments everywhere"),
        pytest.param('a/b; name="c(1).pdf"', "a/b", {"name": "c(1).pdf"}, id="quoted, so none"),
        pytest.param("a/b; name=c(1).pdf", "a/b", {"name": "c(1).pdf"}, id="in an unquoted name"),
        pytest.param("a/b; name=c (1).pdf", "a/b", {"name": "c (1).pdf"}, id="behind a blank"),
        pytest.param("a/b; name=c.pdf (x)", "a/b", {"name": "c.pdf"}, id="behind a name"),
        pytest.param("a/b; charset=utf-8(x)", "a/b", {"charset": "utf-8"}, id="behind a charset"),
        pytest.param("8bit (open", "8bit", {}, id="a comment that never ends"),
        pytest.param("application / pdf", "application/pdf", {}, id="blanks round the slash"),
        pytest.param('a/b name="c.pdf"', "a/b", {"name": "c.pdf"}, id="no semicolon"),
        pytest.param(
            'a/b; x="y" name=c.pdf z=1', "a/b", {"x": "y", "name": "c.pdf", "z": "1"},
            id="no semicolon further on",
        ),
        pytest.param("a/b; name=un nome.pdf", "a/b", {"name": "un nome.pdf"}, id="unquoted blanks"),
        pytest.param("a/b; name=x.pdf;", "a/b", {"name": "x.pdf"}, id="a semicolon too many"),
        pytest.param('a/b; name="a\\"b"', "a/b", {"name": 'a"b'}, id="quoted pair"),
        pytest.param(
            'a/b; name="C:\\x\\a.pdf"', "a/b", {"name": "C:\\x\\a.pdf"}, id="folders"),
        pytest.param(
            "=?utf-8?q?a/b=3B_name=3D=22Citt=C3=A0=2Epdf=22?=", "a/b", {"name": "Città.pdf"},
            id="all in one word",
        ),
        pytest.param(
            "=?utf-8?b?YXR0YWNobWVudDsgZmlsZW5hbWU9?=\t=?utf-8?q?a=2Epdf?=", "attachment",
            {"filename": "a.pdf"}, id="all in two words",
        ),
        pytest.param(
            "a/b; name==?utf-8?q?x;y?= =?utf-8?q?z?=; w=1", "a/b",
            {"name": "=?utf-8?q?x;y?= =?utf-8?q?z?=", "w": "1"}, id="unquoted words",
        ),
        pytest.param(
            "x; filename=a_.pdf; filename*=utf-8''a%C3%A8.pdf", "x", {"filename": "aè.pdf"},
            id="both names",
        ),
        pytest.param(
            "x; filename*=utf-8''a%C3%A8.pdf; filename=a_.pdf", "x", {"filename": "aè.pdf"},
            id="in the other order",
        ),
        pytest.param(
            "x; filename*1=c; filename*0=ab; filename*1=c", "x", {"filename": "abc"},
            id="a segment twice",
        ),
        pytest.param(
            "x; filename*0*=utf-8''%C3; filename*1*=%A8; filename*2=\".pdf\"", "x",
            {"filename": "è.pdf"}, id="a letter cut between segments",
        ),
        pytest.param(
            "x; filename*0*=utf-8''a%C; filename*1*=3%A8.pdf", "x", {"filename": "aè.pdf"},
            id="an escape cut between segments",
        ),
        pytest.param(
            "x; filename*0*=utf-8''%C3%A8%; filename*1=%41.pdf", "x", {"filename": "è%%41.pdf"},
            id="a segment without escapes",
        ),
        pytest.param("x; filename*1=a; filename*2=b", "x", {"filename": "ab"}, id="counted from 1"),
        pytest.param("x; y=1; y=2", "x", {"y": "1"}, id="what decides nothing may differ"),
        pytest.param("filename=a.pdf; x=1", "", {"filename": "a.pdf", "x": "1"}, id="no word"),
        pytest.param('(x) name*="a.pdf"', "", {"name": "a.pdf"}, id="a comment and no word"),
        pytest.param("", "", {}, id="nothing"),
    ],
)  # fmt: skip
def test_structured(value: str, word: str, parameters: dict[str, str]) -> None:
    read = structured(value)
    assert (read.word, dict(read.parameters)) == (word, parameters)
    assert all(read.parameter(name) == content for name, content in parameters.items())
    assert read.parameter("none") == ""


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("x; filename=a; filename=b", "'filename' is there twice"),
        ("x; boundary=a; boundary=A", "'boundary' is there twice"),
        ("x; charset=utf-8; charset=cp1252", "'charset' is there twice"),
        ("x; filename*0=a; filename*0=b", "'filename' is there twice"),
        ("x; filename*0=a; filename*2=b", "is missing"),
        ("x; filename*=utf-8''%E9.pdf", "not valid in 'utf-8'"),
        ("x; filename*=x-none''%C3%A8.pdf", "not valid in 'x-none'"),
        ('x; filename="Tubi 1/2".pdf"', "quotation mark"),
        ('x; filename="Tubi "acqua" 1.pdf"', "quotation mark"),
        ('x; filename="a"b".pdf"; y=1', "quotation mark"),
        ("x; y=" + "z" * 70_000, "longer than 64 KB"),
    ],
)
def test_what_says_two_things_is_refused(value: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        structured(value)


@pytest.mark.parametrize(
    "value",
    ["charset=UTF-8; charset=utf-8", "format=flowed; format=Flowed", "charset=utf-8; charset=UTF8"],
)
def test_what_is_twice_the_same_is_not(value: str) -> None:
    structured(f"x; {value}")


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("Base64", "base64"),
        ('(x) "base64" (y)', "base64"),
        ("8 bit ; x=y", "8 bit"),
        ("base64,", "base64"),
        ("8bit, base64", "8bit, base64"),
        ("=?utf-8?q?base64?=", "base64"),
        ("", ""),
    ],
)
def test_a_value_that_is_one_word_is_read_whole(value: str, word: str) -> None:
    assert word_of(value) == word


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b" a\r\n b ", "a b"),
        (b" a\n\t b\r\n", "a\t b"),
        (b" \xc2\xa0a\xc2\xa0 ", "\u00a0a\u00a0"),
        (b" Citt\xc3\xa0", "Città"),
        (b" Citt\xe0", "Città"),
        (b" Citt\xc3\r\n \xa0", "Città"),
        (b" 20 \xe2\n\t\x82\r\n \xac", "20 €"),
        (b" \xc3\r\n \xa9 \xe9", "Ã © é"),
        (b" \xef\xbb\xbfCitt\xc3\xa0", "Città"),
        (b" \x1b$B$*\x1b(B", "お"),
    ],
)
def test_unfolding_takes_line_ends_and_nothing_else(raw: bytes, text: str) -> None:
    assert unfold(raw) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\tb", "a b"),
        ("a\x01b\x7f\x85c", "ab c"),
        ("a  b \u00a0c", "a  b \u00a0c"),
        ("=?utf-8?q?a=0D=0Ab?=", "a  b"),
    ],
)
def test_controls_are_dropped_and_blanks_stay(value: str, text: str) -> None:
    assert unstructured(value, say("it")) == text


@pytest.mark.parametrize("value", ["caf\ufffd", "=?utf-8?q?caf=C3?=", "=?x-none?q?caf=E9?="])
def test_letters_that_cannot_be_had_are_refused(value: str) -> None:
    with pytest.raises(Unreadable, match="the subject has letters"):
        unstructured(value, say("the subject"))


_PIECES = st.sampled_from(
    [*"(\"\\);=*'? ", "name", "a", "=?utf-8?q?", "?=", "filename*0*", "utf-8''", "%E9", "à", "\r"]
)


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_any_value_is_read_or_refused(value: str) -> None:
    try:
        structured(value)
        assert "\n" not in unstructured(value, say("it"))
    except Unreadable:
        pass


@pytest.mark.parametrize(
    "piece",
    [*'("\\=; a', "(a", "a(b", "=?a?q?x", "; a=b", "x=?a?q?b?= ", 'y="', "name=()", "name=a(b)c "],
)
def test_no_value_takes_more_than_linear_time(piece: str) -> None:
    """Quadratic time would take seconds for each."""
    begin_s = time.process_time()
    for value in (piece * (60_000 // len(piece)), piece * (59_000 // len(piece)) + ")"):
        try:
            structured(value)
            unstructured(value, say("it"))
        except Unreadable:
            pass
    assert time.process_time() - begin_s < 2
