"""``sends``: what was submitted and what became of it, the newest first."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.output import print_json, print_table
from bridge.cli.perform import perform
from bridge.cli.queue import since_when
from bridge.language import say
from bridge.limits import API_PAGE_SENDS
from bridge.model import SubmissionState

COLUMNS = ("id", "outcome", "state", "reference", "subject", "code", "created_at")


def sends(
    state: Annotated[
        SubmissionState | None, typer.Option("--state", help="Only entries in this state.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="R", help="Only what its sender calls so.", show_default=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="Only what was submitted since 7d, 12h, 2026-01-31 or an RFC 3339 time.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    account: option.Account = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """List what was submitted and what became of it, the newest first.

    With --json each has the same fields as of `outcome`, recipients with their states among them.
    """
    asked: dict[str, Any] = {
        "state": state and state.value,
        "reference": reference,
        "since": since_when(config, since),
        "account": account,
    }
    found: list[dict[str, Any]] = []
    while True:
        asked["limit"] = min(limit - len(found), API_PAGE_SENDS)
        page = perform(config, "sends", asked)
        found += page["sends"]
        asked["before"] = page["next"]
        if asked["before"] is None or len(found) >= limit:
            break
    if as_json:
        print_json(found)
        return
    print_table(COLUMNS, ([one[name] for name in COLUMNS] for one in found), say("No messages."))
