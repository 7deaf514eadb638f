"""What ``GET /send/{code}`` proves: what carries the very code, and can be about nobody else."""

from __future__ import annotations

import pytest

from bridge.api.schema import StatusRow
from bridge.mailbox import MailboxTransaction
from bridge.receipts.second_source import keep_status
from tests.receipts.rig import ADDRESS, CODE, SERVICE, Rig

ANNA = "anna@pec.example"
SUBJECT = "Trasmissione della documentazione integrativa"


def told(rig: Rig, subject: str, body: str = "") -> StatusRow:
    return StatusRow(
        sender=SERVICE,
        recipient=ADDRESS,
        date_text="",
        subject=subject,
        body=body,
        raw=f'{{"object": "{subject}"}}',
        date=rig.clock.now(),
    )


@pytest.mark.parametrize(
    ("shown", "states"),
    [
        (f"{SUBJECT} {CODE}", {ANNA: "accepted"}),
        (f"{SUBJECT} {CODE[:8]}", {ANNA: "pending"}),
        (SUBJECT[:-6], {ANNA: "pending"}),
    ],
    ids=["the code", "a code cut short", "no code"],
)
async def test_only_what_carries_the_code_counts(
    rig: Rig, shown: str, states: dict[str, str]
) -> None:
    """In the inbox a subject that was cut may do; here others' messages are shown as well (Q13)."""
    id = await rig.send(subject=SUBJECT)
    now = rig.clock.now()

    async def work(mtx: MailboxTransaction) -> None:
        await keep_status(mtx, id, [told(rig, f"ACCETTAZIONE: {shown}")], now)

    await rig.mailboxes.write(work)
    assert await rig.states(id) == states


async def test_what_carries_another_sends_code_counts_for_neither(rig: Rig) -> None:
    """Nobody asked about that one."""
    ids = [await rig.send(subject=SUBJECT), await rig.send(id="Q2", code=f"{CODE}7")]
    now = rig.clock.now()

    async def work(mtx: MailboxTransaction) -> None:
        await keep_status(mtx, ids[0], [told(rig, f"ACCETTAZIONE: Diffida {CODE}7")], now)

    await rig.mailboxes.write(work)
    assert [await rig.states(id) for id in ids] == [{ANNA: "pending"}] * 2
    assert [await rig.receipts(id) for id in ids] == [[], []]
