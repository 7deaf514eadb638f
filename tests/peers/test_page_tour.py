"""The demo as a newcomer meets it: its tour in Chromium, and the clock that a button moves on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.peers.demo import running_demo
from tests.peers.page import CHROMIUM, fit

pytestmark = [
    pytest.mark.peer,
    # the driver's own pipes are closed by its garbage
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


async def test_the_notices_of_12_and_24_hours_come_when_a_button_moves_the_clock(
    tmp_path: Path,
) -> None:
    program = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("chromium is not installed")
    with running_demo(tmp_path, "--tour") as demo:
        async with async_playwright() as player:
            browser = await player.chromium.launch(executable_path=program, args=["--no-sandbox"])
            context = await browser.new_context(base_url=demo.web_url, locale="it-IT")
            page = await context.new_page()
            await page.goto("/tour")
            await page.fill("#name", demo.address)
            await page.fill("#password", demo.password)
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("heading", name="Visita della demo")).to_be_visible()
            await fit(page)
            late = page.get_by_role("row").filter(has_text="Diffida ad adempiere")
            await page.goto("/sent?text=Diffida")
            await expect(late).to_contain_text("Accettato", timeout=60_000)
            for button, state in (("12 ore", "entro 12 ore"), ("24 ore", "entro 24 ore")):
                await page.goto("/tour")
                await page.get_by_role("button", name=button).click()
                await expect(page.get_by_role("status")).to_contain_text("portato avanti")
                await page.goto("/sent?text=Diffida")
                await page.get_by_role("link", name="Diffida ad adempiere").click()
                await expect(page.locator("table").first).to_contain_text(state, timeout=60_000)
            await browser.close()
