from __future__ import annotations

import pytest
from hypothesis import given

from bridge.mime.lenient.filename import file_names
from tests.mime.strategies import fields


@pytest.mark.parametrize(
    ("disposition", "names"),
    [
        pytest.param(b"attachment", [], id="none"),
        pytest.param(b'attachment; filename="a b.pdf"', ["a b.pdf"], id="ASCII"),
        pytest.param("attachment; filename=città.pdf".encode(), ["città.pdf"], id="raw UTF-8"),
        pytest.param(b"attachment; filename=citt\xe0.pdf", ["città.pdf"], id="raw Windows-1252"),
        pytest.param(b"a; filename==?utf-8?q?citt=C3=A0.pdf?=", ["città.pdf"], id="encoded word"),
        pytest.param(b"a; filename*=utf-8''citt%C3%A0.pdf", ["città.pdf"], id="RFC 2231"),
        pytest.param(b"a; filename*=iso-8859-1'it'citt%E0", ["città"], id="with a language"),
        pytest.param(b"a; filename*=''citt%C3%A0", ["città"], id="without a charset"),
        pytest.param(b"a; filename*=citt%C3%A0", ["città"], id="without quotes"),
        pytest.param(b"a; filename*=punycode''a%2Fb", ["a/b"], id="no charset"),
        pytest.param(
            b"a; filename*0*=utf-8''citt%C3; filename*1*=%A0; filename*2=.pdf",
            ["città.pdf"],
            id="a letter cut between segments",
        ),
        pytest.param(b'a; filename*0="a b"; filename*1=".pdf"', ["a b.pdf"], id="plain segments"),
        pytest.param(b"a; filename=b; filename*=utf-8''%C3%A0", ["b", "à"], id="two"),
        pytest.param(b"a; filename*=utf-8''a%0D%0Ab", ["a  b"], id="line end in a name"),
    ],
)
def test_names(disposition: bytes, names: list[str]) -> None:
    assert file_names([(b"content-disposition", disposition)]) == names


def test_a_name_in_both_fields_is_one() -> None:
    content_type = (b"content-type", b"application/pdf name=a.pdf")
    disposition = (b"content-disposition", b"attachment; filename=a.pdf")
    assert file_names([content_type, disposition, (b"subject", b"x; name=b")]) == ["a.pdf"]


@given(fields)
def test_anything_has_some_names(value: bytes) -> None:
    for name in file_names([(b"content-type", value), (b"content-disposition", value)]):
        assert "\n" not in name
