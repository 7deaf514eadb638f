"""Deleting at the API what was expunged here for good, and never anything else.

The wish was written down in the commit of the expunge. For each wish: the row is looked up where
it is listed now, the message behind its id is read and must be the one meant, to the last byte of
the body that was filed; only then it is deleted, and afterwards the listing must lack it. Ids go
from the highest down, so that a deletion moves none that follows (Q11).

Listing is what costs, so up to ``TOGETHER`` rows are looked up in one reading of the pages, and in
another one afterwards; what is read right before a deletion is read for each. The first of all goes
alone: an API that deletes another message than it is told to is found out before a second goes.

A row whose id alone has moved may be another message just like it, and waits until ``Twins`` has
settled that. Twins (Q12) are told apart by their bodies; twins that are equal in their bodies too
are deleted only if all of them are wanted gone. Any doubt ends the wish: the message stays at the
API, and an alarm says so. Trouble with the API ends nothing: the wish waits, also over a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NoReturn

import structlog

from bridge.alarms import AlarmKind
from bridge.api.errors import AnswerTooLong, ApiError, NotSent, OutcomeUnknown, Refused
from bridge.clock import Clock
from bridge.model import body_digest
from bridge.store.deletions import DeletionRow, DeletionState
from bridge.store.remote import Place, RemoteRow
from bridge.sync.agreement import agrees_exactly
from bridge.sync.deleting import Doubt, Gone, Later, Trouble, Wishes
from bridge.sync.listed import Listed
from bridge.sync.locating import Locator
from bridge.sync.notice import doubted, may_not_delete
from bridge.sync.pages import InboxClient

log = structlog.get_logger()

NOT_ALLOWED = "not allowed"
ASK_AGAIN_S = 3_600.0
"""How long deletions rest after the API did not allow one."""

APART_S = 45.0
"""Tries closer together than this count as one."""

TOGETHER = 12
"""Deletions between two readings of the pages: fewer than a loss that is doubted (``loss``)."""

LISTED_FOR_S = 15.0
"""How old the reading by which a row is deleted may be: another just like it may come meanwhile."""

TRIES = 3
"""Deletions that come to nothing without a reason, before one is given up."""


class Deleter:
    """Carries out one account's deletions.

    Args:
        client: the API.
        ledger: the wishes and the rows.
        locator: finds rows.
        clock: for resting.
        address: the account's, for what people are told.
        policy: "never" keeps everything at the API.
    """

    def __init__(
        self,
        client: InboxClient,
        ledger: Wishes,
        locator: Locator,
        clock: Clock,
        address: str,
        policy: Literal["expunge", "never"],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._locator = locator
        self._clock = clock
        self._address = address
        self._policy = policy
        self._rest_until_s = 0.0
        self._tries: dict[int, tuple[int, float]] = {}
        self._asked: list[Gone] = []

    async def carry_out(self) -> int:
        """Carry out what is wanted; returns how many messages were deleted.

        Raises:
            ApiError: the API is in trouble; what is left waits.
        """
        await self._take_up_twins()
        await self._recall_asked()
        deleted = await self._verify_asked(self._locator.moment())
        wishes = sorted(await self._ledger.wanted(), key=_highest_first)
        together, trouble = False, Trouble()
        while wishes and self._clock.monotonic() >= self._rest_until_s:
            batch = await self._batch(wishes, together=together)
            del wishes[: len(batch)]
            deleted += await self._carry_out(batch, trouble)
            together = True
        if trouble.error is not None:
            raise trouble.error
        return deleted

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
        """Carry out a batch by one reading of the pages before and one after."""
        is_alone = len(batch) == 1
        try:
            await self._ask_for(batch, trouble, is_alone=is_alone)
        except ApiError as error:
            if not isinstance(error, NotSent):  # nor would the pages be had: it is done first then
                await self._verify_asked(self._locator.moment())
            raise
        return await self._verify_asked(self._locator if is_alone else self._locator.moment())

    async def _ask_for(
        self, batch: Sequence[DeletionRow], trouble: Trouble, *, is_alone: bool
    ) -> None:
        """Ask for a batch's deletions."""
        locator = self._locator if is_alone else self._locator.moment()
        read_s = self._clock.monotonic()
        for wish in batch:
            if not is_alone and self._clock.monotonic() - read_s > LISTED_FOR_S:
                locator, read_s = self._locator.moment(), self._clock.monotonic()
            try:
                one = await self._one(wish, locator)
            except Doubt as doubt:
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
        return len(await self._ledger.places([wish.remote.fingerprint])) != 1

    async def _verify_asked(self, locator: Locator) -> int:
        """See whether the listing lacks what was asked for; returns how much of it does.

        What trouble with the API leaves to be seen is seen to the next time, before anything else:
        another just like it that comes meanwhile is not to be deleted in its place.
        """
        deleted, asked = 0, self._asked
        wanted = {wish.remote.id for wish in await self._ledger.wanted()} if asked else set()
        while asked:
            one = asked[0]
            if one.row.id in wanted:  # else a look has seen it gone
                try:
                    deleted += await self._verify(one, locator)
                except Doubt as doubt:
                    await self._doubt(one.wish, doubt)
                except Later:
                    pass
            del asked[0]
        return deleted

    async def _recall_asked(self) -> None:
        """Take up what was asked for, perhaps by a process that was killed, without an answer."""
        known = {one.row.id for one in self._asked}
        for wish in await self._ledger.wanted():
            if wish.asked_after is not None and wish.remote.id not in known:
                twins = await self._twins_of(wish.remote)
                self._asked.append(
                    Gone(wish, wish.remote, twins, wish.alike, wish.asked_after, confirmed=False)
                )

    async def _twins_of(self, row: RemoteRow) -> list[Place]:
        """Return the known rows that are listed alike, itself first."""
        twins = await self._ledger.places([row.fingerprint])
        return sorted(twins, key=lambda place: place.remote != row.id)

    async def _take_up_twins(self) -> None:
        """Take doubts up whose reason has gone: all that are alike in everything are wanted gone.

        Only a wish that is new can be the reason, so that none is taken up for ever.
        """
        doubted = await self._ledger.doubted()
        wanted = await self._ledger.wanted() if doubted else []
        wished = {wish.remote.id for wish in (*doubted, *wanted)}
        new = {_likeness(wish.remote) for wish in wanted}
        for wish in doubted:
            row = wish.remote
            if _likeness(row) not in new:
                continue
            twins = await self._ledger.places([row.fingerprint])
            if all(one.remote in wished for one in twins if one.body_sha256 == row.body_sha256):
                await self._ledger.want_again(row)

    async def _one(self, seen: DeletionRow, locator: Locator) -> Gone | None:
        """Delete a row, if it still is to be; None if nothing was asked of the API."""
        remote = seen.remote.id
        wish = next((one for one in await self._ledger.wanted() if one.remote.id == remote), None)
        if wish is None:
            return None
        row = wish.remote
        if self._policy == "never":
            await self._ledger.settle(row.id, DeletionState.KEPT, "delete is set to never")
            return None
        if reason := await self._ledger.why_kept(row):
            await self._ledger.settle(row.id, DeletionState.KEPT, reason)
            return None
        if row.body_sha256 is None:  # the archive is to have the text, and nothing else proves it
            await self._ledger.want_text(row.id)
            return None
        if wish.asked_after is not None:  # what came of that is to be seen first
            return None
        present, twins, before = await self._identified(row, locator)
        after = await self._ledger.ask(row.id, before)
        try:
            confirmed = await self._delete(present)
        except (NotSent, Later):
            await self._ledger.unask(row.id)
            raise
        return Gone(wish, present, twins, before, after, confirmed)

    async def _identified(
        self, row: RemoteRow, locator: Locator
    ) -> tuple[RemoteRow, Sequence[Place], int]:
        """Return the row under the id where the message meant was read just now.

        With it come its known twins, itself among them, and how many listed rows have its body.

        Raises:
            Doubt: it cannot be told.
            Later: it is not listed where it should be; the next look will tell more.
        """
        if not row.api_id:
            raise Doubt("il servizio non le dà un identificativo.", "the API gives it no id.")
        twins = await self._twins_of(row)
        thorough = row.id in self._tries
        listed = await self._listed(twins, locator, thorough=thorough)
        if not listed:
            self._tries.setdefault(row.id, (0, -APART_S))
            raise Later
        candidates = await self._same_body(row, listed)
        if not candidates:
            self._later(
                row,
                "quello che il servizio mostra al suo posto non è il messaggio ricevuto.",
                "what the API shows in its place is not the message that was received.",
            )
        await self._check_twins(row, twins, listed, candidates)
        present = await self._ledger.row(row.id)
        if present is None:
            raise Later
        if present.api_id not in candidates:  # no neighbour moved as it did (see ``matching``)
            self._later(
                row,
                "è nell'elenco con un altro identificativo, e può essere un altro uguale.",
                "it is listed under another id than before, and may be another just like it.",
            )
        if len(listed) > 1:
            again = await self._listed(twins, self._locator, thorough=thorough)
            if [one.api_id for one in again] != [one.api_id for one in listed]:
                raise Later  # they moved while they were read
        return present, twins, len(candidates)

    async def _same_body(self, row: RemoteRow, listed: Sequence[Listed]) -> list[str]:
        """Return the ids of those listed twins that have the row's body, highest first."""
        found = []
        for one in sorted(listed, key=lambda one: _number(one.api_id), reverse=True):
            try:
                message = await self._client.inbox_message(one.api_id)
            except Refused as error:  # it may have moved just now
                self._later(
                    row,
                    "il servizio non mostra il messaggio.",
                    f"the API does not show it: {error.reason}",
                )
            except AnswerTooLong as error:
                raise Doubt("il suo testo è troppo lungo per leggerlo.", error.reason) from None
            same_body = row.body_sha256 == body_digest(message.body)
            if same_body and agrees_exactly(row, message):
                found.append(one.api_id)
        return found

    async def _listed(
        self, twins: Sequence[Place], locator: Locator, *, thorough: bool = False
    ) -> list[Listed]:
        """Return where a row and its twins are listed, each once; ids that moved are noted."""
        found: dict[str, Listed] = {}
        for page in (await locator.everywhere(twins, thorough=thorough)).values():
            for one in page.rows:
                if one.fingerprint == twins[0].fingerprint:
                    found[one.api_id] = one
        return list(found.values())

    def _later(self, row: RemoteRow, italian: str, english: str) -> NoReturn:
        """Put a row off, but not for ever.

        Raises:
            Later: try again.
            Doubt: it was tried often enough.
        """
        now_s = self._clock.monotonic()
        count, last_s = self._tries.get(row.id, (0, -APART_S))
        if now_s - last_s >= APART_S:
            count, last_s = count + 1, now_s
        self._tries[row.id] = (count, last_s)
        if count < TRIES:
            raise Later
        raise Doubt(italian, english)

    async def _check_twins(
        self,
        row: RemoteRow,
        twins: Sequence[Place],
        listed: Sequence[Listed],
        candidates: Sequence[str],
    ) -> None:
        """Let only a row pass that is alone, alone with its body, or wanted gone with all like it.

        Raises:
            Doubt: another message like it is to stay.
        """
        if len(twins) == 1 and len(listed) == 1:
            return
        wanted = {wish.remote.id for wish in await self._ledger.wanted()}
        like_it = [place for place in twins if place.body_sha256 == row.body_sha256]
        all_wanted = all(place.remote in wanted for place in like_it)
        if len(candidates) <= len(like_it) and (len(like_it) == 1 or all_wanted):
            return
        raise Doubt(
            "ce n'è un altro uguale in tutto, e non si sa quale dei due sia.",
            "there is another just like it, and nothing tells which of the two it is.",
        )

    async def _delete(self, row: RemoteRow) -> bool:
        """Ask for a deletion; tells whether the API says that it was done."""
        try:
            await self._client.delete_inbox(row.api_id)
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
            await self._ledger.unask(row.id)
            return False
        except OutcomeUnknown as error:
            log.warning("deletion_uncertain", remote=row.id, reason=error.reason)
            return False
        return True

    async def _verify(self, gone: Gone, locator: Locator) -> bool:
        """See whether the listing lacks the row now, and write down what came of it.

        Of so many rows with its text before there must be one less. Without an answer nothing is
        concluded from that, since rows may just have moved: the next passes will tell.
        """
        row, confirmed = gone.row, gone.confirmed
        listed = await self._listed(gone.twins, locator)
        if not listed or len(await self._same_body(row, listed)) < gone.before:
            if not confirmed:
                raise Later
            await self._ledger.deleted(row.id)
            await self._ledger.clear(AlarmKind.DELETION, NOT_ALLOWED)
            self._tries.pop(row.id, None)
            log.info("message_deleted", account=self._ledger.account, remote=row.id)
            return True
        if not confirmed:
            if await self._was_sent(row) and await self._may_have_come(gone, listed, locator):
                raise Doubt(
                    "non si sa se è stato cancellato: nell'elenco ce n'è uno uguale in tutto.",
                    "nothing tells whether it was deleted: one just like it is listed.",
                )
            await self._ledger.unask(row.id)
            self._later(
                row,
                "la richiesta di cancellarlo non ha avuto effetto.",
                "the request to delete it had no effect.",
            )
        self._rest_until_s = self._clock.monotonic() + ASK_AGAIN_S
        raise Doubt(
            "è ancora nell'elenco dopo la cancellazione; un altro messaggio potrebbe mancare.",
            "it is still listed after it was deleted; another message may be missing.",
        )

    async def _was_sent(self, row: RemoteRow) -> bool:
        """Tell whether a deletion may have taken effect, for all that the API said."""
        wanted = await self._ledger.wanted()
        return any(one.remote.id == row.id and one.asked_after is not None for one in wanted)

    async def _may_have_come(self, gone: Gone, listed: Sequence[Listed], locator: Locator) -> bool:
        """Tell whether a listed row may be another that came after a deletion was asked for.

        What is listed below a row that was known by then did not: what comes is the newest.
        """
        pages = await locator.everywhere(gone.twins)
        for one in listed:
            newer = await locator.newer_than(one.api_id, pages)
            if all(place.remote > gone.after for place in newer):
                return True
        return False

    async def _not_allowed(self, reason: str) -> None:
        self._rest_until_s = self._clock.monotonic() + ASK_AGAIN_S
        notice = may_not_delete(self._address, reason)
        if await self._ledger.alarm(AlarmKind.DELETION, NOT_ALLOWED, notice):
            log.error("deletions_forbidden", account=self._ledger.account, reason=reason)

    async def _doubt(self, wish: DeletionRow, doubt: Doubt) -> None:
        row = wish.remote
        log.error(
            "deletion_doubted",
            account=self._ledger.account,
            remote=row.id,
            reason=doubt.english,
        )
        self._tries.pop(row.id, None)
        notice = doubted(row, doubt.italian, doubt.english)
        await self._ledger.settle(row.id, DeletionState.DOUBTED, doubt.english, notice)


def _likeness(row: RemoteRow) -> tuple[bytes, bytes | None]:
    return row.fingerprint, row.body_sha256


def _highest_first(wish: DeletionRow) -> tuple[float, float]:
    return -_number(wish.remote.api_id), -wish.remote.rank


def _number(api_id: str) -> float:
    return float(api_id[:18]) if api_id.isascii() and api_id.isdigit() else 0.0
