"""Italian and English: which one a browser gets, and that each text is there in both."""

from __future__ import annotations

import gettext
import io
import re

import pytest

from bridge.web.language import LANGUAGES, catalogue
from tests.catalogues import PAGE, compiled
from tests.web.conftest import Site

PLACEHOLDER = re.compile(r"%\(\w+\)s")


def texts(given: object) -> tuple[str, ...]:
    return tuple(map(str, given)) if isinstance(given, tuple) else (str(given),)


def test_every_text_of_the_source_is_in_italian_and_no_other() -> None:
    known = {message.id: message.string for message in PAGE.translated() if message.id}
    assert {message.id for message in PAGE.in_the_source() if message.id} == set(known)
    missing = [id for id, words in known.items() if not all(texts(words))]
    assert missing == [], "translate these in the catalogue, then: python -m tests.catalogues"


def test_a_translation_fills_in_what_its_text_does() -> None:
    for message in PAGE.translated():
        wanted = set(PLACEHOLDER.findall(texts(message.id)[-1]))
        for words in texts(message.string):
            assert set(PLACEHOLDER.findall(words)) == wanted or not message.id, message.id


def test_the_compiled_catalogue_is_the_written_one() -> None:
    shipped = gettext.GNUTranslations(io.BytesIO(PAGE.italian.with_suffix(".mo").read_bytes()))
    fresh = gettext.GNUTranslations(io.BytesIO(compiled(PAGE.translated())))
    for message in PAGE.translated():
        if message.id:
            id = texts(message.id)[0]
            assert shipped.gettext(id) == fresh.gettext(id), "python -m tests.catalogues"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("it-IT,it;q=0.9,en;q=0.8", "it"),
        ("en-GB,en;q=0.9", "en"),
        ("de, en;q=0.4, it;q=0.6", "it"),
        ("de", "it"),
        ("", "it"),
        ("en;q=0, it;q=abc", "it"),
        ("*" * 10_000, "it"),
        ("it;q=0.2, en;Q=0.5", "en"),
        ("it;Q=0.1, en;q=0.5", "en"),
        ("it ; q = 0.1 , en ; q=0.5", "en"),
        ("en, it", "en"),
        ("en;q=0.5, it;q=0.5", "en"),
        ("de, *;q=0.5", "it"),
        ("*, it;q=0", "en"),
        ("it;q=0", "en"),
        ("it;q=0, en;q=0", "it"),
        ("en;q=nan", "it"),
        ("en;q=inf, it;q=0.1", "it"),
        ("en;q=-1, it;q=0.001", "it"),
        ("EN-gb", "en"),
        ("it-CH-1996, en;q=0.9", "it"),
        (",,;q=1,en;;", "en"),
    ],
)
async def test_a_browser_gets_what_it_accepts(made: Site, accepted: str, language: str) -> None:
    page = await made.browser(language=accepted).get("/login")
    assert f'<html lang="{language}">' in page.text
    assert page.headers["Content-Language"] == language


async def test_a_switch_stays(made: Site) -> None:
    browser = made.browser(language="en")
    assert "Log in" in (await browser.get("/login")).text
    assert "Accedi" in (await browser.get("/login?lang=it")).text
    assert "Accedi" in (await browser.get("/login")).text
    assert "Log in" in (await browser.get("/login?lang=en")).text
    assert "Log in" in (await browser.get("/login?lang=xx")).text


def test_there_is_a_catalogue_of_each() -> None:
    assert {catalogue(one).gettext("Home") for one in LANGUAGES} == {"Home", "Inizio"}
