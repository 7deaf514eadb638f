"""Keys of programs: made here, shown once, kept as a hash.

A key is ``pec_ID_SECRET``: twelve letters by which it is found, and 256 random bits. Nobody finds
those by trying, so their hash may be the quick SHA-256, and each request can be checked.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from bridge.credentials.local import LETTERS

ID_CHARS, SECRET_BYTES = 12, 32
_FORM = re.compile(rf"pec_([{LETTERS}]{{{ID_CHARS}}})_([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What a program shows."""

    id: str
    secret: str = field(repr=False)

    def text(self) -> str:
        """Return it as it is shown and typed."""
        return f"pec_{self.id}_{self.secret}"

    def hash(self) -> bytes:
        """Return what is kept of the secret."""
        return hashlib.sha256(self.secret.encode("ascii")).digest()

    def fits(self, kept: bytes) -> bool:
        """Tell whether its secret is the one that ``kept`` is of, in the same time either way."""
        return hmac.compare_digest(self.hash(), kept)


def new_api_key() -> ApiKey:
    """Make a key."""
    id = "".join(secrets.choice(LETTERS) for _ in range(ID_CHARS))
    return ApiKey(id, secrets.token_urlsafe(SECRET_BYTES))


def read_api_key(text: str) -> ApiKey | None:
    """Read a key; None if it cannot be one."""
    found = _FORM.fullmatch(text)
    return None if found is None else ApiKey(found[1], found[2])
