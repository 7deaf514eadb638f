"""The manual pages, written from the commands themselves: ``python -m tests.manual``.

One page for each name under ``pec-bridge``, with all that is under it, and one for the whole. They
are kept in docs/man, so that whoever builds the wheel needs nothing but what builds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup

from bridge import __version__
from bridge.cli.program import NAME, build
from bridge.cli.sendmail import USAGE, Verbatim

FOLDER = Path(__file__).parent.parent / "docs" / "man"
FILES = """\
.SH FILES
.TP
.B $PEC_BRIDGE_CONFIG
.TQ
.B $XDG_CONFIG_HOME/pec\\-bridge/config.toml
.TQ
.B /etc/pec\\-bridge/config.toml
The configuration, the first of these that there is; \\-\\-config names another.
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
the operation failed
.TP
.B 2
wrong usage, or faults in the configuration
"""


def pages() -> dict[str, str]:
    """Return each page by the name of its file."""
    top = typer.main.get_command(build())
    context = typer.Context(top, info_name=NAME)
    found = {f"{NAME}.1": _overview(top, context)}
    for name, command in _below(top):
        found[f"{NAME}-{name}.1"] = _page(name, command, context)
    return found


def _below(command: Any) -> Iterator[tuple[str, Any]]:
    for name, one in sorted(command.commands.items()):
        if not one.hidden:
            yield name, one


def _overview(top: Any, context: Any) -> str:
    lines = [_head(NAME, top.help), *_synopsis(top, context), ".SH COMMANDS"]
    for name, command in _below(top):
        lines += [".TP", f".BR {_text(f'{NAME}-{name}')} (1)", _text(_first(command.help))]
    return _joined([*lines, ".SH OPTIONS", *_options(top, context), FILES])


def _page(name: str, command: Any, parent: Any) -> str:
    context: Any = typer.Context(command, info_name=name, parent=parent)
    lines = [_head(f"{NAME}-{name}", command.help)]
    if not isinstance(command, TyperGroup):
        lines += [*_synopsis(command, context), ".SH DESCRIPTION", *_paragraphs(command.help)]
        if options := list(_options(command, context)):
            lines += [".SH OPTIONS", *options]
        if isinstance(command, Verbatim):
            lines += [".nf", *map(_text, USAGE.splitlines()), ".fi"]
    else:
        lines += [".SH DESCRIPTION", *_paragraphs(command.help)]
        for below, one in _below(command):
            inner = typer.Context(one, info_name=below, parent=context)
            lines += [f".SH {_text(f'{NAME} {name} {below}'.upper())}", *_usage(one, inner), ".PP"]
            lines += [*_paragraphs(one.help), *_options(one, inner)]
    return _joined([*lines, FILES, ".SH SEE ALSO", f".BR {_text(NAME)} (1)"])


def _head(name: str, help: str | None) -> str:
    title = f'.TH {_text(name.upper())} 1 "" "{NAME} {__version__}" "{NAME}"'
    return f"{title}\n.SH NAME\n{_text(name)} \\- {_text(_first(help)).rstrip('.')}"


def _synopsis(command: Any, context: Any) -> Iterator[str]:
    yield ".SH SYNOPSIS"
    yield from _usage(command, context)


def _usage(command: Any, context: Any) -> Iterator[str]:
    yield f".B {_text(context.command_path)}"
    yield _text(" ".join(command.collect_usage_pieces(context)))


def _options(command: Any, context: Any) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield from (".TP", f".B {_text(record[0])}", _text(record[1] or "\\&"))


def _paragraphs(help: str | None) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", (help or "").strip())):
        if number:
            yield ".PP"
        yield _text(paragraph)


def _first(help: str | None) -> str:
    return (help or "").strip().split("\n\n")[0]


def _text(text: str) -> str:
    """Return a text on one line, without what roff would take for its own."""
    line = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{line}" if line.startswith((".", "'")) else line


def _joined(lines: list[str]) -> str:
    return "\n".join(line.rstrip("\n") for line in lines) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    written = pages()
    for path in FOLDER.glob("*.1"):
        if path.name not in written:
            path.unlink()
    for file, page in written.items():
        (FOLDER / file).write_text(page, encoding="utf-8")
