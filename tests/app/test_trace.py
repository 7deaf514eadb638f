"""A whole run, traced: what is said is in the file, and no secret, wherever clients put it."""

from __future__ import annotations

import base64
import imaplib
import smtplib
import socket
from pathlib import Path
from random import Random
from urllib.parse import quote

import httpx
import pytest

from bridge.app.bridge import Bridge
from bridge.clock import SystemClock
from bridge.credentials import AccountSecrets, Secret, Secrets
from bridge.credentials.local import hash_password
from bridge.operations.control import OperationFailed, ask
from bridge.simulator import Operation
from tests.running import ADDRESS, PASSWORD, Running, apart, eventually, settings, simulated

LOCAL = "k7dm-Locale-x9"
TYPO = "Sbagliata-77"


def forms(secret: str) -> set[bytes]:
    """Return how a secret may be written."""
    plain = secret.encode()
    encoded = {
        base64.b64encode(plain),
        base64.b64encode(f"\0{ADDRESS}\0{secret}".encode()),
        base64.b64encode(f"{ADDRESS}\0{ADDRESS}\0{secret}".encode()),
    }
    return {plain, quote(plain).encode(), plain.hex().encode()} | encoded


def talk(port: int, *lines: bytes) -> bytes:
    """Say lines whatever is answered; return what was."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.settimeout(10)
        heard += client.recv(65536)
        for line in lines:
            client.sendall(line + b"\r\n")
            try:
                piece = client.recv(65536)
            except ConnectionError:
                break
            heard += piece
            if not piece:
                break
    return heard


def by_imap(bridge: Running) -> None:
    for password in (TYPO, PASSWORD, LOCAL):
        client = imaplib.IMAP4("127.0.0.1", bridge.port("imap"), timeout=20)
        try:
            client.login(ADDRESS, password)
            client.select()
            client.fetch("1:*", "(BODY[HEADER.FIELDS (SUBJECT)])")
            client.logout()
        except imaplib.IMAP4.error:
            client.shutdown()
    with imaplib.IMAP4("127.0.0.1", bridge.port("imap"), timeout=20) as client:
        client.authenticate("PLAIN", lambda _: f"\0{ADDRESS}\0{LOCAL}".encode())
    plain = base64.b64encode(f"\0{ADDRESS}\0{LOCAL}".encode())
    port = bridge.port("imap")
    secret = LOCAL.encode()
    talk(port, b"a AUTHENTICATE PLAIN", plain[:-4], plain, b"a NOOP")
    talk(port, secret, secret + b" NOOP", b"a " + secret, b"a LOGIN " + secret)
    talk(port, b"a LOGIN " + ADDRESS.encode() + b" {14}", secret, b"b NOOP " + secret)
    talk(port, b"a LOGIN " + secret + b" " + secret, b"a ID (" + secret + b")")
    login = b"a LOGIN " + ADDRESS.encode() + b" " + secret
    talk(port, login, login, secret + b" NOOP", plain, b"b IDLE", plain)


def by_smtp(bridge: Running) -> None:
    port = bridge.port("smtp")
    secret, plain = LOCAL.encode(), base64.b64encode(f"\0{ADDRESS}\0{LOCAL}".encode())
    for mechanism in ("PLAIN", "LOGIN"):
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            client.ehlo()
            client.user, client.password = ADDRESS, LOCAL
            client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
    talk(port, b"EHLO x", b"AUTH PLAIN", plain[:-4], plain, b"NOOP")
    talk(port, b"EHLO x", b"AUTH " + plain, b"PASS " + secret, secret, b"NOOP " + secret)
    talk(port, b"EHLO x", b"AUTH LOGIN", base64.b64encode(ADDRESS.encode()), b"*", plain)
    talk(port, b"EHLO x", b"AUTH PLAIN " + plain, b"AUTH PLAIN " + plain, plain, b"VRFY " + secret)


async def test_no_secret_is_in_a_trace_of_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.credentials.local.LOG2_N", 8)  # quick
    monkeypatch.setattr("bridge.login.guessing.GUESSES_FREE", 1000)
    simulator = simulated(messages=2)
    quoting = {"success": False, "message": f"token {simulator.token}, password {PASSWORD}"}
    simulator.faults.answer(Operation.QUOTA, 400, quoting, times=None)
    data_dir = tmp_path / "data"
    secrets = AccountSecrets(Secret(PASSWORD), Secret(hash_password(LOCAL)))
    config = settings(data_dir)
    bridge = Bridge(
        config,
        Secrets(Secret(simulator.token), (secrets,)),
        clock=SystemClock(),
        random=Random(1),
        http_transport=httpx.ASGITransport(app=simulator.app),
    )
    listening = await bridge.start()
    here = Running(bridge, listening, config)
    try:
        one = await ask(data_dir, "trace start", {"account": ADDRESS})
        other = await ask(data_dir, "trace start", {"peer": "127.0.0.0/8"})
        assert [trace["id"] for trace in await ask(data_dir, "trace list", {})] == [
            one["id"],
            other["id"],
        ]
        await apart(by_imap, here)
        await apart(by_smtp, here)
        await apart(here.submit, "Oggetto", "uno@altra.example")

        async def sent() -> bool:
            entries = await ask(data_dir, "queue list", {})
            return [entry["state"] for entry in entries] == ["submitted"]

        await eventually(sent)
        await ask(data_dir, "sync", {})
        with pytest.raises(OperationFailed):
            await ask(data_dir, "quota", {})
        assert len(await ask(data_dir, "trace stop", {})) == 2
    finally:
        await bridge.stop()
    texts = [await apart(Path(trace["file"]).read_bytes) for trace in (one, other)]
    for secret in (PASSWORD, LOCAL, TYPO, simulator.token):
        for form in forms(secret):
            assert not any(form in text for text in texts), form
    whole, by_peer = (text.decode() for text in texts)
    for said in ("C: SELECT INBOX", "S: * OK", "C: EHLO", "S: 235 2.7.0", "S: 250"):
        assert said in whole
        assert said in by_peer
    assert "C: LOGIN (not shown" in whole
    assert "api -: POST /send" in whole
    assert "token ***, password ***" in whole
    assert "api -:" not in by_peer
    assert "C: DATA" in whole
    assert "(no command, not shown" in by_peer
