"""Bytes that look like mail often enough to get into every corner of a parser."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.mime.malformed import BY_HAND, PIECES

pieces = st.one_of(st.sampled_from(PIECES), st.binary(max_size=8))
fields = st.lists(pieces, max_size=12).map(b"".join)
"""One field's value."""

mail = st.one_of(
    st.lists(st.one_of(pieces, st.sampled_from(list(BY_HAND.values()))), max_size=12).map(b"".join),
    st.binary(max_size=200),
)
