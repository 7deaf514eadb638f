"""An inbox listed without pages, followed to its end: ``python -m tests.benchmarks.unpaged``.

A real ``pec-bridge serve`` against a simulated API that lists all rows in one answer, while another
client gives NOOP. At each twentieth of the texts a line of JSON: time, CPU of the bridge, its
memory, the listings that were read, the longest NOOP since the line before. At the end every
message of INBOX is compared with the row it has to be of; exit status 1 if one is not right.
``--rows 60000`` is what a mailbox of 1 GiB may list; smaller ones show how the time grows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge.api.purpose import Purpose
from bridge.operations.control import ask
from tests.benchmarks.imap_client import PASSWORD, USER, Client
from tests.benchmarks.memory import Memory, running, write_settings
from tests.benchmarks.million import cpu_s

STEPS = 20
NOOP_EVERY_S = 0.1
LOOK_EVERY_S = 1.0
LISTINGS = (Purpose.LOOK, Purpose.NEWS, Purpose.LISTING)
_NUMBER = re.compile(r"(?m)^Messaggio (\d+)\.\r?$")


class Noops(threading.Thread):
    """Another client: NOOP ten times a second; ``longest_s`` since it was asked."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._client = Client(port)
        self._client.command("SELECT Sent")
        self._longest_s = 0.0

    def run(self) -> None:
        """Measure until the connection ends."""
        while True:
            began_s = time.perf_counter()
            try:
                self._client.command("NOOP")
            except (OSError, ValueError):
                return
            self._longest_s = max(self._longest_s, time.perf_counter() - began_s)
            time.sleep(NOOP_EVERY_S)

    def longest_s(self) -> float:
        """Return the longest since this was asked last."""
        longest_s, self._longest_s = self._longest_s, 0.0
        return round(longest_s, 3)


def shown(client: Client) -> int:
    """Return how many messages INBOX has."""
    said: list[bytes] = []
    client.command("STATUS INBOX (MESSAGES)", said.append)
    return int(b"".join(said).split(b"MESSAGES ")[1].split(b")")[0])


def listings(folder: Path) -> int:
    """Return how many requests were made for listings today."""
    status = asyncio.run(ask(folder / "data", "status", {}))
    made: dict[str, int] = status["accounts"][0]["requests"]["used_for"]
    return sum(made.get(purpose.value, 0) for purpose in LISTINGS)


def wrong(client: Client, rows: int) -> Iterator[str]:
    """Yield what of INBOX is not as it has to be: each made-up message once, and no other."""
    client.command("EXAMINE INBOX")
    found: list[int] = []
    receipts: list[str] = []

    def read(response: bytes) -> None:
        message = message_from_bytes(response.partition(b"}\r\n")[2], policy=default)
        if not (subject := message["Subject"]):
            return
        number = _NUMBER.search(message.get_content())
        if number is None:
            receipts.append(subject)
        elif number[1] in re.findall(r"\d+", subject):  # the text is that of its row
            found.append(int(number[1]))

    for first in range(1, rows + 1, 500):
        client.command(f"FETCH {first}:{min(first + 499, rows)} (BODY.PEEK[])", read)
    expected = [number + 1 for number in range(rows) if number % 5 != 4]
    if sorted(found) != expected:
        yield f"{len(found)} messages, {len(set(found))} different, {len(expected)} expected"
    if len(receipts) != rows - len(expected) or len(set(receipts)) != len(receipts):
        yield f"{len(receipts)} receipts, {len(set(receipts))} different"


def follow(folder: Path, process_id: int, port: int, rows: int) -> None:
    """Print a line at each step, until all is in INBOX."""
    memory, began_s = Memory(process_id), time.monotonic()
    noops = Noops(port)
    noops.start()
    with closing(Client(port)) as client:
        done = 0
        while done < rows:
            time.sleep(LOOK_EVERY_S)
            here = shown(client)
            if here * STEPS // rows > done * STEPS // rows:
                line = {
                    "shown": here,
                    "after_s": round(time.monotonic() - began_s),
                    "cpu_s": cpu_s(process_id),
                    "rss_mb": memory.mb(),
                    "peak_mb": memory.mb("VmHWM"),
                    "listings": listings(folder),
                    "noop_s": noops.longest_s(),
                }
                print(json.dumps(line), flush=True)
            done = here


def main() -> None:
    """Follow it, print, and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=60_000)
    rows = parser.parse_args().rows
    with TemporaryDirectory() as name:
        folder = Path(name)
        simulator = ["simulator", "--port", "0", "--json", "--mailbox", f"{USER}:{PASSWORD}"]
        simulator += ["--set", f"page_size={2 * rows}", "--seed", str(rows)]
        with running(*simulator, log=folder / "log") as (_, said):
            config = write_settings(folder, said)
            with config.open("a") as file:
                file.write("[sync]\nrequest_budget_per_day = 0\n")
            serve = ("serve", "--json", "--config", config)
            with running(*serve, log=folder / "log") as (process_id, ready):
                port = ready["imap"]["port"]
                follow(folder, process_id, port, rows)
                with closing(Client(port)) as client:
                    faults = list(wrong(client, rows))
    for fault in faults:
        print(f"INBOX is not right: {fault}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
