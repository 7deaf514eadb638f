"""How the server's time grows with a mailbox: ``python -m tests.benchmarks.imap_growth``.

For each number of messages a mailbox is made as ``million`` makes its own (a few messages stored
by the program's own code and copied by SQL, so a million takes minutes), and each command is given
as ``imap_profile`` gives it. Printed is the processor's time of one, all threads, in ms, and
between neighbours the exponent: 0 where more messages cost nothing, 1 where twice as many cost
twice as much. ``--folder`` keeps the mailboxes for the next run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sqlite3
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from bridge.model import INBOX
from bridge.store.sqlite.connection import FILE_NAME
from tests.benchmarks.imap_client import Client
from tests.benchmarks.imap_profile import COMMANDS, Command, Profiled
from tests.benchmarks.imap_speed import BOX, message, vocabulary
from tests.benchmarks.million import begin, fill_contents, put

COUNTS = (1_000, 10_000, 100_000, 1_000_000)
SIZE_BYTES = 2_000
LONG = 100_000
"""Of more messages a command that looks at all of them is measured twice only."""

GROWTH: Mapping[str, Command] = {
    "select": (f"SELECT {BOX}", 20),
    **COMMANDS,
    "search_message_id": ("UID SEARCH HEADER Message-ID <0.{uid}@pec.example>", 20),
}

Figures = dict[str, list[float]]


def made(folder: Path, count: int) -> Path:
    """Make a folder with a mailbox of so many messages, if need be."""
    data = folder / f"{count}"
    if not data.exists():
        data.mkdir(parents=True)
        _, ids = asyncio.run(begin(data, [INBOX], SIZE_BYTES))
        with closing(sqlite3.connect(data / FILE_NAME)) as connection:
            fill_contents(connection, count)
            put(connection, ids[INBOX], 0, count)
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return data


def measured(data: Path, count: int, names: Sequence[str], repeats: int) -> Figures:
    """Return what each command costs the server, in ms, ``select_cold`` first."""
    figures: Figures = {}
    words = vocabulary()
    with Profiled(data, Path.cwd()) as server, closing(Client(server.port)) as client:
        began_ms = server.cpu_ms()
        client.command(f"SELECT {BOX}")
        figures["select_cold"] = [server.cpu_ms() - began_ms]
        for name in names:
            server.give(client, name, count, GROWTH)
            times = GROWTH[name][1]
            turns = 2 if times == 1 and count > LONG else repeats
            for _ in range(turns):
                began_ms = server.cpu_ms()
                server.give(client, name, count, GROWTH)
                figures.setdefault(name, []).append((server.cpu_ms() - began_ms) / times)
        began_ms = server.cpu_ms()
        for number in range(20):
            client.append(BOX, message(count + number, SIZE_BYTES, words, seed=1))
        figures["append"] = [(server.cpu_ms() - began_ms) / 20]
    return figures


def exponent(fewer: float, more: float, times: float) -> float:
    """Return by which power of the number of messages the time grew."""
    return math.log(more / fewer) / math.log(times)


def row(name: str, counts: Sequence[int], found: Sequence[Figures]) -> str:
    """Return one line of the table."""
    medians = [statistics.median(one[name]) for one in found]
    cells = [f"{medians[0]:9.3f}"]
    for at in range(1, len(medians)):
        grown = exponent(medians[at - 1], medians[at], counts[at] / counts[at - 1])
        cells.append(f"{medians[at]:9.3f} ({grown:5.2f})")
    return f"{name:24}" + "".join(cells)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("commands", nargs="*", default=list(GROWTH), metavar="COMMAND")
    parser.add_argument("--messages", type=int, action="append", help="how many; again for more")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="where the mail is kept; a new one by default")
    given = parser.parse_args()
    counts = sorted(given.messages or COUNTS)
    found = []
    with tempfile.TemporaryDirectory() as name:
        for count in counts:
            data = made(given.folder or Path(name), count)
            found.append(measured(data, count, given.commands, given.repeats))
            print(json.dumps({"messages": count, **found[-1]}), flush=True)
    print(f"{'':24}" + "".join(f"{count:17,}" for count in counts))
    for name in found[0]:
        print(row(name, counts, found))


if __name__ == "__main__":
    main()
