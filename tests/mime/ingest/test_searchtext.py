from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.ingest import ingest
from bridge.mime.ingest.searchtext import (
    body_text,
    decode_value,
    fold,
    folded_body,
    folded_headings,
    header_text,
    header_values,
    passages,
    text_of,
    whole_text,
)
from bridge.mime.lenient.split import split
from tests.mime.strategies import fields, mail


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("Hello", "hello", id="ASCII"),
        pytest.param("PERCHÉ", "perche", id="accent"),
        pytest.param("e\u0301", "e", id="combining accent"),
        pytest.param("Straße", "strasse", id="sharp s"),
        pytest.param("ΣΊΣΥΦΟΣ", "σισυφοσ", id="Greek"),
        pytest.param("Ёлка", "елка", id="Cyrillic"),
        pytest.param("ﬁn ²\u00a0x", "fin 2 x", id="compatibility forms"),
        pytest.param("İstanbul", "istanbul", id="Turkish capital"),
        pytest.param("co\u00adoperate \u200bx", "cooperate x", id="no width"),
        pytest.param("が", "か\u3099", id="a mark that is a letter's"),
        pytest.param("a\r\nb\rc\nd", "a\nb\nc\nd", id="line ends"),
        pytest.param("a\0b\ud800", "ab", id="what can't be stored"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_every_character_is_folded_for_good() -> None:
    letters = (chr(code) for code in chain(range(0x3400), range(0xF900, 0x1F800)))
    assert [one for one in letters if fold(fold(one)) != fold(one)] == []


@given(st.text(), st.text())
def test_folding_finds_what_is_there(text: str, around: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert folded in fold(f"{around} {text} {around}")
    assert folded == fold(text.encode("utf-8", "ignore").decode())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(b"plain", "plain", id="plain"),
        pytest.param(b"a\n\tb", "a\tb", id="fold"),
        pytest.param(b"=?utf-8?q?perch=C3=A9?= no", "perché no", id="encoded word"),
        pytest.param(b"=?iso-8859-1?b?6A==?=\n =?iso-8859-1?q?=E0?=", "èà", id="two, folded"),
        pytest.param(b"=?utf-8?q?a=0D=0Abcc:_x?=", "a  bcc: x", id="line end in a word"),
        pytest.param(b"\xc3\xa8", "è", id="raw UTF-8"),
        pytest.param(b"\xe8", "è", id="raw Windows-1252"),
        pytest.param(b"=?nonsense?q?a?= =?x", "a =?x", id="nonsense"),
        pytest.param(b"=?iso-8859-1?Q?Fr\xf6sche?=", "Frösche", id="raw octet in a word"),
        pytest.param(b"=?iso-8859-1?Q?Dove_=E8??=", "Dove è?", id="question mark in a word"),
        pytest.param(b"perch\xc3\xa9 \xe1", "perché \ufffd", id="one bad octet"),
        pytest.param(b"\x1b$B$*@$OC\x1b(B", "お世話", id="JIS that nobody declared"),
    ],
)
def test_decode_value(value: bytes, text: str) -> None:
    assert decode_value(value) == text


def test_header_lines() -> None:
    values = header_values([(b"subject", b"=?utf-8?q?=C3=88?= X"), (b"to", b"A"), (b"to", b"B")])
    assert header_text(values) == "subject:e x\nto:a\nto:b"
    assert text_of(values, "to") == "a\nb"
    assert text_of(values, "cc") == ""


@given(st.lists(st.tuples(st.just(b"x"), fields)))
def test_a_field_is_a_line(found: list[tuple[bytes, bytes]]) -> None:
    unfolded = [(name, value.replace(b"\n", b"").replace(b"\r", b"")) for name, value in found]
    assert len(header_values(unfolded)) == len(unfolded)
    lines = header_text(header_values(unfolded)).split("\n")
    assert all(line.startswith("x:") for line in lines if line)
    assert len(lines) == max(1, len(unfolded))


@pytest.mark.parametrize(
    "octets", ["perché no".encode("utf-16-le"), "perché no".encode("utf-16-be")]
)
def test_a_text_of_which_nothing_is_declared_is_read_as_what_it_is(octets: bytes) -> None:
    raw = b"Subject: x\r\n\r\n" + octets
    (text,) = (one.text for one in passages(raw, split(raw)))
    assert text == "perché no"


def text_part(content_type: bytes, body: bytes, *fields: bytes) -> bytes:
    head = b"".join(field + b"\r\n" for field in fields)
    return b"MIME-Version: 1.0\r\nContent-Type: %b\r\n%b\r\n%b" % (content_type, head, body)


QP = b"Content-Transfer-Encoding: quoted-printable"
BASE64 = b"Content-Transfer-Encoding: base64"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(b"Subject: s\r\n\r\nBody\r\n", "body\n", id="without MIME"),
        pytest.param(text_part(b"text/plain; charset=utf-8", b"\xc3\x88"), "e", id="UTF-8"),
        pytest.param(text_part(b"text/plain; charset=iso-8859-1", b"\xc8"), "e", id="Latin-1"),
        pytest.param(text_part(b"text/plain; charset=utf-8", b"\xc8"), "e", id="not what it says"),
        pytest.param(text_part(b"text/plain; charset*=''utf-16", b"a\0b\0"), "ab", id="RFC 2231"),
        pytest.param(text_part(b"text/plain; charset=no", b"A"), "a", id="no such charset"),
        pytest.param(text_part(b"text/plain", b"a=\r\nB=3D", QP), "ab=", id="quoted-printable"),
        pytest.param(text_part(b"text/plain", b"QUJD", BASE64), "abc", id="base64"),
        pytest.param(
            text_part(b"text/html; charset=utf-8", b"<p>perch&eacute;<p>No"),
            "perche\nno",
            id="HTML",
        ),
        pytest.param(text_part(b"text/csv", b"A;B"), "a;b", id="any text"),
        pytest.param(
            text_part(b"text/html", '<meta charset="koi8-r">Да'.encode("koi8_r")), "да", id="meta"
        ),
        pytest.param(
            text_part(b"text/plain; charset=utf-8", b"\xc3\xa0 \xff"), "a \ufffd", id="bad"
        ),
        pytest.param(text_part(b"text/plain; charset=gb2312", b"\x87\xe5"), "囧", id="superset"),
        pytest.param(
            text_part(b"text/html charset=koi8-r", b"<b>\xe4\xc1"), "да", id="no semicolon"
        ),
        pytest.param(text_part(b"text; charset=koi8-r", b"\xe4\xc1"), "да", id="no subtype"),
        pytest.param(text_part(b"", b"A"), "a", id="an empty type"),
        pytest.param(text_part(b"= ?", b"A"), "a", id="a type that says nothing"),
        pytest.param(text_part(b"application/pdf name=b.pdf", b"A"), "b.pdf", id="no text either"),
        pytest.param(text_part(b"application/pdf", b"A"), "", id="no text"),
        pytest.param(text_part(b"message/delivery-status", b"Action: x"), "action: x", id="report"),
        pytest.param(
            text_part(
                b"multipart/mixed; boundary=x",
                b"--x\r\nContent-Type: image/gif; name=F.gif\r\n\r\nzzz\r\n--x\r\n\r\nA\r\n--x--",
            ),
            "f.gif\na",
            id="names of files, not what is no text",
        ),
        pytest.param(
            text_part(b"message/rfc822", b"Subject: =?utf-8?q?=C3=88?=\r\n\r\nB"),
            "b",
            id="message within",
        ),
    ],
)
def test_body(raw: bytes, text: str) -> None:
    assert body_text(raw) == text


PARTS = text_part(
    b"multipart/mixed; boundary=x",
    b"--x\r\nContent-Type: text/plain\r\n\r\nA\r\n"
    b"--x\r\nContent-Type: application/pdf; name==?utf-8?q?Citt=C3=A0.pdf?=\r\n\r\nzzz\r\n"
    b"--x\r\nContent-Disposition: attachment; filename*=utf-8''Perch%C3%A9.pdf\r\n"
    b"Content-Type: application/pdf\r\n\r\nzzz\r\n"
    b"--x\r\nContent-Type: application/pdf;\r\n name*0*=iso-8859-1''Pi%F9;"
    b' name*1=" no.pdf"\r\n\r\n'
    b"--x--",
)


def test_fields_of_parts_are_no_body_but_the_names_of_files_are() -> None:
    body, text = body_text(PARTS), whole_text(PARTS)
    assert body.split("\n") == ["a", "citta.pdf", "perche.pdf", "piu no.pdf"]
    assert "content-type" not in body
    assert "\tcontent-disposition:attachment; filename*=utf-8''perch%c3%a9.pdf perche.pdf" in text
    assert body in text


def test_headings_stand_below_the_header_and_none_is_taken_for_a_line_of_it() -> None:
    headings, is_whole = folded_headings(passages(PARTS, split(PARTS)), 10_000)
    assert is_whole
    assert all(line.startswith("\t") for line in headings.split("\n"))
    assert headings in ingest(PARTS).search.header


def test_long_headings_are_cut_and_said_to_be() -> None:
    long = PARTS.replace(b"\r\n\r\nA", b"\r\nX-Long: %b needle\r\n\r\nA" % (b"x" * 70_000))
    search = ingest(long).search
    assert not search.body_is_whole
    assert "needle" not in search.header
    assert "needle" in whole_text(long)


def test_a_header_spells_file_names_as_people_do() -> None:
    value = b"attachment; filename*=utf-8''citt%C3%A0.pdf"
    assert header_values([(b"content-disposition", value)]) == [
        ("content-disposition", "attachment; filename*=utf-8''citt%C3%A0.pdf città.pdf")
    ]


@given(mail, st.integers(0, 300))
def test_a_cut_text_is_the_beginning_of_the_whole(raw: bytes, most: int) -> None:
    body, is_whole = folded_body(passages(raw, split(raw)), most)
    whole = body_text(raw)
    body.encode()
    assert is_whole == (body == whole) or not is_whole
    # Where the cut falls between a letter and its accent the fold of the rest may differ by one.
    assert whole.startswith(body[:-2])
