from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.schema import SendRequest
from bridge.mailbox import Mailboxes
from bridge.model import AccountId
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.control import OperationFailed
from bridge.operations.receipts import ReceiptOperations
from bridge.operations.table import Operations
from bridge.simulator import STABLE_READING, Errors, Operation, Simulator
from bridge.simulator.wording import NetworkKind
from bridge.store.deletions import DeletionState
from bridge.store.outbox import ClaimBasis
from bridge.store.remote import RemoteId
from bridge.store.sqlite import SqliteStore
from bridge.sync.service import Sync, SyncSettings
from tests.fakes import FakeClock
from tests.receipts.rig import ADDRESS, CODE, SERVICE, Rig

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
    accounts = ApiAccounts((ApiAccount(rig.account, ADDRESS, client),))
    sync = Sync(
        rig.store, rig.mailboxes, rig.filing, [], rig.clock, random.Random(1), SyncSettings()
    )
    return await carried_out(
        rig, ReceiptOperations(rig.store, rig.clock, accounts, sync), name, arguments
    )


async def carried_out(
    rig: Rig, receipts: ReceiptOperations, name: str, arguments: dict[str, Any]
) -> Any:
    operations = Operations([receipts.methods()])
    return await operations.perform(name, {"account": None, **arguments}, lambda *_: None)


async def test_list_has_the_shape_that_is_promised(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.FAILURE, BRUNO)
    await rig.send(id="Q2", code=None)
    assert await perform(rig, "receipts list") == [
        {
            "code": CODE,
            "message_id": "<Q1@azienda.example>",
            "reference": "",
            "envid": "",
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
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    shown = await perform(rig, "receipts show", code=f" {CODE} ")
    assert (shown["id"], shown["account"], shown["code"]) == ("Q1", ADDRESS, CODE)
    assert shown["receipts"] == [
        {
            "number": 1,
            "kind": "acceptance",
            "at": "2026-01-15T09:00:00.000Z",
            "recipients": ANNA,
            "detail": "",
        }
    ]


async def test_show_of_a_code_that_is_not_ours(rig: Rig) -> None:
    with pytest.raises(OperationFailed, match="20260101000000"):
        await perform(rig, "receipts show", code="20260101000000")


async def sent(rig: Rig, client: PecClient, subject: str = "Diffida") -> str:
    """Send through the API, as the outbox would, and keep the entry."""
    answer = await client.send(SendRequest(ADDRESS, (ANNA,), subject, "<p>x</p>"))
    await rig.send((ANNA,), code=answer.code, subject=subject)
    return answer.code


async def test_delete_deletes_at_the_api(rig: Rig, simulator: Simulator, client: PecClient) -> None:
    code = await sent(rig, client)
    assert len(simulator.inbox(ADDRESS)) == 2
    done = await perform(rig, "receipts delete", client, code=code)
    assert done == {"code": code, "account": ADDRESS, "deleted": True}
    assert simulator.inbox(ADDRESS) == ()


@pytest.mark.parametrize("part", ["", "2026", "202601", "*", "%", CODE[:-3], f"{CODE} ", "Diffida"])
async def test_a_part_of_a_code_deletes_nothing(
    rig: Rig, simulator: Simulator, client: PecClient, part: str
) -> None:
    await sent(rig, client)
    simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: Bilancio 2026")
    with pytest.raises(OperationFailed):
        await perform(rig, "receipts delete", client, code=part)
    assert len(simulator.inbox(ADDRESS)) == 3
    assert simulator.calls(Operation.SEND_DELETE) == []


@pytest.mark.parametrize(
    "subject",
    [
        "POSTA CERTIFICATA: Re: Diffida {code}",
        "POSTA CERTIFICATA: Diffida {code}",
        "POSTA CERTIFICATA: Diffida {code} - sollecito",
        "CONSEGNA: I: ACCETTAZIONE: Diffida {code}",
        "ANOMALIA MESSAGGIO: Diffida {code}",
        "Diffida {code}",
    ],
)
async def test_what_is_no_receipt_of_the_send_is_not_deleted(
    rig: Rig, simulator: Simulator, client: PecClient, subject: str
) -> None:
    code = await sent(rig, client)
    sender = "posta-certificata@pec.example" if subject.startswith("CONS") else "x@pec.example"
    simulator.inject(ADDRESS, subject=subject.format(code=code), sender=sender)
    with pytest.raises(OperationFailed, match="Nothing was deleted"):
        await perform(rig, "receipts delete", client, code=code)
    assert len(simulator.inbox(ADDRESS)) == 3
    assert simulator.calls(Operation.SEND_DELETE) == []


async def test_what_sync_brought_is_looked_at_too(rig: Rig, client: PecClient) -> None:
    code = await sent(rig, client)
    await rig.arrive(f"POSTA CERTIFICATA: Re: Diffida {code}", "x", '"Per conto di: a@b.it" ')
    with pytest.raises(OperationFailed, match="Nothing was deleted"):
        await perform(rig, "receipts delete", client, code=code)


async def test_a_code_that_two_sends_have_deletes_nothing(rig: Rig, client: PecClient) -> None:
    code = await sent(rig, client)
    await rig.send((BRUNO,), id="Q2", code=code)
    with pytest.raises(OperationFailed, match="to several messages: Q1 and Q2"):
        await perform(rig, "receipts delete", client, code=code)


async def test_delete_of_a_code_that_is_not_ours(
    rig: Rig, simulator: Simulator, client: PecClient
) -> None:
    code = simulator.send_elsewhere(ADDRESS, "Diffida", [ANNA], coded=True)
    with pytest.raises(OperationFailed, match=f"sent from here with the code {code}"):
        await perform(rig, "receipts delete", client, code=code)
    assert simulator.calls(Operation.SEND_DELETE) == []


async def test_delete_of_what_is_not_there(rig: Rig, client: PecClient) -> None:
    await rig.send()
    with pytest.raises(OperationFailed, match=f"no message with the code {CODE}"):
        await perform(rig, "receipts delete", client, code=CODE)


async def test_delete_without_secrets(rig: Rig) -> None:
    await rig.send()
    with pytest.raises(OperationFailed, match="secrets"):
        await perform(rig, "receipts delete", code=CODE)


async def test_a_persons_word_is_marked_wherever_it_shows(rig: Rig) -> None:
    id = await rig.send()
    await rig.store.write(lambda tx: tx.claim_code(id, ClaimBasis.WORD))
    (listed,) = await perform(rig, "receipts list")
    shown = await perform(rig, "receipts show", code=CODE)
    for facts in (listed, shown):
        assert facts["on_word"] is True
        assert facts["recipients"][0]["detail"] == "the code is a person's word, not confirmed"
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    (listed,) = await perform(rig, "receipts list")
    assert "on_word" not in listed
    assert listed["recipients"][0]["detail"] == ""


class Fetching(Sync):
    """Notes which texts it is to fetch."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    async def fetch_texts(self, account: AccountId, remotes: Sequence[RemoteId]) -> int:
        self.asked.append((account, *remotes))
        return len(remotes)


async def test_show_fetches_what_is_listed_and_was_not_read(rig: Rig, client: PecClient) -> None:
    await rig.send()
    await rig.store.write(lambda tx: tx.add_issuer(rig.account, SERVICE))
    arrival = await rig.add(f"ACCETTAZIONE: Diffida {CODE}", "")
    await rig.judge()
    sync = Fetching()
    receipts = ReceiptOperations(
        rig.store, rig.clock, ApiAccounts((ApiAccount(rig.account, ADDRESS, client),)), sync
    )
    for fetch in (False, True):
        arguments = {"account": None, "code": CODE, "fetch": fetch}
        shown = await carried_out(rig, receipts, "receipts show", arguments)
        assert shown["by_listing"]
    assert sync.asked == [(rig.account, arrival.remote)]


async def test_what_was_cleared_is_listed_with_how_it_ended(rig: Rig) -> None:
    await rig.send()
    ids = [await rig.receipt(kind, ANNA) for kind in (NetworkKind.ACCEPTANCE, NetworkKind.DELIVERY)]
    now = rig.clock.now()
    await rig.store.write(lambda tx: tx.want_clearing(ids, now))
    await rig.store.write(lambda tx: tx.end_clearing(ids[0], now))
    await rig.store.write(
        lambda tx: tx.settle_clearing(ids[1], DeletionState.DOUBTED, "there is another", now)
    )
    listed = await perform(rig, "receipts cleared")
    assert [(one["kind"], one["state"], one["reason"]) for one in listed] == [
        ("delivery", "doubted", "there is another"),
        ("acceptance", "done", ""),
    ]
    assert (listed[1]["account"], listed[1]["code"]) == (ADDRESS, CODE)
    assert listed[1]["at"] == "2026-01-15T09:00:00.000Z"
    assert await perform(rig, "receipts cleared", account=ADDRESS) == listed
    await rig.clock.advance(31 * 86_400)
    assert await perform(rig, "receipts cleared") == []
    assert len(await perform(rig, "receipts cleared", days=60)) == 2
