"""Fuzz one reader: ``python -m tests.fuzz imap [libFuzzer's options]``.

Needs ``pip install '.[fuzz]'``. A finding is kept under ``tests/fuzz/cases/<target>/``, where
``test_cases.py`` tries it again with every run of the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bridge"]):
    from tests.fuzz.target import TARGETS

CASES = Path(__file__).parent / "cases"


def main() -> None:
    """Run the fuzzer until it is stopped or finds something."""
    name, *options = sys.argv[1:]
    seeds = CASES / name
    seeds.mkdir(exist_ok=True)
    corpus = [] if any(not one.startswith("-") for one in options) else [str(seeds)]
    atheris.Setup([sys.argv[0], *options, *corpus], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
