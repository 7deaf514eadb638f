"""``web password``: the administrator's, who sees all accounts on the page."""

from __future__ import annotations

import sys

import typer

from bridge.cli import option
from bridge.cli.failure import tell
from bridge.cli.hidden import read_hidden
from bridge.language import say

commands = typer.Typer(help="The page that shows what became of messages.", no_args_is_help=True)


@commands.callback()
def web() -> None:
    """Keep ``password`` a command of its own."""


@commands.command()
def password(config: option.Config = None) -> None:
    """Set the password of the page's administrator, `admin`; who is logged in has to do so anew.

    It is asked for on the terminal, or read as a line of standard input.
    """
    from bridge.cli.perform import settings
    from bridge.web.password import set_password

    data_dir = settings(config).config.data_dir
    try:
        path = set_password(data_dir, _asked())
    except ValueError as fault:
        raise typer.BadParameter(fault.args[0]) from None
    except OSError as error:
        tell(
            say(
                "The password cannot be kept in {data_dir}: {strerror}.",
                data_dir=data_dir,
                strerror=error.strerror or error,
            )
        )
        raise typer.Exit(1) from None
    sys.stdout.write(f"Log in as admin with it. A hash of it is in {path}.\n")


def _asked() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = read_hidden("Password: ")
    if read_hidden("Once more: ") != first:
        raise ValueError("That was not the same password.")
    return first
