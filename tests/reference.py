"""Documents that are written from the code: ``python -m tests.reference``.

``docs/alarms.md`` and ``docs/it/avvisi.md`` have every alarm and what to do about it, in the page's
words. The page of all commands is made when the site is built (``docs/site.py``).
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup

from bridge.alarms.kind import OF_MESSAGES, AlarmKind
from bridge.cli.program import NAME, build
from bridge.cli.sendmail import USAGE, Verbatim
from bridge.web.alarmwords import ALARMS
from bridge.web.language import catalogue

DOCS = Path(__file__).parent.parent / "docs"


def documents() -> dict[Path, str]:
    """Return each document by where it is kept."""
    italian: gettext.NullTranslations = catalogue("it")
    return {
        DOCS / "alarms.md": alarms(ENGLISH, str),
        DOCS / "it" / "avvisi.md": alarms(ITALIAN, italian.gettext),
    }


def commands() -> str:
    """Return the reference of the command line."""
    top: Any = typer.main.get_command(build())
    context = typer.Context(top, info_name=NAME)
    lines = [
        "# Commands",
        "",
        "Written from the program; `pec-bridge help COMMAND` and the manual pages say the same.",
        "",
    ]
    for name, one in sorted(top.commands.items()):
        if not one.hidden:
            lines += _described(f"{NAME} {name}", one, context)
    return "\n".join(lines).rstrip() + "\n"


def _described(path: str, command: Any, parent: Any) -> Iterator[str]:
    context = typer.Context(command, parent=parent, info_name=path.rpartition(" ")[2])
    if isinstance(command, TyperGroup):
        for name, below in sorted(command.commands.items()):
            if not below.hidden:
                yield from _described(f"{path} {name}", below, context)
        return
    yield f"## {path}"
    yield ""
    for paragraph in (command.help or "").strip().split("\n\n"):
        yield " ".join(paragraph.split())
        yield ""
    yield "```"
    if isinstance(command, Verbatim):
        yield USAGE.strip()
    else:
        yield " ".join([path, *command.collect_usage_pieces(context)])
    yield "```"
    yield ""
    options = [
        record
        for parameter in command.get_params(context)
        if not getattr(parameter, "hidden", False)
        and (record := parameter.get_help_record(context)) is not None
    ]
    if options and not isinstance(command, Verbatim):
        yield "| option | is |"
        yield "|---|---|"
        for names, text in options:
            yield f"| `{_plain(names)}` | {_plain(text).replace('<', '&lt;')} |"
        yield ""


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


ENGLISH = (
    "# Alarms",
    "Each is told once, by a message in INBOX or in the day's collected one, and stands on the "
    "page and in `pec-bridge alarm list` until its cause ends. Written from the page's words: "
    "`python -m tests.reference`.",
    ("kind", "is", "what to do", "about"),
    ("one message", "the account"),
)
ITALIAN = (
    "# Avvisi",
    "Ciascuno è dato una volta, con un messaggio nella posta in arrivo o in quello che raccoglie "
    "la giornata, e sta sulla pagina e in `pec-bridge alarm list` finché dura la sua causa. "
    "Scritto dalle parole della pagina: `python -m tests.reference`.",
    ("tipo", "che cos'è", "che cosa fare", "riguarda"),
    ("un messaggio", "la casella"),
)


def alarms(
    frame: tuple[str, str, tuple[str, ...], tuple[str, str]], say: Callable[[str], str]
) -> str:
    """Return the list of alarms.

    Args:
        frame: title, what stands above it, what its columns are called, what each is about.
        say: puts a text of the page into the language.
    """
    title, above, columns, about = frame
    rows = [f"| {' | '.join(columns)} |", "|---|---|---|---|"]
    for kind in AlarmKind:
        label = ALARMS[kind.value]
        whose = about[0 if kind.value in OF_MESSAGES else 1]
        rows.append(f"| `{kind.value}` | {say(label.words)} | {say(label.do)} | {whose} |")
    return "\n".join([title, "", above, "", *rows]) + "\n"


if __name__ == "__main__":
    for path, text in documents().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
