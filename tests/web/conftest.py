"""The page in front of a store, without ports: what it shows comes from operations of the test."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from bridge.config import Account, Api, Config, SecretSource
from bridge.credentials import local
from bridge.login import ADMINISTRATOR_NAME, GuessGuard
from bridge.model import AccountId
from bridge.operations.control import OperationFailed, Progress
from bridge.store.base import Store
from bridge.store.sqlite import SqliteStore
from bridge.web.app import web_app
from bridge.web.lag import LoopLag
from bridge.web.metrics import Monitoring
from bridge.web.password import AdministratorPassword
from bridge.web.people import PagePeople
from bridge.web.services import WebServices
from bridge.web.site import site
from tests.fakes import FakeClock

URL = "http://127.0.0.1:1180"
ANNA, BRUNO = "anna@pec.example", "bruno@pec.example"
PASSWORDS = {ANNA: "di Anna", BRUNO: "di Bruno"}
ADMINISTRATORS = "di chi amministra"
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')

CONFIG = Config(
    api=Api(token=SecretSource(env="UNUSED"), base_url="https://api.invalid"),
    account=(Account(address=ANNA, password=SecretSource(env="UNUSED")),),
)
STATUS: dict[str, Any] = {
    "accounts": [],
    "alarms": [],
    "alarms_out": [],
    "hooks": [],
    "queue": {},
    "since": "2026-01-15T08:00:00.000Z",
    "version": "1",
}

Answer = Callable[[Mapping[str, Any]], Any]


@dataclass(slots=True)
class Done:
    """Operations as the test answers them, and which were asked for."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def __call__(self, name: str, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        self.asked.append((name, dict(arguments)))
        answer = self.answers.get(name)
        if answer is None:
            raise OperationFailed(f"no {name} in this test")
        result = answer(arguments)
        return await result if isinstance(result, Awaitable) else result


class Passwords:
    """The accounts' passwords, in clear."""

    def __init__(self, accounts: Mapping[AccountId, str]) -> None:
        self._ids = {address: id for id, address in accounts.items()}

    async def check(self, login: str, password: str) -> AccountId | None:
        return self._ids[login] if PASSWORDS.get(login) == password else None

    def seal(self, account: AccountId, token: str) -> bytes:
        address = next(address for address, id in self._ids.items() if id == account)
        return hashlib.sha256(f"{token} {PASSWORDS[address]}".encode()).digest()


class Browser(httpx.AsyncClient):
    """Somebody's browser: follows no redirect by itself, knows how to log in."""

    async def log_in(self, name: str, password: str, **fields: str) -> httpx.Response:
        form = await self.get("/login")
        return await self.post(
            "/login", data={"name": name, "password": password, **fields, "csrf": token_of(form)}
        )

    async def press(self, page: str, path: str, **fields: str) -> httpx.Response:
        """Send a form of ``page`` to ``path``, as its button does."""
        csrf = token_of(await self.get(page))
        return await self.post(path, data={**fields, "csrf": csrf})


def token_of(page: httpx.Response) -> str:
    found = TOKEN.search(page.text)
    assert found is not None, page.text
    return found[1]


@dataclass(slots=True)
class Site:
    """The page and what is behind it."""

    app: ASGIApp
    services: WebServices
    store: Store
    clock: FakeClock
    done: Done
    ids: dict[str, AccountId]
    data_dir: Path
    guard: GuessGuard
    browsers: list[Browser] = field(default_factory=list)

    def browser(self, *, peer: str = "127.0.0.1", url: str = URL, language: str = "en") -> Browser:
        transport = httpx.ASGITransport(app=self.app, client=(peer, 40_000))
        headers = {"Accept-Language": language}
        browser = Browser(transport=transport, base_url=url, headers=headers)
        self.browsers.append(browser)
        return browser

    async def anna(self, **options: str) -> Browser:
        return await self.logged_in(ANNA, PASSWORDS[ANNA], **options)

    async def administrator(self, **options: str) -> Browser:
        return await self.logged_in(ADMINISTRATOR_NAME, ADMINISTRATORS, **options)

    async def logged_in(self, name: str, password: str, **options: str) -> Browser:
        browser = self.browser(**options)
        assert (await browser.log_in(name, password)).status_code == 303
        return browser


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that takes a tenth of a second is for guessers, not for every test."""
    monkeypatch.setattr(local, "LOG2_N", 4)


async def added(store: Store, address: str) -> AccountId:
    return await store.write(lambda tx: tx.add_account(address))


@pytest.fixture
async def made(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Site]:
    store = await SqliteStore.open(tmp_path / "data")
    addresses = {await added(store, one): one for one in (ANNA, BRUNO)}
    ids = {address: id for id, address in addresses.items()}
    people = PagePeople(Passwords(addresses), addresses, AdministratorPassword(tmp_path))
    guard = GuessGuard(clock, [*addresses.values(), ADMINISTRATOR_NAME])
    done = Done()
    services = WebServices(
        store, clock, people, people.gate(guard), ZoneInfo("Europe/Rome"), perform=done
    )
    done.answers["status"] = lambda _arguments: STATUS
    done.answers["sent counts"] = lambda _arguments: {}
    monitoring = Monitoring(services, LoopLag(clock), lambda: {"imap": 2})
    routes: list[BaseRoute] = [
        *site(services, lambda: CONFIG, tmp_path / "tls.pem"),
        *monitoring.routes(),
    ]
    one = Site(web_app(routes), services, store, clock, done, ids, tmp_path, guard)
    yield one
    for browser in one.browsers:
        await browser.aclose()
    await store.close()
