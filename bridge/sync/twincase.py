"""One group of twins while it is told apart: where they are listed, and which known one is which.

Pure. A group may have any number of rows: nothing here looks through all of them for one.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.model import RowText
from bridge.store.remote import Place, RemoteId
from bridge.sync.listed import Listed
from bridge.sync.memory import Doubt
from bridge.sync.paging import Layout, Snapshot
from bridge.sync.twinreading import Chunk, Reading


@dataclass(frozen=True, slots=True)
class Seen:
    """Twins as listed, newest first: each with its page's number and its place there."""

    rows: tuple[Listed, ...]
    places: tuple[tuple[int, int], ...]

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return [one.api_id for one in self.rows]


def see(name: bytes, pages: Mapping[int, Snapshot], layout: Layout) -> Seen:
    """Return the rows of a fingerprint on some pages; one that is on two of them counts once."""
    found: dict[object, tuple[Listed, tuple[int, int]]] = {}
    for number in sorted(pages, reverse=layout.newest_first is False):
        page = pages[number]
        for index in page.indexes.get(name, ()):
            one = page.rows[index]
            found.setdefault(one.api_id or (number, index), (one, (number, index)))
    return Seen(tuple(one for one, _ in found.values()), tuple(at for _, at in found.values()))


def count(name: bytes, pages: Iterable[Snapshot]) -> int:
    """Return how many rows of a fingerprint pages list."""
    return sum(len(page.indexes.get(name, ())) for page in pages)


Key = Callable[[Place], Hashable]


def by_id(place: Place) -> Hashable:
    """Return what a place is asked for by, if by its id."""
    return place.api_id


def by_body(place: Place) -> Hashable:
    """Likewise, if by its body."""
    return place.body_sha256


def by_both(place: Place) -> Hashable:
    """Likewise, if by its id and its body."""
    return place.api_id, place.body_sha256


class Untaken:
    """Places that are taken one after the other, by several keys; of equals the first one."""

    def __init__(self, places: Iterable[Place], *keys: Key) -> None:
        self._left = {place.remote: place for place in places}
        self._queues: dict[Key, dict[Hashable, deque[Place]]] = {}
        for key in keys:
            queues: dict[Hashable, deque[Place]] = defaultdict(deque)
            for place in self._left.values():
                queues[key(place)].append(place)
            self._queues[key] = queues

    @property
    def left(self) -> list[Place]:
        """Those that nobody has taken."""
        return list(self._left.values())

    def take(self, key: Key, value: Hashable) -> Place | None:
        """Take the first place whose ``key`` is ``value``."""
        queue = self._queues[key].get(value)
        while queue:
            place = queue.popleft()
            if self._left.pop(place.remote, None) is not None:
                return place
        return None

    def take_any(self) -> Place | None:
        """Take the first place."""
        remote = next(iter(self._left), None)
        return None if remote is None else self._left.pop(remote)

    def drop(self, place: Place | None) -> None:
        """Let a place be taken that was chosen elsewhere."""
        if place is not None:
            self._left.pop(place.remote, None)

    def some(self, key: Key, value: Hashable, most: int) -> list[Place]:
        """Return the first places whose ``key`` is ``value``, and leave them."""
        queue = self._queues[key].get(value, deque())
        while queue and queue[0].remote not in self._left:
            queue.popleft()
        found: list[Place] = []
        for place in queue:
            if len(found) == most:
                break
            if place.remote in self._left:
                found.append(place)
        return found


@dataclass(slots=True)
class Case:
    """One group in hand.

    ``known`` are its live rows; ``pages`` those it is on, ``seen`` what they list of it, ``noted``
    how many were seen there when they were taken to be in doubt. ``rows``
    are to be read now, ``chunk`` is what came of that; ``has_more`` says that others are to be
    read later. ``moved`` are known rows that are under their own ids no more, by that which they
    are listed under; ``is_mixed_up``, that they took each other's.
    """

    name: bytes
    doubt: Doubt
    reading: Reading
    known: list[Place]
    pages: dict[int, Snapshot] = field(default_factory=dict)
    seen: Seen = field(default_factory=lambda: Seen((), ()))
    noted: int = 0
    rows: Sequence[Listed] = ()
    chunk: Chunk = field(default_factory=lambda: Chunk({}, set()))
    moved: dict[str, Place] = field(default_factory=dict)
    has_more: bool = False
    is_mixed_up: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether all of them have to be read before a known one is believed to be gone."""
        return self.doubt.is_mixed_up or self.doubt.listed is not None

    @property
    def is_out_of_sight(self) -> bool:
        """Whether more were seen than can be read now, and a known one may be any of them.

        Once one of them has left, nothing tells any more that the known one is not the one left.
        """
        if self.is_whole:
            return self.doubt.is_mixed_up and bool(self.known) and not self.seen.rows
        return bool(self.known) and len(self.seen.rows) < self.noted

    @property
    def bodiless(self) -> list[Place]:
        """The known ones without a text."""
        return [place for place in self.known if place.body_sha256 is None]

    @property
    def filed(self) -> list[Place]:
        """The known ones with a text."""
        return [place for place in self.known if place.body_sha256 is not None]


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be filed of a row.

    ``at`` is its place among ``Case.seen``; ``place`` the known row that it is, None for a new
    one; ``unreadable`` says why ``body`` is not its text.
    """

    at: int
    place: Place | None
    body: RowText
    unreadable: str = ""


@dataclass(slots=True)
class Outcome:
    """What is to be kept of a group.

    ``done`` are ids that need no more reading, ``given_up`` those that are shown without a text;
    ``is_all`` says that all is known now.
    """

    texts: list[Text] = field(default_factory=list)
    moves: list[tuple[RemoteId, str]] = field(default_factory=list)
    replaced: list[RemoteId] = field(default_factory=list)
    gone: list[RemoteId] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    is_all: bool = False

    def take(
        self, at: int, api_id: str, place: Place | None, body: RowText, unreadable: str = ""
    ) -> None:
        """File a text: for a known row, which goes to that id, or a new one if it is None.

        Args:
            at: where the row is among ``Case.seen``.
            api_id: under which id.
            place: the known row that it is.
            body: its text.
            unreadable: why that is none.
        """
        self.texts.append(Text(at, place, body, unreadable))
        if place is not None and place.api_id != api_id:
            self.moves.append((place.remote, api_id))
