from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.schema import SendRequest
from bridge.control import OperationFailed
from bridge.mailbox import Mailboxes
from bridge.operations import Operations
from bridge.operations.receipts import Receipts
from bridge.operations.subject import Subject, Subjects
from bridge.simulator import STABLE_READING, Errors, Simulator
from bridge.simulator.wording import Kind
from bridge.store.sqlite import SqliteStore
from tests.fakes import FakeClock
from tests.receipts.rig import ADDRESS, CODE, Rig

ANNA, BRUNO = "anna@pec.example", "bruno@pec.example"


@pytest.fixture
async def rig(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Rig]:
    store = await SqliteStore.open(tmp_path)
    mailboxes = Mailboxes(store, clock)
    account = await mailboxes.open_account(ADDRESS)
    yield Rig(store, mailboxes, clock, account)
    await store.close()


@pytest.fixture
def simulator(clock: FakeClock) -> Simulator:
    made = Simulator(STABLE_READING.replace(errors=Errors.STATUS), clock, random.Random(1))
    made.add_mailbox(ADDRESS, "pw")
    return made


@pytest.fixture
async def client(simulator: Simulator, clock: FakeClock) -> AsyncIterator[PecClient]:
    connection = ApiConnection(
        "http://api.invalid",
        simulator.token,
        clock=clock,
        transport=httpx.ASGITransport(app=simulator.app),
    )
    yield PecClient(connection, username=ADDRESS, password="pw", clock=clock)
    await connection.aclose()


async def perform(rig: Rig, name: str, client: PecClient | None = None, **arguments: Any) -> Any:
    subjects = Subjects((Subject(rig.account, ADDRESS, client),))
    operations = Operations([Receipts(rig.store, rig.clock, subjects).methods()])
    return await operations.perform(name, {"account": None, **arguments}, lambda *_: None)


async def test_list_has_the_shape_that_is_promised(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO))
    await rig.receipt(Kind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(Kind.FAILURE, BRUNO)
    await rig.send(id="Q2", code=None)
    assert await perform(rig, "receipts list") == [
        {
            "code": CODE,
            "message_id": "<Q1@azienda.example>",
            "subject": "Diffida",
            "sent_at": "2026-01-15T09:00:00.000Z",
            "accepted_at": "2026-01-15T09:00:00.000Z",
            "recipients": [
                {
                    "address": ANNA,
                    "state": "accepted",
                    "at": "2026-01-15T09:00:00.000Z",
                    "detail": "",
                    "conflict": False,
                },
                {
                    "address": BRUNO,
                    "state": "failed",
                    "at": "2026-01-15T09:00:00.000Z",
                    "detail": "5.1.1 indirizzo non valido",
                    "conflict": False,
                },
            ],
        }
    ]


async def test_list_leaves_out_what_is_older_than_a_month(rig: Rig) -> None:
    await rig.send()
    await rig.clock.advance(31 * 24 * 3600)
    assert await perform(rig, "receipts list") == []


async def test_show_adds_every_receipt(rig: Rig) -> None:
    await rig.send()
    await rig.receipt(Kind.ACCEPTANCE, ANNA)
    shown = await perform(rig, "receipts show", code=f" {CODE} ")
    assert (shown["id"], shown["account"], shown["code"]) == ("Q1", ADDRESS, CODE)
    assert shown["receipts"] == [
        {
            "kind": "acceptance",
            "at": "2026-01-15T09:00:00.000Z",
            "recipients": ANNA,
            "detail": "",
        }
    ]


async def test_show_of_a_code_that_is_not_ours(rig: Rig) -> None:
    with pytest.raises(OperationFailed, match="20260101000000"):
        await perform(rig, "receipts show", code="20260101000000")


async def test_delete_deletes_at_the_api(rig: Rig, simulator: Simulator, client: PecClient) -> None:
    answer = await client.send(SendRequest(ADDRESS, (ANNA,), "Diffida", "<p>x</p>"))
    assert len(simulator.inbox(ADDRESS)) == 2
    done = await perform(rig, "receipts delete", client, code=answer.code)
    assert done == {"code": answer.code, "account": ADDRESS, "deleted": True}
    assert simulator.inbox(ADDRESS) == ()


async def test_delete_of_what_is_not_there(rig: Rig, client: PecClient) -> None:
    with pytest.raises(OperationFailed, match="no message with the code 20260101000000"):
        await perform(rig, "receipts delete", client, code="20260101000000")


async def test_delete_without_secrets(rig: Rig) -> None:
    with pytest.raises(OperationFailed, match="secrets"):
        await perform(rig, "receipts delete", code=CODE)
