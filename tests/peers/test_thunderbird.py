"""Thunderbird sets an account up from autoconfig alone, reads mail, and shows keywords as tags."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bridge.config import Config, Listen, Web
from tests.peers.thunderbird import Marionette, thunderbird
from tests.running import ADDRESS, PASSWORD, Running, apart, eventually, running, simulated

pytestmark = pytest.mark.peer

DOMAIN = ADDRESS.partition("@")[2]
CLIENTS = Path(__file__).parents[2] / "docs" / "clients.md"
SUBJECT = "Diffida per Thunderbird"

SET_UP = """
const [email, password, done] = arguments;
const from = name => ChromeUtils.importESModule(`resource:///modules/${name}.sys.mjs`);
(async () => {
  const { FetchConfig } = from("accountcreation/FetchConfig");
  const { AccountConfig } = from("accountcreation/AccountConfig");
  const { ConfigVerifier } = from("accountcreation/ConfigVerifier");
  const { CreateInBackend } = from("accountcreation/CreateInBackend");
  const domain = email.split("@")[1];
  const { signal } = new AbortController();
  const found = await FetchConfig.fromISP(domain, email, signal);
  const source = found.subSource;
  AccountConfig.replaceVariables(found, "Azienda", email, password);
  const verified = await new ConfigVerifier(null, signal).verifyConfig(found);
  await CreateInBackend.createAccountInBackend(verified);
  const { incoming, outgoing } = verified;
  return {
    source,
    incoming: [incoming.type, incoming.hostname, incoming.port, incoming.username],
    outgoing: [outgoing.type, outgoing.hostname, outgoing.port, outgoing.username],
  };
})().then(done, error => done({ error: String(error?.message ?? error) }));
"""
READ = """
const [name, done] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.accounts.map(one => one.incomingServer)
  .find(one => one.type == "imap");
const seen = folder => [...folder.messages].map(one => [
  one.mime2DecodedSubject,
  one.getStringProperty("keywords").split(" ")
    .filter(key => MailServices.tags.isValidKey(key))
    .map(key => MailServices.tags.getTagForKey(key)),
]);
const folder = () => server.rootFolder.subFolders.find(one => one.name == name);
const listener = { OnStartRunningUrl() {}, OnStopRunningUrl() { done(seen(folder())); } };
const read = () => folder().QueryInterface(Ci.nsIMsgImapMailFolder)
  .updateFolderWithListener(null, listener);
if (folder()) { read(); } else { server.performExpand(null); done([]); }
"""


class Passing(BaseHTTPRequestHandler):
    """A proxy in front of the page: the domain's names lead there, as by a name server."""

    target = ("", 0)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        with contextlib.closing(HTTPConnection(*self.target, timeout=10)) as there:
            there.request("GET", f"{parts.path}?{parts.query}", headers={"Host": parts.netloc})
            answer = there.getresponse()
            body = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # one of several that it asked was enough
            self.wfile.write(body)

    def log_message(self, format: str, *_words: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def passing(port: int) -> Iterator[int]:
    handler = type("PassingOn", (Passing,), {"target": ("127.0.0.1", port)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def with_page(config: Config) -> Config:
    hosts = (DOMAIN, f"autoconfig.{DOMAIN}")
    return replace(config, web=Web(listen=(Listen("127.0.0.1", 0),), hosts=hosts))


def tags() -> dict[str, object]:
    """Return the preferences that the page for people tells them to set."""
    lines = re.findall(r'user_pref\("(mailnews\.tags\.[^"]+)", "([^"]+)"\);', CLIENTS.read_text())
    return dict(lines)


@contextlib.asynccontextmanager
async def driven(folder: Path, proxy: int) -> AsyncIterator[Marionette]:
    preferences = tags() | {
        "network.proxy.type": 1,
        "network.proxy.http": "127.0.0.1",
        "network.proxy.http_port": proxy,
        "network.proxy.ssl": "127.0.0.1",
        "network.proxy.ssl_port": proxy,
    }
    context = thunderbird(folder, preferences)
    program = await asyncio.to_thread(context.__enter__)
    try:
        yield program
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


async def sent_and_delivered(up: Running) -> None:
    await apart(up.submit, SUBJECT, "anna@altra.invalid")

    def is_delivered() -> bool:
        client = up.imap()
        try:
            client.select("Sent", readonly=True)
            return bool(client.search(None, "KEYWORD $PecDelivered")[1][0])
        finally:
            client.logout()

    async def look() -> bool:
        return await apart(is_delivered)

    await eventually(look)


async def test_an_account_is_set_up_from_autoconfig_alone(tmp_path: Path) -> None:
    async with running(tmp_path / "data", simulated(messages=3), change=with_page) as up:
        await sent_and_delivered(up)
        web = up.port("http")
        with passing(web) as proxy:
            async with driven(tmp_path, proxy) as program:
                made: Any = await asyncio.to_thread(program.run, SET_UP, ADDRESS, PASSWORD)
                assert made == {
                    "source": "xml-from-isp-http",
                    "incoming": ["imap", "localhost", up.port("imap"), ADDRESS],
                    "outgoing": ["smtp", "localhost", up.port("smtp"), ADDRESS],
                }
                found: list[Any] = []

                async def is_read() -> bool:
                    found[:] = await asyncio.to_thread(program.run, READ, "Sent")
                    return bool(found)

                await eventually(is_read)
                ((subject, shown),) = found
                assert subject == SUBJECT
                assert set(shown) == {"PEC accettata", "PEC consegnata"}
