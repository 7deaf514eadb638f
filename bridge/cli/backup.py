"""``backup`` and ``restore``: a copy of all that the bridge keeps, and back."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.bar import Bar
from bridge.cli.output import print_facts, print_json
from bridge.cli.perform import settings
from bridge.cli.tongue import confirm
from bridge.language import say


def backup(
    file: Annotated[Path, typer.Argument(metavar="F", help="Where to.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Copy the data into one file, whole and synced, whether the bridge runs or not.

    No secret is in it. Keep it where only you can read it: it holds your mail.
    """
    from bridge.app.backup import write_backup
    from bridge.app.database import in_a_file
    from bridge.cli.wholefile import WholeFile

    found = settings(config).config
    in_a_file(found, "backup")
    with WholeFile(file, overwrite=force) as target, Bar("Copying") as bar:
        write_backup(found.data_dir, target.unfinished, bar.progress)
        target.keep()
    facts = {"file": str(file), "size_bytes": file.stat().st_size}
    _print(facts, as_json)


def restore(
    file: Annotated[Path, typer.Argument(metavar="F", help="What `backup` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Put a backup back, with no bridge running; the data that is there is set aside.

    What waited in it may have been sent since, so nothing of it leaves by itself: it is looked up
    in the inbox, and `queue resolve` decides about the rest.
    """
    from bridge.app.backup import holds_data
    from bridge.app.backup import restore as put_back
    from bridge.app.database import in_a_file
    from bridge.cli.log import configure
    from bridge.clock import SystemClock

    settings_file = settings(config)
    in_a_file(settings_file.config, "restore")
    data_dir = settings_file.config.data_dir
    if holds_data(data_dir) and not yes:
        confirm(
            say(
                "There is data in {data_dir}. Set it aside and put {file} in its place?",
                data_dir=data_dir,
                file=file,
            )
        )
    configure("human", "error")
    with Bar("Copying") as bar:
        done = asyncio.run(put_back(settings_file.config, file, SystemClock(), bar.progress))
    moved_to = str(done.moved_to) if done.moved_to else None
    _print({"file": str(file), "set_aside": moved_to, "restored": done.waiting}, as_json)
    if done.waiting and not as_json:
        sys.stdout.write(
            f"{done.waiting} messages waited in it. They may have been sent since, so none leaves "
            "by itself: see `pec-bridge queue list --state restored`.\n"
        )


def _print(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        print_facts(facts.items())
