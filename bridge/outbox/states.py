"""The outbox's states and every step between them, as one table.

Theory of operation. A message is safe once the commit that made its entry ``queued`` is synced;
only then is ``250`` said. ``dispatching`` is committed before the first byte of ``POST /send``
can leave, so whoever finds an entry ``dispatching`` after a crash knows only that it *may* have
left: it becomes ``uncertain`` and is never posted again but by a person. So it is with a backup
that was put back: what waited in it may have left since, and is ``restored``. Every other state is
evidence: ``submitted`` (the API named a code, or its acceptance was found), ``refused`` and
``held`` (it said that nothing was sent), ``queued`` (nothing left). Evidence may come late, or
turn out to be another message's: then a claim is revoked, and the entry is ``uncertain`` again.

Everything that may change an entry's state is a row of ``TRANSITIONS``; the documents' table and
drawing are made from it. This file may not do I/O: whoever takes a step writes it down, in the
same transaction as what caused it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bridge.model import SubmissionState as State


class Event(Enum):
    """What can happen to an entry."""

    CLAIM = "claim"
    CODE = "code"
    REFUSAL = "refusal"
    NOT_SENT = "not sent"
    STOP = "stop"
    LOSS = "loss"
    RELEASE = "release"
    EXPIRY = "expiry"
    CANCEL = "cancel"
    EVIDENCE = "evidence"
    RESOLVE_SENT = "resolve --sent"
    RESOLVE_RESEND = "resolve --resend"
    RESOLVE_DROP = "resolve --drop"
    RESOLVE_REOPEN = "resolve --reopen"
    REVOCATION = "revocation"
    RESTORATION = "restoration"


class IllegalStep(Exception):
    """The table has no such step."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: in ``old``, ``event`` leads to ``new``, because ``cause``."""

    old: State
    event: Event
    new: State
    cause: str


TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        State.QUEUED, Event.CLAIM, State.DISPATCHING, "its turn came; committed before the request"
    ),
    Transition(
        State.HELD, Event.CLAIM, State.DISPATCHING, "a rare try whether a 401 or 402 has ended"
    ),
    Transition(State.DISPATCHING, Event.CODE, State.SUBMITTED, "the API answered with a code"),
    Transition(
        State.DISPATCHING, Event.REFUSAL, State.REFUSED, "the API said no; a bounce is in INBOX"
    ),
    Transition(
        State.DISPATCHING,
        Event.NOT_SENT,
        State.QUEUED,
        "the request did not leave (no connection, 429, shutdown); later again",
    ),
    Transition(
        State.DISPATCHING, Event.STOP, State.HELD, "401 or 402, or still unreachable while held"
    ),
    Transition(
        State.DISPATCHING,
        Event.LOSS,
        State.UNCERTAIN,
        "timeout, reset, 5xx, unreadable answer, or a crash",
    ),
    Transition(
        State.DISPATCHING, Event.EXPIRY, State.REFUSED, "five days without a connection; a bounce"
    ),
    Transition(
        State.QUEUED,
        Event.REFUSAL,
        State.REFUSED,
        "it cannot be put into the API's words; a bounce",
    ),
    Transition(
        State.HELD, Event.REFUSAL, State.REFUSED, "likewise, found out when it was to be tried"
    ),
    Transition(
        State.QUEUED, Event.STOP, State.HELD, "the account waits for a 401 or 402, or for its plan"
    ),
    Transition(State.HELD, Event.RELEASE, State.QUEUED, "the cause ended, or a person's retry"),
    Transition(
        State.QUEUED, Event.RELEASE, State.QUEUED, "a person's retry, before the next try is due"
    ),
    Transition(State.QUEUED, Event.CANCEL, State.CANCELLED, "a person's cancel"),
    Transition(State.HELD, Event.CANCEL, State.CANCELLED, "a person's cancel"),
    Transition(
        State.UNCERTAIN, Event.EVIDENCE, State.SUBMITTED, "its acceptance was found in the inbox"
    ),
    Transition(
        State.UNCERTAIN, Event.RESOLVE_SENT, State.SUBMITTED, "a person named the code it got"
    ),
    Transition(
        State.UNCERTAIN, Event.RESOLVE_RESEND, State.QUEUED, "a person knows that it did not leave"
    ),
    Transition(State.UNCERTAIN, Event.RESOLVE_DROP, State.DROPPED, "a person gave it up"),
    Transition(
        State.QUEUED,
        Event.EVIDENCE,
        State.SUBMITTED,
        "sent again by a person, but the acceptance of the first try came before the second",
    ),
    Transition(State.HELD, Event.EVIDENCE, State.SUBMITTED, "likewise"),
    Transition(
        State.SUBMITTED,
        Event.REVOCATION,
        State.UNCERTAIN,
        "what it was claimed by turned out to be another message's; an alarm says so",
    ),
    Transition(
        State.SUBMITTED, Event.RESOLVE_REOPEN, State.UNCERTAIN, "a person takes back their word"
    ),
    Transition(State.DROPPED, Event.RESOLVE_REOPEN, State.UNCERTAIN, "likewise"),
    Transition(
        State.QUEUED,
        Event.RESTORATION,
        State.RESTORED,
        "a backup was put back: it may have left after the backup was made",
    ),
    Transition(State.HELD, Event.RESTORATION, State.RESTORED, "likewise"),
    Transition(
        State.RESTORED, Event.EVIDENCE, State.SUBMITTED, "its acceptance was found in the inbox"
    ),
    Transition(
        State.RESTORED, Event.RESOLVE_SENT, State.SUBMITTED, "a person named the code it got"
    ),
    Transition(
        State.RESTORED, Event.RESOLVE_RESEND, State.QUEUED, "a person knows that it did not leave"
    ),
    Transition(State.RESTORED, Event.RESOLVE_DROP, State.DROPPED, "a person gave it up"),
)

MEANINGS: dict[State, str] = {
    State.QUEUED: "on disk, `250` given",
    State.DISPATCHING: "the request may be on its way",
    State.SUBMITTED: "the API gave a code",
    State.REFUSED: "nothing was sent, and the sender has been told",
    State.HELD: "nothing was sent; waits for credentials, credit or the plan",
    State.CANCELLED: "a person ended it before it left",
    State.DROPPED: "a person ended an uncertain one",
    State.UNCERTAIN: "it may have been sent, no answer is known",
    State.RESTORED: "it waited in a backup that was put back, and may have been sent since",
}

_NEXT = {(row.old, row.event): row.new for row in TRANSITIONS}

FINAL: frozenset[State] = frozenset(State) - {row.old for row in TRANSITIONS}
"""States that nothing leaves."""

UNDECIDED: frozenset[State] = frozenset({State.UNCERTAIN, State.RESTORED})
"""States of what may have left, until evidence or a person says so."""

UNFINISHED: frozenset[State] = UNDECIDED | {State.QUEUED, State.HELD, State.DISPATCHING}
"""States of what something is still to become of."""


def following(old: State, event: Event) -> State:
    """Return the state that ``event`` leads to.

    Raises:
        IllegalStep: nothing of the kind may happen in ``old``.
    """
    try:
        return _NEXT[old, event]
    except KeyError:
        raise IllegalStep(f"{event.value} cannot happen to a {old.value} message") from None


def allows(old: State, event: Event) -> bool:
    """Tell whether the table has a step for ``event`` in ``old``."""
    return (old, event) in _NEXT


def table() -> str:
    """Return the table as Markdown, for the documents."""
    lines = ["| state | meaning | leaves by |", "|---|---|---|"]
    for state in State:
        ways = (
            f"{row.event.value} → `{row.new.value}` ({row.cause})"
            for row in TRANSITIONS
            if row.old is state
        )
        lines.append(f"| `{state.value}` | {MEANINGS[state]} | {'; '.join(ways) or 'final'} |")
    return "\n".join(lines) + "\n"


def diagram() -> str:
    """Return the table as a Mermaid state diagram, for the documents."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.QUEUED.value}: 250"]
    lines += [f"    {row.old.value} --> {row.new.value}: {row.event.value}" for row in TRANSITIONS]
    lines += [f"    {state.value} --> [*]" for state in State if state in FINAL]
    return "\n".join(lines) + "\n"
