"""LOGIN and AUTHENTICATE; passwords go in clear only where nobody can listen.

RFC 3501 §6.2; RFC 4959 (initial response). The exchange itself is in ``login.sasl``.
"""

from __future__ import annotations

from bridge.imap.commands import Authenticate, Login
from bridge.imapserver.capability import capabilities
from bridge.imapserver.reply import Bad, No
from bridge.imapserver.session import Session
from bridge.login.sasl import SaslFault, SaslFaultKind, exchange

MALFORMED = frozenset({SaslFaultKind.BASE64, SaslFaultKind.FORM, SaslFaultKind.CANCELLED})
"""What is answered BAD (RFC 3501 §6.2.2)."""


async def login(session: Session, command: Login) -> str | None:
    """LOGIN."""
    _check_private(session)
    return await _enter(session, command.user, command.password)


async def authenticate(session: Session, command: Authenticate) -> str | None:
    """AUTHENTICATE."""
    _check_private(session)

    async def ask(challenge: str) -> bytes:
        session.send(b"+ " + challenge.encode("ascii") + b"\r\n")
        return await session.output.read_line()

    try:
        said = await exchange(command.mechanism, command.initial, ask)
    except SaslFault as fault:
        if fault.kind in MALFORMED:
            raise Bad(fault.kind.value) from None
        code = "AUTHORIZATIONFAILED" if fault.kind is SaslFaultKind.IDENTITY else ""
        raise No(fault.kind.value, code) from None
    return await _enter(session, said.name, said.password)


def _check_private(session: Session) -> None:
    if not session.output.secure:
        raise No("use STARTTLS first", "PRIVACYREQUIRED")


async def _enter(session: Session, name: str, password: str) -> str:
    session.try_as(name)
    account = await session.services.logins.enter("imap", session.peer, name, password)
    if account is None:
        session.count_failure()
        raise No("name or password is wrong", "AUTHENTICATIONFAILED")
    session.enter(account, name)
    return f"[CAPABILITY {capabilities(session)}] logged in"
