"""``account``: mailboxes and their secrets, in the configuration and at the API."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.account_add import add
from bridge.cli.account_facts import (
    account_facts,
    account_of,
    place_of,
    ports_of,
    say_password,
    say_programs,
    taken_over,
    try_api,
)
from bridge.cli.account_settings import settings
from bridge.cli.administer import ask_line
from bridge.cli.failure import FAILED, tell
from bridge.cli.output import print_facts, print_json, print_table, visible
from bridge.cli.tongue import confirm
from bridge.config import find_file, load
from bridge.language import say
from bridge.operations.control import OperationFailed

commands = typer.Typer(
    help="Mailboxes and their secrets: added, tried, removed.", no_args_is_help=True
)
commands.command()(add)
commands.command()(settings)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox's address.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts.")]


@commands.command("list")
def list_accounts(config: option.Config = None, as_json: option.Json = False) -> None:
    """List the accounts and where their secrets are."""
    file = load(find_file(config, os.environ), accounts=False)
    ports = ports_of(file.config)
    found = [account_facts(file, one.address, ports) for one in file.config.account]
    if as_json:
        print_json(found)
        return
    columns = ("address", "username", "password", "local_password")
    rows = ([one[name] for name in columns] for one in found)
    print_table(columns, rows, say("No accounts. `pec-bridge account add ADDRESS` adds one."))


@commands.command()
def show(address: Address, config: option.Config = None, as_json: option.Json = False) -> None:
    """Show an account's settings, and what to type into mail programs."""
    facts = account_facts(load(find_file(config, os.environ), accounts=False), address)
    if as_json:
        print_json(facts)
        return
    print_facts((name, value) for name, value in facts.items() if name != "connection")
    say_programs(facts)


@commands.command("test")
def try_accounts(
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="Else all accounts.")
    ] = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Try token and password at the API; exit status 1 if any account is refused."""
    from bridge.api.errors import ApiError
    from bridge.credentials import SecretFault, resolve

    file = load(find_file(config, os.environ), accounts=False)
    accounts = file.config.account if address is None else (account_of(file, address),)
    found = []
    for one in accounts:
        facts: dict[str, Any] = {"address": one.address, "works": False, "error": None}
        try:
            token = resolve(file.config.api.token, folder=file.folder)
            password = resolve(one.password, folder=file.folder)
            facts |= try_api(file.config.api, token, one.api_username, password, file)
            facts["works"] = True
        except (ApiError, SecretFault) as fault:
            facts["error"] = fault.reason if isinstance(fault, ApiError) else fault.args[0]
        found.append(facts)
    if as_json:
        print_json(found)
    else:
        rows = (
            [one["address"], "works" if one["works"] else "fails", one["error"]] for one in found
        )
        print_table(("address", "state", "why"), rows, say("No accounts."))
    if not all(one["works"] for one in found):
        raise typer.Exit(FAILED)


@commands.command()
def password(address: Address, config: option.Config = None, as_json: option.Json = False) -> None:
    """Make a new password for mail programs; the one before does not open any more."""
    from bridge.app.accounts import changed, secret_name, write
    from bridge.config.edit import with_local_password
    from bridge.credentials import Secret
    from bridge.credentials.local import hash_password, new_password

    path = find_file(config, os.environ)
    file = load(path, accounts=False)
    account = account_of(file, address)
    place = place_of(path, file)
    name, local = secret_name(account.address, "local"), new_password()
    text = changed(
        place, lambda text: with_local_password(text, account.address, place.source(name))
    )
    write(place, text, {name: Secret(hash_password(local))})
    changed_secret = f"the secret local_password of {account.address}"
    running = taken_over(place, file.config.data_dir, changed_secret)
    facts = {"address": account.address, "running": running, "new_local_password": local}
    if as_json:
        print_json(facts)
        return
    say_password(facts)
    tell(running)


@commands.command()
def remove(
    address: Address,
    yes: Yes = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Take an account out of the configuration; its mail, its archive and its secrets stay."""
    from bridge.app.accounts import changed, secret_name, write
    from bridge.config.edit import without_account

    path = find_file(config, os.environ)
    file = load(path, accounts=False)
    account = account_of(file, address)
    trusts = [
        one for one in file.config.smtp.trusted if one.account.casefold() == address.casefold()
    ]
    if trusts:
        networks = ", ".join(str(one.network) for one in trusts)
        raise OperationFailed(
            say(
                "[[smtp.trusted]] lets {networks} send as {address}: take that out first.",
                networks=networks,
                address=account.address,
            )
        )
    place = place_of(path, file)
    if not yes:
        confirm(say("Take {address} out of {path}?", address=account.address, path=path))
    write(place, changed(place, lambda text: without_account(text, account.address)), {})
    names = (secret_name(account.address, kind) for kind in ("password", "local"))
    kept = [str(one) for one in map(place.secret, names) if one.exists()]
    facts: dict[str, Any] = {
        "address": account.address,
        "running": taken_over(place, file.config.data_dir),
        "data_dir": str(file.config.data_dir),
        "secrets": kept,
    }
    if as_json:
        print_json(facts)
        return
    tell(
        say(
            "{address} is out of {path}. What stays: its mail, what it sent and "
            "the archive of both in {data_dir}, and its mailbox at the service.",
            address=account.address,
            path=path,
            data_dir=file.config.data_dir,
        )
    )
    for one in kept:
        tell(say("A secret stays, too: {one}", one=one))
    tell(facts["running"])


@commands.command()
def purge(address: Address, config: option.Config = None, as_json: option.Json = False) -> None:
    """Forget what is left of a removed account: mail, sends, evidence, archive, secrets.

    Asks twice. No bridge may run on the data meanwhile. The mailbox at the service stays as it is.
    """
    from bridge.app.accounts import secret_name
    from bridge.app.database import found_place
    from bridge.app.purge import left_of
    from bridge.app.purge import purge as forget
    from bridge.cli.log import configure

    path = find_file(config, os.environ)
    file = load(path, accounts=False)
    if any(one.address.casefold() == address.casefold() for one in file.config.account):
        raise OperationFailed(
            say(
                "{address} is in {path}: `pec-bridge account remove {address}` takes it out first.",
                address=address,
                path=path,
            )
        )
    configure("human", "error")
    where = found_place(file)
    left = asyncio.run(left_of(where, address))
    place = place_of(path, file)
    names = (secret_name(address, kind) for kind in ("password", "local"))
    secrets = [one for one in map(place.secret, names) if one.exists()]
    megabytes = left["size_bytes"] / 1024**2
    tell(
        say(
            "{address} holds {messages} messages and {sends} sends with what "
            "became of them ({megabytes} MiB). They are your evidence; nothing "
            "brings them back.",
            address=address,
            messages=f"{left['messages']:,}",
            sends=f"{left['sends']:,}",
            megabytes=f"{megabytes:,.1f}",
        )
    )
    if left["waiting"]:
        tell(say("{waiting} of them wait to be sent, and never will be.", waiting=left["waiting"]))
    confirm(say("Forget all of it?"))
    if (
        ask_line(say("Type {address} to do it", address=visible(address))).casefold()
        != address.casefold()
    ):
        raise typer.Abort
    asyncio.run(forget(where, address))
    for one in secrets:
        one.unlink()
    facts = {"address": address, **left, "secrets": [str(one) for one in secrets]}
    if as_json:
        print_json(facts)
        return
    tell(
        say(
            "Nothing of {address} is left in {data_dir}. Backups may have it still.",
            address=address,
            data_dir=where.name,
        )
    )
