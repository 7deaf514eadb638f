"""``usage``: what was sent and what it costs, beside what the service counted."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.output import print_facts, print_json, print_table
from bridge.cli.perform import perform, settings
from bridge.language import say

PLOT_CHARS = (40, 160)
"""No narrower and no wider than this is anything drawn."""

COLUMNS = (
    "date",
    "account",
    "messages",
    "recipients",
    "accepted",
    "delivered",
    "failed",
    "ordinary",
    "uncertain",
    "open",
    "bytes",
)


class By(StrEnum):
    """What a line of figures is for."""

    DAY = "day"
    MONTH = "month"


def usage(
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Which month; default: this one.")
    ] = None,
    year: Annotated[str | None, typer.Option(metavar="YYYY", help="A whole year instead.")] = None,
    account: option.Account = None,
    by: Annotated[By | None, typer.Option(help="A line for each.", show_default=False)] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Draw it, figures beneath.")] = False,
    table: Annotated[
        Path | None,
        typer.Option("--csv", metavar="F", help="Write the lines to a file.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file of --csv.")] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Show what was sent, what became of it and what it costs, beside the service's own count."""
    if month is not None and year is not None:
        raise typer.BadParameter(say("say --month or --year, not both"))
    arguments = {
        "month": month,
        "year": year,
        "account": account,
        "by": by.value if by is not None else None,
    }
    facts = perform(config, "usage", arguments)
    facts["vendor"] = _vendor(config, facts)
    if table is not None:
        _write_table(table, facts["rows"], force)
    if as_json:
        print_json(facts)
        return
    if plot:
        typer.echo(_picture(facts))
    print_table(
        COLUMNS,
        ([row[name] for name in COLUMNS] for row in facts["rows"]),
        say("Nothing was sent in {period}.", period=facts["period"]),
    )
    print_facts(_sums(facts))


def _vendor(config: Path | None, facts: dict[str, Any]) -> dict[str, Any]:
    from bridge.app.vendor import vendor_count
    from bridge.cli.log import configure
    from bridge.clock import SystemClock

    configure("human", "error")
    return asyncio.run(vendor_count(settings(config), facts, SystemClock()))


def _write_table(path: Path, rows: list[dict[str, Any]], force: bool) -> None:
    from bridge.cli.wholefile import WholeFile

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([row[name] for name in COLUMNS] for row in rows)
    with WholeFile(path, overwrite=force) as file:
        file.stream.write(text.getvalue().encode())
        file.keep()


def _picture(facts: dict[str, Any]) -> str:
    from bridge.cli.plot import bars
    from bridge.operations.figures import stacks

    labels, heights = stacks(facts["from"], facts["to"], facts["by"], facts["rows"])
    width = min(max(shutil.get_terminal_size((80, 24)).columns, PLOT_CHARS[0]), PLOT_CHARS[1])
    return bars(labels, heights, width)


def _sums(facts: dict[str, Any]) -> list[tuple[str, Any]]:
    sums, plan = facts["totals"], facts["plan"]
    shown = (name for name in COLUMNS if name in sums)
    lines = [("total", ", ".join(f"{sums[name]:,} {name}" for name in shown))]
    peak = f"{plan['name']}, {plan['limit']:,} a {plan['period']} for each mailbox"
    if plan["peak_on"]:
        peak += f"; most used: {plan['peak']:,} on {plan['peak_on']} by {plan['peak_account']}"
    lines += [("plan", peak), ("cost", facts["cost"]["words"])]
    return [*lines, *_counted(facts["vendor"])]


def _counted(vendor: dict[str, Any]) -> list[tuple[str, Any]]:
    if not vendor["asked"]:
        return [("service", vendor["why"])]
    words = (
        f"counted {vendor['requests']:,} requests to send, {vendor['failed']:,} of them failed; "
        f"{vendor['amount_eur']:,.2f} EUR from the wallet (all mailboxes)"
    )
    return [
        ("service", words),
        *(("difference", sentence) for sentence in vendor["differences"]),
    ]
