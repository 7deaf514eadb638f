"""``queue``: the outbox, and what a person can decide about an entry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.output import print_facts, print_json, print_table
from bridge.cli.perform import perform, settings
from bridge.cli.when import local, moment_since
from bridge.clock import SystemClock
from bridge.language import say
from bridge.model import SubmissionState

commands = typer.Typer(help="The outbox.", no_args_is_help=True)

LEAVING = ("expected_at", "reason")

Whose = Annotated[
    str | None,
    typer.Argument(metavar="ACCOUNT", help="Only this account's.", show_default=False),
]
Entry = Annotated[str, typer.Argument(metavar="ID", help="The entry's id, from `queue list`.")]


@commands.command("list")
def list_entries(
    state: Annotated[
        SubmissionState | None, typer.Option("--state", help="Only entries in this state.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="Only entries made since 7d, 12h, 2026-01-31 or an RFC 3339 time, of any age.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the last so many.", show_default=False)
    ] = None,
    account: option.Account = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """List the entries of the last 30 days, and older ones that have not ended."""
    arguments = {
        "state": state and state.value,
        "account": account,
        "since": since_when(config, since),
        "limit": limit,
    }
    entries = perform(config, "queue list", arguments)
    if as_json:
        print_json(entries)
        return
    columns = ("id", "state", "recipients", "subject", "code", "created_at", *LEAVING)
    print_table(
        columns, ([entry[name] for name in columns] for entry in entries), say("No entries.")
    )


def since_when(config: Path | None, text: str | None) -> str | None:
    """Return the moment that `--since` names as RFC 3339, None for none.

    Raises:
        BadParameter: it names none.
    """
    if text is None:
        return None
    settings(config)  # a day is one of its zone
    try:
        return moment_since(text, SystemClock().now()).isoformat()
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            say(
                "{text} is no time: write 7d, 12h, 2026-01-31 or 2026-01-31T09:00:00Z.",
                text=repr(text),
            )
        ) from None


@commands.command()
def show(id: Entry, config: option.Config = None, as_json: option.Json = False) -> None:
    """Show one entry with its attempts and steps."""
    _print_entry(perform(config, "queue show", {"id": id}), as_json)


@commands.command()
def retry(id: Entry, config: option.Config = None, as_json: option.Json = False) -> None:
    """Try a waiting or held entry now."""
    _print_entry(perform(config, "queue retry", {"id": id}), as_json)


@commands.command()
def flush(
    account: Whose = None, config: option.Config = None, as_json: option.Json = False
) -> None:
    """Try now what waits for its next try, in its order and at its pace.

    What waits for the plan or the window goes on waiting: `queue retry ID` sends one now.
    """
    flows = perform(config, "queue flush", {"account": account})
    if as_json:
        print_json(flows)
        return
    print_table(
        ("account", "tried now", "waiting", "paused since"),
        ([one["account"], one["flushed"], *_standing(one)] for one in flows),
        say("No accounts."),
    )


@commands.command()
def pause(
    account: Whose = None, config: option.Config = None, as_json: option.Json = False
) -> None:
    """Let nothing leave until `queue resume`, over restarts too; submitting and reading go on.

    What is on its way at this moment goes on, and `queue retry ID` still sends a single message.
    """
    _print_flows(perform(config, "queue pause", {"account": account}), as_json)


@commands.command()
def resume(
    account: Whose = None, config: option.Config = None, as_json: option.Json = False
) -> None:
    """Let messages leave again."""
    _print_flows(perform(config, "queue resume", {"account": account}), as_json)


def _print_flows(flows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(flows)
        return
    rows = ([one["account"], *_standing(one)] for one in flows)
    print_table(("account", "waiting", "paused since"), rows, say("No accounts."))


def _standing(flow: dict[str, Any]) -> tuple[int, str | None]:
    return flow["waiting"], local(flow["paused_since"])


@commands.command()
def cancel(id: Entry, config: option.Config = None, as_json: option.Json = False) -> None:
    """Take back an entry that has not been sent."""
    _print_entry(perform(config, "queue cancel", {"id": id}), as_json)


@commands.command()
def resolve(
    id: Entry,
    sent: Annotated[
        str | None,
        typer.Option("--sent", metavar="CODE", help="It was sent; the API's code for it."),
    ] = None,
    resend: Annotated[bool, typer.Option("--resend", help="It was not sent: send it.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Give it up, whatever happened.")] = False,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Take back an unconfirmed --sent, or a --drop.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --sent or --resend: though nothing confirms it.")
    ] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """End an uncertain send by saying what happened to it, or open it again.

    The code is looked up, and so is whether a message that is to be sent again has left.
    """
    said = {"--sent": sent is not None, "--resend": resend, "--drop": drop, "--reopen": reopen}
    if sum(said.values()) != 1:
        raise typer.BadParameter(say("say exactly one of --sent CODE, --resend, --drop, --reopen"))
    if force and not (said["--sent"] or resend):
        raise typer.BadParameter(say("--force goes with --sent or --resend"))
    how = next(name for name, is_said in said.items() if is_said)
    entry = perform(config, f"queue resolve {how}", {"id": id, "code": sent, "force": force})
    _print_entry(entry, as_json)


def _print_entry(entry: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(entry)
        return
    print_facts((name, value) for name, value in entry.items() if name not in _TABLES)
    for name, columns in _TABLES.items():
        if entry.get(name):
            print_table(columns, ([row[column] for column in columns] for row in entry[name]), "")


_TABLES = {
    "tries": ("number", "started_at", "ended_at", "status", "error"),
    "steps": ("at", "old", "new", "reason"),
}
