"""``archive``: all that came and was submitted, looked through, and given out as it is."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.failure import tell
from bridge.cli.output import print_block, print_json, print_table
from bridge.cli.perform import Several, perform, settings
from bridge.cli.when import local
from bridge.language import say

commands = typer.Typer(
    help="All that came and was submitted, also what no mailbox shows any more.",
    no_args_is_help=True,
)

COLUMNS = ("id", "at", "state", "kind", "sender", "recipients", "subject")
_BLOCK = frozenset({"id", "preview"})
_MAILBOXES = "mailboxes"


class ChosenDirection(Enum):
    """Which way something went."""

    RECEIVED = "received"
    SUBMITTED = "submitted"


class ArchivedPart(Enum):
    """A text of something in the archive."""

    MESSAGE = "message"
    ROW = "row"
    BODY = "body"


@commands.command()
def search(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORD]...", help="Words: each in the subject, a name or an address."
        ),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Part of a sender's or a recipient's address.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="The API's code for a sending.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="Kind of receipt, as the list has it, or `ordinary`.")
    ] = None,
    way: Annotated[ChosenDirection | None, typer.Option("--direction", help="Only these.")] = None,
    gone: Annotated[
        bool | None, typer.Option("--gone/--live", help="What left the API, or is still there.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="2026-01-31, in Rome, or an RFC 3339 time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="Likewise; the day is included.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    before: Annotated[
        str | None, typer.Option(metavar="PAGE", help="Go on behind a page, as it says at its end.")
    ] = None,
    account: option.Account = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Search what came and what was submitted, newest first; texts of messages are not looked into.

    `archive show` says more of each.
    """
    arguments = {
        "text": " ".join(text or ()),
        "address": address,
        "code": code,
        "kind": kind,
        "direction": way.value if way else None,
        "gone": gone,
        "since": since,
        "until": until,
        "limit": limit,
        "before": before,
        "account": account,
    }
    found = perform(config, "archive search", arguments)
    if as_json:
        print_json(found)
        return
    rows = ([row[name] for name in COLUMNS] for row in found["rows"])
    print_table(COLUMNS, rows, say("Nothing in the archive fits."))
    if found["next"]:
        tell(say("There is more: --before {next}", next=found["next"]))


@commands.command()
def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="ID|EMAILID|MESSAGE-ID|CODE|REFERENCE", help="Any name of it, as search has it."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="F", help="Write its text there.")
    ] = None,
    part: Annotated[
        ArchivedPart,
        typer.Option(help="With -o: the message, or the API's row or text as they came."),
    ] = ArchivedPart.MESSAGE,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    account: option.Account = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Show what came or was submitted: its names, where it is, how long it is kept.

    A code names the sending and all its receipts. With -o one text is given out, as it is.
    """
    arguments = {"what": what, "account": account}
    if output is None:
        found = perform(config, "archive show", arguments)
    else:
        found = asyncio.run(_write(config, arguments, part, output, force))
    if as_json:
        print_json(found)
        return
    for entry in found["entries"]:
        print_block(entry["id"], _shown(entry, found["retention_days"]))


async def _write(
    config: Path | None, arguments: dict[str, Any], part: ArchivedPart, output: Path, force: bool
) -> Any:
    from bridge.cli.wholefile import WholeFile

    with WholeFile(output, overwrite=force) as target:
        async with Several(settings(config)) as several:
            found = await several.perform("archive show", arguments)
            entries = found["entries"]
            if len(entries) > 1:
                ids = ", ".join(entry["id"] for entry in entries)
                raise typer.BadParameter(
                    say("{what} names several; choose one: {ids}", what=arguments["what"], ids=ids)
                )
            chosen = {**arguments, "id": entries[0]["id"], "part": part.value}
            size_bytes = 0
            async for piece in _pieces(several, chosen):
                size_bytes += target.stream.write(piece)
        if not size_bytes:
            raise typer.BadParameter(
                say("of {id} there is no {value} here", id=chosen["id"], value=part.value)
            )
        target.keep()
    return found


async def _pieces(several: Several, chosen: dict[str, Any]) -> AsyncIterator[bytes]:
    at = 0
    while piece := base64.b64decode(await several.perform("archive text", {**chosen, "at": at})):
        yield piece
        at += len(piece)


def _shown(entry: dict[str, Any], retention_days: int) -> list[tuple[str, Any]]:
    facts = [
        (name, local(value) if name == "at" or name.endswith("_at") else value)
        for name, value in entry.items()
        if name not in _BLOCK and name not in (_MAILBOXES, "kept_until") and value is not None
    ]
    places = [f"{one['mailbox']} (UID {one['uid']})" for one in entry[_MAILBOXES]]
    return [*facts, (_MAILBOXES, places or "none"), ("kept", _kept(entry, retention_days))]


def _kept(entry: dict[str, Any], retention_days: int) -> str:
    if entry["direction"] == ChosenDirection.SUBMITTED.value:
        return "for ever, until its account is purged"
    if entry["kept_until"] is None:
        return f"while the API lists it, and {retention_days} days after that"
    return f"until {local(entry['kept_until'])}"
