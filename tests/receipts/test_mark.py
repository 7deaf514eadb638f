"""``[receipts] mark``: notices that ask for a person stand out, and nothing else is touched."""

from __future__ import annotations

from bridge.language import Voice
from bridge.model import FLAGGED, INBOX, SENT
from bridge.simulator.wording import NetworkKind
from bridge.store.dsn import DsnRequest, DsnWish, NotifyOn
from tests.receipts.rig import Rig

ANNA, BRUNO = "anna@pec.example", "bruno@pec.example"


async def flagged(rig: Rig, mailbox: str) -> list[str]:
    """Return the subjects of what has a flag in a mailbox."""
    box = await rig.mailboxes.find(rig.account, mailbox)
    assert box is not None
    index = await rig.mailboxes.index(box.id)
    subjects = await rig.subjects(mailbox)
    return [one for one, flags in zip(subjects, index.flags, strict=True) if FLAGGED in flags]


async def fail(rig: Rig) -> None:
    """Send to two, of whom one asked for notifications, and let both fail after one delivery."""
    asked = DsnRequest(wishes={ANNA: DsnWish(frozenset(NotifyOn))})
    await rig.send((ANNA, BRUNO), dsn=asked)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.FIRST_NOTICE, ANNA)
    await rig.receipt(NetworkKind.FAILURE, ANNA)
    await rig.receipt(NetworkKind.FAILURE, BRUNO)


NOTICES = ["Mancata consegna / Not delivered: Diffida"] * 2
"""The notification for Anna, and the notice of Bruno's."""


async def test_a_flag_is_on_what_asks_for_a_person(rig: Rig) -> None:
    rig.mailboxes.voice = Voice(mark="flag")
    await fail(rig)
    assert await flagged(rig, INBOX) == NOTICES
    assert await flagged(rig, SENT) == []


async def test_a_word_is_before_the_subject_of_notices_alone(rig: Rig) -> None:
    before = await rig.raws(SENT)
    rig.mailboxes.voice = Voice(mark="subject")
    await fail(rig)
    subjects = await rig.subjects()
    late = "Non ancora consegnato / Not delivered yet: Diffida"
    marked = [one.removeprefix("[PEC] ") for one in subjects if one.startswith("[PEC] ")]
    assert marked == [late, *NOTICES]
    assert len(subjects) == len(marked) + 4
    assert before == []
    assert await rig.subjects(SENT) == ["Diffida"]
    assert await flagged(rig, INBOX) == []


async def test_without_it_nothing_stands_out(rig: Rig) -> None:
    await fail(rig)
    assert await flagged(rig, INBOX) == []
    assert not [one for one in await rig.subjects() if one.startswith("[PEC]")]
