"""What states of an entry, and what a person does to one, are called in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bridge.language import Sentence, say
from bridge.model import SubmissionState

STATE_WORDS: Mapping[SubmissionState, Sentence] = MappingProxyType(
    {
        SubmissionState.QUEUED: say("queued"),
        SubmissionState.DISPATCHING: say("dispatching"),
        SubmissionState.SUBMITTED: say("submitted"),
        SubmissionState.REFUSED: say("refused"),
        SubmissionState.HELD: say("held"),
        SubmissionState.CANCELLED: say("cancelled"),
        SubmissionState.DROPPED: say("dropped"),
        SubmissionState.UNCERTAIN: say("uncertain"),
        SubmissionState.RESTORED: say("restored"),
    }
)

RETRIED, CANCELLED, RESOLVED, REOPENED = (
    say("retried"),
    say("cancelled"),
    say("resolved"),
    say("reopened"),
)
"""What a person does to an entry."""
