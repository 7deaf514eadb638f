"""``alarm``, ``quota``, ``inbox search`` and ``sync``: what is so, here and there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.output import print_json, print_table
from bridge.cli.perform import perform
from bridge.cli.webhook import show_trials
from bridge.cli.when import local
from bridge.language import say

inbox = typer.Typer(help="The inbox at the API.", no_args_is_help=True)
alarm = typer.Typer(help="What somebody has to look at.", no_args_is_help=True)

ALARM_COLUMNS = ("id", "since", "account", "kind", "text")
SHOWN_OF_A_KIND = 5
"""Alarms of one kind and account that ``status`` shows one by one."""


def alarm_table(alarms: list[dict[str, Any]], none: str) -> None:
    """Write the alarms, those of which there are many in one line."""
    print_table(ALARM_COLUMNS, alarm_rows(alarms), none)


def alarm_rows(alarms: list[dict[str, Any]]) -> Iterator[list[Any]]:
    """Yield a line for each alarm, and one for all of a kind of which there are many."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for alarm in alarms:
        groups.setdefault((alarm["account"], alarm["kind"]), []).append(alarm)
    for (account, kind), group in groups.items():
        if len(group) <= SHOWN_OF_A_KIND:
            yield from map(_alarm_cells, group)
        else:
            seen = sum(alarm["acknowledged_at"] is not None for alarm in group)
            known = f" ({seen} acknowledged)" if seen else ""
            text = f"{len(group)} of these{known}: see `pec-bridge alarm list --kind {kind}`"
            yield [None, local(group[0]["at"]), account, kind, text]


def _alarm_cells(alarm: dict[str, Any]) -> list[Any]:
    seen = local(alarm["acknowledged_at"])
    text = f"{alarm['text']} (acknowledged {seen})" if seen else alarm["text"]
    return [alarm["id"], local(alarm["at"]), alarm["account"], alarm["kind"], text]


@alarm.command("list")
def list_alarms(
    account: option.Account = None,
    kind: Annotated[str | None, typer.Option(help="Only alarms of this kind.")] = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """List every alarm that is raised."""
    alarms = perform(config, "alarm list", {"account": account, "kind": kind})
    if as_json:
        print_json(alarms)
        return
    print_table(ALARM_COLUMNS, map(_alarm_cells, alarms), say("No alarms."))


@alarm.command("ack")
def acknowledge(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Ids, from `alarm list`.")
    ] = None,
    account: option.Account = None,
    kind: Annotated[str | None, typer.Option(help="All of this kind.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are raised.")] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Say that alarms were seen: they stay raised, and `status --check` warns of them no more.

    Each ends by itself when its cause does; raised again later it is a new one.
    """
    if not (ids or account or kind or every):
        raise typer.BadParameter(say("say which: ID, --account, --kind or --all"))
    arguments = {"ids": ids, "account": account, "kind": kind}
    alarms = perform(config, "alarm ack", arguments)
    if as_json:
        print_json(alarms)
        return
    print_table(
        ALARM_COLUMNS, map(_alarm_cells, alarms), say("All of these were acknowledged before.")
    )


@alarm.command("test")
def try_alarms(config: option.Config = None, as_json: option.Json = False) -> None:
    """Tell a sample alarm to everybody outside who is told of alarms; exit status 1 if it fails."""
    show_trials(("way", "place"), perform(config, "alarm test"), as_json=as_json)


def percent(quota: dict[str, Any] | None) -> str | None:
    """Return how full a mailbox is, None if that is not known."""
    return None if quota is None or quota["percent"] is None else f"{quota['percent']:.1f} %"


def quota(
    account: option.Account = None, config: option.Config = None, as_json: option.Json = False
) -> None:
    """Ask the API how full each mailbox is."""
    quotas = perform(config, "quota", {"account": account})
    if as_json:
        print_json(quotas)
        return
    print_table(
        ("account", "used", "limit", "full"),
        (
            [
                quota["account"],
                _megabytes(quota["usage_bytes"]),
                _megabytes(quota["limit_bytes"]),
                percent(quota),
            ]
            for quota in quotas
        ),
        say("No accounts."),
    )


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:,.1f} MiB"


@inbox.command()
def search(
    query: Annotated[str, typer.Argument(metavar="Q", help="What to look for.")],
    account: option.Account = None,
    limit: Annotated[int, typer.Option(min=1, help="Stop after so many messages.")] = 100,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Search the inbox at the API; slow on a full mailbox."""
    arguments = {"query": query, "account": account, "limit": limit}
    rows = perform(config, "inbox search", arguments)
    if as_json:
        print_json(rows)
        return
    columns = ("id", "date", "sender", "subject")
    print_table(columns, ([row[name] for name in columns] for row in rows), say("Nothing found."))


def sync(
    account: option.Account = None, config: option.Config = None, as_json: option.Json = False
) -> None:
    """Read the inbox at the API now, with a progress bar."""
    if as_json:
        accounts = perform(config, "sync", {"account": account})
        print_json(accounts)
        _fail_if_any(accounts)
        return
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task("Reading", total=None)

    def progress(done: int, total: int) -> None:
        bar.start()  # not before there is something to show
        bar.update(task, completed=done, total=total)

    try:
        accounts = perform(config, "sync", {"account": account}, progress)
    finally:
        if bar.live.is_started:
            bar.stop()
    print_table(
        ("account", "messages", "new", "error"),
        ([row["account"], row["messages"], row["new"], row["error"]] for row in accounts),
        say("No accounts."),
    )
    _fail_if_any(accounts)


def _fail_if_any(accounts: list[dict[str, Any]]) -> None:
    if any(row["error"] for row in accounts):
        raise typer.Exit(1)
