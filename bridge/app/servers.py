"""The two servers, built from the settings."""

from __future__ import annotations

import ssl
from random import Random

from bridge.app.resources import Resources
from bridge.app.room import Room
from bridge.config import Config
from bridge.imapserver.server import ImapServer
from bridge.imapserver.services import Services
from bridge.imapserver.settings import ImapSettings
from bridge.login import LoginGate
from bridge.mime.strict.rules import SubmissionRules
from bridge.model import AccountId, Quota
from bridge.outbox.queue import Outbox
from bridge.smtpserver.server import SmtpServer
from bridge.smtpserver.settings import SmtpSettings, TrustedNetwork
from bridge.sync.service import Sync

PART_GRACE_S = 7.0
"""How long a server waits for what is in hand; below the bridge's own patience."""

LEAST_APPEND_LIMIT_BYTES = 64 * 1024**2


class CurrentQuota:
    """The quota of each account, as the sync that runs knows it; ``sync`` may change."""

    def __init__(self, sync: Sync) -> None:
        self.sync = sync

    async def quota(self, account: AccountId) -> Quota | None:
        """See ``imapserver.services.QuotaProvider``."""
        return await self.sync.quota(account)


def append_limit_bytes(config: Config) -> int:
    """Return how large a message may be that a client files by IMAP."""
    return max(config.send.max_message_bytes, LEAST_APPEND_LIMIT_BYTES)


def smtp_settings(resources: Resources, room: Room) -> SmtpSettings:
    """Return what the submission server goes by; ``room``: how many connections there may be."""
    send = resources.config.send
    rules = SubmissionRules(
        max_message_bytes=send.max_message_bytes,
        max_recipients=resources.plan.limit,
        cc=send.cc,
        bcc=send.bcc,
        signed=send.signed,
    )
    by_address = {address.casefold(): id for id, address in resources.addresses.items()}
    return SmtpSettings(
        accounts=resources.addresses,
        rules=rules,
        trusted=_trusted(resources, by_address),
        stop_grace_s=PART_GRACE_S,
        max_sessions=room.smtp,
        spool_dir=resources.config.data_dir,
        language=resources.config.display.language,
    )


def smtp_server(
    resources: Resources,
    outbox: Outbox,
    logins: LoginGate,
    random: Random,
    tls: ssl.SSLContext,
    room: Room,
) -> SmtpServer:
    """Return the submission server, not started.

    Args:
        resources: what works on the data.
        outbox: where submissions are queued.
        logins: tells who may log in.
        random: ids.
        tls: the server's certificate.
        room: how many connections there may be.
    """
    settings = smtp_settings(resources, room)
    return SmtpServer(
        outbox,
        logins,
        resources.clock,
        random,
        settings,
        tls=tls,
        apart=resources.apart,
        tracing=resources.tracing,
    )


def imap_server(
    resources: Resources,
    logins: LoginGate,
    quota: CurrentQuota,
    tls: ssl.SSLContext,
    room: Room,
) -> ImapServer:
    """Return the IMAP server, not started.

    Args:
        resources: what works on the data.
        logins: tells who may log in.
        quota: of each account.
        tls: the server's certificate.
        room: how many connections there may be.
    """
    services = Services(
        mailboxes=resources.mailboxes,
        store=resources.store,
        logins=logins,
        clock=resources.clock,
        quota=quota,
        append_limit_bytes=append_limit_bytes(resources.config),
        tracing=resources.tracing,
    )
    settings = ImapSettings(
        stop_grace_s=PART_GRACE_S, spool_dir=resources.config.data_dir, max_connections=room.imap
    )
    return ImapServer(services, settings, tls=tls)


def _trusted(resources: Resources, by_address: dict[str, AccountId]) -> tuple[TrustedNetwork, ...]:
    return tuple(
        TrustedNetwork(one.network, by_address[one.account.casefold()], one.urgent)
        for one in resources.config.smtp.trusted
    )
