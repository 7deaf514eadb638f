"""Every command: who carries it out, in which states, and what it does to sequence numbers.

From the two flags follows when an EXPUNGE may be told (RFC 3501 §7.4.1, §5.5): never in answer
to a command that uses sequence numbers; after a command that breaks them at once, because its
client asked for it; else unless a command that uses them waits already, whose sender counted
before it could hear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from bridge.imap import commands
from bridge.imapserver.commands.append import append
from bridge.imapserver.commands.capability import capability, enable, identify
from bridge.imapserver.commands.copy import copy
from bridge.imapserver.commands.create import create, delete, rename
from bridge.imapserver.commands.expunge import expunge
from bridge.imapserver.commands.fetch import fetch
from bridge.imapserver.commands.idle import idle
from bridge.imapserver.commands.list import list_, lsub
from bridge.imapserver.commands.login import authenticate, login
from bridge.imapserver.commands.namespace import namespace
from bridge.imapserver.commands.noop import logout, noop
from bridge.imapserver.commands.notify import notify
from bridge.imapserver.commands.quota import get_quota, get_quota_root
from bridge.imapserver.commands.search import search_
from bridge.imapserver.commands.select import close, select, unselect
from bridge.imapserver.commands.sort import sort, thread
from bridge.imapserver.commands.starttls import compress, start_tls
from bridge.imapserver.commands.status import status
from bridge.imapserver.commands.store import store
from bridge.imapserver.commands.subscribe import subscribe
from bridge.imapserver.session import Handler, SessionState

C = TypeVar("C")

ANY = frozenset({SessionState.NOT_AUTHENTICATED, SessionState.AUTHENTICATED, SessionState.SELECTED})
BEFORE = frozenset({SessionState.NOT_AUTHENTICATED})
AFTER = frozenset({SessionState.AUTHENTICATED, SessionState.SELECTED})
OPEN = frozenset({SessionState.SELECTED})


@dataclass(frozen=True, slots=True)
class Spec:
    """One command; ``uses_seqs``: numbers in it or its answer, ``breaks_seqs``: moves them.

    ``takes`` is what the grammar reads it into.
    """

    takes: type[Any]
    handler: Handler[Any]
    states: frozenset[SessionState]
    uses_seqs: bool = False
    breaks_seqs: bool = False


def _row(
    name: str,
    takes: type[C],
    handler: Handler[C],
    states: frozenset[SessionState],
    *,
    uses_seqs: bool = False,
    breaks_seqs: bool = False,
) -> tuple[str, Spec]:
    """Return one row; a handler of another command than the name's is an error of types."""
    return name, Spec(takes, handler, states, uses_seqs, breaks_seqs)


_ROWS = (
    _row("APPEND", commands.Append, append, AFTER),
    _row("AUTHENTICATE", commands.Authenticate, authenticate, BEFORE),
    _row("CAPABILITY", commands.Plain, capability, ANY),
    _row("CHECK", commands.Plain, noop, OPEN),
    _row("CLOSE", commands.Plain, close, OPEN, breaks_seqs=True),
    _row("COMPRESS", commands.Compress, compress, AFTER),
    _row("COPY", commands.Copy, copy, OPEN, uses_seqs=True),
    _row("CREATE", commands.Create, create, AFTER),
    _row("DELETE", commands.Delete, delete, AFTER),
    _row("ENABLE", commands.Enable, enable, AFTER),
    _row("EXAMINE", commands.Select, select, AFTER, breaks_seqs=True),
    _row("EXPUNGE", commands.Plain, expunge, OPEN, breaks_seqs=True),
    _row("FETCH", commands.Fetch, fetch, OPEN, uses_seqs=True),
    _row("GETQUOTA", commands.GetQuota, get_quota, AFTER),
    _row("GETQUOTAROOT", commands.GetQuotaRoot, get_quota_root, AFTER),
    _row("ID", commands.Id, identify, ANY),
    _row("IDLE", commands.Plain, idle, AFTER, breaks_seqs=True),
    _row("LIST", commands.List, list_, AFTER),
    _row("LOGIN", commands.Login, login, BEFORE),
    _row("LOGOUT", commands.Plain, logout, ANY),
    _row("LSUB", commands.List, lsub, AFTER),
    _row("MOVE", commands.Copy, copy, OPEN, uses_seqs=True, breaks_seqs=True),
    _row("NAMESPACE", commands.Plain, namespace, AFTER),
    _row("NOOP", commands.Plain, noop, ANY),
    _row("NOTIFY", commands.Notify, notify, AFTER),
    _row("RENAME", commands.Rename, rename, AFTER),
    _row("SEARCH", commands.Search, search_, OPEN, uses_seqs=True),
    _row("SELECT", commands.Select, select, AFTER, breaks_seqs=True),
    _row("SORT", commands.Sort, sort, OPEN, uses_seqs=True),
    _row("STARTTLS", commands.Plain, start_tls, BEFORE),
    _row("STATUS", commands.Status, status, AFTER),
    _row("STORE", commands.Store, store, OPEN, uses_seqs=True),
    _row("SUBSCRIBE", commands.Subscribe, subscribe, AFTER),
    _row("THREAD", commands.Thread, thread, OPEN, uses_seqs=True),
    _row("UID COPY", commands.Copy, copy, OPEN),
    _row("UID EXPUNGE", commands.Expunge, expunge, OPEN, breaks_seqs=True),
    _row("UID FETCH", commands.Fetch, fetch, OPEN),
    _row("UID MOVE", commands.Copy, copy, OPEN, breaks_seqs=True),
    _row("UID SEARCH", commands.Search, search_, OPEN),
    _row("UID SORT", commands.Sort, sort, OPEN),
    _row("UID STORE", commands.Store, store, OPEN),
    _row("UID THREAD", commands.Thread, thread, OPEN),
    _row("UNSELECT", commands.Plain, unselect, OPEN, breaks_seqs=True),
    _row("UNSUBSCRIBE", commands.Subscribe, subscribe, AFTER),
)

TABLE: Mapping[str, Spec] = MappingProxyType(dict(_ROWS))


def may_tell_expunges(spec: Spec, following: Spec | None) -> bool:
    """Say whether EXPUNGE may be told at the end of a command, before ``following`` is run."""
    if spec.breaks_seqs:
        return True
    return not spec.uses_seqs and not (following is not None and following.uses_seqs)
