"""What an account's sync remembers over a restart: a small JSON text in the store. Pure.

Whatever cannot be read in it counts as forgotten: all of it can be found out again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from bridge.model import Quota
from bridge.sync.demand import Arrivals, dumped, loaded
from bridge.sync.loss import Loss
from bridge.sync.paging import Layout

NOTHING_CAME = Arrivals()


@dataclass(frozen=True, slots=True)
class Sweep:
    """A pass over the listing, from the newest row to the oldest, as far as it got.

    ``page`` is the last one looked at, ``above`` the rank of its oldest row, None if rows moved
    since and the next page may begin anywhere; ``total`` is what the API then told. ``whole``
    wants every page looked at, otherwise the pass ends once the total is explained. ``found``
    says that it came upon something that was not known.
    """

    page: int
    above: float | None
    total: int | None
    whole: bool
    found: bool = False

    def is_longer_than(self, total: int | None) -> bool:
        """Tell whether the API counted more rows at its last page than such a total."""
        return self.total is not None and total is not None and total < self.total

    def rank_above(self, total: int | None, page_rows: int) -> float | None:
        """Return the rank below which new rows of the next page are, None if that is not known.

        Those of the last page are newer also where some came meanwhile, unless a whole page did.

        Args:
            total: what the API tells with the next page.
            page_rows: rows of a full page.
        """
        came = 0 if total is None or self.total is None else total - self.total
        return self.above if came < page_rows else None


@dataclass(frozen=True, slots=True)
class SyncState:
    """All of it.

    ``total`` is what the API last told; ``extent`` is how many rows its pages seem to hold where it
    tells no total; ``excess`` is by how much it exceeds the rows that can be
    listed, once two whole passes found it so, ``suspected`` what the first of them found;
    ``whole_at`` is when the last whole pass ended;
    ``loss`` is what is missing from the listing in great number, and is not believed yet;
    ``arrivals`` is when in the day rows came of late.
    """

    layout: Layout | None = None
    sweep: Sweep | None = None
    total: int | None = None
    extent: int | None = None
    excess: int = 0
    suspected: int | None = None
    whole_at: datetime | None = None
    last_sync: datetime | None = None
    loss: Loss | None = None
    quota: Quota | None = None
    quota_at: datetime | None = None
    arrivals: Arrivals = NOTHING_CAME

    def length(self, live: int) -> int:
        """Return how many rows are listed, as well as is known; ``live`` are known here."""
        if self.total is not None:
            return self.total
        return live if self.extent is None else self.extent

    def agrees(self, live: int) -> bool:
        """Tell whether the API's last total is explained by ``live`` known rows."""
        return self.total is None or self.total - live == self.excess


def dump(state: SyncState) -> str:
    """Return the state as JSON."""
    values = {**asdict(replace(state, arrivals=NOTHING_CAME)), "arrivals": dumped(state.arrivals)}
    return json.dumps(values, default=lambda at: at.isoformat())


def load(text: str) -> SyncState:
    """Return the state ``dump`` wrote; what cannot be read is left at its first value."""
    try:
        values = json.loads(text)
    except ValueError:
        return SyncState()
    state = SyncState()
    for field in fields(SyncState):
        try:
            state = replace(state, **{field.name: _read(field.name, values[field.name])})
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return state


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    match name:
        case "layout":
            return Layout(**value)
        case "sweep":
            return Sweep(**value)
        case "loss":
            return Loss(**{**value, "since": datetime.fromisoformat(value["since"])})
        case "quota":
            return Quota(**value)
        case "arrivals":
            return loaded(value)
        case "whole_at" | "last_sync" | "quota_at":
            return datetime.fromisoformat(value)
    return int(value)
