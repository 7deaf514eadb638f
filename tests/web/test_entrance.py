"""Logging in: who gets in, what a cookie is worth, and what attackers try."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import httpx
import pytest
import structlog

from bridge.limits import GUESSES_FREE
from bridge.web.password import LEAST_CHARS, set_password
from bridge.web.session import SESSION_H
from tests.web.conftest import ADMINISTRATORS, ANNA, BRUNO, PASSWORDS, Site, token_of


def set_administrator(made: Site, *, by: timedelta = timedelta(0)) -> None:
    path = set_password(made.data_dir, ADMINISTRATORS)
    at = (made.clock.now() + by).timestamp()
    os.utime(path, (at, at))


async def test_who_has_not_logged_in_is_asked_to(made: Site) -> None:
    browser = made.browser()
    answer = await browser.get("/?lang=en")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login")
    form = await browser.get("/login")
    assert (form.status_code, 'autocomplete="current-password"' in form.text) == (200, True)


@pytest.mark.parametrize("address", [ANNA, BRUNO])
async def test_an_account_gets_in_with_its_password(made: Site, address: str) -> None:
    browser = await made.logged_in(address, PASSWORDS[address])
    page = await browser.get("/")
    assert (page.status_code, address in page.text) == (200, True)


async def test_the_administrator_gets_in_with_his(made: Site) -> None:
    set_administrator(made, by=timedelta(minutes=-1))
    page = await (await made.administrator()).get("/")
    assert (page.status_code, "administrator" in page.text) == (200, True)


async def test_there_is_no_administrator_before_his_password_is_set(made: Site) -> None:
    for password in ("", ADMINISTRATORS, "admin"):
        answer = await made.browser().log_in("admin", password)
        assert answer.status_code == 403


async def test_a_wrong_password_opens_nothing(made: Site) -> None:
    browser = made.browser()
    for name, password in ((ANNA, "altro"), (ANNA, PASSWORDS[BRUNO]), ("", ""), ("x", "y")):
        answer = await browser.log_in(name, password)
        assert (answer.status_code, "wrong" in answer.text) == (403, True)
        assert (await browser.get("/")).status_code == 303


async def test_who_logs_out_has_to_log_in_again(made: Site) -> None:
    browser = await made.anna()
    stolen = dict(browser.cookies)
    assert (await browser.press("/", "/logout")).status_code == 303
    for cookies in (dict(browser.cookies), stolen):
        thief = made.browser()
        thief.cookies.update(cookies)
        assert (await thief.get("/")).status_code == 303


async def test_a_session_ends(made: Site) -> None:
    browser = await made.anna()
    await made.clock.advance(SESSION_H * 3600 - 1)
    assert (await browser.get("/")).status_code == 200
    await made.clock.advance(1)
    assert (await browser.get("/")).status_code == 303


async def test_a_new_password_ends_the_administrators_sessions(made: Site) -> None:
    set_administrator(made, by=timedelta(minutes=-1))
    browser = await made.administrator()
    assert (await browser.get("/")).status_code == 200
    set_administrator(made, by=timedelta(minutes=1))
    assert (await browser.get("/")).status_code == 303


async def test_a_new_password_ends_an_accounts_sessions(
    made: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it was changed, and whichever bridge the session was begun on."""
    browser = await made.anna()
    assert (await browser.get("/")).status_code == 200
    monkeypatch.setitem(PASSWORDS, ANNA, "another")
    assert (await browser.get("/")).status_code == 303


async def test_the_store_opens_no_session(made: Site) -> None:
    browser = await made.anna()
    token = browser.cookies["pec-bridge"]
    for path in (made.data_dir / "data").iterdir():
        assert token.encode() not in path.read_bytes(), path


async def test_cookies_are_for_nobody_elses_eyes(made: Site) -> None:
    answers = [
        await made.browser().log_in(ANNA, PASSWORDS[ANNA]),
        await made.browser(url="https://127.0.0.1:1180").log_in(ANNA, PASSWORDS[ANNA]),
    ]
    plain, secure = (answer.headers["Set-Cookie"].lower() for answer in answers)
    for cookie in (plain, secure):
        assert {"httponly", "samesite=strict", "path=/"} <= set(cookie.split("; "))
    assert "; secure" not in plain
    assert secure.startswith("__host-pec-bridge=")
    assert "; secure" in secure


async def test_a_planted_cookie_is_worth_nothing_after_login(made: Site) -> None:
    """Session fixation: who knows the cookie from before login does not know the one after."""
    attacker = made.browser()
    await attacker.get("/login")
    planted = dict(attacker.cookies)
    session = await made.anna()
    victim = made.browser()
    for name, value in {**planted, "pec-bridge": "A" * 43}.items():
        victim.cookies.set(name, value, domain="127.0.0.1", path="/")
    assert (await victim.log_in(ANNA, PASSWORDS[ANNA])).status_code == 303
    assert victim.cookies["pec-bridge"] not in ("A" * 43, session.cookies["pec-bridge"])
    for cookies in (planted, {"pec-bridge": "A" * 43}):
        thief = made.browser()
        thief.cookies.update(cookies)
        assert (await thief.get("/")).status_code == 303


async def test_logging_in_anew_ends_the_session_before(made: Site) -> None:
    browser = await made.anna()
    before = browser.cookies["pec-bridge"]
    browser.cookies.delete("pec-bridge")
    form = await browser.get("/login")
    browser.cookies.set("pec-bridge", before, domain="127.0.0.1", path="/")
    fields = {"name": BRUNO, "password": PASSWORDS[BRUNO], "csrf": token_of(form)}
    assert (await browser.post("/login", data=fields)).status_code == 303
    thief = made.browser()
    thief.cookies.set("pec-bridge", before)
    assert (await thief.get("/")).status_code == 303


@pytest.mark.parametrize("csrf", ["", "0" * 64, "\u00e8"])
async def test_a_form_without_its_token_does_nothing(made: Site, csrf: str) -> None:
    browser = await made.anna()
    answer = await browser.post("/logout", data={"csrf": csrf})
    assert answer.status_code == 403
    assert (await browser.get("/")).status_code == 200
    stranger = made.browser()
    await stranger.get("/login")
    fields = {"name": ANNA, "password": PASSWORDS[ANNA], "csrf": csrf}
    assert (await stranger.post("/login", data=fields)).status_code == 403
    assert (await stranger.get("/")).status_code == 303


async def test_anothers_token_does_nothing(made: Site) -> None:
    anna, bruno = await made.anna(), await made.logged_in(BRUNO, PASSWORDS[BRUNO])
    csrf = token_of(await bruno.get("/"))
    assert (await anna.post("/logout", data={"csrf": csrf})).status_code == 403


async def test_the_login_form_of_a_link_elsewhere_logs_nobody_out(made: Site) -> None:
    """A link in a webmail brings no cookie (SameSite): the form it leads to keeps the session."""
    browser = await made.anna()
    session = browser.cookies["pec-bridge"]
    browser.cookies.delete("pec-bridge")
    form = await browser.get("/login")
    assert all(
        "pec-bridge=" not in one.split("-form")[0] for one in form.headers.get_list("Set-Cookie")
    )
    browser.cookies.set("pec-bridge", session, domain="127.0.0.1", path="/")
    assert (await browser.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("/sent?q=a", "/sent?q=a"),
        ("https://attacker.example", "/"),
        ("//attacker.example", "/"),
        ("/\\attacker.example", "/"),
        ("/a\\b", "/"),
        ("/\r\nSet-Cookie: x=y", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
async def test_login_leads_to_our_own_pages_only(made: Site, wanted: str, there: str) -> None:
    answer = await made.browser().log_in(ANNA, PASSWORDS[ANNA], next=wanted)
    assert answer.headers["Location"] == there
    assert len(answer.headers.get_list("Set-Cookie")) == 1


async def test_a_password_is_taken_in_clear_on_this_machine_only(made: Site) -> None:
    for url, expected in (("http://192.168.1.20:1180", 403), ("https://192.168.1.20:1180", 303)):
        elsewhere = made.browser(peer="192.168.1.77", url=url)
        answer = await elsewhere.log_in(ANNA, PASSWORDS[ANNA])
        assert answer.status_code == expected, url


async def test_who_guesses_waits_and_all_protocols_count_together(made: Site) -> None:
    for _ in range(GUESSES_FREE):
        made.guard.failed("127.0.0.1", ANNA)  # as IMAP notes them
    browser = made.browser()
    begun_s = made.clock.monotonic()
    trying = asyncio.ensure_future(browser.log_in(ANNA, "altro"))
    await made.clock.advance(0.2)
    assert not trying.done()
    await made.clock.advance(5)
    assert (await trying).status_code == 403
    assert made.guard.pause_s("127.0.0.1", ANNA) > 0.25
    assert made.clock.monotonic() > begun_s


async def test_guesses_at_the_administrators_password_count(made: Site) -> None:
    set_administrator(made)
    for _ in range(GUESSES_FREE):
        assert (await made.browser().log_in("admin", "prova")).status_code == 403
    assert made.guard.pause_s("10.0.0.9", "admin") > 0


async def test_no_password_is_logged(made: Site) -> None:
    with structlog.testing.capture_logs() as lines:
        await made.browser().log_in(ANNA, "un segreto")
        await made.browser().log_in("un segreto", "x")
        await made.anna()
    assert {line["event"] for line in lines} == {"login_failed", "login"}
    assert "segreto" not in str(lines)
    assert PASSWORDS[ANNA] not in str(lines)


async def test_a_password_has_a_length(made: Site) -> None:
    with pytest.raises(ValueError, match="characters at least"):
        set_password(made.data_dir, "x" * (LEAST_CHARS - 1))
    assert (set_password(made.data_dir, ADMINISTRATORS).stat().st_mode & 0o777) == 0o600


async def test_a_damaged_password_file_opens_nothing(made: Site) -> None:
    set_password(made.data_dir, ADMINISTRATORS).write_text("$scrypt$ln=1,r=1,p=1$$\n")
    assert (await made.browser().log_in("admin", "")).status_code == 403


async def test_a_form_of_another_kind_is_none(made: Site) -> None:
    browser = made.browser()
    csrf = token_of(await browser.get("/login"))
    fields = {"name": ANNA, "password": PASSWORDS[ANNA], "csrf": csrf}
    assert (await browser.post("/login", json=fields)).status_code == 403
    many = "&".join(["csrf=" + csrf, *(f"x{number}=" for number in range(100))])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer: httpx.Response = await browser.post("/login", content=many, headers=headers)
    assert answer.status_code == 403
