"""What the API's total says beside the rows that it lists. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bridge.sync.loss import Loss, seen_again
from bridge.sync.paging import Snapshot
from bridge.sync.state import SyncState


def doubted_loss(state: SyncState, page: Snapshot, live: int, now: datetime) -> Loss | None:
    """Return what to think of a great loss, if the newest page and its total show one.

    Args:
        state: what was remembered.
        page: the newest page.
        live: rows that are known.
        now: when it was read.
    """
    if not page.rows:
        return seen_again(state.loss, live, live, now, is_credible=not page.total)
    if page.total is not None:
        return seen_again(state.loss, live - page.total + state.excess, live, now)
    # without a total only a whole pass can tell
    return None if state.loss is None or state.loss.missing >= live else state.loss


def judged(state: SyncState, excess: int) -> SyncState:
    """Believe in the end that the API counts more rows than it lists, or fewer.

    What is known here does not matter for that: a known row that is not listed is gone.

    Args:
        state: what was remembered.
        excess: by how much the total exceeds what a whole pass listed.
    """
    if excess == state.excess:
        return replace(state, suspected=None)
    if excess != state.suspected:  # perhaps the pages are cut in another way
        return replace(state, suspected=excess, layout=None)
    return replace(state, excess=excess, suspected=None)
