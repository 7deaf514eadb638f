"""``trace``: what is said by IMAP, SMTP and to the API, into a file for a time."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.failure import tell
from bridge.cli.output import print_facts, print_json, print_table
from bridge.cli.perform import perform_running
from bridge.language import say

commands = typer.Typer(
    help="What is said by IMAP, SMTP and to the API, in a file, without passwords.",
    no_args_is_help=True,
)

COLUMNS = ("id", "account", "peer", "protocols", "since", "left_s", "size_bytes", "file")


class Spoken(Enum):
    """What can be traced."""

    IMAP = "imap"
    SMTP = "smtp"
    API = "api"


@commands.command()
def start(
    account: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="The account to trace.")
    ] = None,
    peer: Annotated[
        str | None,
        typer.Option(metavar="IP", help="Or: clients from this address or network, any account."),
    ] = None,
    protocol: Annotated[
        list[Spoken] | None, typer.Option(help="Only this; may be given several times.")
    ] = None,
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="It ends after so long.")] = 15,
    mib: Annotated[int, typer.Option(min=1, max=100, help="Or when the file is so large.")] = 10,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Have the running bridge write down what is said, and show where.

    Passwords and tokens are not in it, the mail that is read is: the file is for its owner only
    (0600), goes after a week, and is looked through before it is given to anybody.
    """
    if (account is None) == (peer is None):
        raise typer.BadParameter(say("say whom: ADDRESS, or --peer IP"))
    arguments = {
        "account": account,
        "peer": peer,
        "protocols": [one.value for one in protocol or ()],
        "minutes": minutes,
        "mib": mib,
    }
    facts = perform_running(config, "trace start", arguments)
    if as_json:
        print_json(facts)
        return
    print_facts(facts.items())
    tell(say("It ends by itself; `pec-bridge trace stop` ends it now."))


@commands.command()
def stop(
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Which; else all.")] = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """End a trace, or all that are on."""
    _show(perform_running(config, "trace stop", {"id": id}), as_json)


@commands.command("list")
def list_traces(config: option.Config = None, as_json: option.Json = False) -> None:
    """List the traces that are on."""
    _show(perform_running(config, "trace list"), as_json)


def _show(traces: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(traces)
        return
    rows = ([one[name] for name in COLUMNS] for one in traces)
    print_table(COLUMNS, rows, say("No trace is on."))
