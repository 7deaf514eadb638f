"""How fast a mailbox of 10,000 messages is served, by ours on two databases, and by Dovecot.

``python -m tests.benchmarks.imap_speed`` fills the same mailbox in each server, measures the lines
below and prints one JSON object: seconds, or milliseconds and so on where a name says so. Nothing
here is a test: figures depend on the machine, so compare those of one run only. Ours syncs each
STORE and APPEND to the disk; Dovecot as configured by Debian syncs what is appended.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tests import cluster
from tests.benchmarks.dovecot_servers import Dovecot, Dovecot24, Sdbox, Sdbox24
from tests.benchmarks.imap_client import Client
from tests.benchmarks.imap_servers import OneOfTwo, OnPostgres, Ours, Server

HEADERS = (
    "UID FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE "
    "BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)])"
)
BOX = "INBOX"
BULK = {
    "bodies": "BODY.PEEK[]",
    "envelope_bodystructure": "UID ENVELOPE BODYSTRUCTURE",
    "flags": "FLAGS",
}
BULK_TIMES = 5
"""Of so many the median, but of what is asked for cold."""
IDLE_ROUNDS = 20
IDLE_CONNECTIONS = 400

DOVECOTS: Sequence[type[Dovecot]] = (Dovecot, Sdbox, Dovecot24, Sdbox24)
KINDS: Sequence[type[Server]] = (Ours, OnPostgres, OneOfTwo, *DOVECOTS)

Figures = dict[str, float]


def message(number: int, size_bytes: int, words: list[str], seed: int = 0) -> bytes:
    """Return a plain message of about that size, different for each number."""
    chance = random.Random(number * 7919 + seed)
    term = " consegna" if number % 100 == 0 else ""
    head = (
        f"Return-Path: <mittente{number % 50}@pec.example>\r\n"
        f"Received: from a.pec.example by b.pec.example; Thu, 15 Jan 2026 10:00:00 +0100\r\n"
        f"From: Mittente {number % 50} <mittente{number % 50}@pec.example>\r\n"
        f"To: Azienda <azienda@pec.example>\r\n"
        f"Subject: {chance.choice(words)} {number}{term}\r\n"
        f"Date: Thu, 15 Jan 2026 10:{number % 60:02}:00 +0100\r\n"
        f"Message-ID: <{seed}.{number}@pec.example>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    lines = [term.strip()] if term else []
    left = size_bytes - len(head)
    while left > 0:
        lines.append(" ".join(chance.choices(words, k=10)))
        left -= len(lines[-1]) + 2
    return (head + "\r\n".join(lines) + "\r\n").encode()


def vocabulary() -> list[str]:
    """Return made-up words."""
    chance = random.Random(1)
    letters = "abcdefghilmnopqrstuvz"
    return ["".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(5000)]


class Run:
    """The lines of one server, measured in order."""

    def __init__(self, server: Server, count: int, size_bytes: int, repeats: int) -> None:
        self.server = server
        self.count = count
        self.size_bytes = size_bytes
        self.repeats = repeats
        self.words = vocabulary()
        self.figures: Figures = {}

    def seed(self) -> None:
        """Fill the mailbox."""
        client = Client(self.server.port)
        self._timed(
            "fill",
            lambda: client.append_all(
                BOX, (message(n, self.size_bytes, self.words) for n in range(self.count))
            ),
        )
        client.close()

    def measure(self) -> Figures:
        """Measure everything of a freshly started server."""
        client = Client(self.server.port)
        self._timed("select_cold", lambda: client.command(f"SELECT {BOX}"))
        status: list[bytes] = []
        client.command(f"STATUS {BOX} (MESSAGES)", status.append)
        assert f"MESSAGES {self.count}".encode() in status[0], "the mailbox is not as it was filled"
        self._bulk(client)
        self._timed("select_warm", lambda: client.command(f"SELECT {BOX}"), BULK_TIMES)
        self._timed("headers_warm", lambda: client.command(HEADERS), BULK_TIMES)
        self._searches(client)
        self._single(client)
        self._durable(client)
        self._idle()
        self.figures["rss_mb"] = round(self.server.rss_kb() / 1024, 1)
        self._idle_connections()
        self._held(client)
        client.close()
        return self.figures

    def _timed(self, name: str, act: Callable[[], object], times: int = 1) -> None:
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            act()
            taken.append(time.perf_counter() - began)
        self.figures[name] = round(statistics.median(taken), 4)

    def _median_ms(self, name: str, acts: Iterator[Callable[[], object]]) -> None:
        taken = []
        for act in acts:
            began = time.perf_counter()
            act()
            taken.append(time.perf_counter() - began)
        self.figures[f"{name}_ms"] = round(statistics.median(taken) * 1000, 3)

    def _bulk(self, client: Client) -> None:
        self._timed("headers_cold", lambda: client.command(HEADERS))
        for name, items in BULK.items():
            self._timed(name, partial(client.command, f"UID FETCH 1:* ({items})"), BULK_TIMES)

    def _searches(self, client: Client) -> None:
        for key in ("SUBJECT consegna", "BODY consegna", "UNSEEN"):
            name = f"search_{key.split()[0].lower()}"
            self._timed(name, partial(client.command, f"UID SEARCH {key}"), BULK_TIMES)

    def _single(self, client: Client) -> None:
        status = f"STATUS {BOX} (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"
        self._median_ms("noop", (lambda: client.command("NOOP") for _ in range(self.repeats)))
        self._median_ms("status", (lambda: client.command(status) for _ in range(100)))
        uids = random.Random(2).sample(range(1, self.count + 1), min(200, self.count))
        self._median_ms(
            "open_one",
            (partial(client.command, f"UID FETCH {uid} (BODY.PEEK[])") for uid in uids),
        )

    def _durable(self, client: Client) -> None:
        uids = range(1, min(self.repeats, self.count) + 1)
        self._median_ms(
            "store",
            (partial(client.command, f"UID STORE {uid} +FLAGS (\\Seen)") for uid in uids),
        )
        more = [message(n, self.size_bytes, self.words, seed=1) for n in range(self.repeats)]
        self._median_ms("append", (partial(client.append, BOX, one) for one in more))

    def _idle(self) -> None:
        idler, writer = Client(self.server.port), Client(self.server.port)
        for client in (idler, writer):
            client.command(f"SELECT {BOX}")
        tag = idler.begin("IDLE")
        idler.response()
        taken: dict[str, list[float]] = {"idle_append": [], "idle_flag": []}
        for number in range(IDLE_ROUNDS):
            time.sleep(0.05)
            one = message(number, self.size_bytes, self.words, seed=2)
            began = time.perf_counter()
            writer.append(BOX, one)
            taken["idle_append"].append(idler.wait_for(b"EXISTS", 35) - began)
            time.sleep(0.05)
            sign = "+-"[number % 2]
            began = time.perf_counter()
            writer.command(f"UID STORE 1 {sign}FLAGS (\\Flagged)")
            taken["idle_flag"].append(idler.wait_for(b"FETCH", 35) - began)
        idler.socket.sendall(b"DONE\r\n")
        idler.finish(tag)
        for name, times in taken.items():
            self.figures[f"{name}_ms"] = round(statistics.median(times) * 1000, 3)
        idler.close()
        writer.close()

    def _idle_connections(self) -> None:
        if not isinstance(self.server, Ours):  # each of Dovecot's is a process
            return
        clients: list[Client] = []
        taken_kb = []
        for _ in range(2):  # the first half fills memory that was freed before
            for _ in range(IDLE_CONNECTIONS // 2):
                client = Client(self.server.port)
                client.command(f"SELECT {BOX}")
                client.begin("IDLE")
                client.response()
                clients.append(client)
            taken_kb.append(self.server.rss_kb())
        grown_kb = taken_kb[1] - taken_kb[0]
        self.figures["idle_connection_kb"] = round(grown_kb / (IDLE_CONNECTIONS // 2), 1)
        for client in clients:
            client.close()

    def _held(self, client: Client) -> None:
        """Measure how long another client waits at most while one asks for everything."""
        if not isinstance(self.server, Ours):
            return
        for name, command in (
            ("headers", HEADERS),
            ("bodies", "UID FETCH 1:* (BODY.PEEK[])"),
            ("envelope", "UID FETCH 1:* (ENVELOPE BODYSTRUCTURE)"),
            ("search_body", "UID SEARCH BODY consegna"),
            ("sort", "UID SORT (SUBJECT) UTF-8 ALL"),
            ("thread", "UID THREAD REFERENCES UTF-8 ALL"),
            ("store_all", "UID STORE 1:* +FLAGS (\\Answered)"),
        ):
            waits = self._waits_during(partial(client.command, command))
            self.figures[f"longest_wait_during_{name}_ms"] = round(max(waits) * 1000, 1)

    def _waits_during(self, act: Callable[[], object]) -> list[float]:
        other = Client(self.server.port)
        other.command("NOOP")
        ended = threading.Event()

        def work() -> None:
            act()
            ended.set()

        thread = threading.Thread(target=work)
        thread.start()
        waits = [0.0]
        while not ended.is_set():
            began = time.perf_counter()
            other.command("NOOP")
            waits.append(time.perf_counter() - began)
            time.sleep(0.001)
        thread.join()
        other.close()
        return waits


def run(kind: type[Server], folder: Path, arguments: argparse.Namespace) -> Figures:
    """Fill and measure one server, restarted in between."""
    with kind(folder) as server:
        one = Run(server, arguments.messages, arguments.size, arguments.repeats)
        one.seed()
    with kind(folder) as server:
        one.server = server
        return one.measure()


def _others() -> list[str]:
    """Return the names of what can be measured here beside ours on a file."""
    postgres = [] if cluster.missing() else [OnPostgres.name, OneOfTwo.name]
    installed = [Dovecot.name, Sdbox.name] if Dovecot.installed() else []
    later = [Dovecot24.name, Sdbox24.name] if Dovecot24.root else []
    return [*postgres, *installed, *later]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=8192, help="bytes of each")
    parser.add_argument("--repeats", type=int, default=1000, help="NOOPs, STOREs and APPENDs")
    parser.add_argument("--only", choices=[kind.name for kind in KINDS], action="append")
    parser.add_argument("--folder", type=Path, help="where the mail is put; a new one by default")
    parser.add_argument("--dovecot-24", type=Path, help="a system's root (dovecot_servers)")
    arguments = parser.parse_args()
    Dovecot24.root = arguments.dovecot_24
    kinds = [kind for kind in KINDS if kind.name in (arguments.only or (Ours.name, *_others()))]
    figures = {}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for kind in kinds:
            figures[kind.name] = run(kind, Path(folder) / kind.name, arguments)
    json.dump(
        {
            "messages": arguments.messages,
            "size_bytes": arguments.size,
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "figures": figures,
            "to_the_faster_dovecot": _ratios(figures),
            "postgres_to_a_file": {
                kind.name: _to_a_file(figures, kind) for kind in (OnPostgres, OneOfTwo)
            },
        },
        sys.stdout,
        indent=1,
    )
    print()


def _ratios(figures: dict[str, Figures]) -> Figures:
    """Return how long each of our lines takes by the faster of the others'."""
    others = [figures[kind.name] for kind in DOVECOTS if kind.name in figures]
    return {
        name: round(value / min(one[name] for one in others), 3)
        for name, value in figures.get(Ours.name, {}).items()
        if others and name in others[0] and not re.match("rss|fill", name)
    }


def _to_a_file(figures: dict[str, Figures], kind: type[Server]) -> Figures:
    """Return how long each line takes on PostgreSQL by how long on a file."""
    ours = figures.get(Ours.name, {})
    found = figures.get(kind.name, {})
    return {name: round(found[name] / ours[name], 2) for name in found if ours.get(name)}


if __name__ == "__main__":
    main()
