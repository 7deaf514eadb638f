"""``export``: evidence of what was sent, and the check of such a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.bar import Bar
from bridge.cli.failure import FAILED, tell
from bridge.cli.output import print_facts, print_json, visible
from bridge.cli.perform import Several, settings
from bridge.language import say

VERIFY = "verify"


def export(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[CODE|ID|MESSAGE-ID|REFERENCE|verify]", help="Which send; or: check a file."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Argument(metavar="[F.zip]", help="After verify: the file.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="F.zip", help="Where to.")
    ] = None,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Every send of a month instead.")
    ] = None,
    account: option.Account = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Write evidence of a send, or of a month's: message, request, answers, receipts, sums.

    `verify` F.zip checks such a file. It holds the receipts' texts; the signed receipts are in
    the mailbox at the provider.
    """
    if what == VERIFY:
        if file is None:
            raise typer.BadParameter(say("verify needs the file to check"))
        _verify(file, as_json)
        return
    if file is not None:
        raise typer.BadParameter(
            say("{file} is one argument too many; the file goes behind -o", file=file)
        )
    if (what is None) == (month is None):
        raise typer.BadParameter(say("say which send (code, id or Message-ID), or --month YYYY-MM"))
    if output is None:
        raise typer.BadParameter(say("say where to with -o F.zip"))
    facts = asyncio.run(_export(config, what, month, account, output, force))
    if as_json:
        print_json(facts)
        return
    print_facts(facts.items())
    tell(say("These are not the signed receipts: those are in the mailbox at the provider."))


async def _export(
    config: Path | None,
    what: str | None,
    month: str | None,
    account: str | None,
    output: Path,
    force: bool,
) -> dict[str, Any]:
    from bridge.cli.wholefile import WholeFile
    from bridge.clock import SystemClock, rfc3339
    from bridge.operations.exporting import Exporter

    file = settings(config)
    exported_at = rfc3339(SystemClock().now()) or ""
    with WholeFile(output, overwrite=force) as target, Bar("Exporting") as bar:
        async with Several(file) as several:
            name = "export find" if month is None else "export month"
            chosen = {"what": what, "month": month, "account": account}
            ids = await several.perform(name, chosen)
            exporter = Exporter(several.perform, file.config, exported_at)
            if month is None and len(ids) == 1:
                sha256 = await exporter.send(target.stream, ids[0])
            else:
                sha256 = await exporter.collection(target.stream, ids, bar.progress)
        target.keep()
    return {"file": str(output), "sends": len(ids), "sha256": sha256}


def _verify(path: Path, as_json: bool) -> None:
    from bridge.evidence.verify import verify

    with path.open("rb") as stream:
        report = verify(stream)
    facts = {
        "file": str(path),
        "whole": not report.problems,
        "kind": report.kind.value if report.kind else None,
        "exported_at": report.exported_at,
        "files": report.files,
        "sha256": report.sha256,
    }
    if as_json:
        print_json({**facts, "problems": list(report.problems)})
    else:
        print_facts((name, value) for name, value in facts.items() if name != "whole")
        for problem in report.problems:
            tell(visible(problem))
        tell(say("The archive is NOT whole.") if report.problems else say("The archive is whole."))
    if report.problems:
        raise typer.Exit(FAILED)
