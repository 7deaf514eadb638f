"""``check``: everything that has to be right, looked at and tried; each with what mends it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.failure import FAILED
from bridge.cli.output import print_json, visible
from bridge.cli.wholefile import WholeFile
from bridge.config import Config, ConfigError, find_file
from bridge.credentials import Secrets
from bridge.language import say
from bridge.operations.control import NotRunning, OperationFailed, ask
from bridge.operations.finding import CheckFinding, failed, ok, skipped, warning
from bridge.operations.placement import hinted

ANSWERS_WITHIN_S = 10.0
MARKS = {"ok": "ok", "warning": "WARNING", "failed": "FAILED", "skipped": "skipped"}
MARK_CHARS = 8


def check(
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle", metavar="F.zip", help="Write a report for others, without any name in it."
        ),
    ] = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Look whether everything works, and say what mends what does not; exit status 1 if so.

    Configuration, modes of files, name, proxy, TLS, clock, token, each mailbox at the API, ports,
    store, disk, who is told of events and alarms; then a login at each listener of the running
    bridge. Nothing is changed or sent.
    """
    from bridge.cli.log import configure

    configure("human", "error")
    found, settings, status = asyncio.run(_look(config))
    if bundle is not None:
        from bridge.app.bundle import write_bundle

        with WholeFile(bundle, overwrite=True) as file:
            write_bundle(file.stream, found, settings, status)
            file.keep()
    if as_json:
        print_json([one.as_json() for one in found])
    else:
        _show(found)
    if any(one.verdict == "failed" for one in found):
        raise typer.Exit(FAILED)


async def _look(given: Path | None) -> tuple[list[CheckFinding], Config | None, Any]:
    """Return what was found, the settings if they can be read, and the running bridge's status."""
    from bridge.app.check_api import api
    from bridge.app.check_login import logins
    from bridge.app.check_machine import machine
    from bridge.app.check_told import told
    from bridge.app.database import place_of
    from bridge.app.throttles import throttle_findings
    from bridge.clock import SystemClock
    from bridge.operations.trace import trace_findings

    found, whole = await asyncio.to_thread(_configuration, given)
    if whole is None:
        return found, None, None
    path, config, secrets = whole
    clock = SystemClock()
    about, status = await _bridge(config)
    found.append(about)
    place = place_of(config, secrets.store_url)
    found += await machine(config, path, clock, place, running=status is not None)
    found += await api(config, secrets, clock)
    found += await told(config, secrets)
    if status is None:
        found.append(skipped("logins", say("no bridge runs, so nobody can log in"), "not running"))
    else:
        own = zip(config.account, secrets.accounts, strict=True)
        passwords = {one.address: each.password.reveal() for one, each in own}
        found += throttle_findings(status)
        found += trace_findings(status)
        found += await logins(status, passwords)
        found += hinted(status)
    return found, config, status


def _configuration(
    given: Path | None,
) -> tuple[list[CheckFinding], tuple[Path, Config, Secrets] | None]:
    from bridge.cli.whole import whole_settings

    what = "configuration"
    try:
        path = find_file(given, os.environ)
        file, secrets = whole_settings(path)
    except ConfigError as error:
        mend = say("correct each; `pec-bridge account add` writes a first one")
        return [failed(what, fault.said, mend, "faulty") for fault in error.faults], None
    count = len(file.config.account)
    return [
        ok(
            what,
            say("{path}, accounts: {count}, every secret is there", path=path, count=count),
        )
    ], (path, file.config, secrets)


async def _bridge(config: Config) -> tuple[CheckFinding, Any]:
    what = "bridge"
    try:
        status = await ask(config.data_dir, "status", {}, within_s=ANSWERS_WITHIN_S)
    except NotRunning:
        return warning(what, say("it does not run"), say("`pec-bridge serve`"), "not running"), None
    except OperationFailed as fault:
        return failed(what, fault.args[0], say("start it again"), "no answer"), None
    return ok(
        what,
        say(
            "version {version} has been running since {since}",
            version=status["version"],
            since=status["since"],
        ),
    ), status


def _show(found: list[CheckFinding]) -> None:
    for one in found:
        mark = MARKS[one.verdict].ljust(MARK_CHARS)
        sys.stdout.write(f"{mark} {visible(one.check)}: {visible(one.evidence)}\n")
        if one.mend:
            sys.stdout.write(f"{'':{MARK_CHARS}} -> {visible(one.mend)}\n")
    counts = {mark: sum(one.verdict == mark for one in found) for mark in MARKS}
    told = ", ".join(f"{count} {mark}" for mark, count in counts.items() if count)
    sys.stdout.write(f"\n{told}\n")
