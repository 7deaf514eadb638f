"""The signature of a webhook, as the Standard Webhooks specification 1.0.0 has it. Pure.

Signed are id, time stamp and body, with dots between, with HMAC-SHA256. The field
``webhook-signature`` holds ``v1,`` and the digest in base64, one for each key with a blank between,
so that a key can be changed while messages are on their way. ``credentials.signing`` reads keys.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence


def signed_fields(
    keys: Sequence[bytes], name: str, timestamp_s: int, body: bytes
) -> dict[str, str]:
    """Return the fields of the header that say who sent a webhook and when.

    Args:
        keys: the current one first.
        name: the webhook's id, without a dot.
        timestamp_s: of this try, in seconds since 1970.
        body: exactly what is sent.
    """
    signed = b".".join((name.encode(), str(timestamp_s).encode(), body))
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in digests),
    }
