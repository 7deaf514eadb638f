"""What a look at the API costs, and that each body is read once."""

from __future__ import annotations

from datetime import timedelta

from bridge.api.client import PecClient
from bridge.outbox.lookup import BODIES_LIMIT, Lookup
from bridge.simulator import Operation, Simulator
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, PASSWORD, Rig


async def test_a_look_reads_so_many_texts_and_each_of_them_once(
    rig: Rig, simulator: Simulator, clock: FakeClock
) -> None:
    for number in range(BODIES_LIMIT + 1):
        at = clock.now() + timedelta(seconds=number)
        subject = f"ACCETTAZIONE: Fattura 12 20260115090{number:03}12"
        simulator.inject(ADDRESSES[0], subject=subject, sender="posta-certificata@x.invalid", at=at)
    client = PecClient(rig.connection, username=ADDRESSES[0], password=PASSWORD, clock=clock)
    lookup = Lookup(client)
    for read in (BODIES_LIMIT, BODIES_LIMIT):
        found = await lookup.search("Fattura 12", lambda _: True)
        assert len(found) == BODIES_LIMIT + 1
        assert sum(one.readable for one in found) == BODIES_LIMIT
        assert len(simulator.calls(Operation.INBOX_GET)) == read
