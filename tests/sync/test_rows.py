"""States from the listing, and texts by worth: what is fetched when, and what waits unmissed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.api.client import PecClient
from bridge.api.errors import ApiError, NotSent
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxMessage
from bridge.mailbox import MailboxTransaction
from bridge.mime.ingest import ingest
from bridge.model import SENT, QueueId, SubmissionState
from bridge.receipts import claim
from bridge.receipts.filing import Filing
from bridge.receipts.record import standing_of
from bridge.simulator import SEQUENCE_READING, Failure, Ids, ListingOrder, Operation, Options, Phase
from bridge.simulator.wording import NetworkKind, ReceiptFacts, Recipient, text_of
from bridge.store.base import ReadTransaction
from bridge.store.outbox import NewSubmission, Step
from bridge.sync.fetching import AT_ONCE, CHUNK_ROWS
from tests.sync.client import Passing
from tests.sync.test_service import PATIENCE_S, running
from tests.sync.world import ADDRESS, World, world

ANNA = "anna@pec.invalid"
SERVICE = "posta-certificata@pec.invalid"
PREFIX = {
    NetworkKind.ACCEPTANCE: "ACCETTAZIONE",
    NetworkKind.DELIVERY: "CONSEGNA",
    NetworkKind.FAILURE: "AVVISO DI MANCATA CONSEGNA",
}


def code_of(number: int) -> str:
    return f"20260115100000{number:05}"


async def submit(here: World, number: int, *recipients: str) -> QueueId:
    """Let a message have been sent, with the code of that number."""
    id, now, code = QueueId(f"Q{number}"), here.clock.now(), code_of(number)
    raw = f"Message-ID: <{id}@a.invalid>\r\nSubject: Diffida {number}\r\n\r\nTesto.\r\n"

    async def work(mtx: MailboxTransaction) -> None:
        box = next(one for one in await mtx.tx.mailboxes(here.account) if one.name == SENT)
        row = await mtx.append(box.id, ingest(raw.encode()), frozenset(), now)
        people = recipients or (ANNA,)
        subject, message_id = f"Diffida {number}", f"<{id}@a.invalid>"
        await mtx.tx.add_submission(
            NewSubmission(id, here.account, message_id, subject, people, row.content, b"", now)
        )
        for old, new in (("queued", "dispatching"), ("dispatching", "submitted")):
            is_done = new == "submitted"
            step = Step(SubmissionState(old), SubmissionState(new), now)
            if is_done:
                step = Step(step.old, step.new, now, code=code, sent_at=now)
            assert await mtx.tx.step_submission(id, step)
        await claim(mtx, here.account, id, code)

    await here.mailboxes.write(work)
    return id


def receipt(
    here: World, number: int, kind: NetworkKind, *named: str, later_s: float = 0, code: str = ""
) -> str:
    """Let a receipt come into the inbox; returns its subject."""
    at = here.clock.now() + timedelta(seconds=later_s)
    line = f"Diffida {number} {code or code_of(number)}"
    people = tuple(Recipient(one, certified=True) for one in named or (ANNA,))
    facts = ReceiptFacts(at, line, ADDRESS, people, "x@pec.invalid", "5.1.1 no")
    subject = f"{PREFIX[kind]}: {line}"
    body = text_of(kind, facts, template_b=False)
    here.simulator.inject(ADDRESS, subject=subject, sender=SERVICE, body=body, at=at)
    return subject


async def know_issuer(here: World) -> None:
    await here.store.write(lambda tx: tx.add_issuer(here.account, SERVICE))


async def states(here: World, id: QueueId) -> list[str]:
    async def work(tx: ReadTransaction) -> list[str]:
        row = await tx.submission(id)
        assert row is not None
        return [one.state.value for one in (await standing_of(tx, row)).recipients]

    return await here.store.read(work)


class Frugal(Passing):
    """A client that refuses what is asked for some purposes, and notes who asked for what."""

    def __init__(self, client: PecClient, refused: Sequence[Purpose]) -> None:
        super().__init__(client)
        self.refused = set(refused)
        self.notes: list[tuple[Purpose, str]] = []

    async def inbox_message(self, api_id: str) -> InboxMessage:
        place = len(self.notes)
        self.notes.append((self.purpose, ""))
        if self.purpose in self.refused:
            raise NotSent("not now", kind="budget", retry_after_s=1_000.0)
        message = await super().inbox_message(api_id)
        self.notes[place] = (self.purpose, message.row.subject)
        return message


def frugal(*refused: Purpose) -> tuple[list[Frugal], Callable[[PecClient], Frugal]]:
    """Return the clients that a world will have made, and how to make it use them."""
    made: list[Frugal] = []

    def wrap(client: PecClient) -> Frugal:
        made.append(Frugal(client, refused))
        return made[-1]

    return made, wrap


READINGS = [
    pytest.param(SEQUENCE_READING.replace(ids=ids, order=order), id=f"{ids.value} {order.value}")
    for ids in Ids
    for order in ListingOrder
]


@pytest.mark.parametrize("options", READINGS)
async def test_states_are_known_without_a_text(tmp_path: Path, options: Options) -> None:
    """Over several pages, whatever ids and order mean."""
    _, wrap = frugal(Purpose.ARRIVAL, Purpose.RECEIPT, Purpose.CONFIRMATION)
    async with world(tmp_path, options, wrap=wrap) as here:
        await know_issuer(here)
        ids = [await submit(here, number) for number in range(30)]
        for number in range(30):
            receipt(here, number, NetworkKind.ACCEPTANCE, later_s=number)
            receipt(here, number, NetworkKind.DELIVERY, later_s=number + 40)
        with contextlib.suppress(ApiError):  # of a delivery, before its acceptance is listed
            await here.sync_now()
        assert [await states(here, id) for id in ids] == [["delivered"]] * 30
        assert await here.messages() == {}
        assert await here.alarms() == []


async def test_texts_come_by_worth_and_the_newest_first(tmp_path: Path) -> None:
    made, wrap = frugal()
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        await know_issuer(here)
        await submit(here, 1)
        await submit(here, 2, ANNA, "b@pec.invalid")
        await submit(here, 3)
        behind = "POSTA CERTIFICATA: vecchia"
        here.simulator.inject(ADDRESS, subject=behind)
        wanted = [
            receipt(here, 1, NetworkKind.ACCEPTANCE),
            receipt(here, 1, NetworkKind.DELIVERY, later_s=1),
            receipt(here, 2, NetworkKind.ACCEPTANCE, ANNA, "b@pec.invalid"),
            receipt(here, 2, NetworkKind.DELIVERY, ANNA, later_s=2),
            receipt(here, 3, NetworkKind.FAILURE, later_s=3),
            "ANOMALIA MESSAGGIO: x",
        ]
        here.simulator.inject(ADDRESS, subject=wanted[-1])
        await here.sync_now()
        lately, proving, spare = Purpose.ARRIVAL, Purpose.RECEIPT, Purpose.CONFIRMATION
        assert made[0].notes == [
            (lately, wanted[5]),
            (lately, behind),
            (lately, wanted[4]),
            (proving, wanted[3]),
            (proving, wanted[2]),
            (spare, wanted[1]),
            (spare, wanted[0]),
        ]
        assert len(await here.messages()) == 7


async def test_what_proves_more_waits_and_stops_no_incoming_mail(tmp_path: Path) -> None:
    _, wrap = frugal(Purpose.RECEIPT)
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        await know_issuer(here)
        await submit(here, 2, ANNA, "b@pec.invalid")
        receipt(here, 2, NetworkKind.ACCEPTANCE, ANNA, "b@pec.invalid")
        await here.sync_now()
        here.simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: nuova", body="nuova")
        await here.sync_now()
        (shown,) = (await here.messages()).values()
        assert "nuova" in shown


async def test_what_only_confirms_waits_and_stops_nothing(tmp_path: Path) -> None:
    made, wrap = frugal(Purpose.CONFIRMATION)
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        await know_issuer(here)
        id = await submit(here, 1)
        receipt(here, 1, NetworkKind.ACCEPTANCE)
        receipt(here, 1, NetworkKind.DELIVERY, later_s=2)
        await here.sync_now()
        assert await states(here, id) == ["delivered"]
        for number in range(3):
            here.simulator.inject(ADDRESS, subject=f"POSTA CERTIFICATA: {number}")
            await here.sync_now()
            assert len(await here.messages()) == number + 1
        assert made[0].notes.count((Purpose.CONFIRMATION, "")) <= 8  # once, by a chunk's slots
        assert await here.sync.seen_until(here.account) == here.clock.now()
        assert await here.alarms() == []
        await here.clock.advance(2_000)
        made[0].refused.clear()
        await here.sync_now()
        assert len(await here.messages()) == 5


class Gated(Passing):
    """A client whose confirming texts wait at a gate; it notes what was asked for, in order."""

    def __init__(self, client: PecClient, gate: asyncio.Event, asked: list[Purpose]) -> None:
        super().__init__(client)
        self.gate, self.asked = gate, asked

    async def inbox_message(self, api_id: str) -> InboxMessage:
        self.asked.append(self.purpose)
        if self.purpose is Purpose.CONFIRMATION:
            await self.gate.wait()
        return await super().inbox_message(api_id)


async def test_what_comes_while_rows_are_confirmed_waits_for_one_chunk_at_most(
    tmp_path: Path,
) -> None:
    gate, asked = asyncio.Event(), list[Purpose]()
    count = 3 * CHUNK_ROWS
    wrap = lambda client: Gated(client, gate, asked)  # noqa: E731
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        await know_issuer(here)
        for number in range(count):
            await submit(here, number)
            receipt(here, number, NetworkKind.ACCEPTANCE, later_s=number)
        async with running(here):
            async with asyncio.timeout(PATIENCE_S):
                while len(asked) < AT_ONCE:
                    await here.let_pass(1)
            here.simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: urgente")
            looks = here.made(Operation.INBOX_LIST)
            async with asyncio.timeout(PATIENCE_S):
                while here.made(Operation.INBOX_LIST) < looks + 3:  # it is listed, and judged
                    await here.let_pass(60)
            gate.set()
            async with asyncio.timeout(PATIENCE_S):
                while Purpose.ARRIVAL not in asked:
                    await here.let_pass(1)
        assert asked.index(Purpose.ARRIVAL) <= CHUNK_ROWS


async def test_what_was_refused_is_asked_again_only_when_it_may_be(tmp_path: Path) -> None:
    made, wrap = frugal(Purpose.CONFIRMATION)
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        await know_issuer(here)
        await submit(here, 1)
        receipt(here, 1, NetworkKind.ACCEPTANCE)
        await here.sync_now()
        asked = len(made[0].notes)
        await here.clock.advance(900)
        await here.sync_now()
        assert len(made[0].notes) == asked
        await here.clock.advance(200)
        await here.sync_now()
        assert len(made[0].notes) == asked + 1


async def test_what_had_come_long_before_borrows_nothing_and_stops_no_incoming_mail(
    tmp_path: Path,
) -> None:
    """An import waits for requests of its own; that it is not finished is told who asked for it."""
    made, wrap = frugal(Purpose.BODY)
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        long_ago = here.clock.now() - timedelta(days=2)
        for number in range(2 * CHUNK_ROWS):
            at = long_ago + timedelta(seconds=number)
            here.simulator.inject(ADDRESS, subject=f"POSTA CERTIFICATA: {number}", at=at)
        here.simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: oggi")
        for _ in range(2):
            with pytest.raises(NotSent):
                await here.sync_now()
        assert [subject for subject in made[0].notes if subject[0] is Purpose.ARRIVAL] == [
            (Purpose.ARRIVAL, "POSTA CERTIFICATA: oggi")
        ]
        assert len(await here.messages()) == 1
        async with running(here):
            await here.let_pass(60)
            here.simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: ora")
            async with asyncio.timeout(PATIENCE_S):
                while len(await here.messages()) < 2:
                    await here.let_pass(60)
            made[0].refused.clear()
            async with asyncio.timeout(PATIENCE_S):
                while len(await here.messages()) < 2 * CHUNK_ROWS + 2:
                    await here.let_pass(60)


async def test_a_text_that_is_missed_holds_up_what_was_seen(tmp_path: Path) -> None:
    _, wrap = frugal(Purpose.ARRIVAL)
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        await submit(here, 1)
        receipt(here, 1, NetworkKind.FAILURE)
        with contextlib.suppress(ApiError):
            await here.sync_now()
        first_seen = here.clock.now()
        await here.clock.advance(600)
        with contextlib.suppress(ApiError):
            await here.sync_now()
        assert await here.sync.seen_until(here.account) == first_seen


async def test_all_of_it_outlives_a_restart(tmp_path: Path) -> None:
    made, wrap = frugal(Purpose.CONFIRMATION)
    async with world(tmp_path, SEQUENCE_READING, wrap=wrap) as here:
        await know_issuer(here)
        id = await submit(here, 1)
        receipt(here, 1, NetworkKind.ACCEPTANCE)
        receipt(here, 1, NetworkKind.DELIVERY, "un.altro@pec.invalid", later_s=2)
        await here.sync_now()
        await here.restart()
        assert await states(here, id) == ["delivered"]
        await here.sync_now()
        assert {purpose for purpose, _ in made[-1].notes} == {Purpose.CONFIRMATION}
        made[-1].refused.clear()
        await here.clock.advance(2_000)
        await here.sync_now()
        assert await states(here, id) == ["accepted"]
        assert [one.kind for one in await here.alarms()] == ["contradicted"]


async def test_rows_of_before_are_judged_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were listed by a version that did not judge rows."""

    async def no_judge(self: Filing, account: object) -> bool:
        return False

    async with world(tmp_path, SEQUENCE_READING) as here:
        await know_issuer(here)
        id = await submit(here, 1)
        receipt(here, 1, NetworkKind.ACCEPTANCE)
        here.simulator.faults.fail(Operation.INBOX_GET, Phase.BEFORE, Failure.TIMEOUT, times=None)
        with monkeypatch.context() as patch:
            patch.setattr(Filing, "judge", no_judge)
            with contextlib.suppress(ApiError):
                await here.sync_now()
        assert await states(here, id) == ["pending"]
        await here.restart()
        with contextlib.suppress(ApiError):
            await here.sync_now()
        assert await states(here, id) == ["accepted"]


async def test_rows_that_cannot_be_judged_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(self: Filing, account: object) -> bool:
        raise ValueError("unforeseen")

    monkeypatch.setattr(Filing, "judge", fail)
    async with world(tmp_path, SEQUENCE_READING) as here:
        id = await submit(here, 1)
        receipt(here, 1, NetworkKind.ACCEPTANCE)
        await here.sync_now()
        assert await states(here, id) == ["accepted"]


async def test_a_day_without_spare_requests_is_no_alarm(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, per_day=200) as here, running(here):
        await know_issuer(here)
        ids = [await submit(here, number) for number in range(150)]
        for number in range(150):
            receipt(here, number, NetworkKind.ACCEPTANCE, later_s=number)
        budget = await here.accounts[0].budget.use()
        async with asyncio.timeout(PATIENCE_S):
            while not budget.refused or (await states(here, ids[0])) == ["pending"]:
                await here.let_pass(1)
                budget = await here.accounts[0].budget.use()
        assert {(await states(here, id))[0] for id in ids} == {"accepted"}
        assert budget.refused == {Purpose.CONFIRMATION}
        assert not budget.is_used_up
        assert await here.alarms() == []
