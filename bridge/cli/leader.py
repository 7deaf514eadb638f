"""``leader release``: another bridge on the database does what one does for all."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bridge.cli import option
from bridge.cli.output import print_json
from bridge.cli.perform import perform_running

commands = typer.Typer(
    help="Which of several bridges sends and reads for all.", no_args_is_help=True
)


@commands.command()
def release(
    account: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="Its address; all accounts go with it.")
    ],
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Let another bridge lead; the one that runs here goes on serving its users.

    One bridge leads for all accounts, since they share a token and its limits. Requests under way
    end first. If no other bridge takes over within 20 s, this one leads again.
    """
    done = perform_running(config, "leader release", {"account": account})
    if as_json:
        print_json(done)
        return
    sys.stdout.write(f"This bridge leads no more, for {', '.join(done['accounts'])}.\n")
