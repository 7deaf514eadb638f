"""A send followed through the simulator, under every reading of the API's description."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import httpx
import pytest

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.schema import InboxRow, SendRequest
from bridge.model import QueueId
from bridge.receipts.arrival import Arrival
from bridge.simulator import READINGS, Options, Simulator
from bridge.simulator.options import BodyContent, Delays, EnvelopeBody, ReceiptText
from bridge.store.remote import NewRemote
from tests.fakes import FakeClock
from tests.receipts.rig import ADDRESS, Rig

ANNA, BRUNO = "anna@uno.example", "bruno@due.example"
SUBJECT = "Diffida: perché è città"


FIELDS = (
    "body_transfer",
    "body_content",
    "receipt_text",
    "envelope_body",
    "dates",
    "names",
    "fan_out",
    "accents",
    "sender_shape",
)
"""What of a reading shows in a row or a body."""


def variants(*, named: bool = False) -> list[Any]:
    """Each reading, and each with one field at each of its other values.

    ``named``: only those in which a delivery names its recipient.
    """
    found = []
    for reading, options in READINGS.items():
        found.append(pytest.param(options, id=reading))
        for field in FIELDS:
            value = getattr(options, field)
            for other in type(value):
                if other is not value and not (named and other is ReceiptText.ORIGINAL):
                    name = f"{reading} but {field} {other.value}"
                    found.append(pytest.param(options.replace(**{field: other}), id=name))
    return found


class World:
    """The simulator, an API client on it, and a rig that files what it lists."""

    def __init__(self, rig: Rig, simulator: Simulator, client: PecClient) -> None:
        self.rig = rig
        self.simulator = simulator
        self.client = client
        self._seen: set[int] = set()

    async def send(self, *recipients: str, id: str = "Q1") -> QueueId:
        request = SendRequest(ADDRESS, recipients, SUBJECT, "<p>Si diffida, perché.</p>")
        queue_id = await self.rig.send(recipients, code=None, subject=SUBJECT, id=id)
        answer = await self.client.send(request)
        await self.rig.answer(queue_id, answer.code)
        return queue_id

    async def sync(self) -> None:
        """List and file what is new, as the API shows it; identity is not what is tested."""
        arrivals = []
        for listed in self.simulator.inbox(ADDRESS):
            if listed.row.number in self._seen:
                continue
            self._seen.add(listed.row.number)
            message = await self.client.inbox_message(str(listed.id))
            arrivals.append(await self._arrival(message.row, str(message.body)))
        await self.rig.filing.file(self.rig.account, arrivals)

    async def _arrival(self, row: InboxRow, body: str) -> Arrival:
        now = self.rig.clock.now()
        new = NewRemote(
            self.rig.account,
            row.subject.encode(),
            row.api_id,
            row.raw,
            sender=row.sender,
            recipient=row.recipient,
            date_text=row.date_text,
            subject=row.subject,
            received_at=row.date,
            first_seen=now,
        )
        remote = await self.rig.store.write(lambda tx: tx.add_remote(new))
        return Arrival(
            remote,
            sender=row.sender,
            recipient=row.recipient,
            date_text=row.date_text,
            subject=row.subject,
            received_at=row.date,
            first_seen=now,
            body=body,
        )


@pytest.fixture
async def world_of(rig: Rig, clock: FakeClock) -> AsyncIterator[Callable[[Options], World]]:
    connections: list[ApiConnection] = []

    def make(options: Options) -> World:
        simulator = Simulator(options, clock, Random(1))
        simulator.add_mailbox(ADDRESS, "pw")
        connection = ApiConnection(
            "http://api.invalid",
            simulator.token,
            clock=clock,
            transport=httpx.ASGITransport(app=simulator.app),
        )
        connections.append(connection)
        client = PecClient(connection, username=ADDRESS, password="pw", clock=clock)
        return World(rig, simulator, client)

    yield make
    for connection in connections:
        await connection.aclose()


@pytest.mark.parametrize("options", variants())
async def test_a_send_to_others_and_oneself_is_seen_whole(
    options: Options, world_of: Callable[[Options], World]
) -> None:
    world = world_of(options.replace(delays=Delays(delivery_s=5)))
    id = await world.send(ANNA, ADDRESS)
    await world.sync()
    assert set((await world.rig.states(id)).values()) == {"accepted"}
    assert await world.rig.keywords() == {"$PecAccepted"}
    await world.rig.clock.advance(10)
    await world.sync()
    assert await world.rig.states(id) == {ANNA: "delivered", ADDRESS: "delivered"}
    assert await world.rig.keywords() == {"$PecAccepted", "$PecDelivered"}
    assert await world.rig.alarms() == []
    messages = await world.rig.messages()
    assert not any(message.defects for message in messages)
    (incoming,) = [one for one in messages if one["X-Trasporto"]]
    receipts = [one for one in messages if one["X-Ricevuta"]]
    assert {one["In-Reply-To"] for one in receipts} == {"<Q1@azienda.example>"}
    assert {one["X-Ricevuta"] for one in receipts} == {"accettazione", "avvenuta-consegna"}
    assert len(receipts) + 1 == len(messages)
    assert (incoming["From"], incoming["To"]) == (ADDRESS, ADDRESS)
    assert str(incoming["Subject"]).startswith("POSTA CERTIFICATA: Diffida: perch")
    assert incoming["In-Reply-To"] is None
    words = incoming.get_body(("plain", "html"))
    assert words is not None
    wrapped = options.envelope_body is EnvelopeBody.WRAPPER
    whole = options.body_content is BodyContent.MIME
    assert ("Messaggio" if wrapped or whole else "Si diffida, perché.") in words.get_content()


@pytest.mark.parametrize("options", variants(named=True))
async def test_each_recipient_has_its_own_outcome(
    options: Options, world_of: Callable[[Options], World]
) -> None:
    world = world_of(options)
    id = await world.send(ANNA, "fail-x@due.example", "late-x@tre.example", "slow-x@qua.example")
    await world.sync()
    await world.rig.clock.advance(12.5 * 3600)
    await world.sync()
    assert await world.rig.states(id) == {
        ANNA: "delivered",
        "fail-x@due.example": "failed",
        "late-x@tre.example": "late_12h",
        "slow-x@qua.example": "delivered",
    }
    await world.rig.clock.advance(12 * 3600)
    await world.sync()
    assert (await world.rig.states(id))["late-x@tre.example"] == "failed_24h"
    assert "$PecFailed" in await world.rig.keywords()
    assert sorted(await world.rig.alarm_kinds()) == ["failure", "failure"]


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize(
    ("local", "state"),
    [
        ("virus", "failed"),
        ("nonaccept", "failed"),
        ("delivery-virus", "failed"),
        ("conflict", "delivered"),
        ("ordinary", "accepted_uncertifiable"),
        ("anomaly", "accepted_uncertifiable"),
        ("silent", "accepted"),
        ("mute", "pending"),
    ],
)
async def test_every_scenario_ends_as_it_should(
    name: str, local: str, state: str, world_of: Callable[[Options], World]
) -> None:
    world = world_of(READINGS[name])
    id = await world.send(f"{local}-x@due.example")
    await world.rig.clock.advance(25 * 3600)
    await world.sync()
    assert set((await world.rig.states(id)).values()) == {state}


@pytest.mark.parametrize("name", READINGS)
async def test_deliveries_that_name_nobody_are_counted(
    name: str, world_of: Callable[[Options], World]
) -> None:
    options = READINGS[name].replace(receipt_text=ReceiptText.ORIGINAL)
    world = world_of(options)
    id = await world.send(ANNA, BRUNO, "silent-x@tre.example")
    await world.sync()
    where = await world.rig.standing(id)
    assert {one.state.value for one in where.recipients} == {"accepted"}
    assert {one.detail for one in where.recipients} == {"2 of 3 delivered, names unknown"}


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("limit", [40, 55])
async def test_subjects_cut_short_are_still_tied(
    name: str, limit: int, world_of: Callable[[Options], World]
) -> None:
    """By the text where it names the code, by subject and time where it doesn't."""
    world = world_of(READINGS[name].replace(subject_limit=limit))
    id = await world.send(ANNA)
    await world.sync()
    assert await world.rig.states(id) == {ANNA: "delivered"}
