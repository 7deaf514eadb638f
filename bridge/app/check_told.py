"""What ``check`` tries at those who are told of events and alarms; nothing is told.

A URL is connected to, with TLS and its certificate; a smarthost is logged in to; a command is
looked for.

Failure: none; what does not work is a finding.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
from urllib.parse import urlsplit

from bridge.api.unreachable import why_unreachable
from bridge.app.hooks import mail_target, route_of
from bridge.config import Config, Receiver
from bridge.credentials import Secrets
from bridge.hooks.states import TryOutcome
from bridge.language import say
from bridge.operations.finding import CheckFinding, failed, ok, skipped

PORTS = {"https": 443, "http": 80}
_TAKES = (say("{place} takes connections"), say("{place} takes connections, by TLS"))
"""In clear, and by TLS."""


async def told(config: Config, secrets: Secrets) -> list[CheckFinding]:
    """Look at everybody who is told."""
    found = []
    for number, _, one in config.webhooks():
        whose = "" if number is None else f" of {config.account[number].address}"
        found.append(await receiver(f"webhook {one.known_as}{whose}", config, secrets, one))
    for each in config.alarms.webhook:
        found.append(await receiver(f"alarms by webhook {each.known_as}", config, secrets, each))
    if (mail := await smarthost(config, secrets)) is not None:
        found.append(mail)
    return found


async def receiver(what: str, config: Config, secrets: Secrets, one: Receiver) -> CheckFinding:
    """Look whether a receiver can be reached, or a command run.

    Args:
        what: its name.
        config: the settings.
        secrets: what they point to.
        one: the receiver.
    """
    if one.command is not None:
        return command(what, one.command[0])
    if one.via_proxy and route_of(config, secrets, one).proxy_to(one.url or "") is not None:
        return skipped(what, say("it is reached through the proxy"), "proxy")
    parts = urlsplit(one.url or "")
    route = route_of(config, secrets, one)
    context = route.tls(one.url or "") if parts.scheme == "https" else None
    try:
        async with asyncio.timeout(one.timeout_s):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or PORTS[parts.scheme], ssl=context
            )
    except (OSError, ssl.SSLError, TimeoutError) as error:
        reason = why_unreachable(error) or say("cannot be connected to")
        mend = say("mend the receiver or the way to it; events wait for three days meanwhile")
        return failed(
            what,
            say("{place} {reason}", place=one.place, reason=reason),
            mend,
            type(error).__name__,
        )
    writer.close()
    return ok(what, _TAKES[bool(context)].filled_with(place=one.place))


def command(what: str, program: str) -> CheckFinding:
    """Look whether a command is there."""
    found = shutil.which(program)
    if found is None:
        there = os.path.exists(program)
        why = say("cannot be executed by this user") if there else say("is not there")
        return failed(
            what,
            say("{program} {why}", program=program, why=why),
            say("put it there, executable"),
            "no program",
        )
    return ok(what, say("{found} is there", found=found))


async def smarthost(config: Config, secrets: Secrets) -> CheckFinding | None:
    """Look whether the server for alarms lets us in; None if there is none."""
    target = mail_target(config, secrets)
    if target is None or config.alarms.smtp is None:
        return None
    what = "alarms by mail"
    try:
        report = await target.look()
    finally:
        await target.aclose()
    if report.outcome is not TryOutcome.TAKEN:
        return failed(what, report.reason, say("correct [alarms.smtp]"), "refused")
    return ok(
        what,
        say("{host}:{port} lets us in", host=config.alarms.smtp.host, port=config.alarms.smtp.port),
    )
