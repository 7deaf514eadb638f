"""A large submission checked and taken apart in a process of its own; see ``apart``."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

from bridge.apart.process import Apart, program, told
from bridge.language import unpacked
from bridge.mime.ingest import Ingested
from bridge.mime.ingest.carry import unpacked_message
from bridge.mime.strict.carry import unpacked_submission
from bridge.mime.strict.rules import SubmissionFault, SubmissionRules
from bridge.mime.strict.submission import Additions, Envelope, Submission
from bridge.spool import Spooled, SpoolFile


async def check_apart(
    apart: Apart, raw: Spooled, envelope: Envelope, rules: SubmissionRules, additions: Additions
) -> tuple[Submission, Ingested]:
    """Return what is to be queued, and the same taken apart; ``raw`` has a file to itself.

    Args:
        apart: the place for such processes.
        raw: the message, in a file that nobody else reads.
        envelope: who sends it, and to whom.
        rules: what the PEC rules, the plan and the settings allow.
        additions: makes the fields that it lacks.

    Raises:
        SubmissionFault: it may not be sent.
        TooCostly, ApartFailed: see ``apart``.
        OSError: the disk is full or failing.
    """
    asked = {
        "envelope": asdict(envelope),
        "rules": asdict(rules),
        "date": additions.date(),
        "message_id": additions.message_id(),
    }
    await asyncio.to_thread(raw.file.append, json.dumps(asked).encode())
    made = await apart.run(
        program("bridge.smtpserver.checker", str(len(raw))), raw.file, known_by=raw
    )
    return await asyncio.to_thread(_read, made, raw)


def _read(made: SpoolFile, raw: Spooled) -> tuple[Submission, Ingested]:
    head, added = told(made)
    if "fault" in head:
        code, status, sentence = head["fault"]
        raise SubmissionFault(code, status, unpacked(sentence))
    kept = added if head["added"] else raw
    return unpacked_submission(head["submission"], kept), unpacked_message(head["message"], kept)
