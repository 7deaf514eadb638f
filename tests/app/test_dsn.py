"""DSN (RFC 3461) from a client's options to its INBOX, over restarts."""

from __future__ import annotations

import email
import email.policy
import smtplib
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from bridge.config import Config, Receipts
from bridge.simulator import Simulator
from tests.receipts.notified import Notified, is_notification, read_notification
from tests.running import (
    ADDRESS,
    PASSWORD,
    PATIENCE_S,
    Running,
    apart,
    eventually,
    running,
    simulated,
)

ANNA, CARLO, DARIO = "anna@altra.invalid", "fail-carlo@altra.invalid", "dario@altra.invalid"


def submit(up: Running, to: dict[str, list[str]], mail_options: list[str]) -> None:
    """Submit as smtplib does it, each recipient with options of their own; blocks."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ADDRESS, ", ".join(to), "Diffida"
    message["Message-ID"] = "<1@erp.example>"
    message.set_content("Salve.\n")
    with smtplib.SMTP("127.0.0.1", up.port("smtp"), timeout=PATIENCE_S) as client:
        client.login(ADDRESS, PASSWORD)
        assert client.has_extn("dsn")
        assert client.mail(ADDRESS, mail_options)[0] == 250
        for recipient, options in to.items():
            assert client.rcpt(recipient, options)[0] == 250
        assert client.data(message.as_bytes())[0] == 250


def notifications(up: Running) -> list[Notified]:
    """Return those in INBOX; blocks."""
    client = up.imap()
    try:
        client.select("INBOX", readonly=True)
        _, answer = client.fetch("1:*", "(BODY.PEEK[])")
        raws = [one[1] for one in answer if isinstance(one, tuple)]
    finally:
        client.logout()
    messages = [email.message_from_bytes(raw, policy=email.policy.default) for raw in raws]
    return [read_notification(one) for one in messages if is_notification(one)]


async def told(up: Running) -> dict[str, str]:
    """Return what was told of each recipient, of each once."""
    found = await apart(notifications, up)
    actions = [item for one in found for item in one.actions.items()]
    assert len({who for who, _ in actions}) == len(actions)
    return dict(actions)


def never_texts(config: Config) -> Config:
    return replace(config, receipts=Receipts(text="never"))


@pytest.mark.slow
async def test_a_client_is_told_what_it_asked_for_and_nothing_twice(tmp_path: Path) -> None:
    simulator: Simulator = simulated(messages=2)
    asked = {
        ANNA: ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;Anna+2B1@altra.invalid"],
        CARLO: ["NOTIFY=FAILURE"],
        DARIO: ["NOTIFY=NEVER"],
    }
    expected = {ANNA: "delivered", CARLO: "failed"}
    async with running(tmp_path, simulator) as up:
        await apart(submit, up, asked, ["RET=HDRS", "ENVID=ORD+2B17"])

        async def all_is_told() -> bool:
            return await told(up) == expected

        await eventually(all_is_told)
        found = await apart(notifications, up)
        assert {one.about["original-envelope-id"] for one in found} == {"ORD+17"}
        original = [
            one.recipients[ANNA]["original-recipient"] for one in found if ANNA in one.actions
        ]
        assert original == ["rfc822; Anna+1@altra.invalid"]
    async with running(tmp_path, simulator) as up:
        await apart(up.submit, "Un altro", ANNA)
        await eventually(lambda: _has_delivery(up, "Un altro"))
        assert await told(up) == expected
    (sent, _) = simulator.sent
    assert "ORD" not in sent.subject + sent.body


async def _has_delivery(up: Running, subject: str) -> bool:
    def look() -> bool:
        client = up.imap()
        try:
            client.select("INBOX", readonly=True)
            return bool(client.search(None, f'SUBJECT "CONSEGNA: {subject}"')[1][0])
        finally:
            client.logout()

    return await apart(look)


@pytest.mark.slow
async def test_a_delivery_is_told_where_no_text_is_read_but_for_that(tmp_path: Path) -> None:
    async with running(tmp_path, simulated(), change=never_texts) as up:
        await apart(submit, up, {ANNA: ["NOTIFY=SUCCESS"]}, [])

        async def all_is_told() -> bool:
            return await told(up) == {ANNA: "delivered"}

        await eventually(all_is_told)
