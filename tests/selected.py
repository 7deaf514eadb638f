"""Which of many cases the default run takes: some, and ``.ci/run`` all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest


def some(cases: Iterable[object], count: int) -> Sequence[object]:
    """Return the cases as parameters, all but the first ``count`` marked slow."""
    return [
        case if number < count else pytest.param(case, marks=pytest.mark.slow)
        for number, case in enumerate(cases)
    ]
