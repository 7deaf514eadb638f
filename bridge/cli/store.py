"""``store``: where the data are."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli import option
from bridge.cli.bar import Bar
from bridge.cli.output import print_facts, print_json
from bridge.cli.perform import settings

commands = typer.Typer(help="The database that holds the data.", no_args_is_help=True)


@commands.command()
def copy(
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="WHERE", help="postgresql://…, an empty database; or a folder."
        ),
    ],
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Copy all data into another database, and compare the two row by row.

    No bridge may run on them meanwhile. A password is better in ~/.pgpass than in WHERE, which
    others may see. What is copied from stays as it is; [store] url says which one a bridge uses.
    """
    from bridge.app.copying import copy_store
    from bridge.app.database import found_place
    from bridge.cli.log import configure

    configure("human", "error")
    place = found_place(settings(config))
    with Bar("Copying") as bar:
        counts = copy_store(place, to, bar.progress)
    facts = {"from": place.name, "tables": len(counts), "rows": sum(counts.values())}
    if as_json:
        print_json({**facts, "rows_of": counts})
        return
    print_facts(facts.items())
