"""A state kept in a file is the same after a kill."""

from __future__ import annotations

import stat
from pathlib import Path
from random import Random

import pytest

from bridge.simulator import SEQUENCE_READING, Delays, ListingOrder, Operation, Simulator
from tests.fakes import FakeClock
from tests.simulator.caller import ADDRESS, PASSWORD, Caller, calling

READING = SEQUENCE_READING.replace(
    order=ListingOrder.OLDEST, delays=Delays(acceptance_s=1, delivery_s=2), page_size=100
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "simulator.json"


def started(clock: FakeClock, path: Path) -> Simulator:
    simulator = Simulator(READING, clock, Random(1))
    if not simulator.keep_in(path):
        simulator.add_mailbox(ADDRESS, PASSWORD)
        simulator.seed(ADDRESS, 5)
    return simulator


async def view(api: Caller) -> list[object]:
    rows = await api.rows()
    bodies = [(await api.get(f"/inbox/{row['id']}")).json() for row in rows]
    return [rows, bodies, (await api.get("/quota/INBOX")).json()]


async def test_a_restart_changes_nothing(clock: FakeClock, path: Path) -> None:
    first = started(clock, path)
    async with calling(first) as api:
        file = "data:text/plain;base64,YQ=="
        await api.send(attachments=[{"name": "a.txt", "file": file}])
        await clock.advance(1)
        first.set_quota(ADDRESS, used_bytes=10**6, limit_bytes=10**7)
        first.inject(ADDRESS, subject="una", body="però")
        first.inject_raw(ADDRESS, {"object": None}, {"body": 3})
        await api.delete("/inbox/2")
        await clock.advance(0.5)
        before = await view(api)
    second = started(clock, path)
    async with calling(second) as api:
        assert await view(api) == before
        assert second.sent[0].code == first.sent[0].code
        assert second.sent[0].attachments[0].sha256 == first.sent[0].attachments[0].sha256
        await clock.advance(0.5)
        assert (await api.subjects())[-1].startswith("CONSEGNA: Prova")
        second.inject(ADDRESS, subject="dopo")
        assert len({row.row.number for row in second.inbox(ADDRESS)}) == len(second.inbox(ADDRESS))


@pytest.mark.parametrize("operation", [Operation.SEND, Operation.INBOX_DELETE], ids=str)
async def test_a_change_is_kept_before_it_is_answered(
    clock: FakeClock, path: Path, operation: Operation
) -> None:
    first = started(clock, path)
    async with calling(first) as api:
        await (api.send() if operation is Operation.SEND else api.delete("/inbox/1"))
    second = started(clock, path)
    assert len(second.sent) == len(first.sent)
    assert len(second.inbox(ADDRESS)) == len(first.inbox(ADDRESS))


async def test_receipts_that_were_due_while_it_was_down_come_at_once(
    clock: FakeClock, path: Path
) -> None:
    async with calling(started(clock, path)) as api:
        await api.send()
    await clock.advance(3600)
    async with calling(started(clock, path)) as api:
        kinds = [subject.split(":")[0] for subject in (await api.subjects())[5:]]
    assert kinds == ["ACCETTAZIONE", "CONSEGNA"]


def test_the_file_is_for_its_owner_only(clock: FakeClock, path: Path) -> None:
    started(clock, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 2}'], ids=repr)
def test_another_file_is_refused(clock: FakeClock, path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(ValueError, match=r"is not a simulator's state; remove it"):
        started(clock, path)
    assert path.read_text() == content
