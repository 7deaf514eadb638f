from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.grammar.transfer import Encoding
from bridge.mime.lenient.part import BodyPart, PartKind, decode_parts, encode_parts

LEAF = BodyPart(PartKind.LEAF, Encoding.BASE64, 10, 20, 30)

offsets = st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=3).map(sorted)


def parts(children: st.SearchStrategy[tuple[BodyPart, ...]]) -> st.SearchStrategy[BodyPart]:
    return st.builds(
        lambda kind, encoding, at, inner: BodyPart(kind, encoding, at[0], at[1], at[2], inner),
        st.sampled_from(PartKind),
        st.sampled_from(Encoding),
        offsets,
        children,
    )


trees = st.recursive(
    parts(st.just(())), lambda inner: parts(st.lists(inner, max_size=3).map(tuple)), max_leaves=10
)


@given(trees)
def test_round_trip(root: BodyPart) -> None:
    assert decode_parts(encode_parts(root)) == root


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x02" + encode_parts(LEAF)[1:], id="another format"),
        pytest.param(encode_parts(LEAF)[:-1], id="cut off"),
        pytest.param(b"\x01", id="no part"),
        pytest.param(
            encode_parts(BodyPart(PartKind.MESSAGE, Encoding.IDENTITY, 0, 0, 9, (LEAF,)))[:16],
            id="a child missing",
        ),
    ],
)
def test_damage_is_noticed(stored: bytes) -> None:
    with pytest.raises(ValueError, match="stored tree"):
        decode_parts(stored)


@pytest.mark.parametrize("at", [(1, 0, 2), (0, 2, 1), (-1, 0, 0)])
def test_offsets_run_forwards(at: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="backwards"):
        BodyPart(PartKind.LEAF, Encoding.IDENTITY, *at)
