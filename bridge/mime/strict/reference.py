"""A sender's own name for a message: the field ``X-PEC-Reference``, or ENVID without one.

It is kept with what is queued and never sent. Programs find a message again by it, so it is kept
as it was given or the message is refused: one that was cut would name nothing.

RFCs: 3461 §4.4 (ENVID), 2047.
"""

from __future__ import annotations

from collections.abc import Iterable

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
    said = {" ".join(unstructured(value, _SHOWN_AS).split()) for value in values} - {""}
    if len(said) > 1:
        raise Unreadable(f"it has two {_SHOWN_AS} fields that differ")
    reference = said.pop() if said else " ".join(envid.split())
    if len(reference) > REFERENCE_CHARS:
        raise Unreadable(
            f"{_SHOWN_AS} has {len(reference)} characters, and {REFERENCE_CHARS} are kept"
        )
    if not reference.isprintable():
        raise Unreadable(f"{_SHOWN_AS} has characters that cannot be seen")
    return reference
