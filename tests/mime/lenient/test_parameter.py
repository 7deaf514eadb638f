from __future__ import annotations

import pytest
from hypothesis import given

from bridge.mime.lenient.parameter import (
    Parameters,
    parse_content_type,
    parse_disposition,
    parse_encoding,
    parse_languages,
    readable_type,
)
from tests.mime.strategies import fields


@pytest.mark.parametrize(
    ("value", "kind", "subkind"),
    [
        pytest.param(b"text/plain", b"text", b"plain", id="plain"),
        pytest.param(b"Text/HTML; charset=x", b"Text", b"HTML", id="as spelled"),
        pytest.param(b" (a) text (b) / (c) plain (d) ", b"text", b"plain", id="comments"),
        pytest.param(b"text", b"text", b"", id="kind only"),
        pytest.param(b"text/", b"", b"", id="empty subkind"),
        pytest.param(b"/plain", b"", b"", id="empty kind"),
        pytest.param(b"text/plain charset=x", b"", b"", id="no semicolon"),
        pytest.param(b"", b"", b"", id="nothing"),
    ],
)
def test_type(value: bytes, kind: bytes, subkind: bytes) -> None:
    read = parse_content_type(value)
    assert (read.kind, read.subkind) == (kind, subkind)


@pytest.mark.parametrize(
    ("value", "kind", "subkind", "parameters"),
    [
        pytest.param(b"a/b; c=d", b"a", b"b", ((b"c", b"d"),), id="nothing to mend"),
        pytest.param(
            b"text/html charset=utf-8",
            b"text",
            b"html",
            ((b"charset", b"utf-8"),),
            id="no semicolon",
        ),
        pytest.param(
            b'text/html charset = "x y" format=flowed',
            b"text",
            b"html",
            ((b"charset", b"x y"), (b"format", b"flowed")),
            id="none of two",
        ),
        pytest.param(b"text; charset=x", b"text", b"plain", ((b"charset", b"x"),), id="no subtype"),
        pytest.param(b"text", b"text", b"plain", (), id="kind only"),
        pytest.param(b"image", b"image", b"plain", (), id="another kind"),
        pytest.param(b"image/png name=x", b"image", b"png", ((b"name", b"x"),), id="an image"),
        pytest.param(b"", b"text", b"plain", (), id="nothing"),
        pytest.param(b"\xff/", b"text", b"plain", (), id="nothing that can be read"),
        pytest.param(
            b"multipart/mixed boundary=x", b"text", b"plain", ((b"boundary", b"x"),), id="no parts"
        ),
        pytest.param(b"pdf", b"text", b"plain", (), id="no kind"),
    ],
)
def test_what_a_type_was_meant_to_say(
    value: bytes, kind: bytes, subkind: bytes, parameters: Parameters
) -> None:
    assert readable_type(parse_content_type(value), value) == (kind, subkind, parameters)


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        pytest.param(b"", (), id="none"),
        pytest.param(b"; a=b; C=d", ((b"a", b"b"), (b"C", b"d")), id="two"),
        pytest.param(b';a="b; \\"c\\""', ((b"a", b'b; "c"'),), id="quoted"),
        pytest.param(b"; a = (x) b (y) ; c=d", ((b"a", b"b"), (b"c", b"d")), id="comments"),
        pytest.param(b";;a=b; c=d", ((b"c", b"d"),), id="an empty one hides the next"),
        pytest.param(b"; a; b=c; d=e", ((b"d", b"e"),), id="so does one without a value"),
        pytest.param(b"; a=; b=c", ((b"a", b""), (b"b", b"c")), id="empty value"),
        pytest.param(b'; a="b', (), id="unclosed"),
        pytest.param(
            b"; a==?utf-8?q?b?=; c=d", ((b"a", b"=?utf-8?q?b?="), (b"c", b"d")), id="2047"
        ),
        pytest.param(b"; a*1=c; a*0=b", ((b"a", b"bc"),), id="split"),
        pytest.param(b"; a*=utf-8''%e8", ((b"a*", b"utf-8''%e8"),), id="extended"),
        pytest.param(
            b"; a*0*=utf-8''%e8; a*1=%b", ((b"a*", b"utf-8''%e8%25b"),), id="split and extended"
        ),
        pytest.param(b"; a*0=b; a*2=c", ((b"a*0", b"b"), (b"a*2", b"c")), id="a gap"),
        pytest.param(b"; x=y; a*0=b", ((b"x", b"y"), (b"a", b"b")), id="whole ones first"),
    ],
)
def test_parameters(text: bytes, parameters: Parameters) -> None:
    assert parse_content_type(b"a/b" + text).parameters == parameters
    assert parse_disposition(b"inline" + text) == (b"inline", parameters)


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        pytest.param(b"8bit", b"8bit", id="plain"),
        pytest.param(b" Base64 (x)", b"Base64", id="comment"),
        pytest.param(b"base64 or so", None, id="words"),
        pytest.param(b"base64;", None, id="semicolon"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_encoding(value: bytes, encoding: bytes | None) -> None:
    assert parse_encoding(value) == encoding


@pytest.mark.parametrize(
    ("value", "languages"),
    [
        pytest.param(b"it", (b"it",), id="one"),
        pytest.param(b"it, en-GB (x)", (b"it", b"en-GB"), id="two"),
        pytest.param(b"it en", (b"it",), id="no comma"),
        pytest.param(b"", (), id="nothing"),
    ],
)
def test_languages(value: bytes, languages: tuple[bytes, ...]) -> None:
    assert parse_languages(value) == languages


@given(fields)
def test_anything_is_read_without_nul(value: bytes) -> None:
    kind, subkind, parameters = parse_content_type(value)
    for text in (kind, subkind, *(text for pair in parameters for text in pair)):
        assert b"\0" not in text
    parse_disposition(value)
    parse_encoding(value)
    parse_languages(value)
