"""Facts on standard output: JSON for programs, tables for people.

Text from outside is shown without its control characters: a subject must not drive a terminal.
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

UNBROKEN = frozenset({"id", "code"})
"""Columns to be copied from: never cut in two, however narrow the terminal."""

PIPE_WIDTH_CHARS = 10_000
"""A pipe has no edge to fold at."""


def print_json(value: Any) -> None:
    """Write ``value`` as JSON, one line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str) -> None:
    """Write rows under their column names, or the sentence ``empty`` when there are none."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in UNBROKEN)
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    if table.row_count:
        width = None if sys.stdout.isatty() else PIPE_WIDTH_CHARS
        Console(width=width).print(table)
    else:
        sys.stdout.write(f"{empty}\n")


def print_facts(facts: Iterable[tuple[str, Any]]) -> None:
    """Write names and values, one a line."""
    for name, value in facts:
        sys.stdout.write(f"{name}: {visible(value)}\n")


def print_block(title: str | None, facts: Iterable[tuple[str, Any]]) -> None:
    """Write facts under a title, their names in a column; long ones go on below on a terminal."""
    known = [(name, visible(value)) for name, value in facts]
    if title is not None:
        sys.stdout.write(f"\n{visible(title)}\n")
    indent = 4 + max((len(name) for name, _ in known), default=0)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE_WIDTH_CHARS
    for name, value in known:
        lines = textwrap.fill(
            value,
            max(width, 2 * indent),
            initial_indent=f"  {name}".ljust(indent),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        sys.stdout.write(f"{lines.rstrip()}\n")


def visible(value: Any) -> str:
    """Return ``value`` as people read it."""
    if value is None:
        return "-"
    if isinstance(value, list | tuple):
        return ", ".join(visible(item) for item in value)
    return "".join(char if char.isprintable() else "\ufffd" for char in str(value))
