"""Secrets that webhooks are signed with, as the Standard Webhooks specification 1.0.0 has them."""

from __future__ import annotations

import base64
import binascii

from bridge.credentials.secret import Secret

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
            f"must be {PREFIX} and {LEAST_BYTES} to {MOST_BYTES} random bytes in base64; "
            f"make one: printf '{PREFIX}%s\\n' \"$(openssl rand -base64 32)\""
        )
    return key


def signing_fault(secret: Secret) -> str | None:
    """Return what is wrong with a secret, None for nothing."""
    try:
        signing_key(secret)
    except ValueError as fault:
        return str(fault)
    return None
