"""Facts on standard output: JSON for programs, tables for people.

Times are shown in the zone of the settings, which is named. Text from outside is shown without its
control characters: a subject must not drive a terminal.
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from bridge.cli.tongue import language, spoken
from bridge.cli.when import local
from bridge.language import Sentence, rendered

UNBROKEN = frozenset(
    {"id", "code", "account", "address", "recipient", "sender", "key", "certificate", "state"}
)
"""Columns to be copied from: never cut in two, however narrow the terminal."""

LISTED = frozenset({"recipients", "addresses"})
"""Columns of several addresses: folded between them only."""

FOLDED_CHARS = 16
"""A column that may be folded has this much room, or the table is not written as one."""

GAP_CHARS = 3
"""Between two columns."""

TIMES = frozenset({"at", "date", "since", "until"})
"""Columns and facts that are times, beside those called ``…_at``."""

PIPE_WIDTH_CHARS = 10_000
"""A pipe has no edge to fold at."""


def print_json(value: Any) -> None:
    """Write ``value`` as JSON, one line."""
    sys.stdout.write(json.dumps(rendered(value, language())) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str) -> None:
    """Write rows under their column names, or the sentence ``empty`` when there are none.

    On a terminal that is too narrow for that, each row is a block of lines instead.
    """
    cells = [[_shown(*one) for one in zip(columns, row, strict=True)] for row in rows]
    if not cells:
        sys.stdout.write(f"{spoken(empty)}\n")
        return
    widths = _widths(columns, cells, _width())
    if widths is not None:
        _draw(columns, cells, widths)
        return
    for number, row in enumerate(cells):
        sys.stdout.write("\n" if number else "")
        print_block(None, zip(columns, row, strict=True))


def _shown(name: str, value: Any) -> str:
    is_time = name.endswith("_at") or name in TIMES
    return visible(local(value) if is_time and isinstance(value, str) else value)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Return how wide each column is drawn, None if there is no room for what must stay whole."""
    from rich.cells import cell_len

    room -= GAP_CHARS * (len(columns) - 1)
    wanted, least = [], []
    for number, name in enumerate(columns):
        texts = [name, *(row[number] for row in rows)]
        widest = max(map(cell_len, texts))
        words = max(cell_len(word) for text in texts for word in text.split(" "))
        wanted.append(min(widest, room))
        folded = min(widest, FOLDED_CHARS)
        least.append(
            widest if name in UNBROKEN else max(folded, words) if name in LISTED else folded
        )
    if sum(least) > room:
        return None
    while sum(wanted) > room:
        _, number = max(
            (width, number) for number, width in enumerate(wanted) if width > least[number]
        )
        wanted[number] -= 1
    return wanted


def _width() -> int:
    """Return the terminal's width in characters; a pipe has no edge."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE_WIDTH_CHARS


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, overflow="fold", width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    Console(width=_width()).print(table)


def print_facts(facts: Iterable[tuple[str, Any]]) -> None:
    """Write names and values, one a line."""
    for name, value in facts:
        sys.stdout.write(f"{name}: {_shown(name, value)}\n")


def print_block(title: str | None, facts: Iterable[tuple[str, Any]]) -> None:
    """Write facts under a title, their names in a column; long ones go on below on a terminal."""
    known = [(name, visible(value)) for name, value in facts]
    if title is not None:
        sys.stdout.write(f"\n{visible(title)}\n")
    indent = 4 + max((len(name) for name, _ in known), default=0)
    for name, value in known:
        lines = textwrap.fill(
            value,
            max(_width(), 2 * indent),
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
    value = spoken(value) if isinstance(value, Sentence) else value
    return "".join(char if char.isprintable() else "\ufffd" for char in str(value))
