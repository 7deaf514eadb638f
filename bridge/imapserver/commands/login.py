"""LOGIN and AUTHENTICATE; passwords go in clear only where nobody can listen.

RFC 3501 §6.2; RFC 4616 (PLAIN), 4959 (initial response).
"""

from __future__ import annotations

import structlog

from bridge.imap.commands import Authenticate, Login
from bridge.imap.errors import SyntaxFault
from bridge.imap.parser import decode_sasl
from bridge.imapserver.capability import capabilities
from bridge.imapserver.reply import Bad, No
from bridge.imapserver.session import Session

log = structlog.get_logger()


async def login(session: Session, command: Login) -> str | None:
    """LOGIN."""
    if not session.output.secure:
        raise No("use STARTTLS first", "PRIVACYREQUIRED")
    return await _enter(session, command.user, command.password)


async def authenticate(session: Session, command: Authenticate) -> str | None:
    """AUTHENTICATE PLAIN (RFC 4616) and LOGIN, each with or without an initial response."""
    if command.mechanism not in ("PLAIN", "LOGIN"):
        raise No("only PLAIN and LOGIN are offered")
    if not session.output.secure:
        raise No("use STARTTLS first", "PRIVACYREQUIRED")
    first = command.initial
    if command.mechanism == "LOGIN":
        user = first if first is not None else await _ask(session, b"VXNlcm5hbWU6")
        password = await _ask(session, b"UGFzc3dvcmQ6")
        return await _enter(session, _text(user), _text(password))
    message = first if first is not None else await _ask(session, b"")
    identity, _, rest = message.partition(b"\0")
    user, separator, password = rest.partition(b"\0")
    if not separator:
        raise Bad("PLAIN is name NUL name NUL password")
    if identity and _text(identity).casefold() != _text(user).casefold():
        raise No("nobody can act for another account", "AUTHORIZATIONFAILED")
    return await _enter(session, _text(user), _text(password))


async def _ask(session: Session, prompt: bytes) -> bytes:
    session.send(b"+ " + prompt + b"\r\n")
    try:
        answer = decode_sasl(await session.output.read_line())
    except SyntaxFault as fault:
        raise Bad(fault.text) from None
    if answer is None:
        raise Bad("authentication was cancelled")
    return answer


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


async def _enter(session: Session, user: str, password: str) -> str:
    guard = session.services.guard
    await guard.pause(session.peer, user)
    account = await session.services.authenticator.check(user, password)
    if account is None:
        session.count_failure()
        guard.failed(session.peer, user)
        log.warning("imap_login_failed", login=guard.shown(user), peer=session.peer)
        raise No("name or password is wrong", "AUTHENTICATIONFAILED")
    session.enter(account, user)
    guard.succeeded(session.peer, user)
    log.info("imap_login", login=user, peer=session.peer)
    return f"[CAPABILITY {capabilities(session)}] logged in"
