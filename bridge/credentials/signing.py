"""Secrets that webhooks are signed with, as the Standard Webhooks specification 1.0.0 has them."""

from __future__ import annotations

import base64
import binascii

from bridge.credentials.secret import Secret
from bridge.language import say

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64


def signing_key(secret: Secret) -> bytes:
    """Return the key in a secret.

    Raises:
        ValueError: it is none, said without it.
    """
    text = secret.reveal()
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(
            say(
                "must be {prefix} and {least_bytes} to {most_bytes} random bytes in "
                "base64; make one: printf '{prefix}%s\\n' \"$(openssl rand -base64 32)\"",
                prefix=PREFIX,
                least_bytes=LEAST_BYTES,
                most_bytes=MOST_BYTES,
            )
        )
    return key


def signing_fault(secret: Secret) -> str | None:
    """Return what is wrong with a secret, None for nothing."""
    try:
        signing_key(secret)
    except ValueError as fault:
        sentence: str = fault.args[0]
        return sentence
    return None
