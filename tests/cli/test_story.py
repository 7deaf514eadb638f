"""A company without a mailbox, as a person types it: every step a process of its own.

No mailbox, a token, an address, its registration, form, activation, configuration, a bridge, a
message over SMTP, its receipts, what it cost, and the evidence. The service is another process.
"""

from __future__ import annotations

import asyncio
import imaplib
import json
import re
import smtplib
import stat
import sys
import urllib.request
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from bridge.clock import SystemClock
from bridge.outbox.plan import rome_day
from tests.cli.conftest import Done
from tests.operations.test_pdf import made
from tests.registration.test_whole import GOOD
from tests.running import apart, eventually

pytestmark = pytest.mark.slow

PROGRAM = Path(sys.executable).with_name("pec-bridge")
BOX = str(GOOD["casella_pec"])
EMAIL, KEY, PASSWORD = "titolare@example.it", "demo-api-key", "demo"
PATIENCE_S = 60.0
"""For one process: an interpreter starts for each, on a busy machine."""

CONFIG = """\
data_dir = "data"
[api]
base_url = "{url}"
admin_url = "{url}"
oauth_url = "{url}"
token = {{ file = "token" }}
admin_token = {{ file = "admin" }}
[sync]
interval_s = 1
[imap]
listen = ["127.0.0.1:0"]
[smtp]
listen = ["127.0.0.1:0"]
"""


@asynccontextmanager
async def ready(folder: Path, *words: str) -> AsyncIterator[tuple[Process, dict[str, Any]]]:
    """Start what says ``ready`` in a line of JSON, and stop it as systemd would."""
    with (folder / f"{words[0]}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *words, "--json", stdin=DEVNULL, stdout=PIPE, stderr=log, cwd=folder
        )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        assert line, (folder / f"{words[0]}.log").read_text()
        yield process, json.loads(line)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@dataclass
class Person:
    """Types commands in a folder, and keeps all that they showed."""

    folder: Path
    shown: list[str] = field(default_factory=list)

    async def does(self, *words: object, typed: str = "", code: int = 0) -> Done:
        """Run a command, and expect its exit status."""
        return await self._run(PROGRAM, *words, "--config", "config.toml", typed=typed, code=code)

    async def with_account(self, *words: object, typed: str = "") -> Done:
        """Run a command that asks for e-mail and key."""
        return await self.does(*words, typed=f"{EMAIL}\n{KEY}\n{typed}")

    async def in_shell(self, lines: str, typed: str) -> Done:
        return await self._run("bash", "-ec", lines, typed=typed, code=0)

    async def _run(self, *words: object, typed: str, code: int) -> Done:
        process = await asyncio.create_subprocess_exec(
            *map(str, words), stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=self.folder
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(typed.encode()), PATIENCE_S)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        done = Done(process.returncode or 0, out.decode(), err.decode())
        self.shown += [done.out, done.err]
        assert done.code == code, done
        assert "Traceback" not in done.err
        return done


def filled(template: str) -> str:
    """Fill a registration's template in, as an editor would."""
    lines = []
    for line in template.splitlines():
        name = line.removeprefix("# ").partition(" = ")[0]
        lines.append(f'{name} = "{GOOD[name]}"' if " = " in line and name in GOOD else line)
    return "\n".join(lines)


def move(url: str, id: str, state: str) -> None:
    """Let the service's people decide; as the document's curl does."""
    wanted = json.dumps({"id": id, "state": state}).encode()
    with urllib.request.urlopen(f"{url}/_simulator/mailboxes", wanted, timeout=10) as answer:
        assert answer.status == 200


def submit(port: int, subject: str, *recipients: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = BOX, ", ".join(recipients), subject
    message["Message-ID"] = "<contratto@azienda.example>"
    message.set_content("In allegato il contratto.\n")
    message.add_attachment(made(1), maintype="application", subtype="pdf", filename="c.pdf")
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE_S) as client:
        client.login(BOX, PASSWORD)
        assert client.send_message(message) == {}


def keywords(port: int) -> str:
    """Return the flags of the one message in Sent."""
    client = imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        client.login(BOX, PASSWORD)
        client.select("Sent", readonly=True)
        return str(client.fetch("1", "(FLAGS)")[1])
    finally:
        client.logout()


async def test_from_no_mailbox_to_the_evidence_of_a_message(tmp_path: Path) -> None:
    person = Person(tmp_path)
    async with ready(tmp_path, "simulator", "--port", "0") as (_, service):
        url = service["api"]["url"]
        (tmp_path / "config.toml").write_text(CONFIG.format(url=url))
        id = await _registered(person)
        await _activated(person, url, id)
        await _configured(person, id)
        async with ready(tmp_path, "serve", "--config", "config.toml") as (_, listening):
            ports = {one["protocol"]: one["port"] for one in listening["listeners"]}
            send = await _sent(person, ports)
            await _counted_and_kept(person, send)
        await _counted_and_kept(person, send, "again-")
        credit = (await person.with_account("wallet", "--json")).json
        assert (credit["credit_eur"], credit["transactions"][0]["amount_eur"]) == (401.0, -99.0)
    _no_secret_was_shown(person)


def _no_secret_was_shown(person: Person) -> None:
    logs = [path.read_text() for path in person.folder.glob("*.log")]
    tokens = [(person.folder / name).read_text().strip() for name in ("token", "admin")]
    for secret in (KEY, *tokens):
        assert secret not in "".join([*person.shown, *logs])
    assert "Traceback" not in "".join(logs)


async def _registered(person: Person) -> str:
    for name, words in (("token", ()), ("admin", ("--admin",))):
        await person.with_account("token", "create", *words, typed="y\n")
        assert stat.S_IMODE((person.folder / name).stat().st_mode) == 0o600
    assert (await person.does("mailbox", "list", "--json")).json == []
    await person.does("mailbox", "check", BOX)
    template = (await person.does("mailbox", "register", "--template")).out
    (person.folder / "registration.toml").write_text(filled(template))
    asked = await person.does("mailbox", "register", "--from", "registration.toml", typed="y\n")
    assert "99.00 EUR plus 22 % VAT: 120.78 EUR" in asked.err
    assert "state: registrata" in asked.out
    await person.does("mailbox", "check", BOX, code=1)
    (listed,) = (await person.does("mailbox", "list", "--json")).json
    return str(listed["id"])


async def _activated(person: Person, url: str, id: str) -> None:
    (person.folder / "identity.pdf").write_bytes(made(1))
    await person.does("mailbox", "form", id, "-o", "form.pdf")
    both = ("--join", "form.pdf", "identity.pdf", "--yes")
    for state, code in (("documenti_errati", 1), ("evasa", 0)):
        handed_in = await person.does("mailbox", "activate", id, *both)
        assert "state: in_evasione" in handed_in.out
        await apart(move, url, id, state)
        assert f"state: {state}" in (await person.does("mailbox", "watch", id, code=code)).out


async def _configured(person: Person, id: str) -> None:
    """Do what the command says: lines into the configuration, the password by its two lines."""
    told = (await person.does("mailbox", "show", id)).out.partition("# Add to the configuration:")
    config = person.folder / "config.toml"
    config.write_text(config.read_text() + told[2])
    commands = "\n".join(re.findall(r"^#   (.*)$", told[2], re.MULTILINE))
    await person.in_shell(commands, f"{PASSWORD}\n")
    path = person.folder / "azienda.password"
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (f"{PASSWORD}\n", 0o600)
    assert "[[account]]" not in (await person.does("mailbox", "show", id)).out


async def _sent(person: Person, ports: dict[str, int]) -> dict[str, Any]:
    await apart(submit, ports["smtp"], "Contratto", "uno@altra.example", "fail-due@altra.example")

    async def settled() -> dict[str, Any] | None:
        sends = (await person.does("receipts", "list", "--json")).json
        states = [one["state"] for send in sends for one in send["recipients"]]
        return sends[0] if sorted(states) == ["delivered", "failed"] else None

    send = await eventually(settled)
    assert send is not None
    flags = await apart(keywords, ports["imap"])
    assert "$PecAccepted" in flags
    assert "$PecFailed" in flags
    return send


async def _counted_and_kept(person: Person, send: dict[str, Any], name: str = "") -> None:
    """Ask for usage and evidence; once with a bridge running, once without."""
    month = f"{rome_day(SystemClock().now()):%Y-%m}"
    facts = (await person.does("usage", "--month", month, "--json")).json
    sums = facts["totals"]
    assert [sums[one] for one in ("messages", "recipients", "accepted", "delivered", "failed")] == [
        1,
        2,
        2,
        1,
        1,
    ]
    assert (facts["cost"]["sends_eur"], facts["cost"]["mailboxes_eur"]) == (0.1, 8.25)
    for which, file in (
        ((send["code"],), f"{name}code.zip"),
        (("<contratto@azienda.example>",), f"{name}id.zip"),
        (("--month", month), f"{name}month.zip"),
    ):
        await person.does("export", *which, "-o", file)
        await person.does("export", "verify", file)
    content = bytearray((person.folder / f"{name}code.zip").read_bytes())
    content[len(content) // 2] ^= 1
    (person.folder / f"{name}broken.zip").write_bytes(content)
    await person.does("export", "verify", f"{name}broken.zip", code=1)
