"""Bodies in quoted-printable of any size and shape."""

from __future__ import annotations

import binascii
import re

import pytest

from bridge.mime.grammar.transfer import Encoding, decode_leniently
from tests.costs.measure import assert_linear

LINE_TAIL = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
PUMPS = [
    b" a",
    b"a",
    b"\n",
    b" \r\n",
    b"=C3=A0",
    b"= ",
    b"=\r\n",
    b"a=20 \r\n",
    b"ab \t=3D c",
    b"\t",
]


@pytest.mark.parametrize("pump", PUMPS)
def test_quoted_printable_costs_its_length(pump: bytes) -> None:
    assert_linear(
        lambda body: decode_leniently(body, Encoding.QUOTED_PRINTABLE),
        lambda size: pump * (size // len(pump)),
        600_000,
    )


@pytest.mark.parametrize(
    ("pump", "shift"), [(pump, shift) for pump in PUMPS for shift in range(len(pump))]
)
def test_slices_are_cut_where_nothing_changes(pump: bytes, shift: int) -> None:
    body = b"x" * shift + pump * (800_000 // len(pump))
    whole = binascii.a2b_qp(LINE_TAIL.sub(b"", body))
    assert decode_leniently(body, Encoding.QUOTED_PRINTABLE) == whole
