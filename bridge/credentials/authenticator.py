"""Who logs in: the mailbox's own password, or the one that was made here for mail programs.

Both open the account. The mailbox's own is needed in clear for the API and compared by its digest;
of the other there is a hash only, which takes a tenth of a second on a thread, one at a time
(``TURNS``), so that guessers take neither the loop nor the memory. A password that was right once
is known again by a keyed digest: a mail program that logs in each second costs nothing. The key
is of this process and never leaves it, so that the digests say nothing to anybody.

Whoever is wrong waits for a hash, whatever name he gave: the time says neither how close he was
nor who has an account.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass

from bridge.credentials.local import Hashed, decoy, is_hash, read_hash
from bridge.credentials.secret import Secret
from bridge.model import AccountId

TURNS = 1


@dataclass(frozen=True, slots=True)
class Login:
    """Who may log in: ``address`` in any case, with either password.

    ``local_password`` may be a hash (``local``); None for no other than the mailbox's own.
    """

    account: AccountId
    address: str
    password: Secret
    local_password: Secret | None = None


@dataclass(slots=True)
class _Opening:
    account: AccountId | None
    digests: list[bytes]
    hash: Hashed
    passwords: tuple[bytes, ...] = ()
    """Digests of what opens it."""

    def knows(self, digest: bytes) -> bool:
        """Compare with all, so that the time says nothing."""
        found = False
        for one in self.digests:
            found |= hmac.compare_digest(one, digest)
        return found


class Authenticator:
    """See the module."""

    def __init__(self, logins: Iterable[Login]) -> None:
        self._key = os.urandom(32)
        self._turns = asyncio.Semaphore(TURNS)
        self._nobody = _Opening(None, [self._digest(os.urandom(32).hex())], decoy())
        self._entries = {login.address.casefold(): self._entry(login) for login in logins}
        self._passwords = {one.account: one.passwords for one in self._entries.values()}
        self._hashes = any(one.hash is not self._nobody.hash for one in self._entries.values())

    async def check(self, login: str, password: str) -> AccountId | None:
        """Return the account that ``login`` and ``password`` open, or None."""
        entry = self._entries.get(login.casefold(), self._nobody)
        digest = self._digest(password)
        if entry.knows(digest):
            return entry.account
        if not self._hashes:
            return None
        async with self._turns:
            if entry.knows(digest):  # by one that was before us in the queue
                return entry.account
            if not await asyncio.to_thread(entry.hash.fits, password):
                return None
        entry.digests.append(digest)
        return entry.account

    def seal(self, account: AccountId, token: str) -> bytes:
        """Return ``SEAL_BYTES`` for each of the account's passwords.

        They are others for every other token, and say nothing to who does not have it.
        """
        key = token.encode()
        return b"".join(hmac.digest(key, one, "sha256") for one in self._passwords.get(account, ()))

    def _entry(self, login: Login) -> _Opening:
        clear, hashed = [login.password.reveal()], self._nobody.hash
        if login.local_password is not None:
            local = login.local_password.reveal()
            if is_hash(local):
                hashed = read_hash(local)
            else:
                clear.append(local)
        both = filter(None, (login.password, login.local_password))
        passwords = tuple(
            hashlib.sha256(one.reveal().encode("utf-8", "surrogatepass")).digest() for one in both
        )
        return _Opening(login.account, list(map(self._digest, clear)), hashed, passwords)

    def _digest(self, password: str) -> bytes:
        return hmac.digest(self._key, password.encode("utf-8", "surrogatepass"), "sha256")
