"""``status``: whether the bridge runs and what it does, in full or as one line for monitoring."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.facts import alarm_table, percent
from bridge.cli.failure import tell
from bridge.cli.output import print_block, print_facts, print_json, visible
from bridge.cli.perform import settings
from bridge.cli.tongue import spoken
from bridge.cli.webhook import standing
from bridge.cli.when import local
from bridge.config import ConfigError
from bridge.language import say
from bridge.operations.control import NotRunning, OperationFailed, ask

ANSWERS_WITHIN_S = 10.0
"""A bridge that takes longer for its status is as good as none."""

FINGERPRINT_LINE_CHARS = 48


def status(
    check: Annotated[
        bool,
        typer.Option("--check", help="One line for monitoring; exit 0 OK, 1 WARNING, 2 CRITICAL."),
    ] = False,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Show whether the bridge runs, and its accounts, queue, plan, quota and alarms.

    Exit status 1 if it does not run, or if every account is refused.
    """
    if check:
        raise typer.Exit(_check(config))
    data_dir, facts = _facts(config)
    if as_json:
        print_json(facts)
    else:
        _show(data_dir, facts)
    accounts = facts["accounts"]
    if not facts["running"] or (accounts and all(one["refused"] for one in accounts)):
        raise typer.Exit(1)


def _facts(path: Path | None) -> tuple[Path, dict[str, Any]]:
    """Ask the bridge that runs; where none does, look at what the last one wrote down."""
    file = settings(path)
    data_dir = file.config.data_dir
    try:
        facts = asyncio.run(ask(data_dir, "status", {}, within_s=ANSWERS_WITHIN_S))
    except NotRunning:
        from bridge.app.database import found_place
        from bridge.app.look import look
        from bridge.cli.log import configure
        from bridge.clock import SystemClock

        configure("human", "error")
        facts = asyncio.run(look(file.config, SystemClock(), found_place(file)))
    if "running" not in facts:
        raise OperationFailed(say("The running bridge is of another version; restart it."))
    return data_dir, facts


def _check(path: Path | None) -> int:
    from bridge.cli.monitor import Level, line, verdict
    from bridge.clock import SystemClock

    try:
        level, words = verdict(_facts(path)[1], SystemClock().now())
    except ConfigError as error:
        tell(error.args[0])
        faults = spoken(say("the configuration has faults"))
        level, words = Level.CRITICAL, line(Level.CRITICAL, faults)
    except OperationFailed as error:
        level, words = Level.CRITICAL, line(Level.CRITICAL, visible(error.args[0]))
    except OSError as error:
        level, words = Level.CRITICAL, line(Level.CRITICAL, visible(error))
    sys.stdout.write(f"{visible(words)}\n")
    return int(level)


def _show(data_dir: Path, facts: dict[str, Any]) -> None:
    if facts["running"]:
        since = local(facts["since"], seconds=True)
        sys.stdout.write(f"pec-bridge {facts['version']} has been running since {since}.\n")
    else:
        sys.stdout.write(
            f"No bridge is running on {data_dir}.\n"
            "Start it with `pec-bridge serve`. What follows the last one wrote down.\n"
        )
    if facts["store"]:
        print_facts([("store", facts["store"])])
    certificate = ("certificate", _fingerprint(facts["tls"]))
    print_block(
        None,
        [*_listeners(facts), certificate, *_bridges(facts), *_throttles(facts), *_traces(facts)],
    )
    for account in facts["accounts"]:
        print_block(account["address"], _account(account))
    queue = ", ".join(f"{count} {state}" for state, count in facts["queue"].items())
    sys.stdout.write(f"\nqueue: {queue or 'empty'}\n")
    print_block(None, [*_hooks(facts), *_alarms_out(facts)])
    alarm_table(facts["alarms"], say("No alarms."))


def _hooks(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Say how those stand who are told of events; those who are well in a word."""
    for one in facts["hooks"]:
        dead = f"; {one['dead']} given up, see `pec-bridge webhook list --dead`"
        since = f" since {local(one['oldest_at'])}" if one["waiting"] else ""
        waiting = f"; {one['waiting']} waiting{since}" if one["waiting"] else ""
        yield f"hook {one['name']}", f"{standing(one)}{waiting}{dead if one['dead'] else ''}"


def _alarms_out(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for one in facts["alarms_out"]:
        last = f"last told {local(one['sent_at'])}" if one["sent_at"] else "nothing told yet"
        yield f"alarms by {one['way']}", f"cannot be told: {one['error']}" if one["error"] else last


def _listeners(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for one in facts["listeners"]:
        tls = {"starttls": "STARTTLS", "implicit": "TLS", "none": "no TLS"}[one["tls"]]
        yield one["protocol"].upper(), f"{one['host']}:{one['port']} ({tls})"


def _bridges(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Say which bridges are on the database; nothing where the data are in a file."""
    for one in facts.get("bridges", ()):
        role = "leads" if one["leads"] else "follows"
        gone = "" if one["connected"] else ", and is not connected"
        yield "bridge", f"{one['bridge']} {role}{gone}"


def _throttles(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Say how full it is, and whose logins wait; nothing of a bridge that knows nothing of it."""
    throttles = facts.get("throttles")
    if not throttles:
        return
    yield "connected", "; ".join(_crowd(*one) for one in throttles["connections"].items())
    logins = throttles["logins"]
    for one in logins["slowed"]:
        who = one.get("peer") or one.get("account")
        yield "slowed", f"{who}: {one['failures']} failed logins, waits {one['pause_s']:g} s"
    if (more := logins["slowed_count"] - len(logins["slowed"])) > 0:
        yield "slowed", f"and {more} more"


def _traces(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Say what is written down of what is said, or an administrator might forget it."""
    from bridge.operations.trace import trace_sentence

    for one in facts.get("traces", ()):
        yield "trace on", trace_sentence(one, local(one["since"], seconds=True) or "")


def _crowd(protocol: str, one: dict[str, Any]) -> str:
    away = f", {one['turned_away']} turned away" if one["turned_away"] else ""
    strangers = f" ({one['strangers']} not logged in)" if one["strangers"] else ""
    return f"{protocol.upper()} {one['now']} of {one['most']}{strangers}{away}"


def _fingerprint(tls: dict[str, Any]) -> str | None:
    """Return the fingerprint, in two lines on a terminal: one has no room for it."""
    text: str | None = tls["fingerprint"]
    if text is None or not sys.stdout.isatty():
        return text
    return f"{text[:FINGERPRINT_LINE_CHARS]} {text[FINGERPRINT_LINE_CHARS:]}"


def _account(account: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    plan, requests = account["plan"], account["requests"]
    if account["error"]:
        yield "error", account["error"]
    yield "last sync", local(account["last_sync"], seconds=True) or "never"
    if account["next_sync"]:
        why = f" ({account['next_sync_why']})"
        yield "next sync", f"{local(account['next_sync'], seconds=True)}{why}"
    progress = account["progress"]
    if progress is not None and progress["total"] is not None:
        yield "messages", f"{progress['fetched']} of {progress['total']} read"
    if account["paused_since"]:
        since = local(account["paused_since"])
        yield "paused", f"nothing leaves since {since}; `pec-bridge queue resume` ends that"
    if account["waiting"]:
        yield "waiting", _waiting(account["waiting"])
    yield "plan", f"{plan['name']}: {plan['used']} of {plan['limit']} a {plan['period']}"
    yield "requests", _requests(requests)
    yield "forecast", account["forecast"]["text"]
    yield "quota", percent(account["quota"])
    if account.get("hint"):
        yield "hint", account["hint"]


def _waiting(waiting: dict[str, Any]) -> str:
    """Say how much waits to be sent, why and until when."""
    reason = f": {waiting['reason']}" if waiting["reason"] else ""
    until = f" Next try at {local(waiting['until'])}." if waiting["until"] else ""
    since = local(waiting["since"])
    return f"{waiting['count']} {waiting['state']}, the first since {since}{reason}{until}"


def _requests(requests: dict[str, Any]) -> str:
    """Say how many of today's requests were made, and what has to wait for more."""
    limit = "" if requests["per_day"] is None else f" of {requests['per_day']}"
    waiting = ", ".join(requests["waiting"])
    bought = requests.get("subscription")
    until = f" until {local(bought['until'])}" if bought and bought["until"] else ""
    left = f"; the subscription has {bought['available']} left for it{until}" if bought else ""
    return f"{requests['used']}{limit} today{left}" + (f"; waiting: {waiting}" if waiting else "")
