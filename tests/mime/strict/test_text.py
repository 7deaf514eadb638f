from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.strict.text import addresses, without_breaks


@given(st.text(max_size=60))
def test_one_line_is_one(value: str) -> None:
    assert "\n" not in without_breaks(value)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a@b.it"], ("a@b.it",)),
        (["Rossi <a@b.it>, c@d.it"], ("a@b.it", "c@d.it")),
        (["a@b.it; c@d.it"], ("a@b.it", "c@d.it")),
        (["a@b.it", "A@B.it, c@d.it"], ("a@b.it", "c@d.it")),
        (['"x@y.it" <a@b.it>'], ("a@b.it",)),
        (["=?utf-8?q?Rossi=2C_Ugo?= <a@b.it>"], ("a@b.it",)),
        (["Rossi [PEC] <a@b.it>"], ("a@b.it",)),
        (["x@y.it <a@b.it>, z@w.it <c@d.it>"], ("a@b.it", "c@d.it")),
        (["Rossi @ ACME <a@b.it>"], ("a@b.it",)),
        (["x@y.it <>", "c@d.it <root>"], ("x@y.it", "c@d.it")),
        (["undisclosed-recipients:;"], ()),
        (["group: a@b.it, c@d.it;"], ("a@b.it", "c@d.it")),
        (["root", "Ugo <root>", "", "<>", "@b.it"], ()),
        (["è@à.it"], ("è@à.it",)),
    ],
)
def test_addresses(values: list[str], expected: tuple[str, ...]) -> None:
    assert addresses(values) == expected


@given(st.lists(st.text(alphabet='ab@.,;:<>()"\\[] \r\n', max_size=30), max_size=3))
def test_any_field_has_some_addresses(values: list[str]) -> None:
    assert all("@" in address for address in addresses(values))
