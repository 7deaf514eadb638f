"""The list of what was submitted: its facts, what narrows it, and its pages."""

from __future__ import annotations

import pytest

from bridge.model import QueueId, SubmissionState
from bridge.operations.control import OperationFailed
from tests.operations.test_outcome import Asking
from tests.receipts.rig import ADDRESS, CODE, Rig


async def three(rig: Rig) -> None:
    """Send three messages, a minute apart: one is uncertain, the other two were submitted."""
    for number in (1, 2, 3):
        code = None if number == 2 else f"{CODE[:-1]}{number}"
        await rig.send(code=code, id=f"Q{number}", reference=f"Ordine {number % 2}")
        await rig.clock.advance(60)
    await rig.step(QueueId("Q2"), SubmissionState.DISPATCHING, SubmissionState.UNCERTAIN)


async def ids(rig: Rig, **arguments: object) -> list[str]:
    return [one["id"] for one in (await Asking(rig).list(**arguments))["sends"]]


async def test_each_is_told_with_the_facts_of_outcome(rig: Rig) -> None:
    await three(rig)
    asking = Asking(rig)
    for send in (await asking.list())["sends"]:
        assert [send] == (await asking(send["id"]))["sends"]


async def test_what_narrows_the_list(rig: Rig) -> None:
    await three(rig)
    assert await ids(rig) == ["Q3", "Q2", "Q1"]
    assert await ids(rig, state="submitted") == ["Q3", "Q1"]
    assert await ids(rig, state="uncertain") == ["Q2"]
    assert await ids(rig, reference="Ordine 1") == ["Q3", "Q1"]
    assert await ids(rig, reference="Ordine") == []
    assert await ids(rig, since="2026-01-15T09:01:00Z") == ["Q3", "Q2"]
    assert await ids(rig, since="2026-01-15T10:01:00+01:00", state="submitted") == ["Q3"]
    assert await ids(rig, account=ADDRESS) == ["Q3", "Q2", "Q1"]
    with pytest.raises(OperationFailed, match="no account"):
        await ids(rig, account="altra@pec.example")


async def test_a_page_goes_on_where_the_one_before_ended(rig: Rig) -> None:
    await three(rig)
    page = await Asking(rig).list(limit=2)
    assert ([one["id"] for one in page["sends"]], page["next"] is None) == (["Q3", "Q2"], False)
    await rig.send(id="Q4")
    page = await Asking(rig).list(limit=2, before=page["next"])
    assert ([one["id"] for one in page["sends"]], page["next"]) == (["Q1"], None)


async def test_a_page_has_so_many_at_the_most(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.operations.outcome.PAGE_SENDS", 2)
    await three(rig)
    assert len(await ids(rig, limit=10_000)) == len(await ids(rig)) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        {"state": "nonsense"},
        {"since": "yesterday"},
        {"since": "2026-01-15T09:00:00"},
        {"limit": "x"},
        {"before": "x"},
    ],
    ids=str,
)
async def test_what_cannot_be_looked_for_is_said(rig: Rig, arguments: dict[str, object]) -> None:
    with pytest.raises(OperationFailed, match="cannot be looked for"):
        await Asking(rig).list(**arguments)


async def test_of_another_account_nothing_is_told_whatever_it_is_called(rig: Rig) -> None:
    await rig.send(id="Q1", reference="Ordine 1")
    other = await rig.mailboxes.open_account("altra@pec.example")
    asking = Asking(rig, more={other: "altra@pec.example"})
    for name in ("Q1", "Ordine 1", CODE, "<Q1@azienda.example>"):
        assert len((await asking(name, account=ADDRESS))["sends"]) == 1
        assert (await asking(name, account="altra@pec.example"))["sends"] == []
    assert (await asking.list(account="altra@pec.example"))["sends"] == []


async def test_of_one_name_so_many_are_looked_at_as_are_asked_for(rig: Rig) -> None:
    await three(rig)
    assert len((await Asking(rig)("Ordine 1"))["sends"]) == 2
    (first,) = (await Asking(rig)("Ordine 1", most=1))["sends"]
    assert first["id"] == "Q1"
