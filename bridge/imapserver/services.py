"""What all IMAP sessions share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from bridge.allowance import Allowance
from bridge.clock import Clock
from bridge.imapserver.background import Background
from bridge.imapserver.recent import RecentClaims
from bridge.limits import IMAP_LITERALS_BYTES
from bridge.login import LoginGate
from bridge.mailbox import Mailboxes
from bridge.model import AccountId, Quota
from bridge.net.turnstile import Turnstile
from bridge.store.base import Store
from bridge.trace.tracing import Tracing, nothing_traced


class QuotaProvider(Protocol):
    """Where QUOTA's figures come from, as ``sync.service.Sync`` has them."""

    async def quota(self, account: AccountId) -> Quota | None:
        """Return the last known figures, None if there are none yet."""


@dataclass(frozen=True, slots=True)
class Services:
    """What all sessions share."""

    mailboxes: Mailboxes
    store: Store
    logins: LoginGate
    clock: Clock
    quota: QuotaProvider | None
    append_limit_bytes: int
    tracing: Tracing = field(default_factory=nothing_traced)
    recent: RecentClaims = field(default_factory=RecentClaims)
    background: Background = field(default_factory=Background)
    turnstile: Turnstile = field(default_factory=Turnstile)
    literals: Allowance = field(default_factory=lambda: Allowance(IMAP_LITERALS_BYTES))
