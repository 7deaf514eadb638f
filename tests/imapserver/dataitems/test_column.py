"""Lines of FETCH, and the same in pieces."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bridge.imapserver.dataitems.column import LONG_BYTES, Column, lines, literals, pieces

TEXT = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.integers(LONG_BYTES // 2, 3 * LONG_BYTES).map(lambda size: b"x" * size),
)


@given(st.lists(TEXT, min_size=1, max_size=6), st.booleans(), st.integers(0, 2), st.integers(0, 2))
def test_pieces_make_up_the_lines(
    texts: Sequence[bytes | None], binary: bool, before: int, tailed: int
) -> None:
    numbers = range(7, 7 + len(texts))
    columns = [Column(b"UID %d", (numbers,)), Column(b"THREADID NIL")][:before]
    columns.append(literals("BODY[%x]", texts, binary=binary))
    tails = [b" FLAGS (\\Seen)", b""][:tailed] * len(texts)
    tails = tails[: len(texts)] if tailed else []
    assert b"".join(pieces(numbers, columns, tails)) == lines(numbers, columns, tails)


def test_long_texts_are_not_copied() -> None:
    texts = [b"x" * LONG_BYTES, b"y" * LONG_BYTES]
    found = pieces((1, 2), [literals("BODY[]", texts, binary=False)], [])
    assert all(any(piece is text for piece in found) for text in texts)
