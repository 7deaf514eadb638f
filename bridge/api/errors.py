"""What is known after a request that did not end well, and the table that says so.

    ApiError
     ├─ NotSent          nothing was done; doing it again is safe
     ├─ Refused          the API said no, nothing was done; doing it again gives the same
     │   └─ NotFound     what was asked for is not there
     └─ OutcomeUnknown   it may have been done; never repeat a send blindly
         └─ TooLong      its answer is longer than what is read of one

Every way a request can end is one row of ``RULES``; ``from_exception`` and ``from_answer`` only
look it up. The rule behind the table: a send is ``NotSent`` or ``Refused`` only when that is
certain; whatever is left over is ``OutcomeUnknown``.

What these errors carry is safe to show and to store: callers pass answers in after
``redaction.redact`` has taken the secrets out, and no httpx object (it holds the request's
headers, so the password) is kept as a cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx

from bridge.api.unreachable import why_unreachable
from bridge.language import Sentence, say

CANNOT_BE_READ = say("The API's answer cannot be read")
HOLDS_NOTHING = say("The API's answer does not hold what was asked for")

NotSentKind = Literal["unreachable", "rate", "credentials", "payment", "budget"]
Outcome = Literal[
    "unreachable", "rate", "credentials", "payment", "refused", "not found", "unknown"
]

ANSWER_LIMIT_CHARS = 2_000
"""As much of an answer as an error keeps: enough for a person, small enough for every row."""

RETRY_AFTER_LIMIT_S = 86_400.0
"""A Retry-After beyond a day is a mistake; the longest wait it may cause."""


class ApiError(Exception):
    """A request to the API did not do what was asked.

    Attributes:
        reason: one sentence for a person.
        status: the HTTP status, or None when there was no answer.
        answer: the answer's text, shortened, without secrets.
    """

    def __init__(self, reason: str, *, status: int | None = None, answer: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.answer = answer[:ANSWER_LIMIT_CHARS]


class NotSent(ApiError):
    """Nothing was done: the request surely did not arrive, or was turned away at the door.

    Attributes:
        kind: "unreachable" (no connection), "rate" (429), "credentials" (401), "payment" (402)
            or "budget" (our own limit of requests per day).
        retry_after_s: how long to wait at least, when that is known.

    Args:
        reason: a sentence for people.
        kind, retry_after_s: as the attributes.
        status: of the HTTP answer, None if there was none.
        answer: its text, of which the beginning is kept.
    """

    def __init__(
        self,
        reason: str,
        *,
        kind: NotSentKind,
        retry_after_s: float | None = None,
        status: int | None = None,
        answer: str = "",
    ) -> None:
        super().__init__(reason, status=status, answer=answer)
        self.kind: NotSentKind = kind
        self.retry_after_s = retry_after_s


def is_left_for_later(error: Exception) -> bool:
    """Tell whether only our own limit of requests per day stood against a request."""
    return isinstance(error, NotSent) and error.kind == "budget"


class Refused(ApiError):
    """The API said no; nothing was done, and the same request would be refused again.

    ``message`` holds the API's own words, "" when it gave none.

    Args:
        reason: a sentence for people.
        status: of the HTTP answer.
        message: the API's own words, "" when it gave none.
        answer: its text, of which the beginning is kept.
    """

    def __init__(self, reason: str, *, status: int, message: str, answer: str = "") -> None:
        super().__init__(reason, status=status, answer=answer)
        self.message = message


class NotFound(Refused):
    """The API knows no such message or code; for receipts of a young send: none yet (Q14)."""


class OutcomeUnknown(ApiError):
    """The request may have been carried out; only evidence from elsewhere can tell.

    ``code`` is set when the answer named one although it reported a failure (Q15).

    Args:
        reason: a sentence for people.
        code: the one that the answer named although it reported a failure (Q15).
        status: of the HTTP answer, None if there was none.
        answer: its text, of which the beginning is kept.
    """

    def __init__(
        self, reason: str, *, code: str | None = None, status: int | None = None, answer: str = ""
    ) -> None:
        super().__init__(reason, status=status, answer=answer)
        self.code = code


class AnswerTooLong(OutcomeUnknown):
    """The answer is longer than what is read of one; asked again it would be so again."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way a request can end: an exception type, or HTTP statuses, and what it means.

    ``sentence`` has no stop: what is known besides goes behind it. ``statuses`` is inclusive;
    ``code_named`` narrows to answers that hold a code-like id.
    """

    outcome: Outcome
    sentence: Sentence
    exception: type[Exception] | None = None
    statuses: tuple[int, int] | None = None
    code_named: bool = False


def _raised(exception: type[Exception], outcome: Outcome, sentence: Sentence) -> Rule:
    return Rule(outcome, sentence, exception=exception)


def _answered(
    first: int, last: int, outcome: Outcome, sentence: Sentence, *, code_named: bool = False
) -> Rule:
    return Rule(outcome, sentence, statuses=(first, last), code_named=code_named)


RULES: tuple[Rule, ...] = (
    # Before the first byte of the request: a connection is needed to write one.
    _raised(httpx.ConnectError, "unreachable", say("The API could not be reached")),
    _raised(httpx.ConnectTimeout, "unreachable", say("The API could not be reached")),
    _raised(httpx.PoolTimeout, "unreachable", say("No connection to the API became free in time")),
    _raised(httpx.ProxyError, "unreachable", say("The API could not be reached")),
    _raised(httpx.UnsupportedProtocol, "unreachable", say("The API's address is not an HTTP one")),
    # From the first byte on nobody knows. (httpcore ignores a failed write and reads on, so a
    # lost connection mostly shows as a read that failed; what was read still counts.)
    _raised(httpx.WriteTimeout, "unknown", say("The API stopped reading the request")),
    _raised(httpx.WriteError, "unknown", say("The connection broke while the request was written")),
    _raised(httpx.ReadTimeout, "unknown", say("The API did not answer in time")),
    _raised(httpx.ReadError, "unknown", say("The connection broke before the answer was complete")),
    _raised(
        httpx.CloseError, "unknown", say("The connection broke before the answer was complete")
    ),
    _raised(httpx.RemoteProtocolError, "unknown", say("The API hung up or did not speak HTTP")),
    _raised(httpx.DecodingError, "unknown", say("The API's answer could not be decompressed")),
    _raised(TimeoutError, "unknown", say("The API did not finish its answer in time")),
    _raised(Exception, "unknown", say("The request ended in an unexpected way")),
    # Answers. A code in a failed answer means that a message was made (Q15): before all others.
    _answered(
        100, 999, "unknown", say("The API reported a failure but named a code"), code_named=True
    ),
    _answered(401, 401, "credentials", say("The API refused the token or the mailbox password")),
    _answered(402, 402, "payment", say("The API asks for payment: the wallet has no credit left")),
    _answered(404, 404, "not found", say("The API does not have what was asked for")),
    _answered(429, 429, "rate", say("The API asks to slow down")),
    # Refusals are named one by one. The rest (408, 409, 425, 499, unknown ones) may come from
    # somebody on the way who gave up while the request was at work: no proof that nothing was done.
    _answered(400, 407, "refused", say("The API refused the request")),
    _answered(410, 418, "refused", say("The API refused the request")),
    _answered(422, 422, "refused", say("The API refused the request")),
    _answered(426, 428, "refused", say("The API refused the request")),
    _answered(431, 431, "refused", say("The API refused the request")),
    _answered(451, 451, "refused", say("The API refused the request")),
    _answered(400, 499, "unknown", say("The API may have begun to handle the request")),
    # 200 here is an answer with "success": false (Q16).
    _answered(200, 299, "refused", say("The API refused the request")),
    _answered(500, 599, "unknown", say("The API failed while it handled the request")),
    _answered(100, 999, "unknown", say("The API's answer makes no sense")),
)
"""First match wins. Exceptions match by ``isinstance``, answers by status."""


def from_exception(error: Exception, host: str = "") -> ApiError:
    """Say what is known after the HTTP client raised ``error``; its text is not kept.

    ``host`` is named in the sentence, "" if there is none to name.
    """
    rule = next(r for r in RULES if r.exception is not None and isinstance(error, r.exception))
    kind = type(error).__name__
    named = say("{host}, {kind}", host=host, kind=kind) if host else kind
    reason = say("{what} ({named}).", what=rule.sentence, named=named)
    if rule.outcome == "unreachable":
        cause = why_unreachable(error)
        if cause is not None and host:
            reason = say("{what}: {host} {cause}.", what=rule.sentence, host=host, cause=cause)
        return NotSent(reason, kind="unreachable")
    return OutcomeUnknown(reason)


def from_answer(
    status: int,
    *,
    message: str,
    code: str | None = None,
    answer: str = "",
    retry_after_s: float | None = None,
) -> ApiError:
    """Say what is known after an answer that is not a success.

    Args:
        status: the HTTP status; 2xx when only the JSON says ``"success": false``.
        message: the API's own words, without secrets, "" when there are none.
        code: a code-like ``message_id`` in the answer, else None.
        answer: the answer's text for the record, without secrets.
        retry_after_s: from the Retry-After field.
    """
    rule = _rule_for(status, code)
    words = " ".join(message.split())[:300]
    answered = f"HTTP {status}: {words}" if words else f"HTTP {status}"
    reason = say("{what} ({named}).", what=rule.sentence, named=answered)
    match rule.outcome:
        case "refused":
            return Refused(reason, status=status, message=message, answer=answer)
        case "not found":
            return NotFound(reason, status=status, message=message, answer=answer)
        case "unknown":
            return OutcomeUnknown(reason, code=code, status=status, answer=answer)
        case kind:
            return NotSent(
                reason, kind=kind, retry_after_s=retry_after_s, status=status, answer=answer
            )


def _rule_for(status: int, code: str | None) -> Rule:
    for rule in RULES:
        if rule.statuses is None or (rule.code_named and code is None):
            continue
        first, last = rule.statuses
        if first <= status <= last:
            return rule
    return RULES[-1]


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After field: seconds or an HTTP date (RFC 9110 §10.2.3).

    Returns:
        Seconds from ``now``, between 0 and a day; None when absent or unreadable.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), RETRY_AFTER_LIMIT_S)
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        wait_s = (at - now).total_seconds()
    except (ValueError, OverflowError, IndexError):
        return None
    return min(max(wait_s, 0.0), RETRY_AFTER_LIMIT_S)
