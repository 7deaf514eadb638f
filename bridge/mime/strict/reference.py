"""A sender's own name for a message: the field ``X-PEC-Reference``, or ENVID without one.

It is kept with what is queued and never sent. Programs find a message again by it, so it is kept
as it was given or the message is refused: one that was cut would name nothing.

RFCs: 3461 §4.4 (ENVID), 2047.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.language import say
from bridge.limits import REFERENCE_CHARS
from bridge.mime.strict.field import Unreadable, unstructured

FIELD = "x-pec-reference"
_SHOWN_AS = "X-PEC-Reference"


def reference_of(values: Iterable[str], envid: str) -> str:
    """Return the reference, on one line; "" without any.

    Args:
        values: what the message's ``X-PEC-Reference`` fields say, unfolded.
        envid: what SMTP's ENVID says, "" for nothing.

    Raises:
        Unreadable: it is too long, several, or has letters that cannot be had or seen.
    """
    named = say("X-PEC-Reference")
    said = {" ".join(unstructured(value, named).split()) for value in values} - {""}
    if len(said) > 1:
        raise Unreadable(say("it has two {shown_as} fields that differ", shown_as=_SHOWN_AS))
    reference = said.pop() if said else " ".join(envid.split())
    if len(reference) > REFERENCE_CHARS:
        raise Unreadable(
            say(
                "{shown_as} has {reference} characters, and {reference_chars} are kept",
                shown_as=_SHOWN_AS,
                reference=len(reference),
                reference_chars=REFERENCE_CHARS,
            )
        )
    if not reference.isprintable():
        raise Unreadable(say("{shown_as} has characters that cannot be seen", shown_as=_SHOWN_AS))
    return reference
