"""Requests to the page that are meant to cost, or to be no request at all."""

from __future__ import annotations

import pytest
import structlog.testing

from tests.selected import some
from tests.web.conftest import Site, made

__all__ = ["made"]

LONG = 8_000
"""A request's head is cut at some more (``limits.WEB_HEAD_BYTES``)."""

HEADERS = {
    "no address": {"Origin": "http://["},
    "brackets": {"Origin": "[" * LONG},
    "a host": {"Host": "[" * LONG},
    "a port": {"Host": "localhost:" + "9" * LONG},
    "cookies": {"Cookie": "a=b; " * (LONG // 5)},
    "quotes": {"Cookie": 'pec-bridge="' + "\\" * LONG},
    "languages": {"Accept-Language": "en;q=0.1," * (LONG // 9)},
    "a weight": {"Accept-Language": "en;q=" + "9" * LONG},
    "a length": {"Content-Length": "9" * LONG},
    "an address of somebody else": {"X-Forwarded-For": "1," * (LONG // 2)},
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_head_of_a_request_fails_or_costs(made: Site, name: str, method: str) -> None:
    async with made.browser() as browser:
        with structlog.testing.capture_logs() as logs:
            answer = await browser.request(method, "/login", headers=HEADERS[name])
        assert answer.status_code < 500
        assert not [one for one in logs if one["log_level"] == "error"]


PAGES = ("/sent", "/archive", "/usage", "/", "/mailboxes")
QUERIES = {
    "a place that is none": "before=" + "9" * LONG,
    "a place beyond all": "before=" + "9" * 30,
    "a text": "subject=" + "a%25_" * (LONG // 5),
    "marks": "subject=a" + "%CC%A7%CC%81" * (LONG // 12),
    "a recipient": "recipient=" + "~%25" * (LONG // 4),
    "a day": "from=" + "9" * LONG + "&until=2026-99-99",
    "names": "&".join(f"a{number}=1" for number in range(LONG // 6)),
    "no letters": "subject=%FF%00%FE",
    "half letters": "q=%ED%A0%80",
    "a place nested too deeply": "before=" + "%5B" * (LONG // 3),
    "a place of other kinds": "before=%5B%22a%22%2C%7B%7D%2Cnull%2C1e999%5D",
    "an archived text": "text=" + "a%25%22*" * (LONG // 8),
    "an archived mark": "text=" + "%CC%A7%CC%81" * (LONG // 12) + "&address=%22",
}


@pytest.mark.parametrize("query", some(QUERIES, 6))
@pytest.mark.parametrize("page", PAGES)
async def test_no_query_fails_or_costs(made: Site, page: str, query: str) -> None:
    browser = await made.anna()
    with structlog.testing.capture_logs() as logs:
        answer = await browser.get(f"{page}?{QUERIES[query]}")
    assert answer.status_code < 500
    assert not [one for one in logs if one["log_level"] == "error"]


IDS = ("9" * LONG, "%00", "..%2F..%2Fetc", "a" * LONG, "%ED%A0%80", "1e999", "-1", "%5B%5B")


@pytest.mark.parametrize("id", IDS, ids=range(len(IDS)))
@pytest.mark.parametrize("path", ["/sent/{}", "/archive/{}", "/archive/{}/message.eml"])
async def test_no_id_fails(made: Site, path: str, id: str) -> None:
    browser = await made.anna()
    with structlog.testing.capture_logs() as logs:
        answer = await browser.get(path.format(id))
    assert answer.status_code in (400, 404)
    assert not [one for one in logs if one["log_level"] == "error"]


FORMS = {
    "fields": "&".join(f"a{number}=1" for number in range(5_000)),
    "marks": "name=" + "%CC%A7%CC%81" * 2_000 + "&password=" + "%CC%A7%CC%81" * 2_000,
    "escapes": "name=" + "%" * 30_000,
    "another encoding": "name=\u00e0",
}


@pytest.mark.parametrize("form", FORMS)
async def test_no_form_fails_or_costs(made: Site, form: str) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with made.browser() as browser:
        with structlog.testing.capture_logs() as logs:
            answer = await browser.post("/login", content=FORMS[form].encode(), headers=kind)
        assert answer.status_code < 500
        assert not [one for one in logs if one["log_level"] == "error"]
