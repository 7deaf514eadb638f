"""A program that writes until it is killed: it prints the number of each submission it was told
is kept. Run by ``test_crash`` as ``python -m tests.store.sqlite.crashing FOLDER``.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

from bridge.model import QueueId
from bridge.store.base import Transaction
from bridge.store.outbox import NewSubmission
from bridge.store.sqlite import SqliteStore
from tests.bound import bound
from tests.store.made import NOW, ingested

AT_ONCE = 4


async def run(folder: Path) -> None:
    store = await SqliteStore.open(folder)
    account = await store.read(lambda tx: tx.account("a@pec.example"))
    if account is None:
        account = await store.write(lambda tx: tx.add_account("a@pec.example"))
    first = sum((await store.read(lambda tx: tx.submission_counts())).values())
    numbers = itertools.count(first)

    async def work(tx: Transaction, number: int) -> None:
        content = await tx.add_content(account, ingested(f"n. {number}", body="x" * 9000))
        submission = NewSubmission(
            QueueId(f"q{number}"), account, "", "s", ("b@pec.example",), content, b"", NOW
        )
        await tx.add_submission(submission)

    async def write_on() -> None:
        while True:
            number = next(numbers)
            await store.write(bound(lambda tx, number: work(tx, number), number))
            print(number, flush=True)  # noqa: T201

    await asyncio.gather(*(write_on() for _ in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
