"""Claims that are looked at again while a person decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import SubmissionState
from bridge.outbox.review import Reviewer
from bridge.simulator import Phase, Simulator
from tests.outbox.rig import Rig
from tests.outbox.test_foreign import CODE, STRANGER, inject, lose, sync

T = TypeVar("T")
OTHER = "2026011510000593"


class Overtaken:
    """A writer before whose first commit something happens."""

    def __init__(self, mailboxes: Mailboxes, happens: Callable[[], Awaitable[object]]) -> None:
        self._mailboxes = mailboxes
        self._happens = happens

    async def write(self, work: Callable[[MailboxTransaction], Awaitable[T]]) -> T:
        await self._happens()
        return await self._mailboxes.write(work)


async def test_a_claim_that_took_the_place_of_the_one_looked_at_is_not_revoked(
    rig: Rig, simulator: Simulator
) -> None:
    id = await lose(rig, simulator, Phase.BEFORE)
    await rig.decisions.resolve_sent(id, CODE, force=True)
    inject(rig, simulator, "ACCETTAZIONE", CODE, STRANGER)
    await sync(rig, simulator)

    async def a_person_mends_it() -> None:
        await rig.decisions.resolve_reopen(id)
        await rig.decisions.resolve_sent(id, OTHER, force=True)

    writer = cast(Mailboxes, Overtaken(rig.mailboxes, a_person_mends_it))
    revoked = await Reviewer(rig.store, writer).review(rig.accounts[0], rig.clock.now())
    row = await rig.row(id)
    assert (revoked, row.state, row.code) == (set(), SubmissionState.SUBMITTED, OTHER)
    assert await rig.alarms() == []
