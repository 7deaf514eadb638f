"""Three sessions on one mailbox: whatever they do, each client agrees with the server.

They are on one server, or spread over two on one store. Each client knows only the untagged lines
it was sent. After every command its idea of the mailbox (how many messages, which UID has which
number, which flags) is compared with a FETCH.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.store.news import News
from bridge.store.postgres import PostgresStore
from tests.fakes import FakeClock
from tests.imapserver.client import Client, Rig, message
from tests.stores import open_store

_FETCH = re.compile(r"\* (\d+) FETCH \((.*)\)", re.DOTALL)


@dataclass(slots=True)
class Replica:
    """A client that takes every line at its word."""

    client: Client
    qresync: bool
    hears_others: bool
    messages: list[dict[str, str]] = field(default_factory=list)

    async def do(self, command: str, *, uses_numbers: bool) -> None:
        before = len(self.messages)
        *lines, tagged = await self.client.ask(command)
        assert re.match(r"OK|NO|BAD no such message number", tagged), (command, tagged)
        for line in lines:
            self.hear(line)
        if (silent := re.match(r"STORE (\d+) \S+\.SILENT", command)) and tagged.startswith("OK"):
            self.messages[int(silent[1]) - 1].pop("FLAGS", None)  # nobody tells what it did itself
        if uses_numbers:
            assert len(self.messages) >= before, f"{command} was answered by an EXPUNGE"

    def hear(self, line: str) -> None:
        if match := re.fullmatch(r"\* (\d+) EXISTS", line):
            count = int(match[1])
            assert count >= len(self.messages)
            self.messages += [{} for _ in range(count - len(self.messages))]
        elif match := re.fullmatch(r"\* (\d+) EXPUNGE", line):
            assert not self.qresync
            del self.messages[int(match[1]) - 1]
        elif match := re.fullmatch(r"\* VANISHED (\S+)", line):
            gone = _uids(match[1])
            kept = [one for one in self.messages if one.get("UID") not in gone]
            assert len(kept) == len(self.messages) - len(gone)
            self.messages = kept
        elif match := _FETCH.fullmatch(line):
            known = self.messages[int(match[1]) - 1]
            told = dict(re.findall(r"(UID|FLAGS|MODSEQ) (\(.*?\)|\d+)", match[2]))
            assert known.get("UID") in (None, told.get("UID", known.get("UID")))
            known |= told

    async def check(self) -> None:
        """Ask for everything, and compare it with what was known.

        What another bridge did is told as it is heard of; after a NOOP nothing of it is left.
        """
        if self.hears_others:
            await self.do("NOOP", uses_numbers=False)
        expected = [dict(one) for one in self.messages]
        await self.do("FETCH 1:* (UID FLAGS)", uses_numbers=True)
        for old, new in zip(expected, self.messages, strict=False):
            assert old.get("UID") in (None, new["UID"])
            assert old.get("FLAGS") in (None, new.get("FLAGS"))


def _uids(written: str) -> set[str]:
    spans = [part.split(":") for part in written.split(",")]
    return {str(uid) for span in spans for uid in range(int(span[0]), int(span[-1]) + 1)}


COMMANDS: Sequence[tuple[str, bool]] = (
    ("NOOP", False),
    ("STORE {n} +FLAGS (\\Deleted)", True),
    ("STORE {n} -FLAGS.SILENT (\\Deleted)", True),
    ("STORE {n} FLAGS (\\Seen $x)", True),
    ("UID STORE {n}:* +FLAGS (\\Flagged)", False),
    ("EXPUNGE", False),
    ("UID EXPUNGE {n}:*", False),
    ("FETCH {n} BODY[TEXT]", True),
    ("UID FETCH 1:* FLAGS", False),
    ("SEARCH ALL", True),
    ("MOVE {n} Archive", False),
    ("UID COPY {n} INBOX", False),
    ("UID MOVE {n} INBOX", False),
    ("APPEND", False),
)
steps = st.tuples(st.integers(0, 2), st.sampled_from(COMMANDS), st.integers(1, 6))


@pytest.mark.parametrize("bridges", [1, 2])
@settings(max_examples=12, deadline=None)
@given(chosen=st.lists(steps, min_size=5, max_size=30))
def test_every_client_agrees_with_the_server(
    bridges: int, chosen: list[tuple[int, tuple[str, bool], int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder), bridges, chosen))


async def play(folder: Path, bridges: int, chosen: list[tuple[int, tuple[str, bool], int]]) -> None:
    async with AsyncExitStack() as stack:
        rigs = [await stack.enter_async_context(bridge_on(folder)) for _ in range(bridges)]
        for number in range(4):
            await rigs[0].add(f"m{number}")
        on = [rigs[session % bridges] for session in range(3)]
        replicas = [await replica(rig, at == 2, bridges > 1) for at, rig in enumerate(on)]
        for at, (session, (command, uses_numbers), number) in enumerate(chosen):
            one = replicas[session]
            if command == "APPEND":
                await on[session].add(message(f"n{at}"))
                continue
            await one.do(command.format(n=number), uses_numbers=uses_numbers)
            await one.check()
        for one in replicas:
            await one.do("NOOP", uses_numbers=False)
            await one.check()
        (first, *others) = ([told["UID"] for told in one.messages] for one in replicas)
        assert all(other == first for other in others)


@asynccontextmanager
async def bridge_on(folder: Path) -> AsyncIterator[Rig]:
    """Serve what is in a folder, which others may serve, too."""
    store = await open_store(folder)
    rig = await Rig.start(store, FakeClock(), shared=True)
    tasks: set[asyncio.Task[None]] = set()

    def hear(news: News) -> None:
        mailboxes = rig.services.mailboxes
        tasks.add(asyncio.ensure_future(mailboxes.catch_up(news.mailboxes, news.accounts)))

    if isinstance(store, PostgresStore):
        store.listen(hear, f"bridge {rig.port}")
    try:
        yield rig
    finally:
        await rig.stop()
        await asyncio.gather(*tasks)
        await store.close()


async def replica(rig: Rig, qresync: bool, hears_others: bool) -> Replica:
    client = await rig.client()
    if qresync:
        await client.ok("ENABLE QRESYNC")
    one = Replica(client, qresync, hears_others)
    await one.do("SELECT INBOX", uses_numbers=False)
    await one.check()
    return one
