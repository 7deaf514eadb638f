from __future__ import annotations

import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.row.body import Form, is_encoded, read_body

MESSAGE = "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nTesto\r\n"

BODIES = [
    pytest.param("Buongiorno a tutti", "Buongiorno a tutti", id="plain"),
    pytest.param("Sconto del 100% e a+b", "Sconto del 100% e a+b", id="plain, with signs"),
    pytest.param(
        "vedi http://x.it/a%20b qui", "vedi http://x.it/a%20b qui", id="plain, with a URL"
    ),
    pytest.param("http://x.it/a%20b", "http://x.it/a%20b", id="a URL alone"),
    pytest.param("50%", "50%", id="a sign alone"),
    pytest.param("Grazie", "Grazie", id="one word"),
    pytest.param("caffè+latte", "caffè+latte", id="a letter no encoder leaves"),
    pytest.param("Citt%C3%A0+di+Forl%C3%AC", "Città di Forlì", id="form, UTF-8"),
    pytest.param("Citt%E0+di+Forl%EC", "Città di Forlì", id="form, Windows-1252"),
    pytest.param("perch%C3%A9+%E1", "perché \ufffd", id="form, one bad octet"),
    pytest.param("5+%80+%93ok%94+%81", "5 € “ok” \ufffd", id="form, Windows-1252's own range"),
    pytest.param("a%20b+c", "a b+c", id="blanks as %20 leave the plus sign"),
    pytest.param("uno%0D%0Adue%0Atre%0Dquattro\n", "uno\ndue\ntre\nquattro", id="line ends"),
    pytest.param("1%2B1%3D2+%25", "1+1=2 %", id="form, signs encoded"),
    pytest.param("\ufeffTesto di prova", "Testo di prova", id="a byte order mark"),
    pytest.param("", "", id="empty"),
]


@pytest.mark.parametrize(("body", "text"), BODIES)
def test_text(body: str, text: str) -> None:
    read = read_body(body)
    assert (read.form, read.text) == (Form.TEXT, text)


@pytest.mark.parametrize(
    ("body", "form"),
    [
        ("<html><body>x</body></html>", Form.HTML),
        ("  <!DOCTYPE html>\n<p>x", Form.HTML),
        ("<!-- x --><p>y", Form.HTML),
        ("Ciao<br>Mario", Form.HTML),
        ("Ciao <b>Mario</b>", Form.HTML),
        ("%3Cp%3EForl%EC%3C%2Fp%3E", Form.HTML),
        ("<p class='x'>a", Form.HTML),
        ("<b@x.it> ha scritto: no", Form.TEXT),
        ("Mario <mario@x.it> scrive: 1 < 2 e 3 > 2", Form.TEXT),
        ("usa il tag <p> così", Form.TEXT),
        (MESSAGE, Form.MESSAGE),
        ("\r\n\r\n" + MESSAGE, Form.MESSAGE),
        (quote_plus(MESSAGE), Form.MESSAGE),
        (quote(MESSAGE), Form.MESSAGE),
        ("Received: from a by b\r\nFrom: a@b.it\r\nMessage-ID: <1@b.it>\r\n\r\nx", Form.MESSAGE),
        ("From: a@b.it\r\nTo: c@d.it\r\nSubject: inoltro\r\n\r\nx", Form.TEXT),
        ("Nota: bene\n\nTesto", Form.TEXT),
        ("Content-Type: boh\n\nTesto", Form.TEXT),
        ("MIME-Version: 1.0\nsenza riga vuota", Form.TEXT),
    ],
)
def test_form(body: str, form: Form) -> None:
    assert read_body(body).form is form


def test_a_whole_message_keeps_its_octets() -> None:
    octets = b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nForl\xec\r\n"
    assert read_body(quote_plus(octets)).octets == octets


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_was_form_encoded_comes_back(text: str) -> None:
    body = read_body(quote_plus(text.encode()))
    if body.form is not Form.MESSAGE:
        assert body.text == _lines(text)


@given(st.text(alphabet="a+%2 \n<>é", max_size=30))
def test_text_with_a_blank_in_it_is_never_taken_for_encoded(text: str) -> None:
    assert not is_encoded(text + " x")


@given(st.binary())
def test_octets_of_a_whole_message_come_back(octets: bytes) -> None:
    whole = MESSAGE.encode() + octets
    assert read_body(quote_plus(whole)).octets == whole
    assert read_body(quote(whole, safe="")).octets == whole


@pytest.mark.parametrize(
    "piece", ["%41", "a+", "a:\n", "<", "<b ", "</", "x: y\n ", "\r\n", "%", "<!--"]
)
def test_megabytes_are_read_in_no_time(piece: str) -> None:
    body = piece * (5_000_000 // len(piece))
    began_s = time.process_time()
    read_body(body)
    assert time.process_time() - began_s < 3


def _lines(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
