"""``webhook``: who is told of events, how that goes, and telling again what nobody took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.failure import FAILED
from bridge.cli.output import print_json, print_table
from bridge.cli.perform import perform
from bridge.cli.tongue import spoken
from bridge.language import say

commands = typer.Typer(help="Programs that are told of events.", no_args_is_help=True)

Name = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="Only the one of this name.", show_default=False),
]
COLUMNS = ("name", "account", "place", "waiting", "oldest_at", "dead", "delivered", "standing")
DEAD = ("id", "hook", "number", "event", "message", "reference", "died_at", "error")


@commands.command("list")
def list_hooks(
    name: Name = None,
    dead: Annotated[
        bool, typer.Option("--dead", help="What was given up, a line for each, instead.")
    ] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """List the webhooks and commands that are told of events, and what each is still to be told."""
    if dead:
        found = perform(config, "webhook dead", {"name": name})
        if as_json:
            print_json(found)
            return
        print_table(
            DEAD, ([one[key] for key in DEAD] for one in found), say("Nothing was given up.")
        )
        return
    hooks = [one for one in perform(config, "webhook list") if name in (None, one["name"])]
    if as_json:
        print_json(hooks)
        return
    print_table(COLUMNS, map(_cells, hooks), say("Nobody is told of events."))


def _cells(one: Mapping[str, Any]) -> list[Any]:
    cells = {**one, "account": one["account"] or "all", "standing": standing(one)}
    return [cells[key] for key in COLUMNS]


def standing(one: Mapping[str, Any]) -> str:
    """Say how a hook stands."""
    if not one["in_settings"]:
        return "not in the settings any more"
    if one["is_down"]:
        return f"down: {one['error']}"
    return f"failing: {one['error']}" if one["error"] else "well"


@commands.command("test")
def try_hooks(
    name: Name = None, config: option.Config = None, as_json: option.Json = False
) -> None:
    """Tell a sample event, once, and say what came of it; exit status 1 if it was not taken."""
    found = perform(config, "webhook test", {"name": name})
    show_trials(("hook", "account", "place"), found, as_json=as_json)


def show_trials(
    columns: tuple[str, ...], found: Iterable[Mapping[str, Any]], *, as_json: bool
) -> None:
    """Write what came of trials, and fail if one was not taken.

    Args:
        columns: what tells them apart.
        found: what came of each.
        as_json: whether as JSON.

    Raises:
        Exit: one was not taken.
    """
    trials = list(found)
    if as_json:
        print_json(trials)
    else:
        rows = (
            [*(one[key] for key in columns), "taken" if one["taken"] else one["reason"]]
            for one in trials
        )
        print_table((*columns, "outcome"), rows, say("Nobody is told."))
    if not all(one["taken"] for one in trials):
        raise typer.Exit(FAILED)


@commands.command()
def redeliver(
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="ID", help="Ids, from `webhook list --dead`.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--hook", metavar="NAME", help="All of this one.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that there are.")] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Tell again what was given up, for three days more.

    Each keeps its id, so that the receiver knows it again; it may come behind later ones about the
    same message.
    """
    if not (ids or name or every):
        raise typer.BadParameter(say("say which: ID, --hook or --all"))
    done = perform(config, "webhook redeliver", {"ids": ids, "name": name})
    if as_json:
        print_json(done)
        return
    count = done["redelivered"]
    if not count:
        typer.echo(spoken(say("Nothing was given up.")))
        return
    again = say("One is told again.") if count == 1 else say("{count} are told again.", count=count)
    typer.echo(spoken(again))
    if count >= done["at_most"]:
        typer.echo(spoken(say("There may be more: run this again.")))
