"""What ``check`` looks at on the way to the API and there: name, TLS, clock, token, mailboxes.

Each mailbox costs two requests of the day's. Nothing is changed anywhere.

Failure: none; what does not answer is a finding.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection, ApiRequest, Basic
from bridge.api.errors import ApiError, NotSent
from bridge.api.tokens import TokenClient
from bridge.api.way import ApiRoute
from bridge.app.accounts import tried
from bridge.app.way import way
from bridge.clock import Clock
from bridge.config import Config
from bridge.credentials import Secrets
from bridge.language import say
from bridge.operations.finding import CheckFinding, failed, ok, skipped, warning
from bridge.operations.scopes import for_sending

CLOCK_WRONG, CLOCK_OFF = timedelta(minutes=5), timedelta(seconds=30)
TOKEN_DAYS = 30
HTTPS = 443


async def api(config: Config, secrets: Secrets, clock: Clock) -> list[CheckFinding]:
    """Look at everything there."""
    route = way(config.api, secrets.proxy_login)
    url = config.api.base_url
    found = [await name(url, route), *await tls(url, route, config.api.timeout_s)]
    connection = ApiConnection(
        url, secrets.token.reveal(), clock=clock, timeout_s=config.api.timeout_s, way=route
    )
    try:
        found.append(await reached(connection, clock))
        found.append(await token(config, secrets, route, clock))
        for account, one in zip(config.account, secrets.accounts, strict=True):
            client = PecClient(
                connection,
                username=account.api_username,
                password=one.password.reveal(),
                clock=clock,
            )
            found.append(await mailbox(account.address, client))
    finally:
        await connection.aclose()
    return found


async def name(url: str, route: ApiRoute) -> CheckFinding:
    """Look whether the host's name is known here: the proxy's, where there is one."""
    proxy = route.proxy_to(url)
    host = (proxy.url.host if proxy else urlsplit(url).hostname) or ""
    what = f"name of the {'proxy' if proxy else 'API'}"
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        mend = say("check the name in [api], and this machine's DNS")
        return failed(
            what,
            say("{host} is not known here: {strerror}", host=host, strerror=error.strerror),
            mend,
            "unknown",
        )
    addresses = ", ".join(dict.fromkeys(str(one[4][0]) for one in found))
    return ok(what, say("{host} is {addresses}", host=host, addresses=addresses))


async def tls(url: str, route: ApiRoute, timeout_s: float) -> list[CheckFinding]:
    """Look which certificate the host shows, and who vouches for it; through a proxy nobody can."""
    parts = urlsplit(url)
    proxy = route.proxy_to(url)
    if proxy is not None:
        through = say("requests go through {host}:{port}", host=proxy.url.host, port=proxy.url.port)
        return [ok("proxy", through), skipped("TLS of the API", through, "proxy")]
    if parts.scheme != "https":
        return [skipped("TLS of the API", say("it is on this machine, without TLS"), "loopback")]
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or HTTPS, ssl=route.tls(url)
            )
    except (OSError, TimeoutError) as error:
        reason = getattr(error, "verify_message", None) or getattr(error, "strerror", None)
        mend = say("look what stands between; [api] ca_file names authorities of your own")
        code = type(error).__name__
        return [
            failed(
                "TLS of the API",
                say("{hostname}: {reason}", hostname=parts.hostname, reason=reason or code),
                mend,
                code,
            )
        ]
    spoken = writer.get_extra_info("ssl_object")
    writer.close()
    return [ok("TLS of the API", _shown(spoken))]


def _shown(spoken: ssl.SSLObject) -> str:
    found: dict[str, Any] = dict(spoken.getpeercert() or {})
    parts = found.get("issuer", ())
    issuer = {key: value for part in parts for key, value in part}
    who = issuer.get("organizationName") or issuer.get("commonName") or "?"
    return f"{spoken.version()}, signed by {who}, until {found.get('notAfter', '?')}"


async def reached(connection: ApiConnection, clock: Clock) -> CheckFinding:
    """Ask for nothing in particular, and compare the answer's Date with this machine's clock."""
    what = "API and clock"
    try:
        answer = await connection.exchange(ApiRequest("GET", "/", {}))
    except ApiError as error:
        return failed(
            what, error.reason, say("mend the way to it; mail waits meanwhile"), "unreachable"
        )
    return clock_of(answer.fields, answer.status, clock.now())


def clock_of(fields: Mapping[str, str], status: int, now: datetime) -> CheckFinding:
    """Compare a Date field with a clock."""
    what = "API and clock"
    try:
        there = parsedate_to_datetime(fields.get("Date", ""))
        off = now - there
    except (TypeError, ValueError):
        return warning(
            what, say("it answers (HTTP {status}), without a date", status=status), "", "no date"
        )
    seconds = round(abs(off).total_seconds())
    pattern = (
        say("it answers (HTTP {status}); the clock here is {seconds} s ahead of it")
        if off > timedelta()
        else say("it answers (HTTP {status}); the clock here is {seconds} s behind it")
    )
    evidence = pattern.filled_with(status=status, seconds=seconds)
    mend = say("set the clock (`timedatectl set-ntp true`): receipts are told by their time")
    if abs(off) > CLOCK_WRONG:
        return failed(what, evidence, mend, "clock wrong")
    return (
        warning(what, evidence, mend, "clock off") if abs(off) > CLOCK_OFF else ok(what, evidence)
    )


async def token(config: Config, secrets: Secrets, route: ApiRoute, clock: Clock) -> CheckFinding:
    """Look at the token's rights and life, which only the account's key may see.

    Args:
        config: the settings.
        secrets: what they point to.
        route: the way to the host.
        clock: time.
    """
    what = "token"
    if secrets.api_key is None or config.api.email is None:
        why = say(
            "its rights and life are shown only to the account's key ([api] email and api_key)"
        )
        return skipped(what, why, "no key")
    login = Basic(config.api.email, secrets.api_key.reveal())
    connection = ApiConnection(
        config.api.oauth_url, login, clock=clock, timeout_s=config.api.timeout_s, way=route
    )
    try:
        tokens = await TokenClient(connection, clock).tokens()
    except ApiError as error:
        return failed(what, error.reason, say("check [api] email and api_key"), "unknown")
    finally:
        await connection.aclose()
    ours = [one for one in tokens if one.secret == secrets.token.reveal()]
    if not ours:
        mend = say("`pec-bridge token create` makes one")
        return failed(what, say("the account has no such token any more"), mend, "gone")
    wanted = set(for_sending(config))
    return rights(wanted - set(ours[0].scopes), ours[0].expires_at, clock.now())


def rights(missing: set[str], expires_at: datetime | None, now: datetime) -> CheckFinding:
    """Judge what a token lacks, and how long it lives."""
    what = "token"
    until = (
        say("without end")
        if expires_at is None
        else say("until {expires_at}", expires_at=f"{expires_at:%Y-%m-%d}")
    )
    if missing:
        mend = say("`pec-bridge token create` makes one with the rights that the settings need")
        return failed(
            what,
            say("it lacks {missing}", missing=", ".join(sorted(missing))),
            mend,
            "lacks rights",
        )
    if expires_at is not None and expires_at < now:
        return failed(
            what, say("it lived {until}", until=until), say("`pec-bridge token create`"), "expired"
        )
    if expires_at is not None and expires_at - now < timedelta(days=TOKEN_DAYS):
        return warning(
            what,
            say("it lives {until}", until=until),
            say("`pec-bridge token renew`"),
            "expires soon",
        )
    return ok(what, say("it has all rights that the settings need, and lives {until}", until=until))


async def mailbox(address: str, client: PecClient) -> CheckFinding:
    """Ask for a mailbox's first page and its quota."""
    what = f"mailbox {address}"
    try:
        facts = await tried(client)
    except ApiError as error:
        code = error.kind if isinstance(error, NotSent) else type(error).__name__
        mend = (
            say(
                "`pec-bridge account test {address}` after correcting token or password",
                address=address,
            )
            if code == "credentials"
            else say("wait, or ask the service")
        )
        return failed(what, error.reason, mend, code)
    count = "?" if facts["messages"] is None else f"{facts['messages']:,}"
    percent = facts["full_percent"]
    full = say("no limit") if percent is None else say("{percent} % full", percent=f"{percent:.1f}")
    return ok(
        what,
        say(
            "{count} messages, {full}",
            count=count,
            full=full,
        ),
    )
