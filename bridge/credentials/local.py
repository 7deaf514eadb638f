"""Passwords for mail programs: made here, shown once, kept as a salted hash that tells them again.

A hash is one line in the PHC string format, ``$scrypt$ln=15,r=8,p=1$SALT$HASH``. A password made
here has a hundred random bits, so that nobody finds it by trying, whatever he knows; the hash is
slow (0.1 s, 32 MiB) for those that people make themselves. scrypt, because it takes memory as well
as time and Python brings it (``hashlib``): nothing more to install and to keep up to date.

From a hash nothing but the password itself can be checked. So mail programs have to say it (PLAIN,
LOGIN), and mechanisms that prove it without saying it (CRAM-MD5, SCRAM) cannot be offered.

Failure: ``ValueError`` for a line that begins like a hash and is none.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from bridge.credentials.secret import Secret
from bridge.language import say

PREFIX = "$scrypt$"
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 of them, five bits each; without ``l``, ``o``, ``0`` and ``1``, which people mix up."""

GROUPS, GROUP_CHARS = 5, 4
SALT_BYTES, HASH_BYTES = 16, 32
LOG2_N, R, P = 15, 8, 1
MEMORY_LIMIT_BYTES = 128 * 1024**2
"""A hash that would take more is refused: it is checked in the daemon."""

_FORM = re.compile(
    r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})"
)


@dataclass(frozen=True, slots=True)
class Hashed:
    """What is kept of a password: the cost, the salt and the hash."""

    log2_n: int
    r: int
    p: int
    salt: bytes = field(repr=False)
    hash: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if min(self.log2_n, self.r, self.p) < 1 or self.p > 16:
            raise ValueError(say("is no scrypt hash"))
        if self.memory_bytes > MEMORY_LIMIT_BYTES:
            raise ValueError(
                say(
                    "would take more than {most} MiB to check",
                    most=MEMORY_LIMIT_BYTES // 1024**2,
                )
            )

    @property
    def memory_bytes(self) -> int:
        """How much memory a check takes."""
        return 128 * self.r * ((1 << self.log2_n) + self.p)

    def fits(self, password: str) -> bool:
        """Tell whether it is this password's; takes a tenth of a second, so not on the loop."""
        return hmac.compare_digest(self.hash, self._of(password))

    def _of(self, password: str) -> bytes:
        return hashlib.scrypt(
            password.encode("utf-8", "surrogatepass"),
            salt=self.salt,
            n=1 << self.log2_n,
            r=self.r,
            p=self.p,
            maxmem=self.memory_bytes + 1024**2,
            dklen=len(self.hash),
        )


def new_password() -> str:
    """Return a new password, such as ``k7dm-…``: a hundred random bits in letters that all have."""
    return "-".join(
        "".join(secrets.choice(LETTERS) for _ in range(GROUP_CHARS)) for _ in range(GROUPS)
    )


def hash_password(password: str) -> str:
    """Return the line to keep of a password; takes a tenth of a second."""
    empty = Hashed(LOG2_N, R, P, secrets.token_bytes(SALT_BYTES), bytes(HASH_BYTES))
    digest = empty._of(password)
    return f"{PREFIX}ln={LOG2_N},r={R},p={P}${_text(empty.salt)}${_text(digest)}"


def decoy() -> Hashed:
    """Return a hash that no password has, for names that nobody has: checking it takes as long."""
    salt, digest = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(HASH_BYTES)
    return Hashed(LOG2_N, R, P, salt, digest)


def is_hash(text: str) -> bool:
    """Tell a line that is meant as a hash from a password."""
    return text.startswith(PREFIX)


def read_hash(text: str) -> Hashed:
    """Read a line made by ``hash_password``.

    Raises:
        ValueError: it is none, or checking it would cost too much.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(say("is no scrypt hash"))
    log2_n, r, p = (int(match[number]) for number in (1, 2, 3))
    return Hashed(log2_n, r, p, _bytes(match[4]), _bytes(match[5]))


def hash_fault(password: Secret) -> str | None:
    """Return what is wrong with a password that is meant as a hash, None for nothing."""
    if is_hash(password.reveal()):
        try:
            read_hash(password.reveal())
        except ValueError as fault:
            return say("{fault}: make another with `pec-bridge account password`", fault=fault)
    return None


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError(say("is no scrypt hash")) from None
