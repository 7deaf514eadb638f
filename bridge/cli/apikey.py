"""``apikey``: keys by which programs ask over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli import option
from bridge.cli.output import print_facts, print_json, print_table
from bridge.cli.perform import perform
from bridge.language import say

commands = typer.Typer(help="Keys of programs that ask over HTTP.", no_args_is_help=True)

COLUMNS = ("id", "name", "account", "access", "created_at", "used_at")


@commands.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as the program's.")],
    write: Annotated[
        bool, typer.Option("--write", help="It may also cancel, retry and resolve.")
    ] = False,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            metavar="ADDRESS",
            help="Whose messages it shows; may be left out where there is one account.",
            show_default=False,
        ),
    ] = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Make a key for a program, for one account; it is shown once, and only a hash is kept.

    Without --write it may look and decide nothing.
    """
    made = perform(config, "apikey create", {"name": name, "write": write, "account": account})
    if as_json:
        print_json(made)
        return
    print_facts((fact, made[fact]) for fact in ("key", *COLUMNS) if made[fact] is not None)


@commands.command("list")
def list_keys(
    account: option.Account = None, config: option.Config = None, as_json: option.Json = False
) -> None:
    """List the keys, and when each was last used; the keys themselves are not kept."""
    keys = perform(config, "apikey list", {"account": account})
    if as_json:
        print_json(keys)
        return
    print_table(COLUMNS, ([one[name] for name in COLUMNS] for one in keys), say("No keys."))


@commands.command()
def revoke(
    which: Annotated[str, typer.Argument(metavar="ID|NAME", help="From `apikey list`.")],
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """End a key at once; who waits with it is sent away."""
    gone = perform(config, "apikey revoke", {"which": which})
    if as_json:
        print_json(gone)
        return
    print_facts((fact, gone[fact]) for fact in COLUMNS if gone[fact] is not None)
