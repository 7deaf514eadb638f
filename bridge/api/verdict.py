"""The verdict on ``POST /send``: what an answer proves. Pure.

A message is *taken* only when the answer says yes, names one code of the right form and counts at
least one PEC. It is *not sent* only when the answer says no and nothing in it hints that the
request was worked on: no code (Q15), no failure inside the API, no end before its words were
complete. Everything between the two is ``Undecided``: the acceptance receipt will tell.

A doubt costs little, for an acceptance that names the code ends it; a wrong yes claims what never
left, and a wrong no makes somebody send a legal act twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.api.schema import CODE, Reply, SendRequest
from bridge.language import Sentence, say
from bridge.spool import Spooled

DOOR = frozenset({401, 402, 429})
"""Statuses by which a request is turned away before it is looked at."""

_CODE_INSIDE = re.compile(rf"(?<!\d){CODE.pattern}(?!\d)", re.ASCII)
_NAMING = re.compile(r"message_?id", re.IGNORECASE)
_FAILED_INSIDE = re.compile(
    r"(?i)\bmysql\b|\bsqlstate\b|\bmariadb\b|\bpostgres(?:ql)?\b|\bdatabase error\b|\bdeadlock\b"
    r"|\binternal (?:server )?error\b|\bserver error\b|\b(?:fatal|parse) error\b|\bstack ?trace\b"
    r"|\buncaught\b|\bunhandled\b|\b(?:bad )?gateway\b|\btime[d-]?[ -]?out\b|\bgone away\b"
    r"|\blost connection\b|\bconnection (?:was )?(?:reset|lost|closed|aborted)\b|\bbroken pipe\b"
)
"""Words of something that broke while it worked, whatever the status says (``MySQL Error``)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer: its text, secrets masked, and its JSON if it is any; ``whole`` unless cut off."""

    status: int
    text: str
    whole: bool
    reply: Reply | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The API has the message; ``sent`` counts its PECs, None when it did not say (Q20)."""

    code: str
    sent: int | None


@dataclass(frozen=True, slots=True)
class Undecided:
    """Nobody knows; ``code`` was named although the answer proves nothing."""

    sentence: Sentence
    code: str | None


def judge(heard: Heard, request: SendRequest) -> Accepted | Undecided | None:
    """Return what is known of ``request``; None for a plain no, which its status explains.

    A code that stands in the request itself is quoted, not named.
    """
    named = _named(heard, request)
    code = named[0] if named else None
    if 200 <= heard.status < 300:
        if heard.reply is None:
            return Undecided(say("The API's answer cannot be read"), code)
        if heard.reply.success is not False:
            return _judge_yes(heard, heard.reply, code)
    if code is not None:
        return Undecided(say("The API reported a failure but named a code"), code)
    if not heard.whole and (heard.status not in DOOR or _NAMING.search(heard.text)):
        return Undecided(say("The API's answer broke off before it was complete"), None)
    if _FAILED_INSIDE.search(heard.text):
        return Undecided(say("The API failed while it handled the request"), None)
    return None


def _judge_yes(heard: Heard, reply: Reply, named: str | None) -> Accepted | Undecided:
    code = reply.code_like
    if reply.success is None and (code is None or reply.raw.get("success") is not None):
        return Undecided(say("The API's answer names neither success nor a code"), named)
    if code is None:
        return Undecided(say("The API took the message but named no code"), named)
    if any(one != code for one in reply.codes):
        return Undecided(say("The API's answer names more than one code"), code)
    if not _counts_one(reply):
        return Undecided(say("The API named a code but says that it sent nothing"), code)
    if _FAILED_INSIDE.search(reply.message):
        return Undecided(say("The API named a code but reported a failure"), code)
    return Accepted(code, reply.envelope.sent)


def _counts_one(reply: Reply) -> bool:
    """Tell whether ``sent`` is absent, a yes, or a number from 1 up."""
    given = reply.raw.get("sent")
    if given is None or given is True or given == "":
        return True
    return reply.envelope.sent is not None and reply.envelope.sent > 0


def _named(heard: Heard, request: SendRequest) -> list[str]:
    """Return the codes that the answer names and the request does not hold, in order."""
    found = [heard.reply.code_like] if heard.reply and heard.reply.code_like else []
    found += _CODE_INSIDE.findall(heard.text)
    ours = (request.subject, *(file.name for file in request.attachments))
    return [
        code
        for code in dict.fromkeys(found)
        if not any(code in one for one in ours) and not _holds(request.body, code)
    ]


def _holds(body: str | Spooled, code: str) -> bool:
    return code in body if isinstance(body, str) else body.contains(code.encode("ascii"))
