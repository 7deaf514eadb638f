"""Mail programs log in with either password, by every mechanism, on both protocols."""

from __future__ import annotations

import imaplib
import smtplib
from base64 import b64encode
from pathlib import Path
from random import Random

import pytest

from bridge.app.bridge import Bridge
from bridge.clock import SystemClock
from bridge.credentials import AccountSecrets, Secret, Secrets
from bridge.credentials.local import hash_password
from tests.running import ADDRESS, PASSWORD, PATIENCE_S, apart, settings

LOCAL = "k7dm-local"


async def test_either_password_opens_by_imap_and_smtp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.credentials.local.LOG2_N", 8)  # quick
    secrets = AccountSecrets(Secret(PASSWORD), Secret(hash_password(LOCAL)))
    bridge = Bridge(
        settings(tmp_path),
        Secrets(Secret("token"), (secrets,)),
        clock=SystemClock(),
        random=Random(1),
    )
    listening = await bridge.start()
    try:
        imap, smtp = (one.port for one in listening.listeners)
        for password in (LOCAL, PASSWORD):
            await apart(_imap, imap, password)
            for mechanism in ("PLAIN", "LOGIN"):
                await apart(_smtp, smtp, password, mechanism)
        with pytest.raises(imaplib.IMAP4.error):
            await apart(_imap, imap, secrets.local_password.reveal())
    finally:
        await bridge.stop()


def _imap(port: int, password: str) -> None:
    with imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE_S) as client:
        client.login(ADDRESS, password)
    with imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE_S) as client:
        client.authenticate("PLAIN", lambda _: f"\0{ADDRESS}\0{password}".encode())


def _smtp(port: int, password: str, mechanism: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE_S) as client:
        assert client.ehlo()[0] == 250
        assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]
        client.user, client.password = ADDRESS, password
        if mechanism == "PLAIN":
            said = b64encode(f"\0{ADDRESS}\0{password}".encode()).decode()
            assert client.docmd("AUTH", f"PLAIN {said}")[0] == 235
        else:
            assert client.auth("LOGIN", client.auth_login)[0] == 235
