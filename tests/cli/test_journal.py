"""Lines for systemd's journal: known by ``JOURNAL_STREAM``, each with its priority."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import logging, sys
from bridge.cli.daemon import start_logging
import structlog
start_logging(FORM, verbose=True)
log = structlog.get_logger()
log.debug("one"), log.info("two"), log.warning("three")
try:
    raise ValueError("four")
except ValueError:
    log.exception("five")
logging.getLogger("library").warning("six")
"""
LEVELS = [7, 6, 4, 3, 4]


def said(folder: Path, form: str, *, journal: bool) -> list[str]:
    """Return what a program writes to a file that is, or is not, called the journal's."""
    path = folder / "stream"
    with path.open("wb") as stream:
        status = os.fstat(stream.fileno())
        told = f"{status.st_dev}:{status.st_ino + (not journal)}"
        program = PROGRAM.replace("FORM", form)
        environment = {**os.environ, "JOURNAL_STREAM": told}
        subprocess.run([sys.executable, "-c", program], stderr=stream, env=environment, check=True)
    return path.read_text().splitlines()


@pytest.mark.parametrize("form", ["None", "'json'"])
def test_in_the_journal_lines_are_json_with_priorities(tmp_path: Path, form: str) -> None:
    lines = said(tmp_path, form, journal=True)
    assert [int(line[1]) for line in lines] == LEVELS
    found = [json.loads(line[3:]) for line in lines]
    assert "timestamp" not in found[0]  # the journal's own
    assert "ValueError: four" in found[3]["exception"]


def test_every_line_of_a_traceback_has_its_priority(tmp_path: Path) -> None:
    lines = said(tmp_path, "'human'", journal=True)
    assert {line[:1] for line in lines} == {"<"}
    assert [line for line in lines if line.startswith("<3>") and "ValueError" in line]


def test_elsewhere_they_have_none(tmp_path: Path) -> None:
    lines = said(tmp_path, "None", journal=False)
    assert "timestamp" in json.loads(lines[0])
