"""How flags combine, and that what the bridge set is not a client's to take."""

from __future__ import annotations

import pytest

from bridge.mailbox.flagchange import FlagChange
from bridge.model import DELETED, FLAGGED, PEC_DELIVERED, SEEN, Flag, Flags

OLD = frozenset({SEEN, PEC_DELIVERED, Flag("Lavoro")})


@pytest.mark.parametrize(
    ("how", "flags", "new"),
    [
        (FlagChange.SET, {FLAGGED}, {FLAGGED}),
        (FlagChange.REPLACE, {FLAGGED}, {FLAGGED, PEC_DELIVERED}),
        (FlagChange.REPLACE, set(), {PEC_DELIVERED}),
        (FlagChange.ADD, {DELETED}, {DELETED, *OLD}),
        (FlagChange.REMOVE, {SEEN, Flag("LAVORO")}, {PEC_DELIVERED}),
    ],
)
def test_a_change(how: FlagChange, flags: Flags, new: Flags) -> None:
    assert how.combine(OLD, frozenset(flags)) == new
