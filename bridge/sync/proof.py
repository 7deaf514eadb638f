"""What proves a deletion at the API: which listed message is the one meant, and that it is gone.

The row is looked up where it is listed now, the message behind its id is read and must be the one
meant, to the last byte of the body that was filed. A row whose id alone has moved may be another
message just like it, and waits until ``Twins`` has settled that. Twins (Q12) are told apart by
their bodies; of twins that are equal in their bodies too none goes unless all of them may.

Failure: errors of the API pass, but "nothing there" and a body that is too long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.api.errors import AnswerTooLong, Refused
from bridge.model import body_digest
from bridge.store.remote import Place, RemoteRow
from bridge.sync.agreement import agrees_exactly
from bridge.sync.deleting import Gone, Later, Patience, Unproven, Wishes, number_of
from bridge.sync.listed import Listed
from bridge.sync.locating import Locator, Way
from bridge.sync.rows import Rows


@dataclass(frozen=True, slots=True)
class Identified:
    """The message that is meant: its row under the id where it was read just now.

    ``twins`` are the known rows that are listed alike, itself the first; ``alike`` is how many
    listed rows have its body.
    """

    row: RemoteRow
    twins: Sequence[Place]
    alike: int


class Proof:
    """What the API's listing proves of one account's deletions.

    Args:
        way: reads bodies, and finds rows at this very moment.
        wishes: what is to be deleted.
        rows: what is known.
        patience: counts the tries.
    """

    def __init__(self, way: Way, wishes: Wishes, rows: Rows, patience: Patience) -> None:
        self._way = way
        self._wishes = wishes
        self._rows = rows
        self._patience = patience
        self._are_positions = False

    async def identified(self, row: RemoteRow, locator: Locator) -> Identified:
        """Return the row under the id where the message meant was read just now.

        Args:
            row: the row that is to go.
            locator: finds where it is listed now.

        Raises:
            Unproven: it cannot be told.
            Later: it is not listed where it should be; the next look will tell more.
        """
        if not row.api_id:
            raise Unproven("il servizio non le dà un identificativo.", "the API gives it no id.")
        twins = await self.twins_of(row)
        thorough = self._patience.was_tried(row.id)
        listed = await self._listed(twins, locator, thorough=thorough and len(twins) > 1)
        if not listed and thorough:  # all pages cost what a hundred deletions do
            listed = await self._listed(twins, locator, thorough=True)
        if not listed:
            self._patience.begin(row.id)
            raise Later
        candidates = await self._same_body(row, listed)
        if not candidates:
            self._patience.put_off(
                row.id,
                "quello che il servizio mostra al suo posto non è il messaggio ricevuto.",
                "what the API shows in its place is not the message that was received.",
            )
        await self._check_twins(row, twins, listed, candidates)
        present = await self._rows.row(row.id)
        if present is None:
            raise Later
        if present.api_id not in candidates:  # no neighbour moved as it did (see ``shifts``)
            self._patience.put_off(
                row.id,
                "è nell'elenco con un altro identificativo, e può essere un altro uguale.",
                "it is listed under another id than before, and may be another just like it.",
            )
        if len(listed) > 1:
            again = await self._listed(twins, self._way.locator, thorough=thorough)
            if [one.api_id for one in again] != [one.api_id for one in listed]:
                raise Later  # they moved while they were read
        return Identified(present, twins, len(candidates))

    async def by_text(self, row: RemoteRow) -> Identified | None:
        """Return the row under an id that shows its text, where all that is listed is known.

        Ids are taken for positions from the first one on that was found to be: counting the rows
        tells where a row is that moved as others went. None if neither id that it may have shows
        it, or if a known row is listed alike.

        Args:
            row: the row that is to go, with a text.
        """
        twins = await self.twins_of(row)
        if len(twins) != 1 or not row.api_id:
            return None
        counted = await self._rows.counted_id(row.rank)
        ids = list(dict.fromkeys(filter(None, (row.api_id, counted))))
        for api_id in reversed(ids) if self._are_positions else ids:
            if await self._shows(replace(row, api_id=api_id)):
                self._are_positions = api_id == counted
                return Identified(replace(row, api_id=api_id), twins, 1)
        return None

    async def _shows(self, row: RemoteRow) -> bool:
        """Tell whether the API shows a row's text under its id."""
        try:
            message = await self._way.client.inbox_message(row.api_id)
        except (Refused, AnswerTooLong):
            return False
        return row.body_sha256 == body_digest(message.body) and agrees_exactly(row, message)

    async def twins_of(self, row: RemoteRow) -> list[Place]:
        """Return the known rows that are listed alike, itself first."""
        twins = await self._rows.places([row.fingerprint])
        return sorted(twins, key=lambda place: place.remote != row.id)

    async def _same_body(self, row: RemoteRow, listed: Sequence[Listed]) -> list[str]:
        """Return the ids of those listed twins that have the row's body, highest first."""
        found = []
        for one in sorted(listed, key=lambda one: number_of(one.api_id), reverse=True):
            try:
                message = await self._way.client.inbox_message(one.api_id)
            except Refused as error:  # it may have moved just now
                self._patience.put_off(
                    row.id,
                    "il servizio non mostra il messaggio.",
                    f"the API does not show it: {error.reason}",
                )
            except AnswerTooLong as error:
                raise Unproven("il suo testo è troppo lungo per leggerlo.", error.reason) from None
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

    async def _check_twins(
        self,
        row: RemoteRow,
        twins: Sequence[Place],
        listed: Sequence[Listed],
        candidates: Sequence[str],
    ) -> None:
        """Let only a row pass that is alone, alone with its body, or wanted gone with all like it.

        Raises:
            Unproven: another message like it is to stay.
        """
        if len(twins) == 1 and len(listed) == 1:
            return
        wanted = {wish.remote.id for wish in await self._wishes.wanted()}
        like_it = [place for place in twins if place.body_sha256 == row.body_sha256]
        all_wanted = all(place.remote in wanted for place in like_it)
        if len(candidates) <= len(like_it) and (len(like_it) == 1 or all_wanted):
            return
        raise Unproven(
            "ce n'è un altro uguale in tutto, e non si sa quale dei due sia.",
            "there is another just like it, and nothing tells which of the two it is.",
        )

    async def still_listed(self, gone: Gone, locator: Locator) -> Sequence[Listed]:
        """Return where a row and its twins are listed after a deletion, () if there is one less.

        Of so many rows with its text before there must be one less.

        Args:
            gone: what was asked for.
            locator: reads the pages.

        Raises:
            Unproven, Later: what is listed cannot be read.
        """
        listed = await self._listed(await self.twins_of(gone.row) or gone.twins, locator)
        if not listed or len(await self._same_body(gone.row, listed)) < gone.before:
            return ()
        return listed

    async def may_have_come(self, gone: Gone, listed: Sequence[Listed], locator: Locator) -> bool:
        """Tell whether a listed row may be another that came after a deletion was asked for.

        What is listed below a row that was known by then did not: what comes is the newest.
        """
        pages = await locator.everywhere(gone.twins)
        for one in listed:
            newer = await locator.newer_than(one.api_id, pages)
            if all(place.remote > gone.after for place in newer):
                return True
        return False
