"""The page in Chromium: a person's way through it, and no serious fault of accessibility."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.peers.page import UNCERTAIN, Office, fit, office
from tests.running import ADDRESS

pytestmark = [
    pytest.mark.peer,
    pytest.mark.asyncio(loop_scope="module"),
    # the driver's own pipes are closed by its garbage
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PAGES = ("/", "/sent", "/archive", "/usage", "/mailboxes", "/setup")
SHOTS = os.environ.get("PEC_BRIDGE_SCREENSHOTS")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with office(tmp_path_factory.mktemp("office")) as one:
        yield one


async def test_a_person_logs_in_and_follows_a_message(here: Office) -> None:
    async with here.page(language="it") as page:
        await page.goto("/sent")
        await page.fill("#name", ADDRESS)
        await page.fill("#password", "sbagliata")
        await page.get_by_role("button", name="Accedi").click()
        await expect(page.get_by_role("alert")).to_contain_text("sbagliato")
    async with here.logged_in() as page:
        await page.get_by_role("link", name="Inviati", exact=True).click()
        await expect(page.get_by_role("row").filter(has_text="Ditta Rossi")).to_contain_text(
            "Consegnato", timeout=20_000
        )
        await page.get_by_role("link", name="Ditta Rossi").click()
        await expect(page.locator("ol.timeline")).to_contain_text("Accettato dal gestore")
        await expect(page.locator("ol.timeline")).to_contain_text("Ricevuto via SMTP")
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Esporta").click()
        assert (await download.value).suggested_filename.startswith("pec-")
        await page.get_by_role("link", name="English").click()
        await expect(page.get_by_role("heading", name="What happened")).to_be_visible()


async def test_the_list_follows_by_itself(here: Office) -> None:
    async with here.logged_in(language="en") as page:
        await page.goto("/sent?text=Disdetta")
        await expect(page.locator("#live")).to_contain_text(
            "Not delivered to everybody", timeout=20_000
        )


@pytest.mark.parametrize(
    ("width", "dark", "language"),
    [(360, True, "it"), (768, False, "it"), (1440, False, "en")],
    ids=["phone", "tablet", "desktop"],
)
async def test_every_page_fits_and_is_accessible(
    here: Office, width: int, dark: bool, language: str
) -> None:
    async with here.page(width=width, dark=dark, language=language) as page:
        await page.goto("/login")
        await fit(page)
    async with here.logged_in(width=width, dark=dark, language=language) as page:
        for path in PAGES:
            await page.goto(path)
            await fit(page)
        await page.goto("/sent?group=uncertain")
        await page.get_by_role("link", name=UNCERTAIN).click()
        await expect(page.locator("#code")).to_be_visible()
        await fit(page)


async def test_a_receipt_is_fetched_on_a_phone_by_keyboard_alone(here: Office) -> None:
    async with here.logged_in(width=360, language="it") as page:
        await page.goto("/sent?text=Ditta Rossi")
        await expect(page.locator("#live")).to_contain_text("Consegnato", timeout=20_000)
        await page.get_by_role("link", name="Fattura").first.click()
        link = page.get_by_role("link", name="Scarica questa ricevuta").first
        await expect(link).to_be_visible()
        await fit(page)
        await link.focus()
        async with page.expect_download() as download:
            await page.keyboard.press("Enter")
        assert (await download.value).suggested_filename.endswith("-acceptance.eml")


async def test_a_person_searches_the_archive(here: Office) -> None:
    async with here.logged_in(language="it") as page:
        await page.goto("/sent?text=Ditta Rossi")
        await expect(page.locator("#live")).to_contain_text("Consegnato", timeout=20_000)
        await page.get_by_role("link", name="Archivio", exact=True).click()
        await page.fill("#text", "ditta rossi")
        await page.select_option("#kind", "delivery")
        await page.get_by_role("button", name="Cerca").click()
        await page.get_by_role("link", name="CONSEGNA").click()
        await expect(page.locator("dl.card")).to_contain_text("Presso il servizio")
        await fit(page)
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Scarica il messaggio").click()
        assert (await download.value).suggested_filename.endswith(".eml")


async def test_reasons_are_in_the_visitors_language(here: Office) -> None:
    for language, words in (
        ("it", "L'API ha avuto un errore mentre trattava la richiesta (HTTP 503"),
        ("en", "The API failed while it handled the request (HTTP 503"),
    ):
        async with here.logged_in(language=language) as page:
            await page.goto("/sent?group=uncertain")
            await page.get_by_role("link", name=UNCERTAIN).click()
            await expect(page.locator("#live")).to_contain_text(words)


async def test_the_chart_is_drawn(here: Office) -> None:
    async with here.logged_in() as page:
        await page.goto("/usage")
        width = "document.querySelector('img.drawing').naturalWidth"
        await page.wait_for_function(f"{width} > 0")
        chart = page.locator("img.drawing")
        assert await chart.evaluate("one => one.complete && one.naturalWidth > 100")


async def test_it_is_used_by_keyboard_alone(here: Office) -> None:
    async with here.logged_in(language="en") as page:
        await page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        await expect(skip).to_be_focused()
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"


async def test_pictures_for_the_documentation(here: Office) -> None:
    if SHOTS is None:
        pytest.skip("PEC_BRIDGE_SCREENSHOTS names no folder")
    folder = Path(SHOTS)
    for language in ("it", "en"):
        async with here.logged_in(language=language) as page:
            for name, path in (
                ("home", "/"),
                ("sent", "/sent"),
                ("usage", "/usage"),
                ("archive", "/archive"),
                ("setup", "/setup"),
            ):
                await page.goto(path)
                await page.screenshot(path=folder / f"{name}-{language}.png")
            await page.goto("/sent?group=uncertain")
            await page.get_by_role("link", name=UNCERTAIN).click()
            await page.screenshot(path=folder / f"uncertain-{language}.png", full_page=True)
            await page.goto("/sent")
            await page.get_by_role("link", name="Ditta Rossi").click()
            await page.screenshot(path=folder / f"message-{language}.png", full_page=True)
    async with here.logged_in(width=360, dark=True) as page:
        await page.goto("/sent")
        await page.screenshot(path=folder / "sent-phone-dark.png")


async def test_a_person_says_what_became_of_an_uncertain_one(here: Office) -> None:
    """The last test: afterwards there is none any more."""
    async with here.logged_in(language="en") as page:
        await page.goto("/")
        await expect(page.locator("#live")).to_contain_text("may or may not have been sent")
        await page.goto("/sent?group=uncertain")
        await page.get_by_role("link", name=UNCERTAIN).click()
        await page.fill("#code", "opec.2026.invented")
        await page.get_by_role("button", name="It left").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await expect(page.locator(".state").first).to_contain_text("Uncertain")
        await page.get_by_role("button", name="Give it up").click()
        await expect(page.get_by_role("status")).to_contain_text("Done.")
        await expect(page.locator(".state").first).to_contain_text("Given up")
        await page.get_by_role("button", name="Take it back").click()
        await expect(page.locator(".state").first).to_contain_text("Uncertain")
