"""Programs in front of an outbox with two accounts, by the operations of the command line."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.types import ASGIApp

from bridge.language import LanguageSetting
from bridge.login import ADMINISTRATOR_NAME, GuessGuard
from bridge.model import AccountId, QueueId
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.events import EventOperations
from bridge.operations.export import ExportOperations
from bridge.operations.keys import KeyOperations
from bridge.operations.outcome import OutcomeOperations
from bridge.operations.queue import QueueOperations
from bridge.operations.table import Operations
from bridge.outbox.plan import PLANS
from bridge.outbox.window import ALL_DAY, SendingPace
from bridge.simulator import Failure, Operation, Phase, Simulator
from bridge.web.app import web_app
from bridge.web.contract.dispatch import Contract
from bridge.web.contract.openapi import description
from bridge.web.password import AdministratorPassword
from bridge.web.people import PagePeople
from bridge.web.services import WebServices
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, Rig, simulated
from tests.web.conftest import CONFIG
from tests.web.contract.described import Described

URL = "http://127.0.0.1:1180"
AZIENDA, STUDIO = ADDRESSES


class Nobody:
    """No password fits."""

    async def check(self, _login: str, _password: str) -> AccountId | None:
        return None

    def seal(self, _account: AccountId, _token: str) -> bytes:
        return b""


class Program(httpx.AsyncClient):
    """A program that asks; each answer is held against the description."""

    described: Described | None = None

    async def request(self, *given: Any, **more: Any) -> httpx.Response:
        answer = await super().request(*given, **more)
        if self.described is not None:
            self.described.check(answer)
        return answer

    async def ask(self, path: str, **query: object) -> Any:
        """Return what an answer says; it is no problem."""
        answer = await self.get(
            f"/api/v1/{path}", params={name: str(one) for name, one in query.items()}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def problem(self, path: str, **query: object) -> Any:
        """Return the last part of a problem's type, and its status."""
        return named(
            await self.get(
                f"/api/v1/{path}", params={name: str(one) for name, one in query.items()}
            )
        )

    async def decide(self, path: str, **body: object) -> httpx.Response:
        return await self.post(f"/api/v1/sends/{path}", json=body)


def named(answer: httpx.Response) -> tuple[int, str]:
    """Return a problem's status and the last part of its type."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].removeprefix("urn:pec-bridge:problem:")


@dataclass(slots=True)
class Office:
    """A bridge's messages, and programs that ask for them."""

    rig: Rig
    simulator: Simulator
    services: WebServices
    app: ASGIApp
    operations: Operations
    contract: Contract
    speaks: list[LanguageSetting]
    programs: list[Program] = field(default_factory=list)

    @property
    def clock(self) -> FakeClock:
        return self.rig.clock

    async def do(self, operation: str, /, **arguments: object) -> Any:
        """Carry out an operation as the command line does."""
        return await self.operations.perform(operation, arguments, lambda *_: None)

    async def key(self, name: str = "ERP", account: str = AZIENDA, *, write: bool = False) -> Any:
        return await self.do("apikey create", name=name, account=account, write=write)

    def program(
        self, key: str | None = None, *, peer: str = "127.0.0.1", url: str = URL
    ) -> Program:
        transport = httpx.ASGITransport(app=self.app, client=(peer, 40_000))
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        program = Program(transport=transport, base_url=url, headers=headers)
        program.described = Described(self.description())
        self.programs.append(program)
        return program

    def description(self) -> Mapping[str, Any]:
        return description(self.contract.endpoints)

    async def erp(
        self, name: str = "ERP", account: str = AZIENDA, *, write: bool = False
    ) -> Program:
        """Return a program with a key of its own."""
        return self.program((await self.key(name, account, write=write))["key"])

    async def uncertain(self, subject: str = "Prova") -> QueueId:
        """Return a message of which nobody knows whether it left."""
        self.simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
        id = await self.rig.submit(subject)
        await self.rig.pass_time(3)
        return id


@pytest.fixture
async def office(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Office]:
    simulator = simulated(clock)
    rig = await Rig.open(tmp_path, clock, simulator)
    addresses = dict(zip(rig.accounts, ADDRESSES, strict=True))
    accounts = ApiAccounts(tuple(ApiAccount(id, one, None) for id, one in addresses.items()))
    pace = SendingPace(1.0, PLANS["standard"], ALL_DAY)
    operations = Operations(
        [
            OutcomeOperations(rig.store, clock, accounts, ALL_DAY, rig.mailboxes).methods(),
            EventOperations(rig.store, clock, accounts, rig.mailboxes).methods(),
            QueueOperations(rig.store, clock, accounts, rig.decisions, pace).methods(),
            ExportOperations(rig.store, clock, accounts).methods(),
            KeyOperations(rig.store, clock, accounts).methods(),
        ]
    )
    people = PagePeople(Nobody(), addresses, AdministratorPassword(tmp_path))
    guard = GuessGuard(clock, [*ADDRESSES, ADMINISTRATOR_NAME])
    services = WebServices(
        rig.store, clock, people, people.gate(guard), ZoneInfo("Europe/Rome"), operations.perform
    )
    speaks: list[LanguageSetting] = ["en"]
    contract = Contract(
        services, lambda: replace(CONFIG, display=replace(CONFIG.display, language=speaks[0]))
    )
    app = web_app(contract.routes(), language=lambda: speaks[0])
    one = Office(rig, simulator, services, app, operations, contract, speaks)
    yield one
    for program in one.programs:
        await program.aclose()
    await rig.close()


async def soon(awaited: Awaitable[Any], office: Office, seconds: float) -> Any:
    """Let time pass while something is waited for; return it."""
    task = asyncio.ensure_future(awaited)
    await office.rig.pass_time(seconds)
    return await asyncio.wait_for(task, 5)


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
