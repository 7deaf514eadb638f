from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.part import (
    MAX_DEPTH,
    MAX_PARTS,
    SubmittedPart,
    parse,
    parse_fields,
    split_header,
)


def multipart(
    *parts: bytes, boundary: str = "b", subtype: str = "mixed", tail: bytes = b""
) -> bytes:
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode()
    mark = b"--" + boundary.encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts)
    return head + body + mark + b"--\r\n" + tail


def leaves(part: SubmittedPart) -> list[bytes]:
    return [one.body for one in part.walk() if not one.children]


@pytest.mark.parametrize(
    ("raw", "names", "body"),
    [
        pytest.param(b"A: 1\r\nB: 2\r\n\r\ntext", ["a", "b"], b"text", id="plain"),
        pytest.param(b"A: 1\r\n  folded\r\n\r\nx", ["a"], b"x", id="folded"),
        pytest.param(b"A: 1\nB: 2\n\ntext\n", ["a", "b"], b"text\n", id="bare line feeds"),
        pytest.param(b"\r\ntext", [], b"text", id="no header"),
        pytest.param(b"just text\r\n", [], b"just text\r\n", id="no header and no blank line"),
        pytest.param(b"A: 1\r\n", ["a"], b"", id="no body"),
        pytest.param(b"A: 1", ["a"], b"", id="no line end"),
        pytest.param(b"From me Mon\r\nA: 1\r\n\r\nx", ["a"], b"x", id="mbox line"),
        pytest.param(b"", [], b"", id="nothing"),
        pytest.param(b"A :1\r\n\r\nx", ["a"], b"x", id="blank before the colon"),
    ],
)
def test_header_and_body(raw: bytes, names: list[str], body: bytes) -> None:
    message = parse(raw)
    assert [field.name for field in message.fields] == names
    assert message.body == body


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b" plain ", "plain"),
        (b" two\r\n lines", "two lines"),
        (" è".encode(), "è"),
        (b" \xe8 20 \x80", "è 20 €"),
    ],
    ids=["plain", "folded", "utf-8", "cp1252"],
)
def test_field_value(value: bytes, text: str) -> None:
    (field,) = parse_fields(b"X:" + value + b"\r\n")
    assert field.value == text
    assert field.line == b"X:" + value + b"\r\n"


def test_parts_are_exact_slices() -> None:
    raw = multipart(
        b"\r\none\r\n",
        b"Content-Type: text/html\r\n\r\ntwo",
        multipart(b"\r\nin\r\nner", boundary="b2"),
        tail=b"epilogue\r\n--b--\r\n--bc\r\n",
    )
    message = parse(raw)
    assert leaves(message) == [b"one\r\n", b"two", b"in\r\nner"]
    assert [child.content_type for child in message.children] == [
        "text/plain",
        "text/html",
        "multipart/mixed",
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"--b\r\n\r\nx\r\n", [b"x"], id="never closed"),
        pytest.param(b"--b\r\n\r\nx", [b"x"], id="never closed, without a line end"),
        pytest.param(b"pre\r\n--b\r\n\r\nx\r\n--b--", [b"x"], id="preamble"),
        pytest.param(b"--b  \r\n\r\nx\r\n--b-- \r\n", [b"x"], id="blanks behind the boundary"),
        pytest.param(
            b"--bb\r\n--b\r\n\r\n--bb\r\n--b--", [b"--bb"], id="a longer boundary is text"
        ),
        pytest.param(b"--b\r\n\r\nx --b\r\n--b--", [b"x --b"], id="only at a line's start"),
        pytest.param(b"--b\r\n--b\r\n\r\ny\r\n--b--", [b"", b"y"], id="an empty part"),
        pytest.param(b"--b\n\nx\n--b--\n", [b"x"], id="bare line feeds"),
    ],
)
def test_boundaries(body: bytes, expected: list[bytes]) -> None:
    assert leaves(parse(b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + body)) == expected


def test_longer_boundaries_are_looked_for_so_often_only() -> None:
    marks = [b"b %06d" % number for number in range(MAX_PARTS + 1)]
    named = b"X: " + b" ".join(b'"' + mark for mark in marks) + b"\r\n"
    raw = named + multipart(b"\r\n" + b"\r\n".join(b"--" + mark for mark in marks))
    with pytest.raises(Unreadable, match="other text behind"):
        parse(raw)
    parse(raw.replace(b"\r\n--" + marks[-1], b""))


@pytest.mark.parametrize("kind", ["multipart/mi<ed", "multipart", "Multipart/", "multipart/@"])
def test_a_multipart_of_no_known_kind_has_parts(kind: str) -> None:
    message = parse(f"Content-Type: {kind}; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--".encode())
    assert message.content_type == "multipart/mixed"
    assert leaves(message) == [b"x"]


@pytest.mark.parametrize("inner", ["bb", "b c", "b--c", "b -- b"])
def test_a_boundary_may_begin_like_the_outer_one(inner: str) -> None:
    raw = multipart(multipart(b"\r\nx", b"\r\ny", boundary=inner), b"\r\nz")
    assert leaves(parse(raw)) == [b"x", b"y", b"z"]


def test_parts_of_a_digest_are_messages() -> None:
    message = parse(multipart(b"\r\nSubject: x\r\n\r\ny", subtype="digest"))
    assert message.children[0].content_type == "message/rfc822"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b"A: 1\r\nno field\r\n\r\nx", "no header field: 'no field'", id="no field"),
        pytest.param(
            b"Content-Type: multipart/mixed\r\n\r\nx", "names no boundary", id="no boundary"
        ),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\nx",
            "none of the boundaries",
            id="boundary never comes",
        ),
        pytest.param(
            multipart(b"\r\nx", tail=b"--b\r\nContent-Type: a/b\r\n\r\ny\r\n--b--\r\n"),
            "after its closing boundary",
            id="a part behind the end",
        ),
        pytest.param(
            multipart(b"\r\nx", tail=b"bye\r\n--b\n\r\ny"),
            "after its closing boundary",
            id="behind an epilogue",
        ),
        pytest.param(
            multipart(multipart(b"\r\nx", boundary="i", tail=b"--i\r\n\r\ny\r\n--i--\r\n")),
            "after its closing boundary",
            id="behind an inner end",
        ),
        pytest.param(
            multipart(b"\r\nx\r\n--b and more\r\nContent-Type: a/b\r\n\r\ny"),
            "has other text behind it",
            id="text behind a boundary",
        ),
        pytest.param(
            multipart(b"\r\nx\r\n--b--and more\r\ny"),
            "has other text behind it",
            id="text behind the closing one",
        ),
        pytest.param(
            multipart(multipart(b"\r\nx\r\n--i \t.\r\ny", boundary="i")),
            "has other text behind it",
            id="behind an inner one",
        ),
        pytest.param(
            multipart(b"\r\nx", tail=b"-b\r\ncontent-type : a/b\r\n\r\ny\r\n"),
            "looks like a part after",
            id="a broken boundary behind",
        ),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n-b\r\nContent-Type: a/b\r\n\r\n"
            b"y\r\n--b\r\n\r\nx\r\n--b--\r\n",
            "looks like a part before",
            id="a broken boundary in front",
        ),
        pytest.param(b"A: 1\r\r\nB: 2\r\n\r\nx", "CR CR LF", id="some lines end in CR CR LF"),
        pytest.param(b"A: 1\rB: 2\r\n\r\nx", "a CR alone", id="a CR alone"),
        pytest.param(multipart(b"A: 1\rContent-Type: a/b\r\n\r\nx"), "a CR alone", id="in a part"),
        pytest.param(
            multipart(*([b"\r\nx"] * 1001)),
            "too many: at most 1000 .* into one archive",
            id="too many parts",
        ),
        pytest.param(b"A: " + b"x" * 1024**2 + b"\r\n\r\n", "longer than a megabyte", id="header"),
    ],
)
def test_what_cannot_be_read_one_way_only_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse(raw)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Content-Type: text/plain", "Content-Type: text/html"),
        ("Content-Type: text/plain; charset=utf-8", "content-type: text/plain; charset=cp1252"),
        ("Content-Transfer-Encoding: 7bit", "Content-Transfer-Encoding: base64"),
        ("Content-Disposition: inline", "Content-Disposition: attachment"),
        ("Content-Disposition: inline; filename=a", "Content-Disposition: inline; filename=b"),
        ("Content-ID: <a@b>", "Content-ID: <c@d>"),
    ],
)
@pytest.mark.parametrize("inside", [False, True], ids=["at the top", "in a part"])
def test_a_field_may_not_say_two_things(first: str, second: str, inside: bool) -> None:
    one = f"{first}\r\nX: y\r\n{second}\r\n\r\nYQ==".encode()
    with pytest.raises(Unreadable, match=first.partition(":")[0]):
        parse(multipart(b"\r\ntext", one) if inside else one)


@pytest.mark.parametrize(
    ("field", "again"),
    [
        ("Content-Type: text/html; charset=utf-8", "CONTENT-TYPE: Text/HTML;\r\n charset=utf-8"),
        ("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: BASE64 (sic)"),
        ("Content-Disposition: inline", "Content-Disposition: inline"),
        ("Content-Type: text/html; charset=utf-8", "Content-Type: text/html; charset=UTF8"),
    ],
)
def test_but_it_may_say_the_same_twice(field: str, again: str) -> None:
    once, twice = (parse(f"{said}\r\n\r\nYQ==".encode()) for said in (field, f"{field}\r\n{again}"))
    assert (twice.kind, twice.placement, twice.encoding) == (
        once.kind,
        once.placement,
        once.encoding,
    )


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\r\n"])
def test_lines_that_all_end_in_cr_cr_lf_are_read(end: bytes) -> None:
    raw = multipart(b"A: 1\r\n\r\none\r\n\r\ntwo").replace(b"\r\n", b"\r\r\n").rstrip() + end
    assert leaves(parse(raw)) == [b"one\r\n\r\ntwo"]


def test_a_lone_cr_cr_lf_in_a_text_is_text() -> None:
    assert leaves(parse(b"A: 1\r\n\r\nx\r\r\ny\r\n")) == [b"x\r\r\ny\r\n"]


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-unheard-of", "8bits"])
def test_a_multipart_is_not_encoded_whatever_it_says(encoding: str) -> None:
    head = f"Content-Transfer-Encoding: {encoding}\r\n".encode()
    assert leaves(parse(head + multipart(b"\r\nx=41"))) == [b"x=41"]


def test_depth_is_bounded() -> None:
    raw = b"\r\nx"
    for number in range(MAX_DEPTH + 1):
        raw = multipart(raw, boundary=f"b{number}x")
    with pytest.raises(Unreadable, match="too deep"):
        parse(raw)


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ("text/plain; charset=UTF-8", "charset", "UTF-8"),
        ('a/b; name="x; y.pdf"', "name", "x; y.pdf"),
        ("a/b; name*=utf-8''%E2%82%AC.pdf", "name", "€.pdf"),
        ("a/b; name*0*=iso-8859-1''%E8; name*1=b.pdf", "name", "èb.pdf"),
        ('a/b; NAME="è.pdf"', "name", "è.pdf"),
        ("a/b", "name", ""),
        ("a/b; name", "name", ""),
        ("a/b; name*=nocharset''x.pdf", "name", "x.pdf"),
    ],
)
def test_parameter(value: str, name: str, expected: str) -> None:
    message = parse(f"Content-Type: {value}\r\n\r\n".encode())
    assert message.parameter(name) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "text/plain"),
        ("TEXT/Html; x", "text/html"),
        ("text", "text/plain"),
        ("text/", "text/plain"),
        ("text/pl@in", "text/plain"),
        ("application", "application/octet-stream"),
        ("a b/c", "application/octet-stream"),
        ("image/png\u00e5", "application/octet-stream"),
        ("im\u0430ge/png", "application/octet-stream"),
        ("image/png'", "application/octet-stream"),
        ("image/svg+xml", "image/svg+xml"),
        ("application/vnd.oasis.opendocument.text",) * 2,
        ("image/x-y+z", "image/x-y+z"),
    ],
)
def test_content_type(value: str, expected: str) -> None:
    field = f"Content-Type: {value}\r\n" if value else ""
    assert parse(f"{field}X: y\r\n\r\n".encode()).content_type == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", ""), ("inline; x=y", "inline"), ("ATTACHMENT", "attachment"), ("new", "attachment")],
)
def test_disposition(value: str, expected: str) -> None:
    field = f"Content-Disposition: {value}\r\n" if value else ""
    assert parse(f"{field}X: y\r\n\r\n".encode()).disposition == expected


_PIECES = st.sampled_from(
    [
        *(b"\r\n", b"\n", b"--b", b"--", b"A: b", b":", b" ", b"From x", b"text", b"\xe8", b"\0"),
        b"Content-Type: multipart/mixed; boundary=b",
        b"Content-Transfer-Encoding: base64",
    ]
)


@given(st.lists(_PIECES, max_size=40).map(b"".join))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        message = parse(raw)
    except Unreadable:
        return
    for part in message.walk():
        assert 0 <= part.start <= part.end <= len(raw)
        for child in part.children:
            assert part.start <= child.start <= child.end <= part.end


@given(
    st.lists(st.binary(max_size=60).filter(lambda body: b"--b" not in body), min_size=1, max_size=5)
)
def test_every_part_comes_back(bodies: list[bytes]) -> None:
    message = parse(multipart(*(b"\r\n" + body for body in bodies)))
    assert leaves(message) == bodies


def test_a_header_is_split_where_it_ends() -> None:
    assert split_header(b"A: 1\r\n\r\nx") == (0, 6, 8)
