from __future__ import annotations

import pytest

from bridge.api.token_schema import HostUsage, RequestCounts
from bridge.operations.vendor_count import compared

HOST = "ws.pecmassiva.com"


def usage(total: int, failed: int = 0, eur: float = 0.0) -> HostUsage:
    counts = RequestCounts(total, total - failed, 0, failed, eur)
    return HostUsage(counts, {f"POST:{HOST}/send": counts})


@pytest.mark.parametrize(
    ("usage", "differences"),
    [
        (usage(10, eur=0.5), []),
        (usage(13, failed=3, eur=0.5), []),
        (usage(12, eur=0.5), ["2 more sends"]),
        (usage(7, eur=0.5), ["3 fewer sends"]),
        (usage(10, eur=0.61), ["0.61 EUR"]),
        (usage(0, eur=0.0), ["10 fewer sends", "0.00 EUR"]),
        (HostUsage(RequestCounts(99, 99, 0, 0, 0.5), {}), ["cannot be compared with 10 messages"]),
    ],
)
def test_differences_are_named(usage: HostUsage, differences: list[str]) -> None:
    found = compared({"messages": 10, "uncertain": 0}, 0.5, usage, HOST)["differences"]
    assert len(found) == len(differences)
    for sentence, part in zip(found, differences, strict=True):
        assert part in sentence


def test_fewer_sends_may_be_the_uncertain_ones() -> None:
    found = compared({"messages": 10, "uncertain": 4}, 0.5, usage(9, eur=0.5), HOST)
    assert "4 recipients are of uncertain sends" in found["differences"][0]
