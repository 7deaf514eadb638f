"""``receipts``: where each sent message and each of its recipients stands."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.output import print_facts, print_json, print_table
from bridge.cli.perform import Several, perform, settings
from bridge.cli.tongue import confirm
from bridge.cli.wholefile import WholeFile
from bridge.language import say
from bridge.operations.control import OperationFailed

commands = typer.Typer(help="Where sent messages stand.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The API's code for the sending.")]


@commands.command("list")
def list_receipts(
    account: option.Account = None, config: option.Config = None, as_json: option.Json = False
) -> None:
    """List the sent messages and the state of each recipient."""
    sends = perform(config, "receipts list", {"account": account})
    if as_json:
        print_json(sends)
        return
    columns = ("code", "sent_at", "subject", "recipient", "state", "at", "detail")
    print_table(columns, _rows(sends), say("Nothing was sent."))


def _rows(sends: list[dict[str, Any]]) -> list[list[Any]]:
    return [
        [
            send["code"],
            send["sent_at"],
            send["subject"],
            recipient["address"],
            recipient["state"],
            recipient["at"],
            recipient["detail"],
        ]
        for send in sends
        for recipient in send["recipients"]
    ]


@commands.command()
def show(
    code: Code,
    account: option.Account = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Fetch texts that were not read yet, a request each.")
    ] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Show one sent message with every receipt."""
    arguments = {"code": code, "account": account, "fetch": fetch}
    send = perform(config, "receipts show", arguments)
    if as_json:
        print_json(send)
        return
    print_facts((name, value) for name, value in send.items() if not isinstance(value, list))
    for name in ("recipients", "receipts"):
        rows = send.get(name) or []
        if rows:
            columns = tuple(rows[0])
            print_table(columns, ([row[column] for column in columns] for row in rows), "")


@commands.command()
def export(
    code: Code,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to; it has to exist.")
    ] = Path(),
    number: Annotated[
        int | None,
        typer.Option("--number", metavar="N", help="Only this one, as `show` numbers them."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files.")] = False,
    account: option.Account = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Write each receipt of a sent message as a mail message (.eml), as INBOX shows it.

    They are made from what the service gives out, and are not the signed receipts: those are in
    the mailbox at the provider.
    """
    written = asyncio.run(
        _export(config, {"code": code, "account": account}, number, output, force)
    )
    if as_json:
        print_json(written)
        return
    columns = ("number", "kind", "file", "size_bytes")
    rows = ([one[name] for name in columns] for one in written)
    print_table(columns, rows, say("No receipt of this message is here."))


async def _export(
    config: Path | None,
    which: dict[str, Any],
    number: int | None,
    folder: Path,
    force: bool,
) -> list[dict[str, Any]]:
    written = []
    async with Several(settings(config)) as several:
        shown = await several.perform("receipts show", which)
        facts = await several.perform("export send", {"id": shown["id"]})
        chosen = [one for one in facts["receipts"] if number in (None, one["remote"])]
        if number is not None and not chosen:
            raise OperationFailed(
                say("{code} has no receipt {number}.", code=which["code"], number=number)
            )
        for one in chosen:
            if one["size_bytes"] is None:
                continue
            path = folder / f"{shown['code']}-{one['remote']}-{one['kind']}.eml"
            with WholeFile(path, overwrite=force) as file:
                async for piece in _pieces(several, shown["id"], one["remote"]):
                    file.stream.write(piece)
                file.keep()
            written.append(
                {
                    "number": one["remote"],
                    "kind": one["kind"],
                    "file": str(path),
                    "size_bytes": one["size_bytes"],
                }
            )
    return written


async def _pieces(several: Several, id: str, number: int) -> AsyncIterator[bytes]:
    at = 0
    wanted = {"id": id, "number": number}
    while piece := base64.b64decode(await several.perform("export receipt", {**wanted, "at": at})):
        yield piece
        at += len(piece)


@commands.command()
def cleared(
    account: option.Account = None,
    days: Annotated[int, typer.Option(min=1, max=36_500, help="Of how many days.")] = 30,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """List the receipts that `clear_at_api` deleted at the API, or left there in doubt.

    Each of them stays here, in its mailbox and in the archive.
    """
    rows = perform(config, "receipts cleared", {"account": account, "days": days})
    if as_json:
        print_json(rows)
        return
    columns = ("at", "account", "code", "kind", "state", "subject", "reason")
    print_table(
        columns, ([row[name] for name in columns] for row in rows), say("Nothing was cleared.")
    )


@commands.command()
def delete(
    code: Code,
    account: option.Account = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Delete a sending's receipts at the API.

    The API finds them by their subject. It is looked at first: if a reply, or anything else that
    is no receipt of this sending, would go with them, nothing is deleted.
    """
    if not yes:
        confirm(
            say(
                "Delete at the API every message that carries {code}? Replies may be "
                "among them, and the receipts are your evidence.",
                code=code,
            )
        )
    done = perform(config, "receipts delete", {"code": code, "account": account})
    if as_json:
        print_json(done)
    else:
        print_facts(done.items())
