"""A whole bridge in Italian: what a program is refused with, the bounce, the reason in the list."""

from __future__ import annotations

import email
import email.policy
import smtplib
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Config, Display, Listen, Web
from bridge.language import LanguageSetting
from bridge.operations.control import ask
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

REFUSED = "L'API ha rifiutato la richiesta (HTTP 422: Simulated status 422)."
IN_ENGLISH = "The API refused the request (HTTP 422: Simulated status 422)."


def hidden(up: Running) -> str:
    """Submit a message to somebody whom its header does not name; return the refusal."""
    message = EmailMessage()
    message["From"] = message["To"] = ADDRESS
    message.set_content("Salve.\n")
    with smtplib.SMTP("127.0.0.1", up.port("smtp"), timeout=PATIENCE_S) as client:
        client.login(ADDRESS, PASSWORD)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.send_message(message, to_addrs=[ADDRESS, "nascosto@pec.example"])
    said = refused.value.smtp_error
    return said if isinstance(said, str) else said.decode("ascii")


def bounce(up: Running) -> EmailMessage | None:
    """Return the newest message in INBOX from null, if there is one."""
    client = up.imap()
    try:
        client.select("INBOX", readonly=True)
        _, found = client.search(None, "FROM", "MAILER-DAEMON")
        if not found[0]:
            return None
        _, parts = client.fetch(found[0].split()[-1].decode(), "(BODY.PEEK[])")
        assert isinstance(parts[0], tuple)
        return email.message_from_bytes(parts[0][1], policy=email.policy.default)
    finally:
        client.logout()


@pytest.mark.parametrize("language", ["it", "en", "both"])
async def test_all_of_it_is_in_the_language_of_the_settings(
    tmp_path: Path, language: LanguageSetting
) -> None:
    def change(config: Config) -> Config:
        web = Web(listen=(Listen("127.0.0.1", 0),), url="https://pec.example.it")
        return replace(config, display=Display(language=language), web=web)

    async with running(tmp_path, simulated(), change=change) as up:
        said = await apart(hidden, up)
        assert ("La PEC non ammette destinatari nascosti" in said) == (language != "en")
        assert ("PEC forbids hidden recipients" in said) == (language != "it")

        await apart(up.submit, "Offerta", "http-422-gara@pec.example")

        async def came() -> Any:
            return await apart(bounce, up)

        message = await eventually(came)
        (entry,) = await ask(tmp_path, "queue list", {})
    body = message.get_body().get_content()
    assert "HTTP 422: Simulated status 422" in body
    assert ("Il messaggio non è stato inviato" in body) == (language != "en")
    assert ("The message was not sent" in body) == (language != "it")
    assert f"https://pec.example.it/sent/{entry['id']}" in body
    assert entry["reason"] == (REFUSED if language == "it" else IN_ENGLISH)
