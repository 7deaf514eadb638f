"""How fast an inbox is read: ``python -m tests.benchmarks.sync_speed`` prints JSON.

The sync, a store on disk and the receipts' filing in this process, against a simulated API in a
process of its own that takes 50 ms for each answer.

Goals: the first page readable within 1 s and two round trips; a whole import at no less than 90 %
of ``concurrency / latency`` requests a second; a look with nothing new at one request and 5 ms of
CPU, at 100,000 rows too; a new row told to a watching connection at most 50 ms after the answers
of its look (its page and its body) are here.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import structlog

from bridge.api.budget import RequestBudget
from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxMessage, InboxPage, InboxRow, UnreadableRow
from bridge.clock import SystemClock
from bridge.mailbox import Mailboxes
from bridge.model import INBOX, AccountId, Added, Change, ContentId, MailboxId, Quota
from bridge.receipts.filing import Filing
from bridge.store.base import Transaction
from bridge.store.remote import NewRemote
from bridge.store.sqlite import SqliteStore
from bridge.sync.fetching import AT_ONCE
from bridge.sync.listed import fingerprint
from bridge.sync.service import Sync, SyncAccount, SyncSettings

PROGRAM = Path(sys.executable).with_name("pec-bridge")
ADDRESS, PASSWORD = "azienda@pec.example", "parola"
LATENCY_S = 0.05
LOOKS = 20


@contextmanager
def simulator(rows: int, latency_s: float) -> Iterator[dict[str, Any]]:
    """Run the simulated API; give what it said."""
    command = [str(PROGRAM), "simulator", "--port", "0", "--json", "--reading", "sequence"]
    command += ["--set", f"latency_s={latency_s}", "--seed", str(rows)]
    command += ["--mailbox", f"{ADDRESS}:{PASSWORD}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


class Counting:
    """The client, counting requests and noting when the last answer came."""

    def __init__(self, client: PecClient) -> None:
        self.client = client
        self.requests = 0
        self.answered_s = 0.0

    def _note(self) -> None:
        self.requests += 1
        self.answered_s = time.perf_counter()

    def charged(self, purpose: Purpose) -> Counting:
        """Return this one: there is no budget to charge."""
        return self

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        found = await self.client.inbox_page(page, query)
        self._note()
        return found

    async def inbox_message(self, api_id: str) -> InboxMessage:
        found = await self.client.inbox_message(api_id)
        self._note()
        return found

    async def delete_inbox(self, api_id: str) -> None:
        await self.client.delete_inbox(api_id)

    async def quota(self, mailbox: str = "INBOX") -> Quota:
        return await self.client.quota(mailbox)


class Reader:
    """One account's sync and all it needs."""

    def __init__(
        self, store: SqliteStore, mailboxes: Mailboxes, sync: Sync, client: Counting
    ) -> None:
        self.store = store
        self.mailboxes = mailboxes
        self.sync = sync
        self.client = client
        self.account = AccountId(0)
        self.inbox = MailboxId(0)


@asynccontextmanager
async def reader(folder: Path, said: dict[str, Any]) -> AsyncIterator[Reader]:
    """Give a sync that does not run yet."""
    clock = SystemClock()
    store = await SqliteStore.open(folder)
    connection = ApiConnection(said["api"]["url"], said["token"], clock=clock)
    mailboxes = Mailboxes(store, clock)
    client = Counting(PecClient(connection, username=ADDRESS, password=PASSWORD, clock=clock))
    account = await mailboxes.open_account(ADDRESS)
    followed = SyncAccount(account, ADDRESS, client, RequestBudget(clock, 10**9))
    filing = Filing(store, mailboxes, clock)
    random = Random(1)
    sync = Sync(store, mailboxes, filing, [followed], clock, random, SyncSettings())
    made = Reader(store, mailboxes, sync, client)
    inbox = await mailboxes.find(account, INBOX)
    assert inbox is not None
    made.account, made.inbox = account, inbox.id
    try:
        yield made
    finally:
        await connection.aclose()
        await store.close()


@asynccontextmanager
async def running(made: Reader) -> AsyncIterator[None]:
    task = asyncio.ensure_future(made.sync.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def reach(made: Reader, rows: int) -> None:
    """Wait until so many messages are in INBOX."""
    enough = asyncio.Event()

    def changed(_: Change) -> None:
        if made.sync.standing(made.account).fetched >= rows:
            enough.set()

    end = made.mailboxes.subscribe(changed)
    while made.sync.standing(made.account).fetched < rows:
        try:
            await asyncio.wait_for(enough.wait(), 0.05)
        except TimeoutError:
            continue
    end()


async def measure_import(folder: Path, said: dict[str, Any], rows: int) -> dict[str, Any]:
    """Read a whole mailbox for the first time."""
    async with reader(folder, said) as made:
        began_s, cpu_s = time.perf_counter(), time.process_time()
        first = asyncio.Event()

        def changed(change: Change) -> None:
            index = made.sync.standing(made.account).fetched
            if isinstance(change, Added) and change.mailbox == made.inbox and index >= 0:
                first.set()

        end = made.mailboxes.subscribe(changed)
        async with running(made):
            await first.wait()
            first_s = time.perf_counter() - began_s
            end()
            await reach(made, rows)
            whole_s = time.perf_counter() - began_s
        requests = made.client.requests
    bound = AT_ONCE / LATENCY_S
    return {
        "rows": rows,
        "first_page_s": round(first_s, 3),
        "first_page_goal_s": 1 + 2 * LATENCY_S,
        "whole_s": round(whole_s, 1),
        "requests": requests,
        "requests_per_s": round(requests / whole_s, 1),
        "concurrency": AT_ONCE,
        "share_of_bound": round(requests / whole_s / bound, 3),
        "share_goal": 0.9,
        "cpu_ms_per_message": round(1000 * (time.process_time() - cpu_s) / rows, 2),
    }


async def measure_looks(made: Reader) -> dict[str, Any]:
    """Look again and again at what has not changed."""
    await made.sync.sync_now(made.account)
    requests, times = made.client.requests, []
    for _ in range(LOOKS):
        began_s = time.process_time()
        await made.sync.sync_now(made.account)
        times.append(1000 * (time.process_time() - began_s))
    return {
        "requests": (made.client.requests - requests) / LOOKS,
        "cpu_ms": round(median(times), 2),
        "cpu_goal_ms": 5,
    }


async def measure_arrival(made: Reader, said: dict[str, Any]) -> dict[str, Any]:
    """Let rows arrive; how long after the answers a watcher is told."""
    waits = []
    async with httpx.AsyncClient(base_url=said["api"]["url"]) as control:
        for number in range(LOOKS):
            fields = {"mailbox": ADDRESS, "address": ADDRESS, "subject": f"Nuovo {number}"}
            (await control.post("/_simulator/messages", json=fields)).raise_for_status()
            told: list[float] = []
            end = made.mailboxes.subscribe_mailbox(
                made.account,
                made.inbox,
                lambda change, told=told: told.append(time.perf_counter()),  # type: ignore[misc]
            )
            await made.sync.sync_now(made.account)
            end()
            waits.append(1000 * (told[0] - made.client.answered_s))
    return {
        "told_after_ms": round(median(waits), 2),
        "slowest_ms": round(max(waits), 2),
        "goal_ms": 50,
    }


async def pretend(made: Reader, rows: int) -> None:
    """Make rows known as an import would, all with one short text."""
    text = await made.mailboxes.prepare(b"Subject: x\r\n\r\nx\r\n")
    content = await made.store.write(lambda tx: tx.add_content(made.account, text))
    position = 0.0
    for first in range(1, rows // 25 + 1, 40):
        numbers = range(first, min(first + 40, rows // 25 + 1))
        pages = await asyncio.gather(*map(made.client.client.inbox_page, numbers))
        listed = [row for page in pages for row in reversed(page.rows)]
        await made.store.write(partial(_keep, made.account, content, listed, position))
        position -= len(listed)


async def _keep(
    account: AccountId,
    content: ContentId,
    listed: Sequence[InboxRow | UnreadableRow],
    high: float,
    tx: Transaction,
) -> None:
    now = SystemClock().now()
    for index, row in enumerate(listed):
        assert isinstance(row, InboxRow)
        new = NewRemote(
            account,
            fingerprint(row),
            row.api_id,
            row.raw,
            received_at=row.date,
            first_seen=now,
            rank=high - index,
            **row.row_fields,
        )
        remote = await tx.add_remote(new)
        await tx.keep_remote_body(remote, "x", hashlib.sha256(b"x").digest(), content)


async def measure_size(folder: Path, said: dict[str, Any], rows: int) -> dict[str, Any]:
    """Look at a very large mailbox that is known already."""
    async with reader(folder, said) as made:
        await pretend(made, rows)
    before_mb = _resident_mb()
    async with reader(folder, said) as made:
        began_s = time.perf_counter()
        await made.sync.quota(made.account)  # loads what is remembered
        loaded_s = time.perf_counter() - began_s
        await made.sync.sync_now(made.account)  # the first whole pass
        figures = await measure_looks(made)
    return {
        "rows": rows,
        "loaded_s": round(loaded_s, 3),
        "grown_mb": round(_resident_mb() - before_mb, 1),
        **figures,
    }


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def measure(rows: int, many: int) -> dict[str, Any]:
    """Take every figure."""
    results: dict[str, Any] = {}
    with TemporaryDirectory() as folder, simulator(rows, LATENCY_S) as said:
        results["import"] = await measure_import(Path(folder), said, rows)
        async with reader(Path(folder), said) as made:
            results["look"] = await measure_looks(made)
            results["arrival"] = await measure_arrival(made, said)
    if many:
        with TemporaryDirectory() as folder, simulator(many, 0.0) as said:
            results["large"] = await measure_size(Path(folder), said, many)
    return results


def main() -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=100_000, help="0 leaves that part out")
    chosen = parser.parse_args()
    print(json.dumps(asyncio.run(measure(chosen.rows, chosen.many)), indent=2))


if __name__ == "__main__":
    main()
