"""What the two administration hosts refuse, in words, and what to do about it.

The numbers are the ``error`` of their published descriptions. A number that is not listed still
brings the service's own words; the outcome (nothing done, or unknown) comes from the status, by
the one table of ``errors``.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.api.errors import ApiError, NotSent, OutcomeUnknown, Refused, from_answer
from bridge.language import listed, say

NextSteps = Mapping[int, str]
NO_STEPS: NextSteps = {}

_TOP_UP = say("Top up the wallet in the service's console, then do this again.")
_FIND_ID = say("`pec-bridge mailbox list` shows the ids there are.")
_ONLY_ACTIVE = say("`pec-bridge mailbox show ID` says in which state it is.")

MAILBOX_STEPS: NextSteps = {
    200: say("This account has no mailbox yet: `pec-bridge mailbox register` begins one."),
    201: _FIND_ID,
    202: _FIND_ID,
    203: say("Only an active or a revoked mailbox can be renewed. {look}", look=_ONLY_ACTIVE),
    207: say("Name the address to look up."),
    208: say(
        "An address at one of the service's domains is wanted, such as azienda@pecmassiva.com."
    ),
    212: _FIND_ID,
    213: _FIND_ID,
    217: say("Take a user away in the service's console first."),
    220: _TOP_UP,
    224: say("Give it (the kind is --tipo-casella), then register again."),
    242: say("Correct it (dates are dd/mm/yyyy), then register again."),
    262: _TOP_UP,
    265: _FIND_ID,
    266: _FIND_ID,
    267: say(
        "Only a registered mailbox, or one whose documents were wrong, can be activated. {look}",
        look=_ONLY_ACTIVE,
    ),
    272: say("Only an active mailbox can be converted. {look}", look=_ONLY_ACTIVE),
    276: say("Only a larger kind can be chosen."),
    279: _TOP_UP,
    282: say(
        "Legal preservation (conservazione) must be activated first, in the service's console."
    ),
    290: _TOP_UP,
    296: say("Upload one PDF: `--join` makes it out of several."),
    301: _FIND_ID,
    302: _FIND_ID,
    303: say("There is nothing left to do: the mailbox is revoked."),
    304: say("Only an active mailbox can be revoked. {look}", look=_ONLY_ACTIVE),
    325: say("Give space in multiples of 1024, preservation in multiples of 512."),
    326: say("Choose the service's own domain for this kind, or register your domain first."),
    390: say("This kind of mailbox has one user only."),
    400: say("Name the domain to look up."),
    401: say("A domain is wanted, such as legalmail.it."),
    402: say("This may pass: try again in a few minutes."),
    403: _TOP_UP,
}
"""By number, what to do after a refusal of the mailbox host."""

TOKEN_STEPS: NextSteps = {
    60: say("`pec-bridge token list` shows the tokens there are."),
    70: say("This is a fault of the bridge: please report it."),
    80: say("This is a fault of the bridge: please report it."),
    90: say("Enable the API that it is for in the service's console, then do this again."),
    100: say("This is a fault of the bridge: please report it."),
    110: say("Enable the API that it is for in the service's console, then do this again."),
    120: say("`pec-bridge token list` shows the tokens there are."),
    130: say("The e-mail and API key must be those of the account that owns the token."),
    140: say("The e-mail and API key must be those of the account that owns the token."),
    150: say("Name the token."),
    160: say("`pec-bridge token list` shows the tokens there are."),
    170: say("Name the token."),
    180: say("`pec-bridge token list` shows the tokens there are."),
    230: say("This is a fault of the bridge: please report it."),
    240: say("Write the period as YYYY, YYYY-MM or YYYY-MM-DD."),
}
"""By number, what to do after a refusal of the token host."""

FORM_STEPS: NextSteps = {400: _FIND_ID, 404: _FIND_ID, 406: _ONLY_ACTIVE}
"""The same by HTTP status, for the form: its refusals have no number."""

_BY_KIND = {
    "payment": _TOP_UP,
    "rate": say("Wait a minute, then do this again."),
}
_FORBIDDEN = 403
PASSES = say("This may pass: try again in a few minutes.")
_OTHERWISE = say(
    "Correct what these words name, then do this again; if they name nothing, ask the service's "
    "support."
)


def refusal(
    status: int,
    *,
    number: int | None,
    message: str,
    steps: NextSteps,
    credentials: str,
    retry_after_s: float | None,
    changes: bool,
    unnumbered: NextSteps,
) -> ApiError:
    """Say what is known after an answer that is not a success.

    Args:
        status: the HTTP status.
        number: the description's error number, if the answer had one.
        message: the service's own words, without secrets.
        steps: what to do, by number.
        credentials: what to do about a 401 or 403.
        retry_after_s: from the Retry-After field.
        changes: whether the request was to change something; its sender knows then where to look
            for what came of it.
        unnumbered: what to do by status, where an answer has no number.
    """
    error = from_answer(status, message=message, retry_after_s=retry_after_s)
    is_unknown = isinstance(error, OutcomeUnknown)
    said = " ".join(message.split())[:300] or say("no reason given")
    numbered = say(", error {number}", number=number) if number is not None else ""
    where = listed("", ("(HTTP ", str(status), numbered, ")"))
    pattern = (
        say("The service failed: {said} {where}.")
        if is_unknown
        else say("The service refused: {said} {where}.")
    )
    error.reason = pattern.filled_with(said=said, where=where)
    if is_unknown and changes:
        return error  # "try again" would be the wrong advice
    kind = error.kind if isinstance(error, NotSent) else ""
    step = unnumbered.get(status) if number is None else None
    if number is not None and number != status:  # else a gateway's, which has no others
        step = steps.get(number)
    if step is None and (kind == "credentials" or status == _FORBIDDEN):
        step = credentials
    if step is None and isinstance(error, Refused):
        step = _OTHERWISE
    if step is None and is_unknown:
        step = PASSES
    return with_step(error, step or _BY_KIND.get(kind))


def unanswered(error: ApiError, url: str, *, changes: bool) -> ApiError:
    """Say what to do after a request to ``url`` that got no answer; see ``refusal``."""
    if isinstance(error, NotSent):
        return with_step(
            error, say("Check the network and the address {url}, then do this again.", url=url)
        )
    return error if changes else with_step(error, PASSES)


def with_step(error: ApiError, step: str | None) -> ApiError:
    """Add the next step to an error's sentence."""
    error.reason = listed(" ", (error.reason, step or ""))
    return error
