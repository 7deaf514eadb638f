"""What became of a message, in one word, and what to do next. Pure.

The state of its entry and its receipts say it together: see ``outbox.states`` and ``states``.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.language import Sentence, say
from bridge.model import (
    PEC_ACCEPTED,
    PEC_DELIVERED,
    PEC_FAILED,
    PEC_UNCERTAIN,
    Flag,
    Outcome,
)
from bridge.model import SubmissionState as State
from bridge.receipts.states import DeliveryStatus, RecipientState
from bridge.store.outbox import SubmissionRow

MEANINGS: Mapping[Outcome, str] = {
    Outcome.OPEN: "under way: something is still to come",
    Outcome.DELIVERED: "each certified recipient has it, by a delivery receipt of their provider",
    Outcome.ACCEPTED: "accepted, and all recipients are ordinary mailboxes: no delivery receipt "
    "will ever come",
    Outcome.FAILED: "a recipient will not get it; the others may",
    Outcome.NOT_SENT: "nothing was sent, and nothing will be",
    Outcome.UNCERTAIN: "it may have been sent, and nobody knows",
}

RECIPIENT_MEANINGS: Mapping[RecipientState, str] = {
    RecipientState.PENDING: "no receipt yet",
    RecipientState.ACCEPTED: "sent, in law; delivery is still to come",
    RecipientState.ACCEPTED_UNCERTIFIABLE: "accepted, and it is an ordinary mailbox: no delivery "
    "receipt will come",
    RecipientState.LATE_12H: "not delivered within 12 hours; it still may be",
    RecipientState.FAILED_24H: "not delivered within 24 hours; given up",
    RecipientState.FAILED: "not accepted, or could not be delivered",
    RecipientState.DELIVERED: "in the recipient's mailbox, read or not",
}

KEYWORDS: Mapping[Flag, str] = {
    PEC_ACCEPTED: "accepted: sent, in law",
    PEC_DELIVERED: "each certified recipient has it",
    PEC_FAILED: "refused, or a recipient will not get it",
    PEC_UNCERTAIN: "it may have been sent, and nobody knows",
}
"""On the copy of a message in ``Sent`` or ``Unsent``."""

_BY_STATE: Mapping[State, Outcome] = {
    State.QUEUED: Outcome.OPEN,
    State.DISPATCHING: Outcome.OPEN,
    State.HELD: Outcome.OPEN,
    State.REFUSED: Outcome.NOT_SENT,
    State.CANCELLED: Outcome.NOT_SENT,
    State.DROPPED: Outcome.UNCERTAIN,
    State.UNCERTAIN: Outcome.UNCERTAIN,
    State.RESTORED: Outcome.UNCERTAIN,
}
"""Of what is ``submitted`` the receipts tell."""

_ENDED: frozenset[State] = frozenset({State.REFUSED, State.CANCELLED, State.DROPPED})

_LOOKED_FOR = say(
    "Do not submit it again: its acceptance is looked for. If none comes, say what happened with "
    "`pec-bridge queue resolve {id}`."
)
_NEXT: Mapping[State, Sentence] = {
    State.QUEUED: say("Wait: it leaves by itself."),
    State.DISPATCHING: say("Wait: the service is being asked to send it."),
    State.HELD: say(
        "Mend what the reason names, and it leaves by itself; or take it back with "
        "`pec-bridge queue cancel {id}`."
    ),
    State.REFUSED: say("Mend what the reason names, and submit it again: nothing was sent."),
    State.CANCELLED: say("Submit it again if it is to be sent after all: nothing was sent."),
    State.DROPPED: say(
        "Look for its acceptance in the webmail before you submit it again: it may have been sent."
    ),
    State.UNCERTAIN: _LOOKED_FOR,
    State.RESTORED: _LOOKED_FOR,
}


def outcome_in(state: State, where: DeliveryStatus) -> Outcome:
    """Return what became of a message in ``state`` whose receipts say ``where`` it stands."""
    if state is not State.SUBMITTED:
        return _BY_STATE[state]
    if where.is_failed:
        return Outcome.FAILED
    if where.is_delivered:
        return Outcome.DELIVERED
    return Outcome.ACCEPTED if where.is_final and not where.unnamed else Outcome.OPEN


def next_step(row: SubmissionRow, where: DeliveryStatus) -> Sentence:
    """Return in one sentence what is to be done, or that nothing is."""
    if row.state is not State.SUBMITTED:
        return _NEXT[row.state].filled_with(id=row.id)
    outcome = outcome_in(row.state, where)
    if outcome is Outcome.FAILED:
        return say("Reach whoever did not get it in another way, or submit a new message to them.")
    if outcome is Outcome.DELIVERED:
        return say("Nothing: it is delivered.")
    if outcome is Outcome.ACCEPTED:
        return say("Nothing: an ordinary mailbox gives no delivery receipt.")
    if where.accepted_at is None:
        return say("Wait: its acceptance is still to come.")
    return say("Wait: it is accepted, and its delivery is still to come.")


def is_over(state: State, where: DeliveryStatus, until: str) -> bool:
    """Tell whether there is nothing to wait for any more.

    What is uncertain may be found out any time, so it is waited for.
    """
    if state is State.SUBMITTED:
        return until == "submitted" or where.is_final
    return state in _ENDED
