"""States from rows, with forged, forwarded and foreign ones among them, whatever else happens.

No send may claim what its own receipts did not say, and once all texts are here each says what
they did.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bridge.api.errors import ApiError
from bridge.api.purpose import Purpose
from bridge.model import QueueId
from bridge.receipts.record import standing_of
from bridge.simulator import (
    SEQUENCE_READING,
    Failure,
    Ids,
    ListingOrder,
    Operation,
    PageCount,
    PageCounts,
    Phase,
    Simulator,
)
from bridge.simulator.wording import NetworkKind
from bridge.store.base import ReadTransaction
from tests.fakes import FakeClock
from tests.selected import some
from tests.stories import Story, tell, tell_one
from tests.sync.test_rows import Frugal, code_of, know_issuer, receipt, submit
from tests.sync.world import ADDRESS, World

STRANGER = "avvocato@studio.invalid"
FEW = 2
"""Sends of a story: of few much can happen to each."""

TEXTS = (Purpose.ARRIVAL, Purpose.CONFIRMATION)
STATES = {
    "accepted": "accepted",
    "delivered": "delivered",
    "failed": "failed",
    "failed_24h": "failed",
}


class StatesWhatever(RuleBasedStateMachine):
    """Sends, and receipts that are theirs, others', or nobody's."""

    @initialize(
        ids=st.sampled_from(Ids),
        base=st.sampled_from([0, 1]),
        order=st.sampled_from(ListingOrder),
        count=st.sampled_from(PageCount),
        counts=st.sampled_from(PageCounts),
        size=st.sampled_from([3, 25]),
        come=st.sampled_from([False, False, True]),
    )
    def begin(self, come: bool, **reading: object) -> None:
        options = SEQUENCE_READING.replace(
            ids=reading["ids"],
            page_base=reading["base"],
            order=reading["order"],
            page_count=reading["count"],
            counts=reading["counts"],
            page_size=reading["size"],
        )
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        clock = FakeClock()
        simulator = Simulator(options, clock, Random(1))
        self.here = World(clock, simulator, Path(self.folder.name))
        self.refused: set[Purpose] = set() if come else set(TEXTS)
        self.here.wrap = lambda client: _Shared(client, self.refused)
        self.runner.run(self.here.start())
        self.runner.run(know_issuer(self.here))
        self.people: dict[int, tuple[str, ...]] = {}
        self.said: dict[int, set[tuple[str, str]]] = {}
        self.seen: set[int] = set()
        self.numbers = 0

    def teardown(self) -> None:
        if not hasattr(self, "here"):
            return
        try:
            self.let_texts_come(come=True)
            for _ in range(4):
                self.sync()
                self.runner.run(self.here.clock.advance(90_000))
            self.sync()
            for number in self.people:
                assert self.claimed(number) == self.said[number], f"send {number}, all texts here"
        finally:
            self.runner.run(self.here.stop())
            self.runner.close()
            self.folder.cleanup()

    # -- receipts that are a send's own ------------------------------------------------------

    @rule(people=st.integers(1, 3))
    def send(self, people: int) -> None:
        if self.numbers == FEW:
            return
        self.numbers += 1
        names = self.people[self.numbers] = tuple(f"p{one}@pec.invalid" for one in range(people))
        self.said[self.numbers] = set()
        self.runner.run(submit(self.here, self.numbers, *names))

    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        waiting = [number for number, said in self.said.items() if not said]
        if waiting:
            number = data.draw(st.sampled_from(waiting))
            receipt(self.here, number, NetworkKind.ACCEPTANCE, *self.people[number])
            self.said[number] = {(name, "accepted") for name in self.people[number]}

    @rule(data=st.data(), kind=st.sampled_from([NetworkKind.DELIVERY, NetworkKind.FAILURE]))
    def settle(self, data: st.DataObject, kind: NetworkKind) -> None:
        waiting = [
            (number, name)
            for number, said in self.said.items()
            for name, state in sorted(said)
            if state == "accepted"
        ]
        if waiting:
            number, name = data.draw(st.sampled_from(waiting))
            receipt(self.here, number, kind, name, later_s=1)
            state = "delivered" if kind is NetworkKind.DELIVERY else "failed"
            self.said[number] = self.said[number] - {(name, "accepted")} | {(name, state)}

    # -- receipts that are not ---------------------------------------------------------------

    @rule(data=st.data(), prefix=st.sampled_from(["ACCETTAZIONE", "CONSEGNA"]))
    def forge(self, data: st.DataObject, prefix: str) -> None:
        """Somebody writes what looks like a receipt; by the network it would come wrapped."""
        if self.people:
            number = data.draw(st.sampled_from(sorted(self.people)))
            self.inject(f"{prefix}: Diffida {number} {code_of(number)}", "anna@pec.invalid")
            self.inject(f"POSTA CERTIFICATA: {prefix}: Diffida {number} {code_of(number)}")

    @rule(data=st.data())
    def reply(self, data: st.DataObject) -> None:
        if self.people:
            number = data.draw(st.sampled_from(sorted(self.people)))
            self.inject(f"POSTA CERTIFICATA: Re: Diffida {number} {code_of(number)}")

    @rule(data=st.data(), delivered=st.booleans())
    def forward(self, data: st.DataObject, delivered: bool) -> None:
        """From the webmail, the subject as it stood: whoever does that has seen the acceptance."""
        known = sorted(self.seen & {number for number, said in self.said.items() if said})
        if known:
            number = data.draw(st.sampled_from(known))
            self.runner.run(self.here.clock.advance(1))
            receipt(self.here, number, NetworkKind.ACCEPTANCE, STRANGER)
            if delivered:
                receipt(self.here, number, NetworkKind.DELIVERY, STRANGER, later_s=1)

    @rule(data=st.data(), kind=st.sampled_from([NetworkKind.ACCEPTANCE, NetworkKind.DELIVERY]))
    def come_for_what_was_sent_elsewhere(self, data: st.DataObject, kind: NetworkKind) -> None:
        """Another program's: the same subject, another code."""
        if self.people:
            number = data.draw(st.sampled_from(sorted(self.people)))
            receipt(self.here, number, kind, code=code_of(50_000 + number))

    @rule(data=st.data())
    def come_twice(self, data: st.DataObject) -> None:
        rows = [one.row for one in self.here.simulator.inbox(ADDRESS)]
        ours = [row for row in rows if row.subject.startswith(("ACC", "CONS"))]
        if ours:
            row = data.draw(st.sampled_from(ours))
            self.inject(row.subject, row.sender, row.text, row.at)

    def inject(self, subject: str, sender: str = "", body: str = "(x)", at: object = None) -> None:
        more = {"sender": sender} if sender else {}
        at = at or self.here.clock.now()
        self.here.simulator.inject(ADDRESS, subject=subject, body=body, at=at, **more)  # type: ignore[arg-type]

    # -- what else happens -------------------------------------------------------------------

    @rule(come=st.booleans())
    def let_texts_come(self, come: bool) -> None:
        self.refused.clear()
        self.refused.update(() if come else TEXTS)

    @rule()
    def sync(self) -> None:
        with contextlib.suppress(ApiError):
            self.runner.run(self.here.sync_now())
            self.seen |= self.people.keys()
        self.runner.run(self.here.clock.advance(61))
        self.check()

    @rule(operation=st.sampled_from([Operation.INBOX_LIST, Operation.INBOX_GET]))
    def fail(self, operation: Operation) -> None:
        self.here.simulator.faults.fail(operation, Phase.AFTER, Failure.TIMEOUT)

    @rule()
    def restart(self) -> None:
        self.runner.run(self.here.restart())
        self.check()

    # -- what has to be so -------------------------------------------------------------------

    def claimed(self, number: int) -> set[tuple[str, str]]:
        async def work(tx: ReadTransaction) -> set[tuple[str, str]]:
            row = await tx.submission(QueueId(f"Q{number}"))
            assert row is not None
            stands = (await standing_of(tx, row)).recipients
            states = {one.address: one.state.value for one in stands}
            return {(name, STATES[state]) for name, state in states.items() if state != "pending"}

        return self.runner.run(self.here.store.read(work))

    def check(self) -> None:
        for number, said in self.said.items():
            for name, state in self.claimed(number):
                assert (name, state) in said or (state == "accepted" and said), (number, state)


class _Shared(Frugal):
    """A client whose refusals all share."""

    def __init__(self, client: object, refused: set[Purpose]) -> None:
        super().__init__(client, ())  # type: ignore[arg-type]
        self.refused = refused


class _First:
    """Draws the first of what there is, for a story that is told beforehand."""

    def draw(self, strategy: Any) -> Any:
        return strategy.elements[0]


FIRST: Any = _First()
READING = {
    "ids": Ids.SEQUENCE,
    "base": 1,
    "order": ListingOrder.NEWEST,
    "count": PageCount.CEIL,
    "counts": PageCounts.NUMBERS,
    "size": 25,
    "come": False,
}
ACCEPTED: Story = [("send", {"people": 1}), ("accept", {"data": FIRST}), ("sync", {})]
FORWARDED_BEFORE_IT_IS_DELIVERED: Story = [
    *ACCEPTED,
    ("forward", {"data": FIRST, "delivered": True}),
    ("sync", {}),
]
FORWARDED_AND_KILLED: Story = [
    *ACCEPTED,
    ("forward", {"data": FIRST, "delivered": True}),
    ("fail", {"operation": Operation.INBOX_LIST}),
    ("sync", {}),
    ("restart", {}),
    ("sync", {}),
]
WRITTEN_BY_SOMEBODY: Story = [
    ("send", {"people": 1}),
    ("forge", {"data": FIRST, "prefix": "ACCETTAZIONE"}),
    ("reply", {"data": FIRST}),
    ("sync", {}),
    ("accept", {"data": FIRST}),
    ("forge", {"data": FIRST, "prefix": "CONSEGNA"}),
    ("sync", {}),
]
OF_ANOTHER_PROGRAM: Story = [
    *ACCEPTED,
    ("come_for_what_was_sent_elsewhere", {"data": FIRST, "kind": NetworkKind.ACCEPTANCE}),
    ("come_for_what_was_sent_elsewhere", {"data": FIRST, "kind": NetworkKind.DELIVERY}),
    ("sync", {}),
]


@pytest.mark.parametrize(
    "story",
    [
        FORWARDED_BEFORE_IT_IS_DELIVERED,
        FORWARDED_AND_KILLED,
        WRITTEN_BY_SOMEBODY,
        OF_ANOTHER_PROGRAM,
    ],
    ids=["forwarded", "killed", "forged", "foreign"],
)
def test_a_story_that_could_go_wrong(story: Story) -> None:
    tell_one(StatesWhatever, [("begin", READING), *story])


@pytest.mark.parametrize("examples", some([3, 25], 1))
def test_no_send_claims_what_its_own_receipt_did_not_say(examples: int) -> None:
    tell(StatesWhatever, examples, steps=20)


@pytest.mark.byhand
def test_no_send_claims_what_its_own_receipt_did_not_say_at_length() -> None:
    tell(StatesWhatever, examples=300, steps=40)
