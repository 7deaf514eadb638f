"""How fast the page lists 50,000 sent messages: ``python -m tests.benchmarks.page_speed``.

Each question is asked five times of a store on the disk; the first visible change is to come within
100 ms.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bridge.model import AccountId
from bridge.store.base import Store
from bridge.store.sqlite import SqliteStore
from bridge.store.sqlite.connection import FILE_NAME
from bridge.store.web import SentGroup, SentQuery

COUNT = 50_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = (
    "id, account, state, message_id, subject, recipients, recipient_count, content, fingerprint,"
    " code, created_at, updated_at, sent_at, accepted, delivered"
)


def fill(path: Path) -> None:
    """Write entries of two accounts, a few of them refused, uncertain or under way."""
    draw, begin = random.Random(1), int(BEGIN.timestamp() * 1e6)
    rows = []
    for number in range(COUNT):
        state = "uncertain" if number in (100, 200) else "submitted" if number % 500 else "refused"
        at = begin + number * 600_000_000
        delivered = int(state == "submitted" and number < COUNT - 50)
        recipient = f"cliente{draw.randrange(9000)}@pec.ditta{draw.randrange(400)}.example"
        subject = f"Fattura elettronica {number} del cliente {draw.randrange(9000)}"
        rows.append(
            (
                *(f"q{number:07x}", 1 + (number % 5 == 0), state, f"<{number}@erp.example>"),
                *(subject, json.dumps([recipient]), 1, 1, b"", str(draw.randrange(10**9))),
                *(at, at, at, 1, delivered),
            )
        )
    marks = ", ".join("?" * len(rows[0]))
    with sqlite3.connect(path) as connection:
        connection.executemany(f"INSERT INTO submission ({COLUMNS}) VALUES ({marks})", rows)
    connection.close()


async def asked(store: Store, query: SentQuery) -> list[float]:
    """Return how long each of five answers took, in ms."""
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        await store.scan(lambda tx: tx.sent_page(query))
        took.append((time.perf_counter() - begun) * 1e3)
    return sorted(took)


async def main() -> None:
    """Fill a store, ask and print."""
    anna = AccountId(1)
    questions = {
        "newest": SentQuery(50),
        "newest of an account": SentQuery(50, anna),
        "uncertain": SentQuery(50, anna, SentGroup.UNCERTAIN),
        "failed": SentQuery(50, None, SentGroup.FAILED),
        "under way": SentQuery(50, anna, SentGroup.UNDER_WAY),
        "a recipient": SentQuery(50, recipient="cliente77@"),
        "a text that is nowhere": SentQuery(50, text="zzzz"),
        "the last page": SentQuery(50, before=300),
    }
    with tempfile.TemporaryDirectory() as folder:
        store = await SqliteStore.open(Path(folder))
        for address in ("anna@pec.example", "bruno@pec.example"):
            await store.write(lambda tx, address=address: tx.add_account(address))  # type: ignore[misc]
        await store.close()
        fill(Path(folder) / FILE_NAME)
        store = await SqliteStore.open(Path(folder))
        for name, query in questions.items():
            took = await asked(store, query)
            print(f"{name:24} {took[2]:7.1f} ms, worst {took[-1]:.1f}")
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
