"""``account add``: asks for what it needs, tries it at the API, writes it down."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.account_facts import (
    account_facts,
    place_of,
    say_password,
    say_programs,
    taken_over,
    try_api,
)
from bridge.cli.administer import ask_line, ask_mailboxes
from bridge.cli.output import print_json, visible
from bridge.cli.tongue import spoken
from bridge.cli.when import show_times_in
from bridge.config import Account, Api, ConfigError, ConfigFile, SecretSource, find_file, load
from bridge.language import say
from bridge.model import INBOX
from bridge.operations.control import OperationFailed
from bridge.operations.placement import QUESTION, explained, recommended

if TYPE_CHECKING:
    from bridge.app.accounts import SettingsPlace
    from bridge.credentials import Secret

TOKEN = "token"  # noqa: S105 - the name of its file


def add(
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="The mailbox's address.")
    ] = None,
    from_mailbox: Annotated[
        str | None,
        typer.Option("--from-mailbox", metavar="ID", help="One that was registered here."),
    ] = None,
    username: Annotated[
        str | None, typer.Option(help="The mailbox's name at the API, if not the address.")
    ] = None,
    api: Annotated[
        str | None,
        typer.Option("--api", metavar="URL", help="For a first configuration: another API."),
    ] = None,
    sends_per_day: Annotated[
        int | None,
        typer.Option(
            "--sends-per-day",
            min=0,
            metavar="N",
            help="About how many messages are sent a day: says where receipts are put.",
        ),
    ] = None,
    untested: Annotated[
        bool, typer.Option("--untested", help="Do not try token and password at the API.")
    ] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Add a mailbox: ask for its secrets, try them at the API, write all down.

    Makes the configuration if there is none. Asks for the token, unless there is one, and for the
    mailbox's password, on the terminal or else as lines of standard input. Makes the password for
    mail programs, and says what to type into them.
    """
    from bridge.app.accounts import secret_name, write
    from bridge.config.edit import CannotEdit, new_text, with_account, with_setting
    from bridge.credentials import Secret
    from bridge.credentials.local import hash_password, new_password

    path, file = _first_or_found(config)
    address = _address(address, from_mailbox, file)
    place = place_of(path, file)
    _check_new(file, address, api)
    secrets: dict[str, Secret] = {}
    settings, token = _api(file, place, api)
    if token is None:
        token = secrets[_token_name(file)] = _asked(say("Token for the API"))
    password = secrets[secret_name(address, "password")] = _asked(f"Password of {address}")
    known = {} if untested else _tried(settings, token, username or address, password, file)
    local = new_password()
    secrets[secret_name(address, "local")] = Secret(hash_password(local))
    try:
        text = path.read_bytes().decode("utf-8-sig") if file is not None else None
        if text is None:
            text = new_text(_first_data_dir(path), place.source(TOKEN), api)
        sends = _sends_per_day(file, sends_per_day)
        if sends is not None and recommended(sends) != INBOX:
            text = with_setting(text, "receipts", "deliver_to", recommended(sends))
        names = (secret_name(address, kind) for kind in ("password", "local"))
        text = with_account(text, address, username, *map(place.source, names))
    except CannotEdit as fault:
        raise OperationFailed(
            say("{path} cannot be changed: {fault}.", path=path, fault=fault)
        ) from None
    write(place, text, secrets)
    written = load(path)
    facts = {
        **account_facts(written, address),
        "tried": known or None,
        "receipts": None if sends is None else explained(sends),
        "running": taken_over(place, written.config.data_dir),
        "new_local_password": local,
    }
    if as_json:
        print_json(facts)
        return
    _say_added(path, facts)


def _sends_per_day(file: ConfigFile | None, given: int | None) -> int | None:
    """Return how much will be sent, None where receipts have their place or nobody says it.

    It is asked once, on a terminal, for the first account.
    """
    if file is not None and ("receipts", "deliver_to") in file.lines:
        return None
    if given is not None or (file is not None and file.config.account):
        return given
    if not sys.stdin.isatty():
        return None
    return max(0, int(typer.prompt(spoken(QUESTION), type=int, default=0, err=True)))


def _first_or_found(config: Path | None) -> tuple[Path, ConfigFile | None]:
    """Return the configuration's file, and what is in it if it exists."""
    from bridge.app.accounts import usual_place

    try:
        path = find_file(config, os.environ)
    except ConfigError:
        path = usual_place(dict(os.environ))[0]
    if not path.exists():
        return path, None
    file = load(path, accounts=False)
    show_times_in(file.config.display.timezone)
    return path, file


def _address(address: str | None, from_mailbox: str | None, file: ConfigFile | None) -> str:
    """Return the address that is meant: as given, or that of a mailbox registered here."""
    if from_mailbox is not None:
        if file is None:
            raise OperationFailed(say("--from-mailbox needs a configuration with a token."))
        mailbox = ask_mailboxes(file, "mailbox show", {"id": from_mailbox})
        if not mailbox["is_active"]:
            raise OperationFailed(
                say(
                    "{address} is {state_words}.",
                    address=visible(mailbox["address"]),
                    state_words=mailbox["state_words"],
                )
            )
        found = str(mailbox["address"])
        if address is not None and address.casefold() != found.casefold():
            raise OperationFailed(
                say(
                    "That mailbox is {found}, not {address}.", found=visible(found), address=address
                )
            )
        address = found
    if address is None:
        raise typer.BadParameter(say("say which: ADDRESS, or --from-mailbox ID"))
    try:
        return Account(address=address.strip(), password=SecretSource(env="UNUSED")).address
    except ValueError:
        raise typer.BadParameter(
            say("{address} is not a mail address", address=visible(address))
        ) from None


def _check_new(file: ConfigFile | None, address: str, api: str | None) -> None:
    if file is None:
        return
    if api is not None:
        raise typer.BadParameter(say("there is a configuration: its [api] says where the API is"))
    if any(one.address.casefold() == address.casefold() for one in file.config.account):
        raise OperationFailed(
            say(
                "{address} is in {name} already: `pec-bridge account test {address}` tries it.",
                address=address,
                name=file.name,
            )
        )


def _token_name(file: ConfigFile | None) -> str:
    """Return what a token that was asked for is written as, beside its folder's other secrets.

    Raises:
        OperationFailed: the configuration wants it from elsewhere.
    """
    from bridge.credentials.source import SECRETS_FOLDER

    if file is None:
        return TOKEN
    source = file.config.api.token
    wanted = source.file or Path(source.credential or "")
    name = wanted.name.removeprefix(f"{SECRETS_FOLDER}_")
    ours = file.folder / SECRETS_FOLDER / name
    if source.file == ours or source.credential == f"{SECRETS_FOLDER}_{name}":
        return name
    raise OperationFailed(
        say(
            "{where}: it is not there. Put it there, or make one with `pec-bridge "
            "token create`, and try again.",
            where=file.where("api", "token"),
        )
    )


def _api(
    file: ConfigFile | None, place: SettingsPlace, url: str | None
) -> tuple[Api, Secret | None]:
    """Return how the API is reached, and its token if there is one.

    Raises:
        SecretFault, OperationFailed: there is one that cannot be had.
    """
    from bridge.credentials import SecretFault, resolve

    if file is None:
        source = SecretSource(**place.source(TOKEN))  # type: ignore[arg-type] # one of its keys
        try:
            return (Api(source) if url is None else Api(source, url)), None
        except ValueError as error:
            raise typer.BadParameter(error.args[0], param_hint="--api") from None
    api = file.config.api
    try:
        return api, resolve(api.token, folder=file.folder)
    except SecretFault as fault:
        if "chmod" in str(fault):
            raise OperationFailed(
                say("{where}: {fault}", where=file.where("api", "token"), fault=fault)
            ) from None
        return api, None


def _asked(what: str) -> Secret:
    """Ask for a secret, without showing it."""
    from bridge.api.connection import header_value
    from bridge.credentials import Secret

    text = ask_line(what, hide=True)
    try:
        header_value(text, what)
    except ValueError as fault:
        raise OperationFailed(say("{fault}.", fault=fault)) from None
    return Secret(text)


def _tried(
    api: Api, token: Secret, username: str, password: Secret, file: ConfigFile | None
) -> dict[str, Any]:
    from bridge.api.errors import ApiError

    try:
        return try_api(api, token, username, password, file)
    except ApiError as error:
        raise OperationFailed(
            say(
                "{reason} Nothing was written; --untested does without asking the API.",
                reason=error.reason,
            )
        ) from None


def _first_data_dir(path: Path) -> Path:
    """Return where a first configuration has its data: the usual place, or beside it elsewhere."""
    from bridge.app.accounts import usual_place

    usual, data = usual_place(dict(os.environ))
    return data if path.absolute() == usual else path.absolute().parent / "data"


def _say_added(path: Path, facts: dict[str, Any]) -> None:
    known = facts["tried"]
    messages = known and known["messages"]
    count = say(" ({count} messages)", count=f"{messages:,}") if messages is not None else ""
    added = (
        say("{address} was not tried and is in {path}.")
        if known is None
        else say("{address} answers at the API{count} and is in {path}.", count=count)
    )
    told = added.filled_with(address=facts["address"], path=path)
    sys.stdout.write(f"{visible(told)}\n")
    if facts["receipts"]:
        sys.stdout.write(f"{visible(facts['receipts'])}\n")
    say_password(facts)
    say_programs(facts)
    sys.stdout.write(f"\n{visible(facts['running'])}\n")
