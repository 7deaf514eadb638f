"""systemd: takes the unit as it stands, and finds it sealed off."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.peers.conftest import Run

pytestmark = pytest.mark.peer

UNIT = Path(__file__).parents[2] / "systemd" / "pec-bridge.service"


def test_systemd_takes_the_unit(run: Run, tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    text = UNIT.read_text()
    unit.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.M))
    assert unit.read_text() != text
    done = run("systemd-analyze", "verify", "--man=no", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_rates_its_exposure_as_low(run: Run) -> None:
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_works_on_large_messages_is_neither_ended_with_the_service_nor_its_end() -> None:
    lines = UNIT.read_text().splitlines()
    assert {"KillMode=mixed", "OOMPolicy=continue"} <= set(lines)
