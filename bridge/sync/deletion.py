"""Deleting at the API what was expunged here for good, and never anything else.

The wish was written down in the commit of the expunge. Which listed message is the one meant is
proven first (``proof``); only then it is deleted, and afterwards the listing must lack it. Ids go
from the highest down, so that a deletion moves none that follows (Q11).

Listing is what costs, so up to ``TOGETHER`` rows are looked up in one reading of the pages, and in
another one afterwards; what is read right before a deletion is read for each. The first reading is
saved where a look has just shown that all that is listed is known (``sight``). The first of all
goes alone, by its page: an API that deletes another message than it is told to is found out before
a second goes.

Any doubt ends the wish: the message stays at the API, and an alarm says so. Trouble with the API
ends nothing: the wish waits, also over a restart.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bridge.api.errors import ApiError, NotSent, OutcomeUnknown, Refused, is_left_for_later
from bridge.clock import Clock
from bridge.store.deletions import DeletionRow
from bridge.store.remote import RemoteRow
from bridge.sync.deleting import Gone, Later, Patience, Trouble, Unproven, Wishes, number_of
from bridge.sync.deletions import Doubting
from bridge.sync.filer import Filer
from bridge.sync.locating import Locator, Way
from bridge.sync.notice import doubted
from bridge.sync.proof import Proof
from bridge.sync.rows import Rows
from bridge.sync.settings import Budget
from bridge.sync.sight import LISTED_FOR_S, Sight
from bridge.sync.telling import Teller
from bridge.sync.texts import RowTexts

log = structlog.get_logger()

ASK_AGAIN_S = 3_600.0
"""How long deletions rest after the API did not allow one."""


TOGETHER = 12
"""Deletions between two readings of the pages: fewer than a loss that is doubted (``loss``)."""


class Deleter:
    """Carries out one account's deletions.

    Args:
        way: asks the API, and finds rows.
        verifying: likewise, to see what became of what was asked for.
        wishes: what is to be deleted.
        rows: what is known.
        texts: fetches the text that proves which message it is.
        filer: withdraws what is deleted.
        teller: says that the API does not allow any.
        sight: tells whether all that is listed is known.
        budget: tells whether requests may be made now: what pages cost is lost where the deletion
            that they are read for is refused.
        clock: for resting.
    """

    def __init__(
        self,
        way: Way,
        verifying: Way,
        wishes: Wishes,
        rows: Rows,
        texts: RowTexts,
        filer: Filer,
        teller: Teller,
        sight: Sight,
        budget: Budget,
        clock: Clock,
    ) -> None:
        self._way = way
        self._verifying = verifying
        self._wishes = wishes
        self._rows = rows
        self._texts = texts
        self._filer = filer
        self._teller = teller
        self._sight = sight
        self._budget = budget
        self._clock = clock
        self._rest_until_s = 0.0
        self._patience = Patience(clock)
        self._proof = Proof(way, wishes, rows, self._patience)
        self._afterwards = Proof(verifying, wishes, rows, self._patience)
        self._asked: list[Gone] = []

    async def carry_out(self) -> int:
        """Carry out what is wanted; returns how many messages were deleted.

        Raises:
            ApiError: the API is in trouble; what is left waits.
        """
        await self._take_up_twins()
        await self._recall_asked()
        deleted = await self._verify_asked(self._verifying.locator.moment())
        wishes = _highest_first(await self._wishes.wanted())
        together, goes_on, trouble = False, False, Trouble()
        while wishes and self._clock.monotonic() >= self._rest_until_s:
            if not (goes_on or await self._has_room(wishes)):
                break
            batch = await self._batch(wishes, together=together)
            del wishes[: len(batch)]
            deleted += await self._carry_out(batch, trouble)
            together, goes_on = True, len(batch) == 1
        if trouble.error is not None:
            raise trouble.error
        return deleted

    async def _has_room(self, wishes: Sequence[DeletionRow]) -> bool:
        """Tell whether the requests of a batch may be made now."""
        return await self._budget.has_room(self._way.purpose, 2 * min(len(wishes), TOGETHER))

    async def _batch(self, wishes: Sequence[DeletionRow], *, together: bool) -> list[DeletionRow]:
        """Return the first wish, and those that may go together with it: twins go alone."""
        batch = list(wishes[:1])
        if together and not await self._is_twin(wishes[0]):
            for wish in wishes[1:TOGETHER]:
                if await self._is_twin(wish):
                    break
                batch.append(wish)
        return batch

    async def _carry_out(self, batch: Sequence[DeletionRow], trouble: Trouble) -> int:
        """Carry out a batch by one reading of the pages after it, and one before if need be."""
        is_alone = len(batch) == 1
        try:
            if not is_alone:
                await self._sight.renew()
            await self._ask_for(batch, trouble, is_alone=is_alone)
        except ApiError as error:
            if not isinstance(error, NotSent) or is_left_for_later(error):
                await self._verify_asked(self._verifying.locator.moment())
            raise  # else the pages could not be had either: it is done first the next time
        return await self._verify_asked(
            self._verifying.locator if is_alone else self._verifying.locator.moment()
        )

    async def _ask_for(
        self, batch: Sequence[DeletionRow], trouble: Trouble, *, is_alone: bool
    ) -> None:
        """Ask for a batch's deletions."""
        locator = self._way.locator if is_alone else self._way.locator.moment()
        read_s = self._clock.monotonic()
        for wish in batch:
            if not is_alone and self._clock.monotonic() - read_s > LISTED_FOR_S:
                locator, read_s = self._way.locator.moment(), self._clock.monotonic()
            try:
                is_seen = not is_alone and self._sight.is_clear
                one = await self._one(wish, locator, is_seen=is_seen)
            except Unproven as doubt:
                await self._doubt(wish, doubt)
            except Later:
                continue
            except OutcomeUnknown as error:
                trouble.note(error)
            else:
                self._asked += [] if one is None else [one]
                if one is not None and not one.confirmed:
                    break  # what follows waits for the next time

    async def _is_twin(self, wish: DeletionRow) -> bool:
        """Tell whether others may be just like it: then it goes alone, on pages of its own."""
        return len(await self._rows.places([wish.remote.fingerprint])) != 1

    async def _verify_asked(self, locator: Locator) -> int:
        """See whether the listing lacks what was asked for; returns how much of it does.

        What trouble with the API leaves to be seen is seen to the next time, before anything else:
        another just like it that comes meanwhile is not to be deleted in its place.
        """
        deleted, asked = 0, self._asked
        wanted = {wish.remote.id for wish in await self._wishes.wanted()} if asked else set()
        while asked:
            one = asked[0]
            if one.row.id in wanted:  # else a look has seen it gone
                try:
                    deleted += await self._verify(one, locator)
                except Unproven as doubt:
                    await self._doubt(one.wish, doubt)
                except Later:
                    pass
            del asked[0]
        return deleted

    async def _recall_asked(self) -> None:
        """Take up what was asked for, perhaps by a process that was killed, without an answer."""
        known = {one.row.id for one in self._asked}
        for wish in await self._wishes.wanted():
            if wish.asked_after is not None and wish.remote.id not in known:
                twins = await self._proof.twins_of(wish.remote)
                self._asked.append(
                    Gone(wish, wish.remote, twins, wish.alike, wish.asked_after, confirmed=False)
                )

    async def _take_up_twins(self) -> None:
        """Take doubts up whose reason has gone: all that are alike in everything are wanted gone.

        Only a wish that is new can be the reason, so that none is taken up for ever.
        """
        doubted = await self._wishes.doubted()
        wanted = await self._wishes.wanted() if doubted else []
        wished = {wish.remote.id for wish in (*doubted, *wanted)}
        new = {_likeness(wish.remote) for wish in wanted}
        for wish in doubted:
            row = wish.remote
            if _likeness(row) not in new:
                continue
            twins = await self._rows.places([row.fingerprint])
            if all(one.remote in wished for one in twins if one.body_sha256 == row.body_sha256):
                await self._wishes.want_again(row)

    async def _one(self, seen: DeletionRow, locator: Locator, *, is_seen: bool) -> Gone | None:
        """Delete a row, if it still is to be; None if nothing was asked of the API.

        ``is_seen`` says that all that is listed is known.
        """
        remote = seen.remote.id
        wish = next((one for one in await self._wishes.wanted() if one.remote.id == remote), None)
        if wish is None:
            return None
        row = wish.remote
        if reason := await self._wishes.why_kept(row):
            await self._wishes.keep(row.id, reason)
            return None
        if row.body_sha256 is None:  # the archive is to have the text, and nothing else proves it
            await self._texts.want(row.id)
            return None
        if wish.asked_after is not None:  # what came of that is to be seen first
            return None
        found = await self._proof.by_text(row) if is_seen else None
        found = found or await self._proof.identified(row, locator)
        after, turn = await self._wishes.ask(row.id, found.alike), self._rows.turn
        try:
            confirmed = await self._delete(found.row)
        except (NotSent, Later):
            await self._wishes.unask(row.id)
            raise
        return Gone(wish, found.row, found.twins, found.alike, after, confirmed, turn)

    async def _delete(self, row: RemoteRow) -> bool:
        """Ask for a deletion; tells whether the API says that it was done."""
        try:
            await self._way.client.delete_inbox(row.api_id)
        except NotSent as error:
            if error.kind != "credentials":
                raise
            await self._not_allowed(error.reason)
            raise Later from None
        except Refused as error:
            if error.status in (403, 405):
                await self._not_allowed(error.reason)
                raise Later from None
            log.warning("deletion_refused", remote=row.id, reason=error.reason)
            await self._wishes.unask(row.id)
            return False
        except OutcomeUnknown as error:
            log.warning("deletion_uncertain", remote=row.id, reason=error.reason)
            return False
        return True

    async def _verify(self, gone: Gone, locator: Locator) -> bool:
        """See whether the listing lacks the row now, and write down what came of it.

        Without an answer nothing is concluded from that, since rows may just have moved: the next
        passes will tell.
        """
        row, confirmed = gone.row, gone.confirmed
        listed = await self._afterwards.still_listed(gone, locator)
        if not listed:
            if not confirmed:
                raise Later
            await self._filer.withdraw([row.id], for_ever=True)
            self._rows.went(row, gone.turn)
            await self._teller.may_delete()
            self._patience.end(row.id)
            log.info("message_deleted", account=self._wishes.account, remote=row.id)
            return True
        if not confirmed:
            if await self._was_sent(row) and await self._afterwards.may_have_come(
                gone, listed, locator
            ):
                raise Unproven(
                    "non si sa se è stato cancellato: nell'elenco ce n'è uno uguale in tutto.",
                    "nothing tells whether it was deleted: one just like it is listed.",
                )
            await self._wishes.unask(row.id)
            self._patience.put_off(
                row.id,
                "la richiesta di cancellarlo non ha avuto effetto.",
                "the request to delete it had no effect.",
            )
        self._rest_until_s = self._clock.monotonic() + ASK_AGAIN_S
        raise Unproven(
            "è ancora nell'elenco dopo la cancellazione; un altro messaggio potrebbe mancare.",
            "it is still listed after it was deleted; another message may be missing.",
        )

    async def _was_sent(self, row: RemoteRow) -> bool:
        """Tell whether a deletion may have taken effect, for all that the API said."""
        wanted = await self._wishes.wanted()
        return any(one.remote.id == row.id and one.asked_after is not None for one in wanted)

    async def _not_allowed(self, reason: str) -> None:
        self._rest_until_s = self._clock.monotonic() + ASK_AGAIN_S
        await self._teller.may_not_delete(reason)

    async def _doubt(self, wish: DeletionRow, doubt: Unproven) -> None:
        row = wish.remote
        log.error(
            "deletion_doubted",
            account=self._wishes.account,
            remote=row.id,
            reason=doubt.english,
        )
        self._patience.end(row.id)
        notice = doubted(row, doubt.italian, doubt.english)
        await self._wishes.doubt(row, Doubting(doubt.english, notice))


def _likeness(row: RemoteRow) -> tuple[bytes, bytes | None]:
    return row.fingerprint, row.body_sha256


def _highest_first(wishes: Sequence[DeletionRow]) -> list[DeletionRow]:
    """Return wishes from the highest id down, by the rows' order: ids may be of another day."""
    newest_first = sorted(wishes, key=lambda wish: -wish.remote.rank)
    ids = [number_of(wish.remote.api_id) for wish in newest_first]
    return newest_first if not ids or ids[0] >= ids[-1] else newest_first[::-1]
