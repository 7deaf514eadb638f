"""Before and after login: CAPABILITY, STARTTLS, LOGIN, AUTHENTICATE, ENABLE, COMPRESS, ID.

Passwords go in clear only where nobody can listen. RFC 3501 §6.1, §6.2; RFC 2971 (ID), 4959
(initial response), 4978 (COMPRESS), 5161 (ENABLE).
"""

from __future__ import annotations

import structlog

from bridge.imap import responses
from bridge.imap.commands import Authenticate, Compress, Enable, Id, Login, Plain
from bridge.imap.errors import SyntaxFault
from bridge.imap.parser import decode_sasl
from bridge.imapserver.capability import capabilities
from bridge.imapserver.reply import Bad, No
from bridge.imapserver.session import SERVER_NAME, Session, State

log = structlog.get_logger()

ENABLEABLE = {
    "CONDSTORE": "CONDSTORE",
    "IMAP4REV2": "IMAP4rev2",
    "QRESYNC": "QRESYNC",
    "UTF8=ACCEPT": "UTF8=ACCEPT",
}


SHOWN = 100
"""How much of what a client says about itself goes into the log."""


async def capability(session: Session, command: Plain) -> str | None:
    """CAPABILITY."""
    session.send(b"* CAPABILITY " + capabilities(session).encode() + b"\r\n")
    return None


async def noop(session: Session, command: Plain) -> str | None:
    """NOOP, CHECK: pending changes are told after any command."""
    return None


async def logout(session: Session, command: Plain) -> str | None:
    """LOGOUT."""
    await session.deselect()
    session.state = State.LOGOUT
    session.send(b"* BYE see you\r\n")
    return None


async def start_tls(session: Session, command: Plain) -> str | None:
    """STARTTLS."""
    if not session.output.can_start_tls:
        raise Bad("TLS is on already, or not offered")
    session.output.start_tls()
    return "begin TLS now"


async def compress(session: Session, command: Compress) -> str | None:
    """COMPRESS DEFLATE (RFC 4978)."""
    if command.mechanism != "DEFLATE":
        raise No("only DEFLATE is offered")
    if not session.output.can_compress:
        raise No("compression is on already, or not offered here", "COMPRESSIONACTIVE")
    session.output.compress()
    return "DEFLATE is on"


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
        session.failures += 1
        guard.failed(session.peer, user)
        log.warning("imap_login_failed", login=guard.shown(user), peer=session.peer)
        raise No("name or password is wrong", "AUTHENTICATIONFAILED")
    session.account = account
    session.login = user
    session.state = State.AUTHENTICATED
    guard.succeeded(session.peer, user)
    log.info("imap_login", login=user, peer=session.peer)
    return f"[CAPABILITY {capabilities(session)}] logged in"


async def enable(session: Session, command: Enable) -> str | None:
    """ENABLE: what is not known is passed over (RFC 5161 §3.1)."""
    enabled = [name for name in command.capabilities if name in ENABLEABLE]
    session.enabled.update(enabled)
    if session.enabled & {"CONDSTORE", "QRESYNC"}:
        session.enable_condstore()
    if session.selected is not None:
        session.selected.view.qresync = "QRESYNC" in session.enabled
        if not session.shows_recent:
            session.selected.recent.clear()
    shown = " ".join(ENABLEABLE[name] for name in dict.fromkeys(enabled))
    session.send(f"* ENABLED {shown}".rstrip().encode() + b"\r\n")
    return None


async def identify(session: Session, command: Id) -> str | None:
    """ID: says what we are; what the client is goes to the log."""
    if command.fields:
        known = {name.casefold(): (value or "")[:SHOWN] for name, value in command.fields}
        shown = {name: known[name] for name in ("name", "version", "os") if name in known}
        log.debug("imap_client", peer=session.peer, **{f"client_{k}": v for k, v in shown.items()})
    session.send(b'* ID ("name" ' + responses.string(SERVER_NAME) + b")\r\n")
    return None
