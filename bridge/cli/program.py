"""The commands and their names; ``main`` turns what goes wrong into a sentence and a number."""

from __future__ import annotations

import sys

import typer

from bridge.cli import daemon, demo, facts, queue, receipts, sendmail, simulator

PLAIN = {"help_option_names": ["-h", "--help"]}


def build() -> typer.Typer:
    """Put the commands together."""
    program = typer.Typer(
        name="pec-bridge",
        help="SMTP and IMAP in front of PEC Massiva.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings=PLAIN,
    )
    program.command()(demo.demo)
    program.command()(daemon.serve)
    program.command()(simulator.simulator)
    program.command()(facts.status)
    program.add_typer(queue.commands, name="queue")
    program.add_typer(receipts.commands, name="receipts")
    program.add_typer(facts.inbox, name="inbox")
    program.command()(facts.quota)
    program.command()(facts.sync)
    program.command(cls=sendmail.Verbatim)(sendmail.sendmail)
    return program


def main() -> None:
    """Run the command that the arguments name, and exit."""
    from bridge.cli.failure import exit_code_of

    try:
        build()()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sys.exit(exit_code_of(error))
