from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge.api.errors import ApiError, NotFound, NotSent
from bridge.api.schema import StatusRow
from bridge.model import AccountId, SubmissionState
from bridge.receipts import overdue
from bridge.receipts.arrival import Arrival
from bridge.receipts.overdue import Overdue
from bridge.receipts.record import standing_of
from bridge.receipts.states import DeliveryStatus
from bridge.simulator.wording import NetworkKind
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow
from tests.fakes import settle
from tests.receipts.rig import ADDRESS, CODE, SERVICE, Rig

ANNA, BRUNO = "anna@pec.example", "bruno@pec.example"
MINUTES, HOURS = 60.0, 3600.0


class Api:
    """Answers ``GET /send/{code}``, and remembers what it was asked."""

    def __init__(self, answer: Sequence[StatusRow] | ApiError = ()) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def send_status(self, code: str) -> tuple[StatusRow, ...]:
        self.asked.append(code)
        if isinstance(self.answer, ApiError):
            raise self.answer
        return tuple(self.answer)


class Watch:
    """An ``Overdue`` that is looked with after each bit of time."""

    def __init__(self, rig: Rig, api: Api | None = None, *, has_sight: bool = False) -> None:
        self._rig = rig
        self._api = api
        self._has_sight = has_sight
        self.seen: datetime | None = None
        """Up to when the inbox was seen, if it is not all seen at once."""
        self.restart()

    def restart(self) -> None:
        rig = self._rig
        clients = {} if self._api is None else {rig.account: self._api}
        self.overdue = Overdue(
            rig.store,
            rig.mailboxes,
            rig.clock,
            [rig.account],
            clients=clients,
            seen_until=self._sight if self._has_sight else None,
        )

    async def _sight(self, _account: AccountId) -> datetime | None:
        return self.seen

    async def after(self, duration_s: float) -> list[str]:
        await self._rig.clock.advance(duration_s)
        await self.overdue.look(self._rig.account)
        return await self._rig.alarm_kinds()


async def test_silence_is_told_at_each_stage_once(rig: Rig) -> None:
    await rig.send()
    watch = Watch(rig)
    assert await watch.after(29 * MINUTES) == []
    assert await watch.after(1 * MINUTES) == ["not-accepted"]
    assert await watch.after(11 * HOURS) == ["not-accepted"]
    assert await watch.after(30 * MINUTES) == ["not-accepted", "open-12h"]
    assert await watch.after(13 * HOURS) == ["not-accepted", "open-12h"]
    assert await watch.after(1 * HOURS) == ["not-accepted", "open-26h"]
    assert await watch.after(72 * HOURS) == ["not-accepted", "open-26h"]
    subjects = await rig.subjects()
    assert subjects == [
        "Nessuna accettazione / No acceptance: Diffida",
        "Esito mancante dopo 12 ore / No outcome after 12 hours: Diffida",
        "Esito mancante dopo 26 ore / No outcome after 26 hours: Diffida",
    ]
    first = (await rig.messages())[0]
    assert first["In-Reply-To"] == "<Q1@azienda.example>"
    assert "Non inviarlo di nuovo" in first.get_content()
    assert "Do not send it again" in first.get_content()


async def test_what_comes_in_time_is_not_told(rig: Rig) -> None:
    await rig.send()
    watch = Watch(rig)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    assert await watch.after(31 * MINUTES) == []
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await watch.after(72 * HOURS) == []


async def test_an_alarm_ends_with_its_cause(rig: Rig) -> None:
    await rig.send()
    watch = Watch(rig)
    await watch.after(31 * MINUTES)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    assert await rig.alarms() == []
    assert await watch.after(12 * HOURS) == ["open-12h"]
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await rig.alarms() == []
    assert await watch.after(24 * HOURS) == []


async def test_a_failure_is_an_outcome(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO))
    watch = Watch(rig)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.FAILURE, ANNA)
    await rig.receipt(NetworkKind.DELIVERY, BRUNO)
    assert await watch.after(30 * HOURS) == ["failure"]


async def test_ordinary_recipients_have_no_outcome_to_wait_for(rig: Rig) -> None:
    await rig.send()
    watch = Watch(rig)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, ordinary=(ANNA,))
    assert await watch.after(30 * HOURS) == []


async def by_rows(rig: Rig, *kinds: NetworkKind, ordinary: tuple[str, ...] = ()) -> list[Arrival]:
    """Let receipts be listed and judged, their texts not read yet."""
    await rig.know_issuer()
    later = [timedelta(seconds=number) for number in range(len(kinds))]
    rows = [
        await rig.listed(kind, ANNA, ordinary=ordinary, later=one)
        for kind, one in zip(kinds, later, strict=True)
    ]
    await rig.judge()
    return rows


async def test_what_rows_show_is_not_missing(rig: Rig) -> None:
    await rig.send()
    watch = Watch(rig)
    await by_rows(rig, NetworkKind.ACCEPTANCE, NetworkKind.DELIVERY)
    for _ in range(30):
        assert await watch.after(1 * HOURS) == []
    assert await rig.store.read(lambda tx: tx.oldest_bodiless(rig.account, 9)) == []


@pytest.mark.parametrize("is_ordinary", [True, False])
async def test_before_an_alarm_the_texts_of_the_rows_are_read(rig: Rig, is_ordinary: bool) -> None:
    """Only the acceptance's tells whether a delivery receipt is to be waited for."""
    await rig.send()
    watch = Watch(rig)
    (acceptance,) = await by_rows(
        rig, NetworkKind.ACCEPTANCE, ordinary=(ANNA,) if is_ordinary else ()
    )
    assert await watch.after(1 * HOURS) == []
    assert await watch.after(11 * HOURS + 1) == []
    (missed,) = await rig.store.read(lambda tx: tx.oldest_bodiless(rig.account, 9))
    assert missed.id == acceptance.remote
    await rig.filing.file(rig.account, [acceptance])
    assert await watch.after(30) == ([] if is_ordinary else ["open-12h"])


async def test_a_text_that_cannot_be_had_stops_no_alarm(rig: Rig) -> None:
    await rig.send()
    watch = Watch(rig)
    await by_rows(rig, NetworkKind.ACCEPTANCE)
    assert await watch.after(12 * HOURS) == []
    assert await watch.after(30) == ["open-12h"]


async def test_only_those_that_are_waited_for_are_named(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO))
    watch = Watch(rig)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await watch.after(12 * HOURS) == ["open-12h"]
    words = (await rig.messages())[-1].get_content()
    assert f"definitiva per: {BRUNO}." in words


@pytest.mark.parametrize(
    ("away_h", "kinds"),
    [(1, ["not-accepted"]), (13, ["open-12h"]), (30, ["open-26h"]), (24 * 8, ["open-26h"])],
)
async def test_what_came_due_while_the_bridge_was_down_is_told_once(
    rig: Rig, away_h: float, kinds: list[str]
) -> None:
    """The latest stage only: the earlier ones say less."""
    await rig.send()
    watch = Watch(rig)
    assert await watch.after(away_h * HOURS) == kinds
    watch.restart()
    assert await watch.after(0) == kinds
    assert len(await rig.raws()) == 1


async def test_what_was_never_sent_is_not_waited_for(rig: Rig) -> None:
    id = await rig.send(code=None)
    await rig.step(id, SubmissionState.DISPATCHING, SubmissionState.UNCERTAIN)
    assert await Watch(rig).after(30 * HOURS) == []


async def test_an_uncertain_send_that_is_settled_later_is_waited_for(rig: Rig) -> None:
    id = await rig.send(code=None)
    watch = Watch(rig)
    await watch.after(13 * HOURS)
    await rig.answer(id, CODE)
    assert await watch.after(31 * MINUTES) == ["not-accepted"]


async def test_it_looks_by_itself(rig: Rig) -> None:
    await rig.send()
    told = asyncio.Event()
    rig.mailboxes.subscribe(lambda _change: told.set())
    task = asyncio.create_task(Watch(rig).overdue.run())
    async with asyncio.timeout(5):
        for _ in range(31):
            while rig.clock.next_wake_s is None:  # it looks, on the store's threads
                await settle()
            await rig.clock.advance(60)
        await told.wait()
    assert await rig.alarm_kinds() == ["not-accepted"]
    task.cancel()


async def test_failures_and_anomalies_leave_the_status_after_a_month(rig: Rig) -> None:
    await rig.send()
    watch = Watch(rig)
    await rig.receipt(NetworkKind.FAILURE, ANNA)
    await rig.arrive("ANOMALIA MESSAGGIO: x", "x", '"Per conto di: a@b.it" ')
    assert sorted(await watch.after(29 * 24 * HOURS)) == ["anomaly", "failure"]
    assert await watch.after(2 * 24 * HOURS) == []
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    assert await rig.alarms() == []


async def test_a_code_given_twice_leaves_the_status_after_a_month(rig: Rig) -> None:
    for id in ("Q1", "Q2"):
        await rig.send(id=id)
    for kind in (NetworkKind.ACCEPTANCE, NetworkKind.DELIVERY):
        await rig.receipt(kind, ANNA)
    assert await rig.alarm_kinds() == ["code-twice"]
    watch = Watch(rig)
    assert "code-twice" in await watch.after(29 * 24 * HOURS)
    assert "code-twice" not in await watch.after(2 * 24 * HOURS)


# -- the second source ---------------------------------------------------------------------------


def shown(
    prefix: str, *, subject: str = f"Diffida {CODE}", sender: str = SERVICE, body: str = ""
) -> StatusRow:
    return StatusRow(
        sender=sender,
        recipient=ADDRESS,
        date_text="",
        subject=f"{prefix}: {subject}",
        body=body,
        raw="{}",
        date=None,
    )


async def test_the_api_is_asked_before_an_alarm(rig: Rig) -> None:
    id = await rig.send()
    api = Api([shown("ACCETTAZIONE")])
    watch = Watch(rig, api)
    assert await watch.after(31 * MINUTES) == []
    assert api.asked == [CODE]
    assert await rig.states(id) == {ANNA: "accepted"}
    (receipt,) = await rig.receipts(id)
    assert receipt.detail == "told by GET /send"
    assert await rig.raws() == []


async def test_what_it_told_is_not_in_the_inbox(rig: Rig) -> None:
    """The row is kept as evidence, and never taken for one of the listing."""
    await rig.send()
    await Watch(rig, Api([shown("ACCETTAZIONE")])).after(31 * MINUTES)
    assert await rig.store.read(lambda tx: tx.remote_rows(rig.account)) == []
    assert await rig.store.read(lambda tx: tx.remote_without_body(rig.account)) == []


async def test_the_same_receipt_in_the_inbox_later_changes_nothing(rig: Rig) -> None:
    id = await rig.send((ANNA, BRUNO))
    watch = Watch(rig, Api([shown("ACCETTAZIONE")]))
    await watch.after(31 * MINUTES)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    assert await rig.states(id) == {ANNA: "accepted", BRUNO: "accepted"}
    assert await watch.after(12 * HOURS) == ["open-12h"]
    assert len(await rig.receipts(id)) == 2


@pytest.mark.parametrize(
    "row",
    [
        shown("CONSEGNA"),
        shown("AVVISO DI MANCATA CONSEGNA"),
        shown("POSTA CERTIFICATA", sender='"Per conto di: anna@pec.example" '),
        shown("CONSEGNA", sender="mario@pec.example"),
        shown("ACCETTAZIONE", subject="Diffida 2026011510000099"),
        shown("ACCETTAZIONE", subject="Diffida"),
        shown("Ciao"),
    ],
    ids=lambda row: f"{row.subject} from {row.sender}",
)
async def test_what_proves_nothing_about_several_recipients_is_left(
    rig: Rig, row: StatusRow
) -> None:
    id = await rig.send((ANNA, BRUNO))
    assert await Watch(rig, Api([row])).after(31 * MINUTES) == ["not-accepted"]
    assert await rig.receipts(id) == []


async def test_a_delivery_proves_something_about_the_only_recipient(rig: Rig) -> None:
    id = await rig.send()
    await Watch(rig, Api([shown("ACCETTAZIONE"), shown("CONSEGNA", body="Testo")])).after(
        31 * MINUTES
    )
    assert await rig.states(id) == {ANNA: "delivered"}


@pytest.mark.parametrize(
    "error",
    [
        NotFound("Result empty", status=404, message="Result empty"),
        NotSent("no way", kind="unreachable"),
    ],
)
async def test_an_api_that_does_not_help_stops_no_alarm(rig: Rig, error: ApiError) -> None:
    await rig.send()
    assert await Watch(rig, Api(error)).after(31 * MINUTES) == ["not-accepted"]


async def test_it_is_asked_once_at_each_stage(rig: Rig) -> None:
    await rig.send()
    api = Api()
    watch = Watch(rig, api)
    for _ in range(30):
        await watch.after(1 * HOURS)
    assert len(api.asked) <= 5  # three stages, and once a day for what stays open


async def test_a_hundred_overdue_sends_do_not_use_up_the_budget(rig: Rig) -> None:
    for number in range(30):
        await rig.send(id=f"Q{number}", code=f"20260115100000{number:02d}")
    api = Api()
    alarms = await Watch(rig, api).after(timedelta(minutes=31).total_seconds())
    assert len(alarms) == 30
    assert len(api.asked) == 20


async def test_what_nobody_could_see_is_not_called_missing(rig: Rig) -> None:
    await rig.send()
    watch = Watch(rig, has_sight=True)
    assert await watch.after(40 * MINUTES) == []
    watch.seen = rig.clock.now() - timedelta(minutes=20)
    assert await watch.after(0) == []
    assert await watch.after(11.5 * HOURS) == ["unseen"]
    assert await watch.after(30 * HOURS) == ["unseen"]
    watch.seen = rig.clock.now()
    assert await watch.after(0) == ["open-26h"]


async def test_what_came_in_the_meantime_is_never_called_missing(rig: Rig) -> None:
    await rig.send()
    watch = Watch(rig, has_sight=True)
    watch.seen = rig.clock.now()
    assert await watch.after(3 * HOURS) == ["unseen"]
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    watch.seen = rig.clock.now()
    assert await watch.after(0) == []


async def test_what_nobody_could_see_is_one_alarm_with_figures(rig: Rig) -> None:
    for number in range(30):
        await rig.send(id=f"Q{number}", code=f"20260115100000{number:02d}")
    watch = Watch(rig, has_sight=True)
    watch.seen = rig.clock.now()
    assert await watch.after(2 * HOURS) == ["unseen"]
    await rig.send(id="Q30", code="2026011510000030")
    assert await watch.after(4 * HOURS) == ["unseen"]
    assert await rig.subjects() == [
        f"Ricevute non ancora viste / Receipts not seen yet: {ADDRESS}: 31"
    ]
    watch.restart()
    assert await watch.after(2 * HOURS) == ["unseen"]
    watch.seen = rig.clock.now()
    assert await watch.after(0) == ["not-accepted"] * 31


async def test_what_a_send_had_at_a_stage_is_looked_up_once_while_nobody_can_see(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be thousands, and are counted each ten minutes."""
    looked_up: list[str] = []

    async def noted(tx: ReadTransaction, row: SubmissionRow) -> DeliveryStatus:
        looked_up.append(row.id)
        return await standing_of(tx, row)

    monkeypatch.setattr(overdue, "standing_of", noted)
    id = await rig.send()
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    watch = Watch(rig, has_sight=True)
    watch.seen = rig.clock.now()
    for _ in range(11):
        assert await watch.after(1 * HOURS) == []
    assert looked_up == [id]
    for _ in range(3):  # it comes to another stage, and lacks something there
        await watch.after(1 * HOURS)
    assert await watch.after(1 * HOURS) == ["unseen"]
    assert len(looked_up) > 3


async def test_what_a_clock_ahead_said_was_seen_makes_nothing_due_early(rig: Rig) -> None:
    """It was set right since; what is due later was not seen yet."""
    await rig.send()
    watch = Watch(rig, has_sight=True)
    watch.seen = rig.clock.now() + timedelta(days=1)
    assert await watch.after(29 * MINUTES) == []
    assert await watch.after(1 * MINUTES) == ["not-accepted"]


async def test_without_sends_that_wait_it_is_no_alarm(rig: Rig) -> None:
    watch = Watch(rig, has_sight=True)
    assert await watch.after(3 * HOURS) == []


async def test_a_send_is_seen_to_once_it_can_be(rig: Rig) -> None:
    await rig.send()
    watch = Watch(rig, has_sight=True)
    watch.seen = rig.clock.now()
    assert await watch.after(31 * MINUTES) == []
    watch.seen = rig.clock.now()
    assert await watch.after(0) == ["not-accepted"]


async def test_without_requests_to_ask_with_the_alarm_waits(rig: Rig) -> None:
    await rig.send()
    api = Api(NotSent("used up", kind="budget", retry_after_s=60))
    watch = Watch(rig, api)
    assert await watch.after(31 * MINUTES) == []
    assert await watch.after(5 * MINUTES) == []
    api.answer = ()
    assert await watch.after(1 * MINUTES) == ["not-accepted"]
    assert len(api.asked) == 3


async def test_of_a_send_that_waits_to_be_asked_for_no_other_is_read_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        await rig.send(id=f"Q{number}", code=f"20260115100000{number:02d}")
    read: list[str] = []

    async def noted(tx: ReadTransaction, row: SubmissionRow) -> DeliveryStatus:
        read.append(row.id)
        where = await standing_of(tx, row)
        return where if row.id == "Q0" else replace(where, accepted_at=rig.clock.now())

    monkeypatch.setattr("bridge.receipts.overdue.standing_of", noted)
    watch = Watch(rig, Api(NotSent("used up", kind="budget", retry_after_s=60)))
    assert await watch.after(31 * MINUTES) == []
    assert sorted(read) == sorted(f"Q{number}" for number in range(10))
    read.clear()
    assert await watch.after(1 * MINUTES) == []
    assert read == ["Q0"]


async def test_a_send_that_waited_is_told_of_at_the_stage_it_came_to(rig: Rig) -> None:
    await rig.send()
    api = Api(NotSent("used up", kind="budget", retry_after_s=60))
    watch = Watch(rig, api)
    assert await watch.after(31 * MINUTES) == []
    assert await watch.after(12 * HOURS) == []
    api.answer = ()
    assert await watch.after(1 * MINUTES) == ["open-12h"]


@pytest.mark.parametrize("is_delivered", [True, False])
async def test_what_was_seen_until_yesterday_is_not_looked_through_at_each_look(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, is_delivered: bool
) -> None:
    read: list[str] = []

    async def noted(tx: ReadTransaction, row: SubmissionRow) -> DeliveryStatus:
        read.append(row.id)
        return await standing_of(tx, row)

    monkeypatch.setattr("bridge.receipts.overdue.standing_of", noted)
    await rig.send()
    if is_delivered:
        await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
        await rig.receipt(NetworkKind.DELIVERY, ANNA)
    watch = Watch(rig, has_sight=True)
    watch.seen = rig.clock.now() + timedelta(minutes=40)
    for _ in range(3):
        await watch.after(24 * HOURS)
        read.clear()
        await watch.after(1 * MINUTES)
        assert read == []
