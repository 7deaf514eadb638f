"""Judging twins that were read: which are new, which have moved, and which known ones are gone.

The rules are those of ``twins``. Nothing is kept here, and nothing is believed before the caller
has seen that the listing stood still.

Failure: errors of the API pass.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.api.errors import OutcomeUnknown, Refused
from bridge.api.schema import InboxMessage
from bridge.clock import Clock
from bridge.model import body_digest
from bridge.store.remote import Place
from bridge.sync.listed import Listed
from bridge.sync.locating import Moment
from bridge.sync.pages import InboxClient
from bridge.sync.shifts import is_replaced
from bridge.sync.twincase import Case, Outcome, Untaken, by_body, by_both, by_id
from bridge.sync.twinreading import Reading

ASKED_ALIKE = 3
"""So many known rows of one body are asked for before the others are believed to stand too."""

UNREAD = "the API does not show its text"


class Judge:
    """Judges groups of one account's twins."""

    def __init__(self, client: InboxClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def find_moved(self, case: Case) -> None:
        """Find the known rows that are under their own ids no more, and which rows those are."""
        listed = set(case.seen.ids)
        filed = Untaken(() if case.is_whole else case.filed, by_body)
        for api_id, message in reversed(case.chunk.messages.items()):  # the oldest first
            try:
                moved = await self._moved(
                    filed.some(by_body, body_digest(message.body), ASKED_ALIKE)
                )
            except OutcomeUnknown:  # nothing tells: it is read again later
                case.chunk.failed.add(api_id)
                continue
            if moved is not None:
                filed.drop(moved)
                case.moved[api_id] = moved
                case.is_mixed_up |= moved.api_id in listed  # all of them have, it seems

    async def _moved(self, alike: Sequence[Place]) -> Place | None:
        """Return the first of some known rows that is under its own id no more."""
        for place in alike:
            if not await self._stands(place):
                return place
        return None

    async def _stands(self, place: Place) -> bool:
        """Tell whether a known row's text is shown under its id."""
        try:
            message = await self._client.inbox_message(place.api_id)
        except Refused:
            return False
        return body_digest(message.body) == place.body_sha256

    async def conclude(self, case: Case, before: Moment) -> Outcome:
        """Return what is to be kept of a group that stood still; ``before`` is how it was seen."""
        if case.is_mixed_up:
            return Outcome()
        case.reading.took(case.chunk.failed, self._clock.monotonic())
        return await (self._compare(case) if case.is_whole else self._find_new(case, before))

    async def _find_new(self, case: Case, before: Moment) -> Outcome:
        """More are listed than are known: see what is new among what was read."""
        outcome, reading = Outcome(), case.reading
        at = {api_id: index for index, api_id in enumerate(case.seen.ids)}
        waiting = Untaken(case.bodiless, by_id)
        for api_id, message in reversed(case.chunk.messages.items()):
            if api_id in case.chunk.failed:
                continue
            moved = case.moved.get(api_id)
            if moved is not None:
                number, index = case.seen.places[at[api_id]]
                if not is_replaced(moved, await before.alignment(number), index):
                    outcome.moves.append((moved.remote, api_id))
                    continue
                outcome.replaced.append(moved.remote)
            outcome.take(at[api_id], api_id, _next(waiting, api_id), message.body)
        if outcome.moves and _stand_unread(case):
            case.is_mixed_up = True
            return Outcome()
        reading.has_worked |= bool(case.chunk.messages or case.filed)
        filed = {place.api_id for place in case.filed}
        unread = [
            one
            for one in case.seen.rows
            if one.api_id in reading.failed and one.api_id not in filed
        ]
        outcome.done = filed | reading.failed | case.chunk.messages.keys()
        if unread and reading.gives_up(self._clock.monotonic()):
            left = waiting.left + await self._not_standing(case, outcome)
            self._without_text(case, unread, Untaken(left, by_id), outcome)
            outcome.given_up = {one.api_id for one in unread}
        return outcome

    async def _not_standing(self, case: Case, outcome: Outcome) -> list[Place]:
        """Return filed rows that a listed one, whose text is not shown, can be."""
        listed = set(case.seen.ids)
        known = {remote for remote, _ in outcome.moves}.union(outcome.replaced)
        away = [
            place
            for place in case.filed
            if place.api_id not in listed and place.remote not in known
        ]
        return [place for place in away[:ASKED_ALIKE] if not await self._stands(place)]

    async def _compare(self, case: Case) -> Outcome:
        """Fewer are listed, or anything may be: match all with the known ones, by their bodies."""
        outcome, reading, chunk = Outcome(), case.reading, case.chunk
        reading.digests |= {api_id: body_digest(one.body) for api_id, one in chunk.messages.items()}
        reading.has_worked |= bool(reading.digests)
        left = await self._by_body(case, outcome)
        rest = [one for one in case.seen.rows if one.api_id not in reading.digests]
        if any(one.api_id not in reading.failed for one in rest):
            case.has_more = True
            return outcome
        if rest and not reading.gives_up(self._clock.monotonic()):
            return outcome
        self._without_text(case, rest, left, outcome)
        if case.doubt.listed == len(case.seen.rows):
            outcome.gone = [place.remote for place in left.left]
        outcome.is_all = True
        return outcome

    async def _by_body(self, case: Case, outcome: Outcome) -> Untaken:
        """Match rows that were read with known ones and take what is new.

        Returns:
            The known ones left over.
        """
        left = Untaken(case.known, by_both, by_body, by_id)
        new: list[int] = []
        for at, one in enumerate(case.seen.rows):
            body_sha256 = case.reading.digests.get(one.api_id)
            if body_sha256 is None:
                continue
            place = left.take(by_both, (one.api_id, body_sha256)) or left.take(by_body, body_sha256)
            if place is None:
                new.append(at)
            else:
                outcome.moves.append((place.remote, one.api_id))
        waiting = Untaken([place for place in left.left if place.body_sha256 is None], by_id)
        for at in reversed(new):
            api_id = case.seen.rows[at].api_id
            message = case.chunk.messages.get(api_id)
            if message is None:  # read in an earlier chunk, when one of its like was known
                message = await self._read_again(api_id, case.reading)
            if message is not None:
                place = _next(waiting, api_id)
                outcome.take(at, api_id, place, message.body)
                left.drop(place)
        return left

    async def _read_again(self, api_id: str, reading: Reading) -> InboxMessage | None:
        expected = reading.digests.pop(api_id)
        message = await self._client.inbox_message(api_id)
        if body_digest(message.body) != expected:
            return None
        reading.digests[api_id] = expected
        return message

    def _without_text(
        self, case: Case, unread: Sequence[Listed], left: Untaken, outcome: Outcome
    ) -> None:
        """Take rows that cannot be read for known ones left over; the rest are without a text."""
        at = {api_id: index for index, api_id in enumerate(case.seen.ids)}
        for one in unread:
            place = _next(left, one.api_id)
            if place is not None and place.body_sha256 is not None:
                outcome.moves.append((place.remote, one.api_id))
            else:
                outcome.take(at[one.api_id], one.api_id, place, one.row.raw, UNREAD)


def _stand_unread(case: Case) -> bool:
    """Tell whether some known ones are listed under their own ids, and were not read there.

    Where one of them moved, any other may stand where its like has moved to.
    """
    moved = {place.remote for place in case.moved.values()}
    listed = set(case.seen.ids)
    return any(place.api_id in listed and place.remote not in moved for place in case.filed)


def _next(untaken: Untaken, api_id: str) -> Place | None:
    """Take the place that has the id, or else the first."""
    return untaken.take(by_id, api_id) or untaken.take_any()
