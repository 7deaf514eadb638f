"""What runs out: a token's or a mailbox's time, credit, what was bought; looked at once a day.

Alarms come 30 and 7 days before an end, when the credit does not pay for what waits in the queue at
``[prices]``, and when a subscription has too few requests left, which the day's budgets then keep
to; each ends by itself when its cause does. Nothing here is needed to send or
to read: what the configuration has no credentials for, or the token no permission, is not looked
at, and the log says so once.

Failure: a host that does not answer is asked again an hour later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm
from bridge.api.budget import Subscribed
from bridge.api.connection import ApiConnection, Basic
from bridge.api.errors import ApiError, NotSent, Refused
from bridge.api.forecast import LOOKS
from bridge.api.mailbox_schema import HostedMailbox
from bridge.api.mailboxes import MailboxClient
from bridge.api.token_schema import Token
from bridge.api.tokens import TokenClient
from bridge.app.resources import Resources
from bridge.app.running_out_notice import (
    credit_is_low,
    few_requests,
    few_sends,
    mailbox_expires,
    token_expires,
)
from bridge.app.way import way
from bridge.clock import ROME, rfc3339
from bridge.credentials import Secrets
from bridge.mailbox import MailboxTransaction
from bridge.model import AccountId
from bridge.store.base import ReadTransaction, StoreFailed

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger()

FIRST_AFTER_S = 300.0
"""A start has more urgent things to ask, and a bridge that is restarted often asks no oftener."""

EVERY_S = 86_400.0
AGAIN_S = 3600.0
MARKS_DAYS = (7, 30)
"""Narrowest first: what has come to the second mark is told of that one alone."""

Alarms = Mapping[str, Notice]
"""What there is to say about one account, by the alarm's key."""


@dataclass(slots=True)
class SeenEnds:
    """What the hosts told when they were last asked; nothing before that."""

    at: datetime | None = None
    mailboxes: tuple[HostedMailbox, ...] = ()
    tokens: tuple[Token, ...] = ()
    credit_eur: float | None = None


class RunningOut:
    """See the module.

    Args:
        resources: data and accounts.
        secrets: the tokens in use, and the account's key if there is one.
        http_transport: where requests go instead of the network.
    """

    def __init__(
        self,
        resources: Resources,
        secrets: Secrets,
        http_transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._resources = resources
        self._transport = http_transport
        self._in_use = {one.reveal() for one in (secrets.token, secrets.admin_token) if one}
        self._admin_token = secrets.admin_token or secrets.token
        email, key = resources.config.api.email, secrets.api_key
        self._account = None if email is None or key is None else Basic(email, key.reveal())
        self._way = way(resources.config.api, secrets.proxy_login)
        self._may_list = True
        self._told: set[str] = set()
        self._seen = SeenEnds()

    @asynccontextmanager
    async def _connection(self, url: str, token: str | Basic) -> AsyncIterator[ApiConnection]:
        """Give a connection for one look: kept all day it would hold memory for nothing."""
        connection = ApiConnection(
            url,
            token,
            clock=self._resources.clock,
            timeout_s=self._resources.config.api.timeout_s,
            way=self._way,
            transport=self._transport,
        )
        try:
            yield connection
        finally:
            await connection.aclose()

    def seen(self) -> dict[str, Any]:
        """Return what was seen when it was last looked, as the page shows it."""
        seen = self._seen
        return {
            "looked_at": rfc3339(seen.at),
            "mailboxes": [
                {
                    "address": one.address,
                    "expires_on": one.expires_on.isoformat() if one.expires_on else None,
                    "renews_itself": one.renews_itself is True,
                }
                for one in seen.mailboxes
            ],
            "tokens": [
                {"name": one.name, "ending": one.ending, "expires_at": rfc3339(one.expires_at)}
                for one in seen.tokens
            ],
            "credit_eur": seen.credit_eur,
            "reasons": sorted(self._told),
        }

    async def run(self) -> None:
        """Look once a day, for ever."""
        await self._resources.clock.sleep(FIRST_AFTER_S)
        while True:
            try:
                answered = await self.look()
            except StoreFailed as error:
                log.error("expiry_look_failed", reason=str(error))
                answered = False
            await self._resources.clock.sleep(EVERY_S if answered else AGAIN_S)

    async def look(self) -> bool:
        """Look at everything once; False if a host did not answer and is to be asked again."""
        api, clock = self._resources.config.api, self._resources.clock
        answered = True
        self._seen.at = clock.now()
        if self._account is None:
            self._say_once("[api] has no email and api_key: tokens and credit are not watched")
        else:
            async with self._connection(api.oauth_url, self._account) as connection:
                tokens = TokenClient(connection, clock)
                answered &= await self._try(self._look_at_tokens(tokens))
                answered &= await self._try(self._look_at_credit(tokens))
                answered &= await self._try(self._look_at_subscriptions(tokens))
        if self._may_list:
            token = self._admin_token.reveal()
            async with self._connection(api.admin_url, token) as connection:
                mailboxes = MailboxClient(connection, clock)
                answered &= await self._try(self._look_at_mailboxes(mailboxes))
        return answered

    async def _try(self, look: Awaitable[None]) -> bool:
        try:
            await look
        except ApiError as error:
            if not _stays_so(error):
                log.info("expiry_look_postponed", reason=error.reason)
                return False
            self._say_once(error.reason)
        return True

    def _say_once(self, reason: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            log.info("expiry_look_off", reason=reason)

    async def _look_at_tokens(self, client: TokenClient) -> None:
        used = [one for one in await client.tokens() if one.secret in self._in_use]
        self._seen.tokens = tuple(used)
        found: dict[str, Notice] = {}
        for token in used:
            found |= self._about_token(token)
        for one in self._resources.accounts:
            await self._settle(one.id, AlarmKind.TOKEN_EXPIRY, found)

    def _about_token(self, token: Token) -> dict[str, Notice]:
        if token.expires_at is None:
            return {}
        on = _in_rome(token.expires_at)
        mark = self._mark(on)
        if mark is None:
            return {}
        name = token.name or token.ending
        return {f"{token.ending}:{on}:{mark}": token_expires(name, on, self._days_until(on))}

    async def _look_at_credit(self, client: TokenClient) -> None:
        price = Decimal(str(self._resources.config.prices.pec))
        wallet = await client.wallet()
        self._seen.credit_eur = wallet.credit_eur
        waiting = await self._waiting()
        is_paid_for_each = self._resources.config.send.plan == "standard"
        cost = price * waiting if is_paid_for_each else Decimal(0)
        found: dict[str, Notice] = {}
        if cost > Decimal(str(wallet.credit_eur)):
            found = {"queue": credit_is_low(wallet.credit_eur, waiting, float(cost))}
        for one in self._resources.accounts:
            await self._settle(one.id, AlarmKind.CREDIT, found)

    async def _look_at_subscriptions(self, client: TokenClient) -> None:
        """Let budgets keep to what was bought, and tell if that is too little.

        A subscription is the whole account's, so mailboxes share it evenly.
        """
        now, accounts = self._resources.clock.now(), self._resources.accounts
        host = urlsplit(self._resources.config.api.base_url).hostname or ""
        bought = await client.subscriptions()
        reads = [one for one in bought if one.scope.casefold().startswith(f"get:{host}/inbox")]
        sends = [one for one in bought if one.scope.casefold().startswith(f"post:{host}/send")]
        found: dict[str, Notice] = {}
        least = min(reads, key=lambda one: one.available, default=None)
        left = None
        if least is not None:
            left = Subscribed(least.available // len(accounts), now, least.expires_at)
            if left.a_day < LOOKS:
                until = None if least.expires_at is None else _in_rome(least.expires_at)
                found["requests"] = few_requests(least.available, until, left.a_day, LOOKS)
        waiting = await self._waiting()
        available = sum(one.available for one in sends)
        if sends and available < waiting:
            found["sends"] = few_sends(available, waiting)
        for one in accounts:
            one.budget.subscribed(left)
            await self._settle(one.id, AlarmKind.SUBSCRIPTION, found)

    async def _waiting(self) -> int:
        """Count the recipients in the queues."""

        async def work(tx: ReadTransaction) -> int:
            return sum([await tx.queued_recipients(one.id) for one in self._resources.accounts])

        return await self._resources.store.read(work)

    async def _look_at_mailboxes(self, client: MailboxClient) -> None:
        try:
            mailboxes = await client.mailboxes()
        except ApiError as error:
            self._may_list = not _stays_so(error)  # a right it lacks today it lacks tomorrow
            raise
        by_address = {one.address.casefold(): one for one in mailboxes}
        ours = {one.settings.address.casefold() for one in self._resources.accounts}
        self._seen.mailboxes = tuple(one for one in mailboxes if one.address.casefold() in ours)
        for one in self._resources.accounts:
            mailbox = by_address.get(one.settings.address.casefold())
            found: dict[str, Notice] = {}
            on = mailbox.expires_on if mailbox is not None else None
            if mailbox is not None and on is not None and (mark := self._mark(on)) is not None:
                days = self._days_until(on)
                notice = mailbox_expires(
                    mailbox.address, mailbox.id, on, days, mailbox.renews_itself is True
                )
                found[f"{on}:{mark}"] = notice
            await self._settle(one.id, AlarmKind.MAILBOX_EXPIRY, found)

    def _days_until(self, on: date) -> int:
        return (on - _in_rome(self._resources.clock.now())).days

    def _mark(self, on: date) -> int | None:
        """Return the narrowest mark that a day has come to, None if it is further off."""
        days = self._days_until(on)
        return next((mark for mark in MARKS_DAYS if days <= mark), None)

    async def _settle(self, account: AccountId, kind: AlarmKind, found: Alarms) -> None:
        """Raise what is to be raised for an account, and end what has lost its cause."""
        now = self._resources.clock.now()

        async def work(mtx: MailboxTransaction) -> None:
            for alarm in await mtx.tx.alarms(account):
                if alarm.kind == kind.value and alarm.key not in found:
                    await clear_alarm(mtx, account, kind, alarm.key, now)
            for key, notice in found.items():
                await raise_alarm(mtx, Alarm(account, kind, key, notice), now)

        await self._resources.mailboxes.write(work)


def _stays_so(error: ApiError) -> bool:
    """Tell whether the same question would be refused again: no permission, no such thing."""
    return isinstance(error, Refused) or (
        isinstance(error, NotSent) and error.kind == "credentials"
    )


def _in_rome(at: datetime) -> date:
    return at.astimezone(ROME).date()
