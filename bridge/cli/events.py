"""``events``: what happened to messages, in order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.failure import tell
from bridge.cli.output import print_json, print_table
from bridge.cli.perform import perform, settings
from bridge.language import say
from bridge.operations.control import NotRunning, OperationFailed, ask

SLICE_S = 30.0
"""The bridge is asked to wait so long at a time: it does not notice that a command is gone."""

COLUMNS = ("number", "at", "event", "id", "reference", "recipient", "detail")


def events(
    after: Annotated[
        int, typer.Option(min=0, metavar="NUMBER", help="Only those behind this one.")
    ] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 1000,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on as they happen; a line of JSON for each.")
    ] = False,
    account: option.Account = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """List what happened to messages, in order; go on with --after the last number you have.

    Events of the last 90 days are kept. One may come again after a crash of whoever reads: keep the
    number together with what you did for it.
    """
    arguments: dict[str, Any] = {"after": after, "limit": limit, "account": account}
    if follow:
        _follow(config, arguments)
    found = perform(config, "events", arguments)
    _tell_missing(found)
    if as_json:
        print_json(found["events"])
        return
    rows = ([one[name] for name in COLUMNS] for one in found["events"])
    print_table(COLUMNS, rows, say("No events."))


def _follow(config: Path | None, arguments: dict[str, Any]) -> None:
    data_dir = settings(config).config.data_dir
    while True:
        try:
            found = asyncio.run(ask(data_dir, "events", {**arguments, "wait_s": SLICE_S}))
        except NotRunning:
            raise OperationFailed(
                say("No bridge is running, so nothing happens: start it to follow.")
            ) from None
        _tell_missing(found)
        for event in found["events"]:
            print_json(event)
            arguments["after"] = event["number"]


def _tell_missing(found: dict[str, Any]) -> None:
    if found["missing"]:
        tell(
            say("Events right behind that number are older than what is kept, and are not listed.")
        )
