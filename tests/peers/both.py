"""The same mail in Dovecot and in the bridge, and the same question to both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.store.sqlite import SqliteStore
from tests.fakes import FakeClock
from tests.imapserver.client import Client, Rig
from tests.mime.dovecot import Dovecot, dovecot, internal_date
from tests.mime.malformed import BY_HAND, python_corpus, with_crlf
from tests.peers.foreign import FOREIGN

LETTERS = ("S", "", "F", "RS", "D", "DFRST")
"""Flags in turn, as a Maildir writes them."""

_FLAGS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}


def messages() -> dict[str, bytes]:
    """Return foreign mail by what it is; Dovecot gives every LF a CR, and so is it here."""
    found = {**BY_HAND, **python_corpus(), **FOREIGN}
    return {name: with_crlf(raw) for name, raw in found.items() if raw}


@dataclass(frozen=True, slots=True)
class Both:
    """A session of each, INBOX selected; messages are numbered from 1 in both."""

    peer: Dovecot
    client: Client
    names: Sequence[str]
    raws: Sequence[bytes]

    async def ask(self, command: bytes, answer: bytes) -> tuple[bytes, bytes]:
        """Return our line of this name and theirs, without the name.

        Raises:
            Crash: Dovecot ended over the command.
        """
        theirs = [line for line in self.peer.ask(command) if line.startswith(answer)]
        ours = [line.encode() for line in await self.client.ok(command)]
        (our,) = [line for line in ours if line.startswith(answer)]
        return our.removeprefix(answer), theirs[0].removeprefix(answer)


@asynccontextmanager
async def both(directory: Path, mail: dict[str, bytes]) -> AsyncIterator[Both]:
    """Give both with ``mail`` in INBOX; ours keeps it in ``directory``."""
    letters = [LETTERS[at % len(LETTERS)] for at in range(len(mail))]
    store = await SqliteStore.open(directory)
    rig = await Rig.start(store, FakeClock())
    try:
        for number, (raw, own) in enumerate(zip(mail.values(), letters, strict=True), start=1):
            flags = tuple(_FLAGS[letter] for letter in own)
            await rig.add(raw, flags=flags, at=internal_date(number))
        client = await rig.client("INBOX")
        with dovecot(list(mail.values()), letters) as peer:
            yield Both(peer, client, list(mail), list(mail.values()))
    finally:
        await rig.stop()
        await store.close()
