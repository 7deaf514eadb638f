from __future__ import annotations

from pathlib import Path

import pytest

from tests import cluster
from tests.app.test_postgres import on_postgres
from tests.cli.conftest import Command
from tests.running import ADDRESS, apart, running, simulated
from tests.stores import CHOSEN


@pytest.mark.skipif(CHOSEN != "sqlite", reason="is about a file")
async def test_on_a_file_nobody_else_can_lead(command: Command, config: Path) -> None:
    async with running(config.parent / "data", simulated()):
        done = await apart(command, "leader", "release", ADDRESS, "--config", config)
        status = await apart(command, "status", "--config", config)
    assert (done.code, done.out) == (1, "")
    assert "leads for no others" in done.err
    assert "leads" not in status.out


@pytest.mark.slow
@pytest.mark.skipif(cluster.missing() is not None, reason=str(cluster.missing()))
async def test_who_leads_is_shown_and_may_be_another(command: Command, config: Path) -> None:
    data = config.parent / "data"
    async with running(data, simulated(), change=on_postgres):
        shown = await apart(command, "status", "--config", config)
        assert "data leads\n" in shown.out
        done = await apart(command, "leader", "release", ADDRESS, "--config", config)
        assert done.out == f"This bridge leads no more, for {ADDRESS}.\n"
        shown = await apart(command, "status", "--config", config)
        assert "follows" in shown.out
