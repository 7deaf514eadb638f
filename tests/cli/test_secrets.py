"""No secret gets out: a whole run at debug, and then every place is searched for each of them.

Logs, tracebacks, the output of every command that prints facts, the report for strangers, the
list of processes while it runs, and every byte under ``data_dir``.
"""

from __future__ import annotations

import asyncio
import base64
import imaplib
import smtplib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

from bridge.clock import SystemClock
from bridge.credentials.local import hash_password
from bridge.simulator import (
    SEQUENCE_READING,
    FaultRule,
    FixedAnswer,
    Operation,
    Phase,
    Simulator,
    SimulatorServer,
)
from tests.cli.conftest import Command
from tests.cli.test_daemon import serving
from tests.running import ADDRESS, PATIENCE_S, apart, until

pytestmark = pytest.mark.slow

OWN, LOCAL, TOKEN, KEY, ADMIN = (
    "Zq7-mailbox-own/pass+word",
    "k7dm-local-pass-word-here",
    "tok-5f2c9a-bearer-secret",
    "key-91ab44-account-secret",
    "adm-77cc21-token-secret",
)
SECRETS = (OWN, LOCAL, TOKEN, KEY, ADMIN)
COMMANDS = (
    ("status", "--json"),
    ("status",),
    ("check", "--json"),
    ("check",),
    ("account", "list", "--json"),
    ("account", "show", ADDRESS, "--json"),
    ("account", "test", "--json"),
    ("queue", "list", "--json"),
    ("receipts", "list", "--json"),
    ("alarm", "list", "--json"),
    ("quota", "--json"),
    ("sync", "--json"),
    ("usage", "--json"),
    ("inbox", "search", "Prova", "--json"),
    ("token", "list", "--json"),
    ("wallet", "--json"),
    ("mailbox", "list", "--json"),
    ("certificate", "show", "--json"),
    ("reload", "--json"),
)


def forms(secret: str) -> Iterator[bytes]:
    """Yield a secret as it may be written."""
    yield secret.encode()
    yield quote(secret, safe="").encode()
    for before in range(3):  # base64 at each place in a group, without the letters at its ends
        text = base64.b64encode(b"x" * before + secret.encode())
        yield text[4 if before else 0 : -4]
    login = base64.b64encode(f"\0{ADDRESS}\0{secret}".encode())
    yield login[8:-4]


def told(places: dict[str, bytes]) -> list[str]:
    """Return which secret stands where."""
    return [
        f"{secret} in {place}"
        for place, content in places.items()
        for secret in SECRETS
        if any(form in content for form in forms(secret))
    ]


def written(folder: Path, url: str) -> Path:
    secrets = {"own": OWN, "local": hash_password(LOCAL), "token": TOKEN, "key": KEY, "adm": ADMIN}
    for name, secret in secrets.items():
        (folder / name).write_text(f"{secret}\n")
    path = folder / "config.toml"
    path.write_text(
        f"""\
data_dir = "data"
[api]
base_url = "{url}"
admin_url = "{url}"
oauth_url = "{url}"
token = {{ file = "token" }}
admin_token = {{ file = "adm" }}
email = "titolare@example.it"
api_key = {{ file = "key" }}
[sync]
interval_s = 1
[imap]
listen = ["127.0.0.1:0"]
[smtp]
listen = ["127.0.0.1:0"]
[log]
level = "debug"
[[account]]
address = "{ADDRESS}"
password = {{ file = "own" }}
local_password = {{ file = "local" }}
"""
    )
    return path


def use(imap: int, smtp: int) -> None:
    """Log in rightly and wrongly, say a password where none goes, and send."""
    for password in (OWN, LOCAL, "wrong"):
        with imaplib.IMAP4("127.0.0.1", imap, timeout=PATIENCE_S) as client:
            try:
                client.login(ADDRESS, password)
                client.select()
            except imaplib.IMAP4.error:
                assert password == "wrong"
    with imaplib.IMAP4("127.0.0.1", imap, timeout=PATIENCE_S) as client:
        with pytest.raises(imaplib.IMAP4.error):
            client.login(LOCAL, ADDRESS)  # people type passwords where the name goes
        client.send(f"x {OWN}\r\n".encode())
        assert client.readline().startswith(b"x BAD")
    with smtplib.SMTP("127.0.0.1", smtp, timeout=PATIENCE_S) as client:
        client.docmd(LOCAL)
        client.login(ADDRESS, LOCAL)
        fields = f"From: {ADDRESS}\r\nTo: c@pec.example\r\nSubject: Prova\r\nMessage-ID: <1@x>\r\n"
        client.sendmail(ADDRESS, ["c@pec.example"], f"{fields}\r\nCiao.\r\n")


def quoting(simulator: Simulator) -> None:
    """Let the API answer with the secrets that it was asked with, as a faulty one might."""
    words = f"{OWN} {TOKEN}"
    body = f'{{"success": false, "message": "wrong: {words}"}}'.encode()
    for operation in (Operation.SEND, Operation.QUOTA):
        simulator.faults.add(
            FaultRule(phase=Phase.BEFORE, result=FixedAnswer(500, body), operation=operation)
        )


def processes() -> bytes:
    """Return every command line and, where it may be read, every environment."""
    found = [b""]
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(one.read_bytes())
        except OSError:
            continue
    return b"\n".join(found)


async def test_no_secret_gets_out(tmp_path: Path, command: Command) -> None:
    async def run(*words: object) -> bytes:
        done = await apart(command, *words, "--config", config)
        return f"{done.out}{done.err}".encode()

    simulator = Simulator(SEQUENCE_READING.replace(token=TOKEN), SystemClock(), Random(1))
    simulator.add_mailbox(ADDRESS, OWN)
    simulator.seed(ADDRESS, 3)
    simulator.administration.api_key = KEY
    report = tmp_path / "report.zip"
    places: dict[str, bytes] = {}
    async with SimulatorServer(simulator.app) as api:
        config = written(tmp_path, api.url)
        async with serving(config) as (process, ready):
            quoting(simulator)
            await apart(use, ready["imap"]["port"], ready["smtp"]["port"])
            for words in COMMANDS:
                places[" ".join(words)] = await run(*words)
            places["check --bundle"] = await run("check", "--bundle", report)
            places["processes"] = await asyncio.to_thread(processes)
            await until(lambda: simulator.calls(Operation.SEND))
            process.terminate()
            out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        places |= {"standard output": out, "log": err, "report": report.read_bytes()}
        places["without a bridge"] = await run("status", "--json")
        (tmp_path / "own").write_text(f"{OWN}\tx\n")
        places["a fault"] = await run("serve")
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            places[str(path.relative_to(tmp_path))] = path.read_bytes()
    assert b'"level": "debug"' in places["log"]
    assert b"Traceback" not in b"".join(places[" ".join(words)] for words in COMMANDS)
    assert len([place for place in places if place.startswith("data/")]) >= 3
    found = told(places)
    assert found == [], "\n".join(found)
    assert told({"a place that has it": f"x {LOCAL} y".encode()}), "the search finds nothing"
