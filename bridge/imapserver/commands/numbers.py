"""The messages a command names, as its client numbers them."""

from __future__ import annotations

from bridge.imap.sequence import SequenceSet
from bridge.imapserver.session import Session
from bridge.model import Uid


def uids_of(session: Session, numbers: SequenceSet, *, uid: bool) -> list[Uid]:
    """Return the UIDs a sequence set names, as the client numbers messages."""
    view = session.open.view
    if numbers.saved:
        return [Uid(saved) for saved in session.saved if view.number(saved) is not None]
    return view.uids(view.numbers(numbers, uid=uid))
