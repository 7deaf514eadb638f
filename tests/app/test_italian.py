"""With ``language = "it"`` nobody meets an English word: a whole bridge's pages and sentences."""

from __future__ import annotations

import re
import smtplib
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage, Message
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from bridge.config import Config, Listen, Web
from tests.english import english_in
from tests.running import ADDRESS, PASSWORD, Running, apart, eventually, running, simulated

SENT = {
    "Fattura": "cliente@altra.example",
    "Disdetta": "fail-cliente@altra.example",
    "Diffida": "nonaccept-cliente@altra.example",
    "Reclamo": "http-400-cliente@altra.example",
    "Preavviso": "http-503-cliente@altra.example",
}
DATA = set(["subject", "client", "altra", "cliente", "fail", "nonaccept", "simulated", "status"])
"""Words of the messages themselves, and of the service."""

PAGES = ("/", "/sent", "/archive", "/usage", "/mailboxes", "/setup", "/nowhere", "/sent?since=x")
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


def italian(config: Config) -> Config:
    return replace(
        config,
        web=Web(listen=(Listen("127.0.0.1", 0),)),
        display=replace(config.display, language="it"),
    )


class Browser:
    """Speaks to the page, logged in; blocks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}

    def ask(self, path: str, form: dict[str, str] | None = None) -> str:
        there = HTTPConnection("127.0.0.1", self._port, timeout=20)
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        fields = {"Accept-Language": "it", "Cookie": cookies}
        if form is not None:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        there.request(
            "GET" if form is None else "POST",
            path,
            None if form is None else urlencode(form),
            fields,
        )
        answer = there.getresponse()
        for name, value in answer.headers.items():
            if name.casefold() == "set-cookie":
                cookie, _, _ = value.partition(";")
                self._cookies[cookie.partition("=")[0]] = cookie.partition("=")[2]
        text = answer.read().decode()
        there.close()
        return text

    def log_in(self, password: str) -> str:
        found = TOKEN.search(self.ask("/login"))
        assert found is not None
        return self.ask("/login", {"name": ADDRESS, "password": password, "csrf": found[1]})


def refusals(up: Running) -> list[str]:
    """Return what SMTP says to messages that may not be sent."""
    said = []
    changes: tuple[dict[str, str | None], ...] = (
        {"From": "altro@pec.example"},
        {"To": None},
        {"Bcc": "nascosto@altra.example"},
        {"X-PEC-Reference": "a" * 500},
    )
    for change in changes:
        message = EmailMessage()
        fields = {"From": ADDRESS, "To": "a@altra.example", "Subject": "Prova"} | change
        for name, value in fields.items():
            if value is not None:
                message[name] = value
        message.set_content("Salve.\n")
        with smtplib.SMTP("127.0.0.1", up.port("smtp"), timeout=20) as client:
            client.login(ADDRESS, PASSWORD)
            client.mail(ADDRESS)
            client.rcpt("a@altra.example")
            code, reply = client.data(message.as_bytes())
            assert code >= 500, change
            said.append(reply.decode())
    return said


def notices(up: Running) -> list[Message]:
    """Return what the bridge itself wrote into INBOX."""
    client = up.imap()
    client.select("INBOX", readonly=True)
    (numbers,) = client.search(None, "ALL")[1]
    found = []
    for number in numbers.split():
        (_, raw), *_ = client.fetch(number, "(BODY.PEEK[])")[1]  # type: ignore[misc] # a pair
        message = message_from_bytes(raw)  # type: ignore[arg-type] # of bytes
        if "pec-bridge" in str(message["From"]).casefold():
            found.append(message)
    client.logout()
    return found


def texts_of(message: Message) -> str:
    parts = [part for part in message.walk() if part.get_content_type() == "text/plain"]
    first = parts[0].get_payload(decode=True)
    assert isinstance(first, bytes)
    return first.decode()


async def test_everything_is_said_in_italian(tmp_path: Path) -> None:
    async with running(tmp_path / "data", simulated(messages=2), change=italian) as up:
        for subject, recipient in SENT.items():
            await apart(up.submit, subject, recipient)

        async def told() -> bool:
            return len(await apart(notices, up)) >= 3

        await eventually(told)
        for message in await apart(notices, up):
            text = texts_of(message)
            assert english_in(text) <= DATA, text
        for reply in await apart(refusals, up):
            assert english_in(reply) <= DATA, reply
        browser = Browser(up.port("http"))
        assert english_in(await apart(browser.log_in, "sbagliata")) == set()
        await apart(browser.log_in, PASSWORD)
        pages = {path: await apart(browser.ask, path) for path in PAGES}
        ids = sorted(set(re.findall(r'href="(/sent/[A-Z0-9]+)"', pages["/sent"])))
        assert len(ids) == len(SENT)
        pages |= {path: await apart(browser.ask, path) for path in ids}
        kept = sorted(set(re.findall(r'href="(/archive/[A-Z0-9]+)"', pages["/archive"])))[:4]
        pages |= {path: await apart(browser.ask, path) for path in kept}
        found = {path: english_in(text) - DATA for path, text in pages.items()}
        assert {path: words for path, words in found.items() if words} == {}
