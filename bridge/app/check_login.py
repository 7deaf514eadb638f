"""What ``check`` tries at the bridge that runs: each listener, as a mail program would.

Blocking clients of the standard library, on threads: one way for all three uses of TLS. aioimaplib
knows no STARTTLS, which is how the bridge's usual listener is reached, so it would be a second
client beside this one for the other listeners, and one more package to keep up to date in every
installation; the suite drives the server with it. Over TLS the certificate has to be the one whose
fingerprint ``status`` tells. Nothing is submitted.

Failure: none; what does not work is a finding.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import imaplib
import smtplib
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from bridge.language import say
from bridge.net.address import is_loopback
from bridge.operations.finding import CheckFinding, failed, ok

PATIENCE_S = 20.0
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to connect to, nothing listens
STRANGE = say("it shows another certificate than the bridge's: something stands between")


class Strange(Exception):
    """Another certificate was shown."""


async def logins(status: Mapping[str, Any], accounts: Mapping[str, str]) -> list[CheckFinding]:
    """Log in everywhere.

    Args:
        status: the running bridge's, for listeners and fingerprint.
        accounts: each address with a password of it.
    """
    fingerprint = str(status["tls"]["fingerprint"]).replace(":", "").lower()
    found = []
    for one in status["listeners"]:
        if one["protocol"] == "http":
            found.append(await asyncio.to_thread(_page, one, fingerprint))
            continue
        for address, password in accounts.items():
            found.append(await asyncio.to_thread(_login, one, address, password, fingerprint))
    return found


def _login(one: Mapping[str, Any], address: str, password: str, fingerprint: str) -> CheckFinding:
    protocol, host, port = str(one["protocol"]), str(one["host"]), int(one["port"])
    what = f"{protocol.upper()} login at {host}:{port} as {address}"
    try:
        begin = _imap if protocol == "imap" else _smtp
        said = begin(ANY.get(host, host), port, str(one["tls"]), address, password, fingerprint)
    except Strange:
        return failed(what, STRANGE, say("look what else listens there"), "strange")
    except (imaplib.IMAP4.error, smtplib.SMTPException, OSError, EOFError) as error:
        code = type(error).__name__
        mend = say("`pec-bridge reload` if the secrets have changed; the bridge's log says more")
        return failed(what, say("it does not work ({code})", code=code), mend, code)
    return ok(what, said)


def _page(one: Mapping[str, Any], fingerprint: str) -> CheckFinding:
    host, port = ANY.get(str(one["host"]), str(one["host"])), int(one["port"])
    what = f"page at {host}:{port}"
    client = (
        http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        if one["tls"] == "none"
        else http.client.HTTPSConnection(host, port, timeout=PATIENCE_S, context=_unverified())
    )
    try:
        with contextlib.closing(client):
            client.connect()
            _same(client.sock, fingerprint)
            said = _over(client.sock, host)
            client.request("GET", "/healthz")
            status = client.getresponse().status
    except Strange:
        return failed(what, STRANGE, say("look what else listens there"), "strange")
    except (http.client.HTTPException, OSError) as error:
        code = type(error).__name__
        return failed(
            what,
            say("it does not answer ({code})", code=code),
            say("the bridge's log says more"),
            code,
        )
    if status != HTTPStatus.OK:
        return failed(
            what,
            say("it answers with {status}", status=status),
            say("the bridge's log says more"),
            str(status),
        )
    return ok(what, say("it answers, {said}", said=said))


def _imap(host: str, port: int, tls: str, address: str, password: str, fingerprint: str) -> str:
    context = _unverified()
    client = (
        imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=PATIENCE_S)
        if tls == "implicit"
        else imaplib.IMAP4(host, port, timeout=PATIENCE_S)
    )
    with client:
        if tls == "starttls":
            client.starttls(context)
        _same(client.sock, fingerprint)
        client.login(address, password)
        _, data = client.select("INBOX", readonly=True)
        count = (data[0] or b"0").decode("ascii", "replace")
        return say(
            "logged in, {over}, INBOX has {count} messages",
            over=_over(client.sock, host),
            count=count,
        )


def _smtp(host: str, port: int, tls: str, address: str, password: str, fingerprint: str) -> str:
    context = _unverified()
    client = (
        smtplib.SMTP_SSL(host, port, context=context, timeout=PATIENCE_S)
        if tls == "implicit"
        else smtplib.SMTP(host, port, timeout=PATIENCE_S)
    )
    with client:
        if tls == "starttls":
            client.starttls(context=context)
        _same(client.sock, fingerprint)
        client.login(address, password)
        return say("logged in, {over}; nothing was sent", over=_over(client.sock, host))


def _unverified() -> ssl.SSLContext:
    """Return a context for whatever is shown: its fingerprint is compared."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _same(sock: Any, fingerprint: str) -> None:
    if isinstance(sock, ssl.SSLSocket):
        shown = hashlib.sha256(sock.getpeercert(binary_form=True) or b"").hexdigest()
        if shown != fingerprint:
            raise Strange


def _over(sock: Any, host: str) -> str:
    version = sock.version() if isinstance(sock, ssl.SSLSocket) else None
    if version is not None:
        return version
    return say("in clear on this machine") if is_loopback(host) else say("in clear")
