"""``usage`` against outboxes made by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Prices
from bridge.model import QueueId, SubmissionState
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.control import OperationFailed
from bridge.operations.usage import UsageOperations
from bridge.outbox.plan import PLANS, PlanName, rome_day
from bridge.receipts.kind import Kind
from bridge.receipts.record import outcome_of
from bridge.receipts.states import ReceiptEvidence, standing
from bridge.simulator.wording import NetworkKind
from bridge.store.figures import ReceiptSummary
from bridge.store.sqlite.connection import FILE_NAME
from tests.outbox.made import NOW, row_of
from tests.receipts.rig import ADDRESS, Rig
from tests.stores import CHOSEN

OTHER = "studio@pec.example"
THREE = ("anna@pec.example", "bruno@pec.example", "carla@pec.example")
FIRST = QueueId("1")


async def ask(rig: Rig, *, plan: PlanName = "standard", **arguments: object) -> dict[str, Any]:
    accounts = ApiAccounts((ApiAccount(rig.account, ADDRESS, None),))
    usage = UsageOperations(rig.store, rig.clock, accounts, PLANS[plan], Prices())
    found = await usage.methods()["usage"](arguments, lambda done, total: None)
    assert isinstance(found, dict)
    return found


async def sent(rig: Rig, id: str, *recipients: str, at: datetime | None = None) -> None:
    """Send a message that counts on the day that the clock shows, or another moment's."""
    queue_id = await rig.send(recipients or ("anna@pec.example",), id=id, code=f"20260115{id:0>10}")
    day = rome_day(at or rig.clock.now())
    count = max(len(recipients), 1)
    await rig.store.write(lambda tx: tx.count_submission(queue_id, day, count))


async def test_recipients_stand_in_one_column_each(rig: Rig) -> None:
    await sent(rig, "1", *THREE)
    code = f"20260115{1:0>10}"
    await rig.receipt(NetworkKind.ACCEPTANCE, *THREE, code=code)
    await rig.receipt(NetworkKind.DELIVERY, "anna@pec.example", code=code)
    await rig.receipt(NetworkKind.FAILURE, "bruno@pec.example", code=code)
    totals = (await ask(rig))["totals"]
    expected = {"messages": 1, "recipients": 3, "accepted": 3, "delivered": 1, "failed": 1}
    assert {name: totals[name] for name in expected} == expected
    assert totals["open"] == 1
    assert totals["bytes"] > 0


def test_receipts_that_name_nobody_count_up_to_the_recipients() -> None:
    row = row_of(recipients=THREE)

    def outcome(*kinds: Kind, about: tuple[str, ...] = ()) -> ReceiptSummary:
        evidence = [ReceiptEvidence(n, kind, NOW, about) for n, kind in enumerate(kinds)]
        return outcome_of(row, standing(row.recipients, evidence))

    delivery, failure = Kind.DELIVERY, Kind.FAILURE
    assert outcome(delivery) == ReceiptSummary(delivered=1)
    assert outcome(delivery, failure) == ReceiptSummary(delivered=1, failed=1)
    many = outcome(delivery, delivery, failure, failure, failure)
    assert many.delivered + many.failed <= 3


async def test_uncertain_and_dropped_are_uncertain(rig: Rig) -> None:
    await sent(rig, "1", "anna@pec.example", "bruno@pec.example")
    for old, new in (("submitted", "uncertain"), ("uncertain", "dropped")):
        await rig.step(FIRST, SubmissionState(old), SubmissionState(new))
        totals = (await ask(rig))["totals"]
        assert (totals["uncertain"], totals["open"]) == (2, 0)


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2025, 12, 31, 22, 59, tzinfo=UTC), "2025-12"),
        (datetime(2025, 12, 31, 23, 0, tzinfo=UTC), "2026-01"),
        (datetime(2026, 3, 31, 21, 59, tzinfo=UTC), "2026-03"),
        (datetime(2026, 3, 31, 22, 0, tzinfo=UTC), "2026-04"),
        (datetime(2026, 10, 31, 22, 59, tzinfo=UTC), "2026-10"),
        (datetime(2026, 10, 31, 23, 0, tzinfo=UTC), "2026-11"),
    ],
)
async def test_a_month_ends_at_midnight_in_rome(rig: Rig, at: datetime, month: str) -> None:
    await sent(rig, "1", at=at)
    assert (await ask(rig, month=month))["totals"]["messages"] == 1
    whole_year = await ask(rig, year=month[:4])
    assert [row["date"] for row in whole_year["rows"]] == [month]


async def test_figures_survive_the_archives_retention(rig: Rig) -> None:
    await sent(rig, "1")
    code = f"20260115{1:0>10}"
    remote = await rig.receipt(NetworkKind.DELIVERY, "anna@pec.example", code=code)
    before = await ask(rig, year="2026")
    gone = rig.clock.now()
    await rig.store.write(lambda tx: tx.mark_remote_gone(remote, gone))
    dropped = await rig.store.write(lambda tx: tx.drop_archived_bodies(gone + timedelta(1), 100))
    assert dropped == 1
    assert await ask(rig, year="2026") == before
    assert before["totals"]["delivered"] == 1


async def test_accounts_are_told_apart_and_one_that_left_stays(rig: Rig) -> None:
    await sent(rig, "1")
    first = rig.account
    rig.account = await rig.mailboxes.open_account(OTHER)
    await sent(rig, "2")
    rig.account = first
    found = await ask(rig)
    assert [row["account"] for row in found["rows"]] == [ADDRESS, OTHER]
    only = await ask(rig, account=OTHER.upper())
    assert (only["totals"]["messages"], only["all_accounts"]["messages"]) == (1, 2)
    assert only["cost"]["mailboxes_eur"] == 0
    with pytest.raises(OperationFailed, match=r"no account nobody@pec\.example"):
        await ask(rig, account="nobody@pec.example")


@pytest.mark.parametrize(
    ("plan", "arguments", "sends", "fees", "gross"),
    [
        ("standard", {"month": "2026-01"}, 0.15, 8.25, 10.25),
        ("standard", {"year": "2026"}, 0.15, 99.0, 120.96),
        ("flat", {"month": "2026-01"}, 0.0, 125.0, 152.5),
        ("flat", {"year": "2026"}, 0.0, 1500.0, 1830.0),
    ],
)
async def test_costs(
    rig: Rig,
    plan: PlanName,
    arguments: dict[str, str],
    sends: float,
    fees: float,
    gross: float,
) -> None:
    await sent(rig, "1", "a@pec.example", "b@pec.example", "c@pec.example")
    cost = (await ask(rig, plan=plan, **arguments))["cost"]
    assert (cost["sends_eur"], cost["mailboxes_eur"], cost["gross_eur"]) == (sends, fees, gross)
    assert "22 % VAT" in cost["words"]


async def test_the_plan_is_held_against_its_fullest_period(rig: Rig) -> None:
    await sent(rig, "1", "a@pec.example", "b@pec.example")
    await sent(rig, "2", at=rig.clock.now() + timedelta(days=1))
    plan = (await ask(rig))["plan"]
    assert (plan["peak"], plan["peak_on"], plan["limit"]) == (2, "2026-01-15", 3500)
    flat = (await ask(rig, plan="flat"))["plan"]
    assert (flat["peak"], flat["peak_on"], flat["period"]) == (3, "2026-01", "month")


@pytest.mark.skipif(CHOSEN != "sqlite", reason="writes an older file")
async def test_receipts_filed_before_there_were_sums_are_weighed(rig: Rig, tmp_path: Path) -> None:
    await sent(rig, "1")
    code = f"20260115{1:0>10}"
    await rig.receipt(NetworkKind.DELIVERY, "anna@pec.example", code=code)
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as older:
        older.execute("INSERT INTO unweighed SELECT id FROM submission")
        older.execute("UPDATE submission SET delivered = 0")
    assert (await ask(rig))["totals"]["delivered"] == 1
    assert await rig.store.read(lambda tx: tx.unweighed(1)) == ()
