"""The commands and their names; ``main`` turns what goes wrong into a sentence and a number."""

from __future__ import annotations

import sys
from collections.abc import Collection
from importlib import import_module

import typer

from bridge.cli import root, streams
from bridge.cli.tongue import listen_to
from bridge.cli.words import is_text
from bridge.language import say

NAME = "pec-bridge"
PLAIN = {"help_option_names": ["-h", "--help"]}
PATHS = {"--config", "--data-dir", "--from", "--to", "--output", "-o"}
INTERRUPTED = 130


COMMANDS = (
    ("demo", "demo.demo"),
    ("serve", "daemon.serve"),
    ("simulator", "simulator.simulator"),
    ("status", "status.status"),
    ("check", "check.check"),
    ("doctor", "check.check"),
    ("account", "account.commands"),
    ("certificate", "certificate.commands"),
    ("trace", "trace.commands"),
    ("service", "service.commands"),
    ("drain", "drain.drain"),
    ("reload", "reload.reload"),
    ("leader", "leader.commands"),
    ("backup", "backup.backup"),
    ("restore", "backup.restore"),
    ("store", "store.commands"),
    ("alarm", "facts.alarm"),
    ("queue", "queue.commands"),
    ("receipts", "receipts.commands"),
    ("inbox", "facts.inbox"),
    ("quota", "facts.quota"),
    ("sync", "facts.sync"),
    ("outcome", "outcome.outcome"),
    ("sends", "sends.sends"),
    ("events", "events.events"),
    ("usage", "usage.usage"),
    ("archive", "archive.commands"),
    ("export", "export.export"),
    ("mailbox", "mailbox.commands"),
    ("token", "token.commands"),
    ("wallet", "token.wallet"),
    ("web", "web.commands"),
    ("apikey", "apikey.commands"),
    ("webhook", "webhook.commands"),
    ("sendmail", "sendmail.sendmail"),
    ("help", "root.show_help"),
)
"""Each command and where it is: a function, or a group of its own."""

HIDDEN = frozenset({"doctor"})


def build(names: Collection[str] = ()) -> typer.Typer:
    """Put the commands together, those of these names alone or else all.

    What a command does not need is not loaded: a daemon keeps it for ever.
    """
    program = typer.Typer(
        name=NAME,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings=PLAIN,
    )
    program.callback()(root.root)
    for name, place in COMMANDS:
        if names and name not in names:
            continue
        module, _, attribute = place.partition(".")
        found = getattr(import_module(f"bridge.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            program.add_typer(found, name=name)
        elif name == "sendmail":
            program.command(name, cls=import_module("bridge.cli.sendmail").Verbatim)(found)
        else:
            program.command(name, hidden=name in HIDDEN)(found)
    return program


def main() -> None:
    """Run the command that the arguments name, and exit."""
    streams.settle()
    sys.exit(streams.finish(_run(sys.argv[1:])))


def _run(words: list[str]) -> int:
    """Run a command and return its exit code; what went wrong was said."""
    from bridge.cli.failure import USAGE, exit_code_of, tell

    listen_to(words)
    if (word := _no_text(words)) is not None:
        tell(say("The argument {word} is not text in UTF-8.", word=word))
        return USAGE
    try:
        return _code(build(_named(words))(words, prog_name=NAME, standalone_mode=False))
    except SystemExit as ended:
        return _code(ended.code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.Abort:
        tell(say("Nothing was done."))
        return 1
    except Exception as error:
        if isinstance(error, OSError) and streams.is_lost(sys.stdout):
            return 1
        return exit_code_of(error)


def _named(words: list[str]) -> list[str]:
    """Return the command that the first word names; none where it is an option or a mistake.

    A single command would be the whole program to typer: ``help`` comes with it.
    """
    first = words[:1]
    return [*first, "help"] if first and first[0] in dict(COMMANDS) and first != ["help"] else []


def _code(result: object) -> int:
    return result if isinstance(result, int) else 0


def _no_text(words: list[str]) -> str | None:
    """Return the first word that is bytes and no text (PEP 383), where no path may stand.

    ``sendmail`` reads its words itself, and has an exit code of its own for them.
    """
    if words[:1] == ["sendmail"]:
        return None
    before = ""
    for word in words:
        if not PATHS & {before, word.partition("=")[0]} and not is_text(word):
            return word
        before = word
    return None
