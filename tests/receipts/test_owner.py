"""Which sent message a receipt is of: none where two could be meant, or one of unknown outcome."""

from __future__ import annotations

from bridge.model import SubmissionState
from bridge.receipts.filed import read_row
from bridge.receipts.owner import Owner, find_owner, find_owners
from bridge.simulator.wording import NetworkKind
from bridge.store.base import ReadTransaction
from bridge.store.remote import RemoteId
from tests.receipts.rig import CODE, Rig

ANNA = "anna@pec.example"
LONG = "Richiesta di integrazione della documentazione per la pratica edilizia"


async def owners(rig: Rig, remote: RemoteId) -> tuple[Owner | None, int]:
    """Return the owner of a row that came, and how many may be it."""

    async def work(tx: ReadTransaction) -> tuple[Owner | None, int]:
        row = await tx.remote_row(remote)
        assert row is not None
        receipt = await read_row(tx, row)
        found = await find_owners(tx, rig.account, receipt)
        return await find_owner(tx, rig.account, receipt), len(found)

    return await rig.store.read(work)


async def test_the_code_names_the_send(rig: Rig) -> None:
    id = await rig.send()
    await rig.send(id="Q2", code=f"{CODE[:-1]}7")
    owner, count = await owners(rig, await rig.receipt(NetworkKind.ACCEPTANCE, ANNA))
    assert owner is not None
    assert (owner.submission.id, owner.weak, count) == (id, False, 1)


async def test_of_two_sends_with_one_code_neither_is_the_owner(rig: Rig) -> None:
    await rig.send()
    await rig.send(id="Q2")
    assert await owners(rig, await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)) == (None, 2)


async def test_a_cut_subject_is_no_weak_tie_to_a_send_of_unknown_outcome(rig: Rig) -> None:
    id = await rig.send(subject=LONG, code=None)
    await rig.step(id, SubmissionState.DISPATCHING, SubmissionState.UNCERTAIN)
    remote = await rig.arrive(f"CONSEGNA: {LONG}"[:40], "<p>Testo</p>")
    assert await owners(rig, remote) == (None, 0)
    assert await rig.receipts(id) == []
