"""Several bridges on one database: one leads, and each serves."""

from __future__ import annotations

import asyncio
import imaplib
import smtplib
import socket
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridge.app.copying import copy_store
from bridge.app.database import DataPlace, open_store
from bridge.app.held import HeldStore
from bridge.clock import SystemClock
from bridge.config import Config, Database
from bridge.credentials import Secret
from bridge.lead.fenced import TermOver
from bridge.lead.leadership import AnotherLeads
from bridge.operations.control import OperationFailed, ask
from bridge.outbox.lineage import BEYOND, PutBack
from bridge.simulator import Simulator
from bridge.store.base import StoreFailed, Transaction
from bridge.store.lineage import MarkRow
from bridge.sync.pace import IN_TURN, NOBODY_LOOKS
from tests import cluster
from tests.app.test_postgres import delivered, on_postgres, subjects
from tests.running import ADDRESS, PASSWORD, Running, apart, eventually, running, simulated, until
from tests.store.postgres.proxy import Proxy
from tests.stores import DATABASES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(cluster.missing() is not None, reason=str(cluster.missing())),
]

SEEN_WITHIN_MS = 50.0
"""How soon a client is told of what one on another bridge did, half of the times."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One that leads and one that follows."""

    leader: Running
    follower: Running


@asynccontextmanager
async def bridge_on(folder: Path, name: str, simulator: Simulator) -> AsyncIterator[Running]:
    """Run a bridge with a folder of its own on the folder's database."""
    async with running(folder / name, simulator, change=on_postgres, database=folder) as bridge:
        yield bridge


@pytest.fixture
def simulator() -> Simulator:
    return simulated(messages=2)


@pytest.fixture
async def pair(tmp_path: Path, simulator: Simulator) -> AsyncIterator[Pair]:
    async with (
        bridge_on(tmp_path, "one", simulator) as one,
        bridge_on(tmp_path, "other", simulator) as other,
    ):
        yield Pair(one, other)


class Idler:
    """A client that waits in IDLE (RFC 2177); blocks."""

    def __init__(self, bridge: Running) -> None:
        self._client = imaplib.IMAP4("127.0.0.1", bridge.port("imap"), timeout=20)
        self._client.login(ADDRESS, PASSWORD)
        self._client.select("INBOX")
        self._client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.send(b"i IDLE\r\n")
        assert self._client.readline().startswith(b"+")

    def line(self) -> bytes:
        """Return the next line; how many are ``\\Recent`` is left out."""
        line = self._client.readline().strip()
        return self.line() if line.endswith(b" RECENT") else line

    def close(self) -> None:
        self._client.shutdown()


async def test_each_hears_of_what_was_done_on_the_other(pair: Pair) -> None:
    def do(bridge: Running, idler: Idler) -> list[bytes]:
        client = bridge.imap()
        client.select("INBOX")
        client.append("INBOX", "", imaplib.Time2Internaldate(0), b"Subject: x\r\n\r\ny\r\n")
        lines = [idler.line()]
        client.store("1", "+FLAGS", "(\\Deleted)")
        lines.append(idler.line())
        client.expunge()
        lines.append(idler.line())
        client.logout()
        idler.close()
        return lines

    async def has_two() -> bool:
        return len(await subjects(pair.follower)) == 2

    await eventually(has_two)
    for here, there in ((pair.leader, pair.follower), (pair.follower, pair.leader)):
        count = len(await subjects(there))
        lines = await apart(do, here, await apart(Idler, there))
        assert lines[0] == f"* {count + 1} EXISTS".encode()
        assert b"* 1 FETCH" in lines[1]
        assert b"\\Deleted" in lines[1]
        assert lines[2] == b"* 1 EXPUNGE"


async def test_what_happens_on_one_is_told_soon_on_the_other(pair: Pair) -> None:
    def measure(bridge: Running, idler: Idler) -> list[float]:
        client = bridge.imap()
        client.select("INBOX")
        took = []
        for number in range(31):
            sign = "+-"[number % 2]
            began = time.perf_counter()
            client.store("1", f"{sign}FLAGS", "(\\Flagged)")
            idler.line()
            took.append((time.perf_counter() - began) * 1000)
        client.logout()
        idler.close()
        return took

    async def has_two() -> bool:
        return len(await subjects(pair.follower)) == 2

    await eventually(has_two)
    took = await apart(measure, pair.follower, await apart(Idler, pair.leader))
    assert statistics.median(took) < SEEN_WITHIN_MS


async def test_what_is_submitted_where_nobody_leads_is_sent_once(
    pair: Pair, simulator: Simulator
) -> None:
    await apart(pair.follower.submit, "First", ADDRESS)
    await apart(pair.leader.submit, "Second", ADDRESS)
    await apart(pair.follower.submit, "First", ADDRESS)  # the same again
    await delivered(pair.leader.config.data_dir, 2)
    assert sorted(one.subject for one in simulator.sent) == ["First", "Second"]
    await delivered(pair.follower.config.data_dir, 2)


async def test_mailboxes_made_on_one_are_there_on_the_other(pair: Pair) -> None:
    def work() -> None:
        here, there = pair.follower.imap(), pair.leader.imap()
        there.list()
        here.create("Clienti")
        deadline = time.monotonic() + 5
        while there.select("Clienti")[0] != "OK":
            assert time.monotonic() < deadline
        here.delete("Clienti")
        here.logout()
        there.logout()

    await apart(work)


async def test_one_that_ends_lets_the_other_lead(tmp_path: Path, simulator: Simulator) -> None:
    async with AsyncExitStack() as stays, bridge_on(tmp_path, "one", simulator) as one:
        other = await stays.enter_async_context(bridge_on(tmp_path, "other", simulator))
        client = await apart(other.imap)
        await apart(one.submit, "First", ADDRESS)
        await delivered(tmp_path / "one", 1)
        await one.bridge.stop()
        await apart(other.submit, "Second", ADDRESS)
        await until(lambda: len(simulator.sent) == 2)
        assert (await apart(client.select, "INBOX"))[0] == "OK"  # it stayed connected
        await apart(client.logout)
        again = await stays.enter_async_context(bridge_on(tmp_path, "one", simulator))
        await apart(again.submit, "Third", ADDRESS)
        await until(lambda: len(simulator.sent) == 3)
        await delivered(tmp_path / "one", 3)
        found = await ask(tmp_path / "one", "queue list", {})
        assert {entry["state"] for entry in found} == {"submitted"}


async def test_one_that_follows_says_who_is_to_be_asked(pair: Pair) -> None:
    data_dir = pair.follower.config.data_dir
    with pytest.raises(OperationFailed, match=str(pair.leader.config.data_dir)):
        await ask(data_dir, "quota", {})
    assert (await ask(data_dir, "status", {}))["running"]
    await ask(data_dir, "queue pause", {"account": ADDRESS})
    await apart(pair.leader.submit, "First", ADDRESS)
    (entry,) = await ask(pair.leader.config.data_dir, "queue list", {})
    assert entry["state"] == "queued"
    await ask(data_dir, "queue resume", {"account": ADDRESS})
    await delivered(data_dir, 1)


async def test_a_command_that_cannot_know_what_was_sent_holds_nothing(
    tmp_path: Path, simulator: Simulator
) -> None:
    url = Secret(await DATABASES.made(tmp_path))
    async with bridge_on(tmp_path, "one", simulator) as one:
        async with bridge_on(tmp_path, "other", simulator):
            pass
        with pytest.raises(AnotherLeads, match=str(tmp_path / "one")):
            await HeldStore.open(DataPlace(tmp_path / "other", url), SystemClock())
        await apart(one.submit, "First", ADDRESS)
        await delivered(tmp_path / "one", 1)
    with pytest.raises(StoreFailed, match=BEYOND):
        await HeldStore.open(DataPlace(tmp_path / "other", url), SystemClock())
    held = await HeldStore.open(DataPlace(tmp_path / "one", url), SystemClock())
    await held.close()


async def test_one_that_knows_that_the_database_is_older_holds_what_waits(
    tmp_path: Path, simulator: Simulator
) -> None:
    """It was put back, and whoever was started first on it could not know."""

    async def put_back(tx: Transaction) -> None:
        row = await tx.lineage()
        assert row is not None
        await tx.keep_lineage(replace(row, dispatches=row.dispatches - 2, leader="0" * 32))
        await tx.keep_mark(MarkRow("0" * 32, 0, 0, 0))

    async with bridge_on(tmp_path, "one", simulator) as one:
        async with bridge_on(tmp_path, "other", simulator):
            pass
        await ask(tmp_path / "one", "queue pause", {"account": ADDRESS})
        await apart(one.submit, "First", ADDRESS)
        store = await open_store(DataPlace(tmp_path, Secret(await DATABASES.made(tmp_path))))
        await store.write(put_back)
        await store.close()
        with pytest.raises((PutBack, TermOver)):
            await asyncio.wait_for(one.bridge.wait(), 20)
        async with bridge_on(tmp_path, "other", simulator):
            (entry,) = await ask(tmp_path / "other", "queue list", {})
            assert entry["state"] == "restored"
    assert not simulator.sent


async def bridges_on(data_dir: Path, count: int) -> list[dict[str, Any]] | None:
    """Return the bridges that are connected, once there are so many."""
    facts: list[dict[str, Any]] = (await ask(data_dir, "status", {}))["bridges"]
    return facts if len([one for one in facts if one["connected"]]) == count else None


async def test_one_lets_the_other_lead_and_clients_stay(pair: Pair, simulator: Simulator) -> None:
    def names(facts: list[dict[str, Any]], **wanted: bool) -> list[str]:
        return [one["bridge"] for one in facts if wanted.items() <= one.items()]

    one, other = pair.leader.config.data_dir, pair.follower.config.data_dir
    facts = await eventually(partial(bridges_on, other, 2)) or []
    assert [str(one) in name for name in names(facts, leads=True)] == [True]
    client = await apart(pair.leader.imap)
    with pytest.raises(OperationFailed, match="leads for no others"):
        await ask(other, "leader release", {"account": ADDRESS})
    with pytest.raises(OperationFailed, match="no account"):
        await ask(one, "leader release", {"account": "nobody@pec.example"})
    assert await ask(one, "leader release", {"account": ADDRESS}) == {"accounts": [ADDRESS]}

    async def has_changed() -> bool:
        facts = (await ask(one, "status", {}))["bridges"]
        return [str(other) in name for name in names(facts, leads=True)] == [True]

    await eventually(has_changed)
    await apart(pair.leader.submit, "First", ADDRESS)
    await delivered(other, 1)
    assert (await apart(client.select, "INBOX"))[0] == "OK"
    await apart(client.logout)
    await ask(other, "quota", {})
    with pytest.raises(OperationFailed, match="asks the API for all"):
        await ask(one, "quota", {})
    assert len(simulator.sent) == 1


async def test_a_file_has_no_other_bridge(tmp_path: Path, simulator: Simulator) -> None:
    def on_a_file(config: Config) -> Config:
        return replace(config, store=Database(None))

    async with running(tmp_path, simulator, change=on_a_file):
        assert (await ask(tmp_path, "status", {}))["bridges"] == []
        with pytest.raises(OperationFailed, match="leads for no others"):
            await ask(tmp_path, "leader release", {"account": ADDRESS})


async def test_one_that_is_cut_off_sends_nothing_more_and_another_leads(
    tmp_path: Path, simulator: Simulator
) -> None:
    url = await DATABASES.made(tmp_path)
    proxy = Proxy(tmp_path, DATABASES.server.folder)
    await proxy.start()
    behind = Secret(url.rpartition("=")[0] + f"={tmp_path}")
    one = running(tmp_path / "one", simulator, change=on_postgres, database=behind)
    async with one as cut_off, bridge_on(tmp_path, "other", simulator) as other:
        await apart(cut_off.submit, "First", ADDRESS)
        await delivered(tmp_path / "other", 1)
        proxy.cut = "before"
        await proxy.was_cut.wait()
        with pytest.raises(smtplib.SMTPResponseException):
            await apart(cut_off.submit, "Lost", ADDRESS)
        await apart(other.submit, "Second", ADDRESS)
        async with asyncio.timeout(30):
            await eventually_sent(simulator, 2)
        proxy.mend()
        with pytest.raises(TermOver):
            await asyncio.wait_for(cut_off.bridge.wait(), 20)
        assert [sent.subject for sent in simulator.sent] == ["First", "Second"]
    await proxy.close()


async def eventually_sent(simulator: Simulator, count: int) -> None:
    while len(simulator.sent) < count:  # noqa: ASYNC110 - has no event to wait for
        await asyncio.sleep(0.05)


async def test_nothing_is_copied_while_a_bridge_works_on_it(
    tmp_path: Path, simulator: Simulator
) -> None:
    place = DataPlace(tmp_path / "third", Secret(await DATABASES.made(tmp_path)))
    place.data_dir.mkdir()
    async with bridge_on(tmp_path, "one", simulator):
        await eventually(partial(bridges_on, tmp_path / "one", 1))
        with pytest.raises(StoreFailed, match="works on"):
            await apart(copy_store, place, str(tmp_path / "target"), lambda _done, _total: None)


async def test_one_that_may_not_lead_does_nothing_of_a_leaders_meanwhile(tmp_path: Path) -> None:
    url = Secret(await DATABASES.made(tmp_path))
    held = await HeldStore.open(DataPlace(tmp_path / "one", url), SystemClock(), follows=True)
    await held.leave()
    seen: list[bool] = []

    async def may_lead() -> None:
        seen.append(held.leads)
        raise PutBack(BEYOND)

    with pytest.raises(PutBack):
        await held.succeed(may_lead)
    assert (seen, held.leads, held.is_sure()) == ([False], False, False)
    await held.close()


async def test_a_client_on_one_hastens_the_looks_of_the_one_that_leads(pair: Pair) -> None:
    """As one of its own does."""

    async def why(reason: str) -> bool:
        facts = await ask(pair.leader.config.data_dir, "status", {})
        return bool(facts["accounts"][0]["next_sync_why"] == reason)

    await eventually(partial(why, NOBODY_LOOKS))
    idler = await apart(Idler, pair.follower)
    await eventually(partial(why, IN_TURN))
    idler.close()
