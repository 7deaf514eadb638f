"""What belongs to no command: ``--version`` and ``help``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bridge import __version__


def _say_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"pec-bridge {__version__}\n")
        raise typer.Exit


def root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """SMTP and IMAP in front of PEC Massiva."""


def show_help(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Such as `queue list`.")
    ] = None,
) -> None:
    """Show what a command does and its options; without one, all commands."""
    top = ctx.find_root()
    code = top.command.main(
        [*(words or ()), "--help"], prog_name=top.info_name, standalone_mode=False
    )
    raise typer.Exit(code if isinstance(code, int) else 0)
