"""systemd: takes the units as they stand, and finds it sealed off."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from bridge.net.manager import PORTS
from tests.peers.conftest import Run

pytestmark = pytest.mark.peer

UNIT = Path(__file__).parents[2] / "systemd" / "pec-bridge.service"
SOCKET = UNIT.with_suffix(".socket")


def test_systemd_takes_the_units(run: Run, tmp_path: Path) -> None:
    text = UNIT.read_text()
    service, socket = tmp_path / UNIT.name, tmp_path / SOCKET.name
    service.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.M))
    socket.write_text(SOCKET.read_text())
    assert service.read_text() != text
    done = run("systemd-analyze", "verify", "--man=no", service, socket)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_rates_its_exposure_as_low(run: Run) -> None:
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", UNIT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_works_on_large_messages_is_neither_ended_with_the_service_nor_its_end() -> None:
    lines = UNIT.read_text().splitlines()
    assert {"KillMode=mixed", "OOMPolicy=continue"} <= set(lines)


def test_each_port_of_the_socket_unit_says_what_is_spoken_there() -> None:
    ports = re.findall(r"^ListenStream=(\d+)$", SOCKET.read_text(), re.M)
    assert {int(port) for port in ports} == set(PORTS)
