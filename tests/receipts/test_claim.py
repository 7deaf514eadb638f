from __future__ import annotations

from bridge.mailbox import MailboxTransaction
from bridge.model import QueueId
from bridge.receipts import claim
from bridge.simulator.wording import NetworkKind
from bridge.store.remote import RemoteId
from tests.receipts.rig import CODE, Rig

ANNA = "anna@pec.example"


async def claimed(rig: Rig, id: QueueId, code: str, *remotes: RemoteId) -> None:
    async def work(mtx: MailboxTransaction) -> None:
        await claim(mtx, rig.account, id, code, remotes=remotes)

    await rig.mailboxes.write(work)


async def test_an_acceptance_without_a_code_can_be_claimed_by_its_row(rig: Rig) -> None:
    """An uncertain send may be found by subject and time alone."""
    id = await rig.send(code=None)
    remote = await rig.arrive("ACCETTAZIONE: Diffida", "")
    assert (await rig.row(remote)).submission is None
    await claimed(rig, id, "", remote)
    assert await rig.states(id) == {ANNA: "accepted"}
    assert await rig.keywords() == {"$PecAccepted"}
    assert (await rig.row(remote)).submission == id


async def test_a_row_named_twice_is_one_receipt(rig: Rig) -> None:
    id = await rig.send(code=None)
    remote = await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await claimed(rig, id, CODE, remote)
    await claimed(rig, id, CODE, remote)
    assert len(await rig.receipts(id)) == 1


async def test_what_is_no_receipt_or_not_there_is_not_claimed(rig: Rig) -> None:
    id = await rig.send(code=None)
    remote = await rig.arrive("POSTA CERTIFICATA: Re: Diffida", "", '"Per conto di: a@b.it" ')
    await claimed(rig, id, CODE, remote, RemoteId(999))
    assert await rig.receipts(id) == []


async def test_a_row_whose_body_is_still_to_come_is_left_for_later(rig: Rig) -> None:
    """It has no kind yet; filing will tie it by its code."""
    id = await rig.send(code=None)
    arrival = await rig.add(f"ACCETTAZIONE: Diffida {CODE}", "")
    await rig.answer(id, CODE)
    assert await rig.receipts(id) == []
    await rig.filing.file(rig.account, [arrival])
    assert await rig.states(id) == {ANNA: "accepted"}


async def test_an_entry_that_is_gone_claims_nothing(rig: Rig) -> None:
    remote = await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await claimed(rig, QueueId("none"), CODE, remote)
    assert (await rig.row(remote)).submission is None


async def test_a_doubt_about_a_code_takes_back_nothing_that_was_tied_without_it(rig: Rig) -> None:
    """What ties it is subject and time, of which the doubt says nothing."""
    subject = "Trasmissione della documentazione integrativa"
    id = await rig.send(subject=subject)
    await rig.arrive(f"ACCETTAZIONE: {subject}"[:-6], "<p>Testo</p>")
    assert await rig.states(id) == {ANNA: "accepted"}
    await rig.send(subject=subject, id="Q2", code=None)  # its answer is awaited: a rival by now
    await rig.receipt(NetworkKind.DELIVERY, "altro@pec.example", subject=subject)
    assert await rig.states(id) == {ANNA: "accepted"}
