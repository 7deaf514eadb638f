"""Values that every layer shares: what is wrong in one is refused when it is built."""

from __future__ import annotations

import pytest

from bridge.model import Quota


def test_a_mailbox_without_a_limit_is_never_full() -> None:
    assert Quota(5, 0).percent is None
    assert Quota(900, 1000).percent == 90


@pytest.mark.parametrize(("used", "limit"), [(-1, 0), (0, -1)])
def test_a_quota_is_not_negative(used: int, limit: int) -> None:
    with pytest.raises(ValueError, match="negative"):
        Quota(used, limit)
