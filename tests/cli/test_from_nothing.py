"""A company without a mailbox gets one and sends: each step by the command that does it."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path
from random import Random

import pytest

from bridge.app.bridge import Bridge
from bridge.clock import SystemClock
from bridge.config import load
from bridge.credentials import resolve_all
from bridge.simulator import Operation
from tests.cli.administered import FLAGS, Administered, administered
from tests.cli.conftest import Command
from tests.operations.test_pdf import made
from tests.running import PATIENCE_S, apart, until

BOX = "azienda@pecmassiva.com"


async def test_from_no_mailbox_to_a_message_that_was_sent(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with administered(command, tmp_path, monkeypatch) as world:
        (tmp_path / "token").unlink()
        assert (await world.account("token", "create", "--admin", "--yes")).code == 0
        world.simulator.token = "another's"  # from here on only the token that was made opens

        assert (await world.run("mailbox", "check", BOX)).code == 0
        registered = await world.run("mailbox", "register", *FLAGS, "--yes", "--json")
        id = registered.json["id"]
        assert (await world.run("mailbox", "check", BOX)).code == 1

        form, identity = tmp_path / "form.pdf", tmp_path / "identity.pdf"
        assert (await world.run("mailbox", "form", id, "-o", form)).code == 0
        identity.write_bytes(made(1))
        activated = await world.run("mailbox", "activate", id, "--join", form, identity, "--yes")
        assert "state: in_evasione" in activated.out

        world.admin.registry.processing_s = 0.0
        world.admin.registry.move(id, "evasa")
        watched = await world.run("mailbox", "watch", id)
        lines = watched.out.partition("\n\n")[2]
        world.config.write_text(world.config.read_text() + "\n" + lines)
        (tmp_path / "azienda.password").write_text(f"{world.admin.mailbox_password}\n")

        await _send(world, tmp_path)
        (sent,) = world.simulator.sent
        assert sent.recipients == ("cliente@altra.example",)
        assert (await world.run("mailbox", "show", id, "--json")).json["configuration"] is None
        assert (await world.account("wallet", "--json")).json["credit_eur"] == 401.0


async def _send(world: Administered, tmp_path: Path) -> None:
    """Start the bridge on the configuration that was made, and submit one message."""
    text = world.config.read_text()
    world.config.write_text(
        text + '\n[imap]\nlisten = ["127.0.0.1:0"]\n[smtp]\nlisten = ["127.0.0.1:0"]\n'
    )
    file = load(world.config)
    bridge = Bridge(file.config, resolve_all(file), clock=SystemClock(), random=Random(1))
    listening = await bridge.start()
    try:
        port = next(one.port for one in listening.listeners if one.protocol == "smtp")
        await apart(_submit, port, world.admin.mailbox_password)
        await until(lambda: world.simulator.calls(Operation.SEND)[-1:] and world.simulator.sent)
    finally:
        await bridge.stop()


def _submit(port: int, password: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = BOX, "cliente@altra.example", "Prova"
    message.set_content("Salve.\n")
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE_S) as client:
        client.login(BOX, password)
        assert client.send_message(message) == {}
