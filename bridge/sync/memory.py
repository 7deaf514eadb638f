"""What one account's sync knows: where it stands, what is in doubt, which texts are under way.

Everybody else reads it. What changes it are the methods here, and nothing else: what is written by
several has one place in which to look for who wrote it. The rows themselves are in the store; what
is counted here follows their commits.

Failure: ``load`` and ``keep`` pass the store's errors; nothing is changed then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType

from bridge.model import AccountId
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.remote import RemoteCount, RemoteId
from bridge.sync.departures import Departures
from bridge.sync.paging import Layout, Snapshot
from bridge.sync.state import SyncState, dump, load

KEEP_EVERY = timedelta(minutes=10)
"""How often what changes at every look is written down, if nothing else changed."""


@dataclass(slots=True)
class Doubt:
    """Twins that only their bodies tell apart.

    ``pages`` are some on which they were seen, and the ids they had there; ``listed`` is how many
    there are in all, if the whole listing was just seen and there are fewer than are known;
    ``is_mixed_up`` says that one was taken for another, so that the ids noted here prove nothing.
    ``length`` is how many rows the listing had when that were their pages, None if it does not say.
    """

    pages: dict[int, frozenset[str]] = field(default_factory=dict)
    listed: int | None = None
    is_mixed_up: bool = False
    length: int | None = None

    @property
    def listed_ids(self) -> frozenset[str]:
        """The ids under which they were seen."""
        return frozenset().union(*self.pages.values())

    @property
    def is_of_more(self) -> bool:
        """Whether more are listed than are known, and nothing is known to be amiss."""
        return self.listed is None and not self.is_mixed_up

    def see_again(self, pages: Mapping[int, frozenset[str]]) -> None:
        """Note pages on which they were seen before."""
        for number, ids in pages.items():
            self.pages.setdefault(number, ids)

    def keep_up(self, layout: Layout | None, length: int | None) -> None:
        """Let the pages follow their rows: those move towards the end as others come before them.

        Args:
            layout: how the listing is cut.
            length: how many rows it has by now, None if it does not say.
        """
        if layout is None or length is None or layout.newest_first is False:
            return
        by = 0 if self.length is None else int((length - self.length) / layout.size)
        self.length = length if self.length is None else self.length + by * layout.size
        moved, self.pages = self.pages if by else {}, {} if by else self.pages
        for number, ids in moved.items():
            at = max(number + by, layout.base)
            self.pages[at] = self.pages.get(at, frozenset()) | ids

    def cross_off(self, page: int) -> None:
        """Note that nothing is left to be read on a page for now."""
        self.pages.pop(page, None)

    def mix_up(self) -> None:
        """Note that one was taken for another."""
        self.is_mixed_up = True


class AccountMemory:
    """See the module.

    Args:
        store: where the state outlives a restart.
        account: whose inbox it is.

    Attributes:
        departures: rows that were deleted since the start.
    """

    def __init__(self, store: Store, account: AccountId) -> None:
        self._store = store
        self._account = account
        self._state = self._kept = SyncState()
        self._live = 0
        self._filed = 0
        self._turn = 0
        self.departures = Departures()
        self._doubts: dict[bytes, Doubt] = {}
        self._under_way: set[RemoteId] = set()

    @property
    def account(self) -> AccountId:
        """Whose inbox it is."""
        return self._account

    # -- the state ---------------------------------------------------------------------------

    @property
    def state(self) -> SyncState:
        """What is remembered over a restart; ``keep`` writes it down."""
        return self._state

    def remember(self, state: SyncState) -> None:
        """Replace what is remembered."""
        self._state = state

    async def load(self) -> None:
        """Read what was kept, and count the rows."""

        async def work(tx: ReadTransaction) -> tuple[RemoteCount, str, int]:
            account = self._account
            return (
                await tx.remote_count(account),
                await tx.sync_state(account),
                await tx.last_turn(account),
            )

        count, state, self._turn = await self._store.scan(work)
        self._live, self._filed = count.live, count.filed
        self._state = self._kept = load(state)

    async def keep(self) -> None:
        """Write the state down if it changed, what changes at every look alone now and then."""
        state, kept = self._state, self._kept
        is_old = kept.last_sync is None or (
            state.last_sync is not None and state.last_sync - kept.last_sync >= KEEP_EVERY
        )
        lasting = replace(state, last_sync=kept.last_sync, arrivals=kept.arrivals)
        if state == kept or not (is_old or lasting != kept):
            return

        async def work(tx: Transaction) -> None:
            await tx.set_sync_state(self._account, dump(state))

        await self._store.write(work)
        self._kept = state

    # -- how many rows there are -------------------------------------------------------------

    @property
    def live(self) -> int:
        """How many rows are at the API as far as is known."""
        return self._live

    @property
    def filed(self) -> int:
        """How many of them have their content here."""
        return self._filed

    @property
    def length(self) -> int:
        """How many rows are listed, as well as is known."""
        return self._state.length(self._live)

    def agrees(self, undecided: int = 0) -> bool:
        """Tell whether the API's last total is explained by the rows that are known.

        Args:
            undecided: so many others are listed, and wait to be told apart.
        """
        return self._state.agrees(self._live + undecided)

    def added(self, rows: int) -> None:
        """So many new rows were kept."""
        self._live += rows

    def took_in(self, rows: int) -> None:
        """The content of so many rows was filed, or of one that is back."""
        self._filed += rows

    def left(self, rows: int, filed: int) -> None:
        """So many rows left the API, and ``filed`` of them had their content here."""
        self._live -= rows
        self._filed -= filed

    @property
    def turn(self) -> int:
        """The last turn at which ids were noted."""
        return self._turn

    def next_turn(self) -> int:
        """Return the turn at which what a page shows is noted (see ``store.remote.Place``)."""
        self._turn += 1
        return self._turn

    # -- twins that are in doubt -------------------------------------------------------------

    @property
    def doubts(self) -> Mapping[bytes, Doubt]:
        """What ``Twins`` is to settle, by fingerprint."""
        return MappingProxyType(self._doubts)

    def suspect(self, names: Iterable[bytes]) -> None:
        """Note twins to be told apart."""
        for name in names:
            self._doubts.setdefault(name, Doubt())

    def suspect_on(self, names: Iterable[bytes], page: Snapshot) -> None:
        """Note twins to be told apart that a page lists.

        Args:
            names: their fingerprints.
            page: the page.
        """
        for name in names:
            indexes = page.indexes.get(name, ())
            if indexes:
                doubt = self._doubts.setdefault(name, Doubt())
                doubt.keep_up(self._state.layout, page.total)
                doubt.pages[page.number] = frozenset(page.rows[at].api_id for at in indexes)

    def keep_up(self) -> None:
        """Let the pages of what is in doubt follow what came since they were noted."""
        for doubt in self._doubts.values():
            doubt.keep_up(self._state.layout, self._state.total)

    def mix_up(self, name: bytes, page: int) -> None:
        """Note that a row was listed twice under two ids, the first time on ``page``."""
        doubt = self._doubts.setdefault(name, Doubt())
        doubt.see_again({page: frozenset()})
        doubt.mix_up()

    def count(self, name: bytes, pages: Iterable[int], listed: int) -> None:
        """Note that fewer twins are listed than are known.

        Args:
            name: their fingerprint.
            pages: where they are.
            listed: how many there are in all.
        """
        noted = dict.fromkeys(pages, frozenset[str]())
        self._doubts[name] = Doubt(noted, listed, length=self._state.total)

    def settled(self, name: bytes) -> None:
        """Note that twins were told apart."""
        self._doubts.pop(name, None)

    # -- texts that are under way ------------------------------------------------------------

    @property
    def under_way(self) -> Collection[RemoteId]:
        """The rows whose texts are being fetched."""
        return self._under_way

    def is_under_way(self, remote: RemoteId) -> bool:
        """Tell whether a row's text is being fetched."""
        return remote in self._under_way

    def begin(self, remotes: Collection[RemoteId]) -> None:
        """Note that the texts of rows are being fetched."""
        self._under_way.update(remotes)

    def end(self, remotes: Collection[RemoteId]) -> None:
        """Note that they no longer are, however it ended."""
        self._under_way.difference_update(remotes)
