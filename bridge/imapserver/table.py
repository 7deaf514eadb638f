"""Every command: who carries it out, in which states, and what it does to sequence numbers.

From the two flags follows when an EXPUNGE may be told (RFC 3501 §7.4.1, §5.5): never in answer
to a command that uses sequence numbers; after a command that breaks them at once, because its
client asked for it; else unless a command that uses them waits already, whose sender counted
before it could hear.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.imapserver.commands import (
    access,
    changing,
    fetching,
    listing,
    mailboxes,
    notifying,
    searching,
    selecting,
    sorting,
)
from bridge.imapserver.session import Handler, State

ANY = frozenset({State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED})
BEFORE = frozenset({State.NOT_AUTHENTICATED})
AFTER = frozenset({State.AUTHENTICATED, State.SELECTED})
OPEN = frozenset({State.SELECTED})


@dataclass(frozen=True, slots=True)
class Spec:
    """One command; ``uses_seqs``: numbers in it or its answer, ``breaks_seqs``: moves them."""

    handler: Handler
    states: frozenset[State]
    uses_seqs: bool = False
    breaks_seqs: bool = False


TABLE: dict[str, Spec] = {
    "APPEND": Spec(changing.append, AFTER),
    "AUTHENTICATE": Spec(access.authenticate, BEFORE),
    "CAPABILITY": Spec(access.capability, ANY),
    "CHECK": Spec(access.noop, OPEN),
    "CLOSE": Spec(selecting.close, OPEN, breaks_seqs=True),
    "COMPRESS": Spec(access.compress, AFTER),
    "COPY": Spec(changing.copy, OPEN, uses_seqs=True),
    "CREATE": Spec(mailboxes.create, AFTER),
    "DELETE": Spec(mailboxes.delete, AFTER),
    "ENABLE": Spec(access.enable, AFTER),
    "EXAMINE": Spec(selecting.select, AFTER, breaks_seqs=True),
    "EXPUNGE": Spec(changing.expunge, OPEN, breaks_seqs=True),
    "FETCH": Spec(fetching.fetch, OPEN, uses_seqs=True),
    "GETQUOTA": Spec(mailboxes.get_quota, AFTER),
    "GETQUOTAROOT": Spec(mailboxes.get_quota_root, AFTER),
    "ID": Spec(access.identify, ANY),
    "IDLE": Spec(selecting.idle, AFTER, breaks_seqs=True),
    "LIST": Spec(listing.list_, AFTER),
    "LOGIN": Spec(access.login, BEFORE),
    "LOGOUT": Spec(access.logout, ANY),
    "LSUB": Spec(listing.lsub, AFTER),
    "MOVE": Spec(changing.copy, OPEN, uses_seqs=True, breaks_seqs=True),
    "NAMESPACE": Spec(mailboxes.namespace, AFTER),
    "NOOP": Spec(access.noop, ANY),
    "NOTIFY": Spec(notifying.notify, AFTER),
    "RENAME": Spec(mailboxes.rename, AFTER),
    "SEARCH": Spec(searching.search_, OPEN, uses_seqs=True),
    "SELECT": Spec(selecting.select, AFTER, breaks_seqs=True),
    "SORT": Spec(sorting.sort, OPEN, uses_seqs=True),
    "STARTTLS": Spec(access.start_tls, BEFORE),
    "STATUS": Spec(mailboxes.status, AFTER),
    "STORE": Spec(changing.store, OPEN, uses_seqs=True),
    "SUBSCRIBE": Spec(mailboxes.subscribe, AFTER),
    "THREAD": Spec(sorting.thread, OPEN, uses_seqs=True),
    "UID COPY": Spec(changing.copy, OPEN),
    "UID EXPUNGE": Spec(changing.expunge, OPEN, breaks_seqs=True),
    "UID FETCH": Spec(fetching.fetch, OPEN),
    "UID MOVE": Spec(changing.copy, OPEN, breaks_seqs=True),
    "UID SEARCH": Spec(searching.search_, OPEN),
    "UID SORT": Spec(sorting.sort, OPEN),
    "UID STORE": Spec(changing.store, OPEN),
    "UID THREAD": Spec(sorting.thread, OPEN),
    "UNSELECT": Spec(selecting.unselect, OPEN, breaks_seqs=True),
    "UNSUBSCRIBE": Spec(mailboxes.subscribe, AFTER),
}


def may_tell_expunges(spec: Spec, following: Spec | None) -> bool:
    """Say whether EXPUNGE may be told at the end of a command, before ``following`` is run."""
    if spec.breaks_seqs:
        return True
    return not spec.uses_seqs and not (following is not None and following.uses_seqs)
