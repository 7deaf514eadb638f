"""The limits against the code: each has its row in ``docs/limits.md``, with its value.

``python -m tests.test_limits`` writes rows and values anew; what a limit bounds a person says.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bridge import limits

TOP = Path(__file__).parent.parent
PAGE = TOP / "docs" / "limits.md"
ROW = re.compile(r"^\| `([\w.]+)` \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE)
NAME = re.compile(r"(?:^|_)(?:LIMIT|MAX|MOST|LONGEST|LARGEST|DEEPEST)(?:_|$)")
TABLE = re.compile(
    r"(<!-- elsewhere: begin -->\n(?:[^\n]+\n){2})(.*?)(<!-- elsewhere: end -->)", re.DOTALL
)
UNSAID = "(say what)"
TEST_NAMED = re.compile(r"(tests/[\w/]+\.py)::(\w+)")


def constants(source: str) -> Iterator[str]:
    """Yield the names of a module's limits; those made of ``bridge.limits`` are told there."""
    tree = ast.parse(source)
    told = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "bridge.limits"
        for alias in node.names
    }
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        for target in targets:
            if isinstance(target, ast.Name) and NAME.search(target.id) and not used & told:
                yield target.id


def in_the_package() -> set[str]:
    """Return every limit that stands in a module of its own; the simulator bounds nobody."""
    found = set()
    for path in (TOP / "bridge").rglob("*.py"):
        module = ".".join(path.relative_to(TOP / "bridge").with_suffix("").parts)
        if not module.startswith("simulator") and module != "limits":
            source = path.read_text(encoding="utf-8")
            found |= {f"{module}.{name}" for name in constants(source)}
    return found


def shown(where: str) -> str:
    """Return a limit's value as the page has it."""
    module, _, name = where.rpartition(".")
    value = getattr(importlib.import_module(f"bridge.{module}"), name)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():,g} s"
    if name.endswith("BYTES"):
        for unit, letters in ((limits.MIB, "MiB"), (limits.KIB, "KiB")):
            if value >= unit and value % unit == 0:
                return f"{value // unit:,} {letters}"
    return f"{value:,}"


def written(page: str) -> str:
    """Return the page with a row for each limit, in order, and every value as it is."""
    said = {row[1]: row[3] for row in ROW.finditer(page)}
    rows = "".join(
        f"| `{one}` | {shown(one)} | {said.get(one, UNSAID)} |\n"
        for one in sorted(in_the_package())
    )
    return TABLE.sub(lambda found: found[1] + rows + found[3], page)


def test_every_limit_has_its_row_and_value() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert UNSAID not in page
    assert page == written(page), "a limit is new, gone or changed: python -m tests.test_limits"


@pytest.mark.parametrize("row", limits.LIMITS, ids=lambda row: row.what)
def test_a_limits_test_exists(row: limits.Limit) -> None:
    named = TEST_NAMED.fullmatch(row.test)
    assert named is not None
    source = (TOP / named[1]).read_text(encoding="utf-8")
    assert re.search(rf"def {named[2]}\b", source)


def test_what_a_limit_is() -> None:
    source = """
from bridge.limits import OTHERS
LINE_LIMIT = 5
_MOST_PARTS: int = 6
OWN_LIMIT = OTHERS
ALMOST = 7
def f(): MAX_X = 8
"""
    assert set(constants(source)) == {"LINE_LIMIT", "_MOST_PARTS"}


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
