"""``account settings``: an account's servers as a file that a mail program reads."""

from __future__ import annotations

import asyncio
import os
import socket
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.account_facts import account_of
from bridge.cli.wholefile import give
from bridge.config import find_file, load
from bridge.language import say
from bridge.operations.control import NotRunning, OperationFailed, ask

if TYPE_CHECKING:
    from bridge.config import Config


class ReadBy(StrEnum):
    """Who reads the file."""

    THUNDERBIRD = "thunderbird"
    OUTLOOK = "outlook"
    APPLE = "apple"
    SRV = "srv"


def settings(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox's address.")],
    form: Annotated[
        ReadBy,
        typer.Option("--format", help="Who reads it; srv is for the domain's name server."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="F", help="Write it here; else on standard output."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite F.")] = False,
    config: option.Config = None,
) -> None:
    """Write an account's servers as a file for a mail program, without the password."""
    from bridge.operations.autoconfig import FORMATS, is_complete
    from bridge.operations.mailprograms import connection

    file = load(find_file(config, os.environ), accounts=False)
    account = account_of(file, address)
    facts = connection(account.address, _listeners(file.config), socket.gethostname())
    if not is_complete(facts):
        raise OperationFailed(
            say(
                "It is not known where the bridge listens for both IMAP and SMTP: give "
                "[imap] and [smtp] listen ports in the configuration, or start it."
            )
        )
    give(FORMATS[form.value].write(facts, account.address), output, overwrite=force)


def _listeners(config: Config) -> list[dict[str, Any]]:
    """Return where the running bridge listens; without one, where the settings say."""
    from bridge.operations.mailprograms import listeners

    try:
        status: dict[str, Any] = asyncio.run(ask(config.data_dir, "status", {}))
    except NotRunning:
        return listeners(config)
    found: list[dict[str, Any]] = status["listeners"]
    return found
