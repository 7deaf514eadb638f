"""What becomes of messages: receipts and notices by recipient, each at its time."""

from __future__ import annotations

from random import Random

import httpx
import pytest

from bridge.simulator import (
    OUTCOMES,
    SEQUENCE_READING,
    BodyTransfer,
    Delays,
    ListingOrder,
    Simulator,
)
from bridge.simulator.scenario import outcome_for
from tests.fakes import FakeClock
from tests.simulator.caller import ADDRESS, Caller, calling

ACCEPTED = "ACCETTAZIONE"
DELIVERED = "CONSEGNA"
FAILED = "AVVISO DI MANCATA CONSEGNA"
LATE = "AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO"
READING = SEQUENCE_READING.replace(order=ListingOrder.OLDEST, body_transfer=BodyTransfer.PLAIN)


async def kinds(api: Caller) -> list[str]:
    return [subject.split(":")[0] for subject in await api.subjects()]


@pytest.fixture
def simulator(clock: FakeClock) -> Simulator:
    return Simulator(READING, clock, Random(7))


@pytest.mark.parametrize(
    ("local", "at_once", "after_a_day"),
    [
        ("chiunque", [ACCEPTED, DELIVERED], []),
        ("failure", [ACCEPTED, DELIVERED], []),
        ("fail-a", [ACCEPTED, FAILED], []),
        ("FAIL", [ACCEPTED, FAILED], []),
        ("virus-a", ["AVVISO DI NON ACCETTAZIONE PER VIRUS"], []),
        ("delivery-virus-a", [ACCEPTED, "AVVISO DI MANCATA CONSEGNA PER VIRUS"], []),
        ("late-a", [ACCEPTED], [LATE, LATE]),
        ("slow-a", [ACCEPTED], [LATE, DELIVERED]),
        ("conflict-a", [ACCEPTED], [LATE, LATE, DELIVERED]),
        ("ordinary-a", [ACCEPTED], []),
        ("anomaly-a", [ACCEPTED, "ANOMALIA MESSAGGIO"], []),
        ("nonaccept-a", ["AVVISO DI NON ACCETTAZIONE"], []),
        ("silent-a", [ACCEPTED], []),
        ("mute-a", [], []),
    ],
)
async def test_receipts_by_recipient(
    api: Caller, clock: FakeClock, local: str, at_once: list[str], after_a_day: list[str]
) -> None:
    await api.send(recipient=[f"{local}@altra.invalid"])
    assert await kinds(api) == at_once
    await clock.advance(25 * 3600)
    assert await kinds(api) == at_once + after_a_day


def test_every_outcome_says_what_it_means() -> None:
    assert all(outcome.meaning for outcome in OUTCOMES.values())
    assert outcome_for("delivery-virus-x@a") is OUTCOMES["delivery-virus"]


async def test_each_recipient_has_a_fate_of_its_own(api: Caller) -> None:
    await api.send(recipient=["a@x.invalid", "fail-b@x.invalid", "ordinary-c@x.invalid"])
    assert await kinds(api) == [ACCEPTED, DELIVERED, FAILED]
    acceptance = (await api.get("/inbox/1")).json()["data"]["body"]
    assert (
        'a@x.invalid ("posta certificata")\n'
        'fail-b@x.invalid ("posta certificata")\n'
        'ordinary-c@x.invalid ("posta ordinaria")\n'
    ) in acceptance
    failure = (await api.get("/inbox/3")).json()["data"]
    assert 'indirizzato a "fail-b@x.invalid"' in failure["body"]
    assert "indirizzo non valido" in failure["body"]
    assert failure["sender"] == "posta-certificata@x.invalid"


async def test_one_refused_recipient_stops_the_whole_message(api: Caller) -> None:
    await api.send(recipient=["a@x.invalid", "nonaccept-b@x.invalid"])
    assert await kinds(api) == ["AVVISO DI NON ACCETTAZIONE"]


async def test_a_sender_other_than_the_mailbox_is_not_accepted(api: Caller) -> None:
    await api.send(sender="altro@pec.invalid")
    assert await kinds(api) == ["AVVISO DI NON ACCETTAZIONE"]


async def test_two_deliveries_at_one_provider_are_listed_alike(api: Caller) -> None:
    await api.send(recipient=["a@x.invalid", "b@x.invalid"])
    rows = await api.rows()
    one, other = ({**row, "id": 0} for row in rows[1:])
    assert one == other
    bodies = [(await api.get(f"/inbox/{row['id']}")).json()["data"]["body"] for row in rows[1:]]
    assert bodies[0] != bodies[1]


async def test_a_message_to_oneself_comes_back(api: Caller) -> None:
    await api.send(recipient=[ADDRESS])
    assert await kinds(api) == [ACCEPTED, "POSTA CERTIFICATA", DELIVERED]


async def test_the_notices_tell_12_from_24_hours_in_their_text_only(
    api: Caller, clock: FakeClock
) -> None:
    await api.send(recipient=["late-a@x.invalid"])
    await clock.advance(24 * 3600)
    first, final = (await api.rows())[1:]
    assert first["object"] == final["object"]
    texts = [
        (await api.get(f"/inbox/{row['id']}")).json()["data"]["body"] for row in (first, final)
    ]
    assert "dodici" in texts[0]
    assert "ventiquattro" in texts[1]
    assert first["date"] == "Thu, 15 Jan 2026 22:00:00 +0100"
    assert final["date"] == "Fri, 16 Jan 2026 09:00:00 +0100"


async def test_receipts_come_when_their_delay_has_passed(clock: FakeClock) -> None:
    delays = Delays(acceptance_s=2, delivery_s=5)
    simulator = Simulator(READING.replace(delays=delays), clock)
    async with calling(simulator) as api:
        await api.send()
        assert await kinds(api) == []
        await clock.advance(2)
        assert await kinds(api) == [ACCEPTED]
        await clock.advance(60)
        simulator.run_due()
        assert [listed.row.at.second for listed in simulator.inbox(ADDRESS)] == [2, 5]


@pytest.mark.parametrize("status", [400, 402, 429, 500, 503])
async def test_a_recipient_can_ask_for_a_status(
    api: Caller, simulator: Simulator, status: int
) -> None:
    answer = await api.send(recipient=[f"http-{status}-a@x.invalid"])
    assert answer.status_code == status
    assert answer.json() == {"success": False, "message": f"Simulated status {status}"}
    assert simulator.sent == []


@pytest.mark.parametrize(
    ("local", "error"), [("timeout", httpx.ReadTimeout), ("lost", httpx.RemoteProtocolError)]
)
async def test_a_recipient_can_ask_for_a_lost_answer(
    api: Caller, simulator: Simulator, local: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await api.send(recipient=[f"{local}-a@x.invalid"])
    assert len(simulator.sent) == 1
    assert await kinds(api) == [ACCEPTED, DELIVERED]
