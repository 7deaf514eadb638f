"""GETQUOTA and GETQUOTAROOT (RFC 9208): how full the mailbox is at the API."""

from __future__ import annotations

from bridge.imap import responses
from bridge.imap.commands import GetQuota, GetQuotaRoot
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session

QUOTA_ROOT = b'"account"'


async def get_quota(session: Session, command: GetQuota) -> str | None:
    """GETQUOTA."""
    if command.root != "account":
        raise No("no such quota root", "NONEXISTENT")
    await _send_quota(session)
    return None


async def get_quota_root(session: Session, command: GetQuotaRoot) -> str | None:
    """GETQUOTAROOT."""
    await session.mailbox(command.mailbox)
    name = responses.mailbox(command.mailbox, utf8=session.utf8)
    session.send(b"* QUOTAROOT " + name + b" " + QUOTA_ROOT + b"\r\n")
    await _send_quota(session)
    return None


async def _send_quota(session: Session) -> None:
    provider = session.services.quota
    figures = await provider.quota(session.owner) if provider else None
    resources = b""
    if figures is not None and figures.limit_bytes:  # in KiB (RFC 9208 §5.1)
        used, limit = -(-figures.used_bytes // 1024), figures.limit_bytes // 1024
        resources = b"STORAGE %d %d" % (used, limit)
    session.send(b"* QUOTA " + QUOTA_ROOT + b" (" + resources + b")\r\n")
