"""The page of a bridge that runs: where it listens, and that it ends with the bridge."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bridge.app.certificate import FILE_NAME
from bridge.config import Config, Listen, Web
from bridge.config.values import WEB_USUAL
from bridge.evidence.verify import verify
from bridge.net.listening import CannotListen
from tests.running import ADDRESS, PASSWORD, apart, running, simulated
from tests.streams import hang_up
from tests.web.conftest import Browser


def at(*listen: Listen) -> Web:
    return Web(listen=listen)


async def test_a_person_logs_in_over_tls(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(config, web=at(Listen("127.0.0.1", 0, implicit_tls=True)))

    async with running(tmp_path, simulated(), change=change) as up:
        url = up.listening.web_url
        assert url is not None
        assert up.listening.as_json()["web"] == {"url": url}
        assert url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=str(tmp_path / FILE_NAME))
        async with Browser(base_url=url, verify=trusted) as browser:
            assert (await browser.log_in(ADDRESS, PASSWORD)).status_code == 303
            assert ADDRESS in (await browser.get("/")).text


async def test_who_has_logged_in_stays_so_when_a_bridge_starts(tmp_path: Path) -> None:
    """Of several on one database each start ended the logins of all."""

    def change(config: Config) -> Config:
        return replace(config, web=at(Listen("127.0.0.1", 0)))

    async with AsyncExitStack() as stack:
        browsers: list[Browser] = []
        for _ in range(2):
            async with running(tmp_path, simulated(), change=change) as up:
                url = up.listening.web_url
                assert url is not None
                browser = await stack.enter_async_context(Browser(base_url=url))
                for before in browsers:
                    browser.cookies.update(before.cookies)
                if not browsers:
                    await browser.log_in(ADDRESS, PASSWORD)
                assert ADDRESS in (await browser.get("/")).text
                browsers.append(browser)


async def test_a_browser_that_stays_does_not_hold_up_the_end(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(config, web=at(Listen("127.0.0.1", 0)))

    async with running(tmp_path, simulated(), change=change) as up:
        reader, writer = await asyncio.open_connection("127.0.0.1", up.port("http"))
        writer.write(b"GET /login HT")
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    await hang_up(writer)


async def test_where_nobody_asked_for_the_page_a_taken_port_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    taken = Listen("127.0.0.1", server.sockets[0].getsockname()[1])
    monkeypatch.setattr("bridge.app.listeners.WEB_USUAL", (taken,))
    try:
        async with running(
            tmp_path, simulated(), change=lambda config: replace(config, web=Web())
        ) as up:
            assert up.listening.web_url is None
        with pytest.raises(CannotListen, match=r"\[web\] listen: .* another program uses it"):
            async with running(
                tmp_path, simulated(), change=lambda config: replace(config, web=at(taken))
            ):
                pass
    finally:
        server.close()
        await server.wait_closed()


def test_the_usual_place_is_this_machine_only() -> None:
    assert all(one.is_loopback for one in WEB_USUAL)


async def shown(browser: Browser, path: str, words: str) -> httpx.Response:
    """Return a page as soon as it says something."""
    for _ in range(200):
        page = await browser.get(path)
        if words in page.text:
            return page
        await asyncio.sleep(0.05)
    raise AssertionError(page.text)


async def test_a_message_is_followed_on_the_page(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(config, web=at(Listen("127.0.0.1", 0)))

    async with (
        running(tmp_path, simulated(), change=change) as up,
        Browser(base_url=up.listening.web_url or "", headers={"Accept-Language": "en"}) as browser,
    ):
        await apart(up.submit, "Fattura <b>7</b>", "cliente@pec.example")
        assert (await browser.log_in(ADDRESS, PASSWORD)).status_code == 303
        page = await shown(browser, "/sent?text=Fattura", "Delivered</span>")
        assert "Fattura &lt;b&gt;7&lt;/b&gt;" in page.text
        found = re.search(r'href="(/sent/[\w-]+)"', page.text)
        assert found is not None
        message = await browser.get(found[1])
        assert message.status_code == 200
        for words in ("Submitted by SMTP", "Accepted by the provider", "cliente@pec.example"):
            assert words in message.text
        assert "Everything is well" in (await browser.get("/")).text

        exported = await browser.get(f"{found[1]}/evidence.zip")
        assert exported.headers["Content-Type"] == "application/zip"
        (tmp_path / "evidence.zip").write_bytes(exported.content)
        with (tmp_path / "evidence.zip").open("rb") as stream:
            assert not verify(stream).problems

        assert "1" in (await browser.get("/usage")).text
        chart = await browser.get("/usage/chart.svg")
        assert (chart.headers["Content-Type"], b"<svg" in chart.content) == ("image/svg+xml", True)
        assert b"<script" not in chart.content
        rows = (await browser.get("/usage/figures.csv")).text.splitlines()
        assert [row.split(",")[1:4] for row in rows[1:]] == [[ADDRESS, "1", "1"]]

        setup = (await browser.get("/setup")).text
        assert str(up.port("imap")) in setup
        assert up.listening.fingerprint in setup
        certificate = (await browser.get("/setup/certificate.pem")).text
        assert "BEGIN CERTIFICATE" in certificate
        assert "PRIVATE KEY" not in certificate
        assert (await browser.get("/mailboxes")).status_code == 200
