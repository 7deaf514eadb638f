"""Works are pure: they may be run again from the start, and undone after they ran.

So none reads a clock or draws a number, and none writes to the log what may never come true.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import bridge

PACKAGE = Path(bridge.__file__).parent
TRANSACTIONS = {"tx", "mtx", "transaction"}
IMPURE = ("_clock.now", "_clock.monotonic", "clock.now", "_random.", "time.time", "datetime.now")
LOGGING = ("log.debug", "log.info", "log.warning", "log.error", "log.exception")


def works() -> Iterator[tuple[str, ast.AST]]:
    """Give every function of the package that is handed a transaction, with its place."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                names = {one.arg for one in (*node.args.args, *node.args.kwonlyargs)}
                if names & TRANSACTIONS:
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_no_work_reads_a_clock_or_draws_a_number() -> None:
    found = list(works())
    assert len(found) > 100
    for place, work in found:
        for node in ast.walk(work):
            if isinstance(node, ast.Attribute):
                assert not any(one in ast.unparse(node) for one in IMPURE), place


def test_no_work_logs_before_its_commit() -> None:
    """``told`` of a transaction takes what is to be logged once it is true."""
    for place, work in works():
        for node in ast.walk(work):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in LOGGING, place
