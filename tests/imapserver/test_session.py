"""A session's state is changed by its own methods: nobody else assigns to it."""

from __future__ import annotations

import ast
from pathlib import Path

import bridge.imapserver
from bridge.imapserver.selected import Selected
from bridge.imapserver.session import Session

PACKAGE = Path(bridge.imapserver.__file__).parent


def test_nobody_else_changes_a_sessions_state() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path.name not in {"session.py", "selected.py"}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for part in (target.elts if isinstance(target, ast.Tuple) else [target])
        if isinstance(part, ast.Attribute) and _is_session(part.value)
    ]
    assert found == []


def _is_session(node: ast.expr) -> bool:
    """Say whether ``node`` is written like a session or its selected mailbox."""
    names = {Session.__name__.casefold(), Selected.__name__.casefold()}
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name.lstrip("_") in names
