from __future__ import annotations

from pathlib import Path
from random import Random

from bridge.api.purpose import Purpose
from bridge.app.count import StoredCount
from bridge.app.reading import InboxReading
from bridge.app.resources import Resources
from tests.app.test_resources import SECRETS
from tests.fakes import FakeClock
from tests.running import settings


async def test_one_that_begins_to_read_counts_what_another_bridge_asked_for(
    tmp_path: Path, clock: FakeClock
) -> None:
    """It led before, let another lead, and leads again on the same day."""
    resources = await Resources.open(settings(tmp_path), SECRETS, clock=clock)
    (account,) = resources.accounts
    await account.budget.spend(Purpose.LOOK)
    before = await account.budget.use()
    written_down = StoredCount(resources.store, account.id)
    await written_down.save(before.day, Purpose.LOOK.value, before.made[Purpose.LOOK] + 70)
    InboxReading(resources, Random(1)).close()
    after = await account.budget.use()
    await resources.close()
    assert after.used >= before.used + 70
