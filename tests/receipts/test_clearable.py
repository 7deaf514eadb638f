"""Which receipts may go from the API by the settings, and what keeps each of the others."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.model import SubmissionState
from bridge.receipts.clearable import why_kept
from bridge.simulator.wording import NetworkKind
from bridge.store.base import Transaction
from bridge.store.outbox import ClaimBasis, Step
from bridge.store.remote import RemoteId
from tests.receipts.rig import CODE, Rig

ANNA, BRUNO = "anna@pec.example", "bruno@due.example"
ACCEPTANCE, DELIVERY = NetworkKind.ACCEPTANCE, NetworkKind.DELIVERY
SECOND = timedelta(seconds=1)


async def kept(rig: Rig, remote: RemoteId) -> str:
    return await rig.store.read(lambda tx: why_kept(tx, remote))


async def over(rig: Rig) -> list[RemoteId]:
    """Let a send to one recipient be over; returns its receipts."""
    await rig.send()
    return [
        await rig.receipt(kind, ANNA, later=place * SECOND)
        for place, kind in enumerate((ACCEPTANCE, DELIVERY))
    ]


async def test_receipts_of_a_send_that_is_over_may_go(rig: Rig) -> None:
    for remote in await over(rig):
        assert await kept(rig, remote) == ""


async def test_so_may_those_of_one_that_failed_or_is_ordinary(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO))
    one = await rig.receipt(ACCEPTANCE, ANNA, BRUNO, ordinary=[BRUNO])
    assert await kept(rig, one) == "what was sent is not over for every recipient"
    other = await rig.receipt(NetworkKind.FAILURE, ANNA, later=SECOND)
    assert [await kept(rig, remote) for remote in (one, other)] == ["", ""]


async def test_what_is_no_receipt_of_ours_stays(rig: Rig) -> None:
    await over(rig)
    mail = await rig.arrive("POSTA CERTIFICATA: Diffida", "Testo", "Per conto di: x <y@z.example>")
    forged = await rig.arrive(f"CONSEGNA: Diffida {CODE}", "Testo", "y@z.example")
    foreign = await rig.receipt(DELIVERY, ANNA, code="2026011510000555")
    for remote in (mail, forged, foreign, RemoteId(999)):
        assert await kept(rig, remote) == "it is no receipt of a message sent from here"


async def test_while_another_text_is_to_be_read_they_stay(rig: Rig) -> None:
    await rig.know_issuer()
    await rig.send()
    acceptance = await rig.receipt(ACCEPTANCE, ANNA)
    await rig.listed(DELIVERY, ANNA, later=SECOND)
    await rig.judge()
    assert await rig.states(next(iter(rig.sent))) == {ANNA: "delivered"}
    assert await kept(rig, acceptance) == "texts of other receipts are still to be read"


async def test_receipts_that_contradict_each_other_stay(rig: Rig) -> None:
    remotes = [*await over(rig), await rig.receipt(NetworkKind.FAILURE, ANNA, later=2 * SECOND)]
    for remote in remotes:
        assert await kept(rig, remote) == "its receipts contradict each other"


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE remote SET gone_at = 1", "it is no receipt of a message sent from here"),
        ("UPDATE remote SET submission = NULL", "it is no receipt of a message sent from here"),
        ("UPDATE remote SET kind = ''", "it is no receipt"),
        ("UPDATE remote SET subject = 'POSTA CERTIFICATA: x'", "it is no receipt"),
        ("UPDATE receipt SET basis = 'status'", "its text did not tie it to what was sent"),
        ("UPDATE remote SET content = NULL", "its text is not here"),
        ("UPDATE remote SET readable = (1 = 0)", "its text is not here"),
        ("UPDATE remote SET body_sha256 = NULL", "its text is not here"),
        ("UPDATE remote_body SET body = body || ' '", "its text is not here whole"),
        ("DELETE FROM remote_body", "its text is not here whole"),
    ],
)
async def test_what_a_row_has_to_be(rig: Rig, statement: str, reason: str) -> None:
    remotes = await over(rig)

    async def work(tx: Transaction) -> None:
        tx._row(statement)  # type: ignore[attr-defined]

    await rig.store.write(work)
    for remote in remotes:
        assert await kept(rig, remote) == reason


async def test_what_rests_on_a_persons_word_or_is_in_doubt_stays(rig: Rig) -> None:
    remotes = await over(rig)
    id = next(iter(rig.sent))
    await rig.store.write(lambda tx: tx.claim_code(id, ClaimBasis.WORD))
    for remote in remotes:
        assert await kept(rig, remote) == "that it was sent is a person's word"
    step = Step(SubmissionState.SUBMITTED, SubmissionState.UNCERTAIN, rig.clock.now())
    await rig.store.write(lambda tx: tx.step_submission(id, step))
    for remote in remotes:
        assert await kept(rig, remote) == "what was sent is in doubt"
