"""What the fuzzer found, and what it began with, tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.target import TARGETS

CASES = sorted(path for path in (Path(__file__).parent / "cases").glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_reader_takes_what_once_was_a_finding(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_each_reader_has_cases(name: str) -> None:
    assert any(path.parent.name == name for path in CASES)
