"""Random histories: own sends, lost and answered, among foreign, forwarded and forged rows.

The test plays the network and knows what really left, and which receipt is whose. Whatever comes
in whatever order, no entry may end with a code or a receipt that is another message's. Rows are
judged before their texts are here, or are read at once; what a row alone moves is what its text
would have. Whoever asked for notifications is told what the texts say, and nothing twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from bridge.model import QueueId, SubmissionState
from bridge.receipts.arrival import Arrival
from bridge.receipts.filing import Filing
from bridge.receipts.owner import send_of
from bridge.receipts.proof import ProvenSend, belongs
from bridge.receipts.receipt import read_receipt
from bridge.receipts.record import standing_of
from bridge.receipts.states import DeliveryStatus
from bridge.simulator import READINGS, Failure, Operation, Options, Phase, Simulator
from bridge.simulator.options import Delays, ReceiptText
from bridge.store.base import ReadTransaction
from bridge.store.dsn import DsnRequest, DsnWish, NotifyOn
from bridge.store.receipts import ReceiptBasis
from bridge.store.remote import RemoteId
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, Rig, rig_on
from tests.outbox.test_foreign import SERVICE, look, sync
from tests.receipts.notified import is_notification, read_notification
from tests.selected import some

State = SubmissionState
MAILBOX = ADDRESSES[0]
PEOPLE = ("anna@uno.invalid", "bruno@due.invalid", "fail-carlo@tre.invalid", "slow-d@qua.invalid")
SUBJECTS = (
    "Diffida",
    "Diffida ad adempiere entro quindici giorni",
    "Diffida ad adempiere entro quindici giorni, seguito",
    "Pratica 2026011510000077",
    "ACCETTAZIONE: Diffida",
    "Perché è così",
)
FORGERS = (
    "mario.rossi@pec.example",
    '"posta-certificata@pec.invalid" <mario@pec.example>',
    "posta-certificata@pec.invalid, mario@pec.example",
    '"Per conto di: posta-certificata@pec.invalid" ',
    "\u200bposta-certificata@pec.invalid",
)


@dataclass
class History:
    """What happens, and what is true of it: which codes each entry really got."""

    rig: Rig
    simulator: Simulator
    random: Random
    bodies: dict[QueueId, str] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)
    is_listing: bool = False
    unread: dict[RemoteId, Arrival] = field(default_factory=dict)
    by_row: int = 0
    """How often a receipt was seen to count by its row alone."""

    def codes(self, id: QueueId) -> list[str]:
        """Return the codes that an entry really got, known by the text that was posted."""
        return [one.code for one in self.simulator.sent if self.bodies[id] in one.body]

    def _subject(self) -> str:
        return self.random.choice(SUBJECTS)

    def _people(self) -> list[str]:
        return self.random.sample(PEOPLE, self.random.choice((1, 1, 1, 2)))

    async def submit(self) -> None:
        """Send one, whose answer comes, or is lost before or after it left."""
        how = self.random.choice(("answered", "before", "after", "after"))
        if how != "answered":
            phase = Phase.BEFORE if how == "before" else Phase.AFTER
            self.simulator.faults.fail(Operation.SEND, phase, Failure.TIMEOUT)
        subject, people = self._subject(), self._people()
        body = f"n{self.random.getrandbits(64)}"
        asked = frozenset(one for one in NotifyOn if self.random.random() < 0.7)
        dsn = DsnRequest(wishes={one: DsnWish(asked) for one in people})
        id = await self.rig.submit(subject, *people, body=body, dsn=dsn)
        self.bodies[id] = body
        await self.rig.pass_time(3)
        self.trace.append(f"{how} {id} {subject!r} {people} {self.codes(id)}")

    async def elsewhere(self) -> None:
        """Let the webmail, or another program, send something like it."""
        coded = self.random.random() < 0.5
        subject, people = self._subject(), ["estraneo@altro.invalid"]
        if not coded and self.random.random() < 0.5:
            people = self._people()
        code = self.simulator.send_elsewhere(MAILBOX, subject, people, coded=coded)
        self.trace.append(f"elsewhere {subject!r} {people} {code}")

    async def forward(self) -> None:
        """Forward a receipt, or send one on with its subject as it stands."""
        rows = self.simulator.inbox(MAILBOX)
        if rows:
            row = self.random.choice(rows).row
            self.simulator.forward(MAILBOX, row, [self.random.choice(("avv@x.invalid", *PEOPLE))])
            self.trace.append(f"forward {row.subject!r}")

    async def send_on(self) -> None:
        """Send a message once more from the webmail, to others, its subject as it came back."""
        rows = self.simulator.inbox(MAILBOX)
        if rows:
            subject = self.random.choice(rows).row.subject.partition(": ")[2]
            self.simulator.send_elsewhere(MAILBOX, subject, ["avv@x.invalid"])
            self.trace.append(f"sent on {subject!r}")

    async def forge(self) -> None:
        """Let somebody who is no service send what reads like a receipt of ours."""
        kind = self.random.choice(("ACCETTAZIONE", "CONSEGNA", "AVVISO DI MANCATA CONSEGNA"))
        known = [one.code for one in self.simulator.sent]
        code = self.random.choice([*known, "2026011510004242"])
        subject = f"{self._subject()} {code}"
        who = self.random.choice(PEOPLE)
        self.simulator.inject(
            MAILBOX,
            subject=f"{kind}: {subject}",
            sender=self.random.choice(FORGERS),
            body=f'il messaggio "{subject}" proveniente da "x" ed indirizzato a "{who}" è',
        )
        self.trace.append(f"forge {kind} {subject!r}")

    async def old(self) -> None:
        """Let a receipt of years ago turn up, with a code of ours and its subject."""
        rows = [one.row for one in self.simulator.inbox(MAILBOX)]
        if rows:
            row = self.random.choice(rows)
            at = row.at - timedelta(days=2000)
            self.simulator.inject(
                MAILBOX, subject=row.subject, sender=row.sender, body=row.text, at=at
            )
            self.trace.append(f"old {row.subject!r}")

    async def sync(self) -> None:
        await self.read()
        await sync(self.rig, self.simulator)
        self.trace.append("sync")

    async def only_list(self) -> None:
        """List what is new, and judge it without its text."""
        came = await sync(self.rig, self.simulator, without_body=True)
        self.unread |= {one.remote: one for one in came}
        await self.judge()
        self.trace.append(f"list {[one.subject for one in came]}")

    async def judge(self) -> None:
        while await self._filing.judge(self.rig.accounts[0]):
            pass

    @property
    def _filing(self) -> Filing:
        return Filing(self.rig.store, self.rig.mailboxes, self.rig.clock)

    async def read(self) -> None:
        """Read what was only listed so far."""
        await self._file(list(self.unread))

    async def read_some(self) -> None:
        some = [one for one in self.unread if self.random.random() < 0.5]
        self.random.shuffle(some)
        await self._file(some)

    async def _file(self, remotes: Sequence[RemoteId]) -> None:
        arrivals = [self.unread.pop(one) for one in remotes]
        await self._filing.file(self.rig.accounts[0], arrivals)
        self.trace.append(f"read {[one.subject for one in arrivals]}")
        await self.judge()

    async def look(self) -> None:
        await look(self.rig, again=self.random.random() < 0.5)
        self.trace.append("look")

    async def wait(self) -> None:
        await self.rig.pass_time(self.random.choice((30, 600, 4000)))

    async def resend(self) -> None:
        """Insist on sending an uncertain one again."""
        for row in await self.rig.rows():
            if row.state is State.UNCERTAIN:
                await self.rig.decisions.resolve_resend(row.id, force=True)
                await self.rig.pass_time(3)
                self.trace.append(f"resend {row.id} {self.codes(row.id)}")
                return

    async def drop(self) -> None:
        for row in await self.rig.rows():
            if row.state is State.UNCERTAIN:
                await self.rig.decisions.resolve_drop(row.id)
                self.trace.append(f"drop {row.id}")
                return

    def steps(self) -> list[Callable[[], Awaitable[None]]]:
        listed = [self.only_list] * 6 + [self.read_some] * 2 + [self.send_on]
        return [
            *[self.submit] * 4,
            *[self.elsewhere] * 3,
            *[self.forward, self.forge, self.old] * 2,
            *[self.sync, self.look] * 3,
            *(listed if self.is_listing else []),
            self.wait,
            self.resend,
            self.drop,
        ]


async def standing_now(rig: Rig, id: QueueId) -> DeliveryStatus:
    async def work(tx: ReadTransaction) -> DeliveryStatus:
        row = await tx.submission(id)
        assert row is not None
        return await standing_of(tx, row)

    return await rig.read(work)


async def check_rows(history: History) -> None:
    """See that what counts by its row alone would count by its text too."""
    rig = history.rig

    async def work(tx: ReadTransaction) -> list[tuple[RemoteId, ProvenSend]]:
        found = []
        for row in await tx.submissions():
            for one in await tx.receipts_of(row.id):
                if one.basis is ReceiptBasis.ROW:
                    found.append((one.remote, await send_of(tx, row)))
        return found

    for remote, send in await rig.read(work):
        one = history.unread[remote]
        at = one.received_at or one.first_seen
        receipt = read_receipt(remote, one.subject, one.sender, one.body, at)
        issuers = await rig.read(lambda tx: tx.issuers(rig.accounts[0]))
        told = "\n".join(history.trace)
        assert belongs(receipt, send, issuers), f"{one.subject} is not of {send}\n{told}"
        history.by_row += 1


_TOLD_AS = {
    "delivered": "delivered",
    "accepted_uncertifiable": "relayed",
    "late_12h": "delayed",
    "failed_24h": "failed",
    "failed": "failed",
}
_ASKED_BY = {"delivered": "success", "relayed": "success", "delayed": "delay", "failed": "failure"}


async def check_notified(history: History) -> None:
    """Compare what whoever asked was notified of with what is true, and with what stands."""
    rig, trace = history.rig, "\n".join(history.trace)
    told: dict[tuple[str, str], list[str]] = {}
    mail = await rig.mail()
    notifications = [read_notification(one) for one in mail if is_notification(one)]
    assert len({str(one.message["Message-ID"]) for one in notifications}) == len(notifications)
    for said in notifications:
        for address, action in said.actions.items():
            told.setdefault((said.about["x-queue-id"], address), []).append(action)
    for row in await rig.rows():
        asked = await rig.read(lambda tx, id=row.id: tx.dsn(id))  # type: ignore[misc] # bound now
        assert asked is not None
        where = await standing_now(rig, row.id)
        for one in where.recipients:
            actions = told.get((row.id, one.address), [])
            assert all(first != then for first, then in pairwise(actions)), trace
            if "delivered" in actions:
                assert history.codes(row.id), f"{row.id} never left\n{trace}"
                assert not one.address.startswith("fail"), trace
            now = _TOLD_AS.get(one.state.value)
            names = {each.value for each in asked.wishes[one.address].notify or ()}
            if now and not one.by_row and _ASKED_BY[now] in names:
                assert actions[-1:] == [now], f"{row.id} {one} {actions}\n{trace}"
            if now is None:
                assert actions[-1:] in ([], ["delayed"]), f"{row.id} {one} {actions}\n{trace}"


async def check(history: History) -> None:
    """Compare what is claimed with what is true."""
    rig, told = history.rig, "\n".join(history.trace)
    alike: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    rows = await rig.rows()
    for row in rows:
        key = (row.subject, tuple(sorted(row.recipients)))
        alike.setdefault(key, set()).update(history.codes(row.id))
    for row in rows:
        key = (row.subject, tuple(sorted(row.recipients)))
        if row.code is not None:
            own = history.codes(row.id)
            # the codes of two just alike may change places: nothing that is shown differs
            assert own, f"{row.id} never left, and has {row.code}\n{told}"
            assert row.code in alike[key], f"{row.id} has {row.code}\n{told}"
        where = await standing_now(rig, row.id)
        for one in where.recipients:
            if one.state.value == "delivered":
                assert not one.address.startswith("fail"), f"{row.id} {one}\n{told}"
            if one.state.value == "failed":
                assert one.address.startswith("fail"), f"{row.id} {one}\n{told}"
        if not history.codes(row.id):
            assert {one.state.value for one in where.recipients} == {"pending"}, told


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("seed", some(range(12), 3))
async def test_nothing_is_claimed_that_its_own_receipt_did_not_say(
    tmp_path: Path, clock: FakeClock, reading: str, seed: int
) -> None:
    random = Random(f"{reading} {seed}")
    options: Options = READINGS[reading].replace(
        delays=Delays(acceptance_s=random.choice((0, 20, 400)), delivery_s=random.choice((5, 900))),
        receipt_text=random.choice((ReceiptText.TEMPLATE_A, ReceiptText.TEMPLATE_B)),
    )
    simulator = Simulator(options, clock, random)
    async with rig_on(tmp_path, clock, simulator) as rig:
        history = History(rig, simulator, random)
        for _ in range(25):
            await random.choice(history.steps())()
            await check(history)
        await rig.pass_time(7200)
        for _ in range(3):
            await history.sync()
            await look(rig, again=True)
        await check(history)
        await check_notified(history)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("seed", some(range(12), 3))
async def test_no_row_alone_says_what_its_text_would_not(
    tmp_path: Path, clock: FakeClock, reading: str, seed: int
) -> None:
    """With forged, forwarded and foreign ones, and messages sent on with their subjects."""
    random = Random(f"rows {reading} {seed}")
    options: Options = READINGS[reading].replace(
        delays=Delays(acceptance_s=random.choice((0, 4)), delivery_s=random.choice((5, 900))),
        receipt_text=random.choice((ReceiptText.TEMPLATE_A, ReceiptText.TEMPLATE_B)),
    )
    simulator = Simulator(options, clock, random)
    async with rig_on(tmp_path, clock, simulator) as rig:
        history = History(rig, simulator, random, is_listing=True)
        await rig.store.write(lambda tx: tx.add_issuer(rig.accounts[0], SERVICE))
        for _ in range(30):
            await random.choice(history.steps())()
            await check(history)
            await check_rows(history)
            await check_notified(history)
        await rig.pass_time(7200)
        for _ in range(3):
            await history.sync()
            await look(rig, again=True)
        await check(history)
        await check_notified(history)
