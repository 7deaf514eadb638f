"""The program of ``checking``: reads a submission and writes what is to be queued.

It reads the message, as many bytes as its argument says, and behind it the envelope and the rules
in JSON. It writes a line of JSON: the fault, or the submission and all that is worked out of it;
then, if fields were added, the message with these.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import IO, Any

from bridge.apart.program import begin, line
from bridge.language import packed
from bridge.mime.ingest import ingest
from bridge.mime.ingest.carry import packed_message
from bridge.mime.strict.carry import packed_submission
from bridge.mime.strict.rules import SubmissionFault, SubmissionRules
from bridge.mime.strict.submission import Additions, Envelope, check_submission


def _check(size_bytes: int, given: IO[bytes], made: IO[bytes]) -> None:
    raw = given.read(size_bytes)
    told = json.loads(given.read())
    additions = Additions(lambda: told["date"], lambda: told["message_id"])
    envelope = _envelope(told["envelope"])
    try:
        submission = check_submission(raw, envelope, SubmissionRules(**told["rules"]), additions)
    except SubmissionFault as fault:
        made.write(line({"fault": (fault.code, fault.status, packed(fault.sentence))}))
        return
    kept = submission.raw
    assert isinstance(kept, bytes)  # noqa: S101 - nothing is held elsewhere here
    head = {
        "submission": packed_submission(submission),
        "message": packed_message(ingest(kept)),
        "added": kept is not raw,
    }
    made.write(line(head))
    if kept is not raw:
        made.write(kept)


def _envelope(values: dict[str, Any]) -> Envelope:
    return Envelope(**{**values, "recipients": tuple(values["recipients"])})


def main(size_bytes: str) -> int:
    """Be the program."""
    return begin(partial(_check, int(size_bytes)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
