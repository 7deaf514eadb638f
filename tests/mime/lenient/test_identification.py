from __future__ import annotations

import pytest
from hypothesis import given

from bridge.mime.lenient.identification import MOST_REFERENCES, message_ids
from tests.mime.strategies import fields


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"<a@b>", ["<a@b>"], id="one"),
        pytest.param(b"<a@b>\n <c@d>,<e@f>", ["<a@b>", "<c@d>", "<e@f>"], id="many"),
        pytest.param(b"Your message of <a@b> (x)", ["<a@b>"], id="words around"),
        pytest.param(b'<"a.b"@c>', ["<a.b@c>"], id="quotes that mean nothing"),
        pytest.param(b'<"a\\.b"@c>', ["<a.b@c>"], id="quoted pair that means nothing"),
        pytest.param(b'<"a b"@c>', ['<"a b"@c>'], id="quotes that mean something"),
        pytest.param(b"<a@\n b>", ["<a@b>"], id="folded"),
        pytest.param(b"<only-local>", ["<only-local>"], id="no domain"),
        pytest.param(b"<> < >", [], id="empty"),
        pytest.param(b"a@b", [], id="no brackets"),
        pytest.param(b"<a@b", [], id="unclosed"),
        pytest.param(b"<\xc3\xa8@b>", ["<è@b>"], id="UTF-8"),
        pytest.param(b"<a\0@b>", ["<a@b>"], id="NUL"),
    ],
)
def test_message_ids(value: bytes, ids: list[str]) -> None:
    assert list(message_ids(value)) == ids


def test_of_very_many_the_first_and_the_last_are_kept() -> None:
    ids = message_ids(b" ".join(b"<%d@b>" % number for number in range(5000)))
    assert len(ids) == MOST_REFERENCES
    assert (ids[0], ids[1], ids[-1]) == ("<0@b>", "<4001@b>", "<4999@b>")


@given(fields)
def test_an_id_read_again_is_itself(value: bytes) -> None:
    for one in message_ids(value):
        assert message_ids(one.encode()) == (one,)
