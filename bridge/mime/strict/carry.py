"""What another process let through, as values of JSON: all but the message itself."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from bridge.mime.grammar.held import Held
from bridge.mime.strict.submission import Submission


def packed_submission(submission: Submission) -> dict[str, Any]:
    """Return all of a submission but its bytes."""
    values = {one.name: getattr(submission, one.name) for one in fields(Submission)}
    del values["raw"]
    return values


def unpacked_submission(values: dict[str, Any], raw: Held) -> Submission:
    """Return the submission whose bytes are ``raw``."""
    entries = tuple(tuple(entry) for entry in values["entries"])
    left_behind = tuple(values["left_behind"])
    return Submission(raw=raw, **{**values, "entries": entries, "left_behind": left_behind})
