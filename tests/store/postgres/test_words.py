"""Texts in PostgreSQL are those that were given, and compare as they do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.store.postgres.words import NumberDumper, read, written

CONTROLS = st.text(alphabet=st.sampled_from("\0\1\2\3\4\5\6a~%"))
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"])) | CONTROLS


@given(TEXTS)
def test_a_text_comes_back_and_has_no_nul(text: str) -> None:
    assert "\0" not in written(text)
    assert read(written(text).encode()) == text


@given(TEXTS, TEXTS)
def test_what_is_in_another_is_so_still(text: str, needle: str) -> None:
    assert (written(needle) in written(text)) == (needle in text)
    assert written(text).startswith(written(needle)) == text.startswith(needle)
    assert (written(text).encode() < written(needle).encode()) == (text.encode() < needle.encode())


@given(CONTROLS, st.integers(0, 20))
def test_a_text_that_was_cut_is_the_beginning_of_the_whole(text: str, length: int) -> None:
    assert text.startswith(read(written(text)[:length].encode()))


def test_a_number_that_has_no_room_is_refused() -> None:
    dumper = NumberDumper(int)
    assert dumper.dump(-(2**63)) == b"\x80" + bytes(7)
    with pytest.raises(OverflowError):
        dumper.dump(2**63)
