"""Many deletions amid others', lost answers and kills: the right ones, and called done if they are.

A story depends on its seed, and a little on which thread is faster: the seeds here are ones that
once went wrong, and ``pytest -m byhand`` tells many.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.simulator import SEQUENCE_READING, Ids, Options
from tests.selected import some
from tests.sync.storm import Storm

ONCE_WRONG = [7, 18, 1, 3, 11, 12, 22]
STORIES = 200


@pytest.mark.parametrize("seed", some(ONCE_WRONG, 2))
async def test_what_is_called_deleted_is_not_listed(tmp_path: Path, seed: int) -> None:
    await Storm(tmp_path, seed, {"others", "faults", "kills"}).tell()


SHIFTING = SEQUENCE_READING
STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE)


@pytest.mark.parametrize("steps", some([34, 37, 10, *range(38, 66)], 3))
@pytest.mark.parametrize("options", [SHIFTING, STABLE], ids=["sequence", "stable"])
async def test_a_kill_amid_deletions_lets_none_just_like_them_be_deleted(
    tmp_path: Path, options: Options, steps: int
) -> None:
    await Storm(tmp_path, 6, options=options).tell_of_a_kill(steps)


@pytest.mark.byhand
@pytest.mark.parametrize("seed", range(1_000, 1_000 + STORIES))
async def test_many_stories(tmp_path: Path, seed: int) -> None:
    await Storm(tmp_path, seed, {"others", "faults", "kills"}).tell()
