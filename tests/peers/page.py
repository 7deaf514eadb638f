"""A bridge with messages in every state, and its page in Debian's Chromium."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from bridge.config import Config, Listen, Web
from tests.running import ADDRESS, PASSWORD, Running, apart, running, simulated

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SERIOUS = frozenset({"serious", "critical"})
SUBJECTS = {
    "Fattura 2026/0117 - Ditta Rossi S.r.l.": ("amministrazione@pec.ditta-rossi.example",),
    "Disdetta contratto 4471": ("protocollo@pec.comune.example", "fail-ufficio@pec.example"),
    "Diffida ad adempiere": ("late-avvocato@pec.example",),
}
UNCERTAIN = "Comunicazione urgente al Comune"


def _page(config: Config) -> Config:
    return replace(config, web=Web(listen=(Listen("127.0.0.1", 0),)))


def _is_fault(said: ConsoleMessage) -> bool:
    """Tell whether a page went wrong; that a form was refused is an answer."""
    return said.type == "error" and "the server responded with a status of 4" not in said.text


@dataclass(frozen=True, slots=True)
class Office:
    """Somebody's browser in front of a bridge that sent something."""

    up: Running
    browser: Browser
    url: str

    @contextlib.asynccontextmanager
    async def page(
        self, *, width: int = 1280, dark: bool = False, language: str = "it"
    ) -> AsyncIterator[Page]:
        """Open a window; what a page's scripts complain of is a failure."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            locale={"it": "it-IT", "en": "en-GB"}[language],
            base_url=self.url,
        )
        page = await context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if _is_fault(said) else None)
        yield page
        await context.close()
        assert faults == []

    @contextlib.asynccontextmanager
    async def logged_in(
        self, *, width: int = 1280, dark: bool = False, language: str = "it"
    ) -> AsyncIterator[Page]:
        """Open a window and log in as a person does."""
        async with self.page(width=width, dark=dark, language=language) as page:
            await page.goto("/")
            await page.fill("#name", ADDRESS)
            await page.fill("#password", PASSWORD)
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/")
            yield page


@contextlib.asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    """Start a bridge, send something in every way, and start a browser."""
    program = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("chromium is not installed")
    async with (
        running(folder, simulated(messages=3), change=_page) as up,
        async_playwright() as player,
    ):
        for subject, recipients in SUBJECTS.items():
            await apart(up.submit, subject, *recipients)
        await apart(up.submit, UNCERTAIN, "http-503-comune@pec.example")
        browser = await player.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield Office(up, browser, up.listening.web_url or "")
        finally:
            await browser.close()
            await asyncio.sleep(0)


async def fit(page: Page) -> None:
    """Expect no serious fault of accessibility, and nothing wider than the window."""
    results = await Axe().run(page)
    found = [one for one in results.response["violations"] if one["impact"] in SERIOUS]
    assert found == [], results.generate_report()
    wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, page.url
