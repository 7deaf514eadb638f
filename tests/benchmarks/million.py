"""What a year of mass mail costs: ``python -m tests.benchmarks.million`` prints JSON.

A store of 1,000,000 messages in one account is made: what 300,000 sends leave in ``Sent``, their
receipts in mailboxes by kind and month with the API's rows, texts and outcomes, and INBOX. A few
messages are stored by the program's own code and copied by SQL, for one by one they would take
half an hour. Then a real ``pec-bridge serve`` begins on it, against a simulated API.

Goals: start within 2 s, 250 MB resident, SELECT of the 300,000 within 0.5 s once it was selected.
Take a second run: the first finds nothing in the system's cache.
``--folder F`` keeps the store there and takes it up again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge.clock import SystemClock
from bridge.mailbox import Mailboxes
from bridge.mime.ingest import ingest
from bridge.model import INBOX, SENT, AccountId, MailboxId
from bridge.store.sqlite.connection import FILE_NAME
from bridge.store.sqlite.database import SqliteStore
from tests.benchmarks.imap_client import PASSWORD, USER, Client
from tests.benchmarks.imap_speed import message, vocabulary
from tests.benchmarks.memory import Memory, running, write_settings

SEEDS = 500
SIZE_BYTES = 1_500
TABLES = (
    "content",
    "content_structure",
    "content_header",
    "content_raw",
    "content_text",
    "content_body_text",
)
KEYS = {"content": "id"}
ID_LINE = "message-id:<0."
"""How that line of a seed's text for searches begins."""

KINDS = ("acceptance", "delivery")
MONTHS = [f"2026-{month:02}" for month in range(1, 13)]
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
BEGAN_US = int(BEGAN.timestamp()) * 1_000_000
YEAR_S = 365 * 86_400
LIVE = 30_000
"""Rows that are still at the API: what a mailbox of 1 GiB has room for."""

SERIES = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last})"


def mailboxes_of(messages: int) -> dict[str, int]:
    """Return how many messages each mailbox holds."""
    sent, inbox = messages * 3 // 10, messages // 10
    names = [
        f"Ricevute/{month}/{kind}" for month in MONTHS for kind in ("Accettazioni", "Consegne")
    ]
    each = (messages - sent - inbox) // len(names)
    return {SENT: sent, INBOX: inbox, **dict.fromkeys(names, each)}


async def begin(
    folder: Path, names: list[str], size_bytes: int = SIZE_BYTES
) -> tuple[AccountId, dict[str, MailboxId]]:
    """Make store, account and mailboxes, and store the messages that the others are copies of."""
    store = await SqliteStore.open(folder)
    boxes = Mailboxes(store, SystemClock())
    account = await boxes.open_account(USER)
    for name in names:
        if await boxes.find(account, name) is None:
            await boxes.write(lambda mtx, name=name: mtx.create(account, name))  # type: ignore[misc]
    words = vocabulary()

    async def seed(tx: object) -> None:
        for number in range(SEEDS):
            await tx.add_content(account, ingest(message(number, size_bytes, words)))  # type: ignore[attr-defined]

    await store.write(seed)
    ids = {name: box.id for name in names if (box := await boxes.find(account, name))}
    await store.close()
    return account, ids


def copied(
    connection: sqlite3.Connection, table: str, changed: Mapping[str, str], copies: int
) -> None:
    """Copy the seeds of a table so often, with other values in some columns."""
    key = KEYS.get(table, "content")
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    values = [changed.get(one, f"{table}.{one}") for one in columns]
    connection.execute(
        f"{SERIES.format(last=copies - 1)} INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {', '.join(values)} FROM n, {table}"
        f" WHERE i > 0 AND {table}.{key} <= {SEEDS} ORDER BY i, {table}.{key}"
    )


def fill_contents(connection: sqlite3.Connection, messages: int) -> None:
    """Copy contents until there are so many; each has a Message-ID of its own."""
    for pragma in ("cache_size = -800000", "synchronous = OFF", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    for table in TABLES:
        key = KEYS.get(table, "content")
        changed = {key: f"i * {SEEDS} + {table}.{key}"}
        if table == "content":
            changed |= {
                "sha256": "randomblob(32)",
                "message_id": f"'<0.' || (i * {SEEDS} + content.id - 1) || '@pec.example>'",
            }
        if table == "content_text":
            own = f"'{ID_LINE}' || (i * {SEEDS} + content - 1) || '@'"
            changed["header"] = f"replace(header, '{ID_LINE}' || (content - 1) || '@', {own})"
        copied(connection, table, changed, -(-messages // SEEDS))
    connection.execute("UPDATE body_indexed SET up_to = (SELECT max(id) FROM content)")


def fill(
    path: Path, account: AccountId, ids: Mapping[str, MailboxId], counts: Mapping[str, int]
) -> None:
    """Copy contents, and put them into the mailboxes with what belongs to them."""
    messages = sum(counts.values())
    connection = sqlite3.connect(path)
    fill_contents(connection, messages)
    first = 0
    for name, count in counts.items():
        put(connection, ids[name], first, count)
        first += count
    submissions(connection, account, counts[SENT])
    rows(connection, account, counts[SENT] + counts[INBOX], messages)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def put(connection: sqlite3.Connection, mailbox: MailboxId, first: int, count: int) -> None:
    """Put contents from ``first`` on into a mailbox."""
    connection.execute(
        f"{SERIES.format(last=count - 1)} INSERT INTO message"
        r" SELECT ?1, i + 1, i + 2, CASE WHEN i % 3 THEN '\Seen' ELSE '' END,"
        " ?2 + i, 60, ?2 + i, size_bytes, content.id FROM n"
        " JOIN content ON content.id = ?3 + i + 1",
        (mailbox, int(BEGAN.timestamp()), first),
    )
    connection.execute(
        "UPDATE mailbox SET uid_next = ?2 + 1, highest_modseq = ?2 + 1 WHERE id = ?1",
        (mailbox, count),
    )


def submissions(connection: sqlite3.Connection, account: AccountId, count: int) -> None:
    """Let the messages in ``Sent`` have been sent, a year's evenly."""
    step_us = YEAR_S * 1_000_000 // count
    connection.execute(
        f"{SERIES.format(last=count - 1)} INSERT INTO submission"
        " (id, account, state, message_id, subject, recipients, recipient_count, content,"
        " fingerprint, code, attempts, created_at, updated_at, sent_at, counted, counted_on,"
        " accepted, delivered)"
        " SELECT 'Q' || i, ?1, 'submitted', '<' || (i + 1) || '@azienda.example>', 'Diffida',"
        " '[\"anna@pec.example\"]', 1, i + 1, randomblob(32), '20260101000000' || i, 1,"
        " ?2 + i * ?3, ?2 + i * ?3, ?2 + i * ?3, 1,"
        " date((?2 + i * ?3) / 1000000, 'unixepoch'), 1, 1 FROM n",
        (account, BEGAN_US, step_us),
    )
    connection.execute(
        "INSERT INTO attempt (submission, number, started_at, ended_at, status)"
        " SELECT id, 1, created_at, created_at, 200 FROM submission"
    )
    connection.execute(
        "INSERT INTO transition (submission, at, old, new, reason)"
        " SELECT id, created_at, 'dispatching', 'submitted', '' FROM submission"
    )


def rows(connection: sqlite3.Connection, account: AccountId, first: int, messages: int) -> None:
    """Let the messages from ``first`` on be receipts, of which the last are still at the API."""
    count = messages - first
    series = SERIES.format(last=count - 1)
    kind = f"CASE i % 2 WHEN 0 THEN '{KINDS[0]}' ELSE '{KINDS[1]}' END"
    step_us = YEAR_S * 1_000_000 // count
    connection.execute(
        f"{series} INSERT INTO remote (account, fingerprint, api_id, raw, sender, recipient,"
        " date_text, subject, received_at, first_seen, rank, body_sha256, content, gone_at, kind,"
        " code, stripped_subject, submission, worth, gone_how)"
        " SELECT ?1, randomblob(32), i, '{}', 'posta-certificata@pec.example', ?4, 'x',"
        " 'CONSEGNA: Diffida', ?2 + i * ?3, ?2 + i * ?3, i, randomblob(32), ?5 + i + 1,"
        f" CASE WHEN i < {count - LIVE} THEN ?2 + i * ?3 END, {kind}, '20260101000000' || (i / 2),"
        " 'Diffida', 'Q' || (i / 2), 3, 'deleted' FROM n",
        (account, BEGAN_US, step_us, USER, first),
    )
    connection.execute("INSERT INTO remote_body SELECT id, printf('%.*c', 400, 'x') FROM remote")
    connection.execute(
        "INSERT INTO receipt (remote, submission, kind, at, addresses, detail)"
        " SELECT id, submission, kind, received_at, '[\"anna@pec.example\"]', '' FROM remote"
    )


def cpu_s(process_id: int) -> float:
    """Return the seconds of CPU that a process has taken (Linux)."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return round((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 2)


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    began_s = time.monotonic()
    work()
    return round(time.monotonic() - began_s, 3)


def measure(port: int, memory: Memory, names: list[str]) -> dict[str, float]:
    """Take time and memory after each thing that a mail client does."""
    figures: dict[str, float] = {"listening_mb": memory.mb()}
    with closing(Client(port)) as client:
        figures["select_first_s"] = seconds(lambda: client.command(f"SELECT {SENT}"))
        figures["selected_mb"] = memory.mb()
    with closing(Client(port)) as client:
        figures["select_again_s"] = seconds(lambda: client.command(f"SELECT {SENT}"))
        figures["fetch_last_s"] = seconds(
            lambda: client.command("FETCH *:* (FLAGS ENVELOPE BODYSTRUCTURE)")
        )
        figures["search_header_s"] = seconds(
            lambda: client.command("UID SEARCH HEADER Message-ID <0.1234@pec.example>")
        )
        figures["status_of_all_s"] = seconds(
            lambda: [client.command(f'STATUS "{one}" (MESSAGES UNSEEN)') for one in names]
        )
        figures["all_counted_mb"] = memory.mb()
        figures["append_s"] = seconds(lambda: client.append(INBOX, b"Subject: a\r\n\r\nb\r\n"))
    time.sleep(20)  # sync, housekeeping and the like have begun
    figures["after_a_while_mb"] = memory.mb()
    figures["peak_mb"] = memory.mb("VmHWM")
    return figures


def main() -> None:
    """Make the store if need be, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the store is kept; by default nowhere")
    given = parser.parse_args()
    counts = mailboxes_of(given.messages)
    with TemporaryDirectory() as name:
        folder = given.folder or Path(name)
        data = folder / "data"
        figures: dict[str, float] = {"messages": sum(counts.values())}
        if not (data / FILE_NAME).exists():
            data.mkdir(parents=True, mode=0o700)
            account, ids = asyncio.run(begin(data, list(counts)))
            figures["made_s"] = seconds(lambda: fill(data / FILE_NAME, account, ids, counts))
        figures["store_mb"] = round((data / FILE_NAME).stat().st_size / 1024**2)
        simulator = ("simulator", "--port", "0", "--json", "--mailbox", f"{USER}:{PASSWORD}")
        with running(*simulator, log=folder / "log") as (_, said):
            serve = ("serve", "--json", "--config", write_settings(folder, said))
            began_s = time.monotonic()
            with running(*serve, log=folder / "log") as (process_id, ready):
                figures["start_s"] = round(time.monotonic() - began_s, 2)
                figures["start_cpu_s"] = cpu_s(process_id)
                port = ready["imap"]["port"]
                figures |= measure(port, Memory(process_id), list(counts))
    json.dump(figures, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
