"""Two real bridges on one database, and whatever happens to bridges, database and network.

Clients submit to both all the while, and submit again what got no ``250``; another reads what
``Sent`` holds. Processes are killed, stopped for a while and ended; the server crashes; the network
to it holds everything back; the API fails. What a supervisor would start again is started again.
"""

from __future__ import annotations

import imaplib
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests import cluster
from tests.app.test_several_killed import ON_DATABASE, SETTLED_WITHIN_S, Client, until
from tests.killed import ADDRESS, PASSWORD, ask, configured, queue, running, simulating
from tests.store.postgres.relay import Relay

MISCHIEF_S = 80
PAUSES_S = (0.5, 3, 28)
"""How long something is stopped: the last is more than a lead lasts without a beat."""

FAULTS = (
    {"operation": "POST /send", "phase": "after", "failure": "timeout"},
    {"operation": "POST /send", "phase": "after", "failure": "reset"},
    {"operation": "POST /send", "phase": "before", "status": 503},
)

pytestmark = [
    pytest.mark.byhand,  # minutes by the clock on the wall, which a busy machine makes more
    pytest.mark.skipif(cluster.missing() is not None, reason=str(cluster.missing())),
]


class Supervised:
    """A bridge that is started again when it has ended, as a service manager does.

    Args:
        config: its settings.
        relay: its way to the database.
    """

    def __init__(self, config: Path, relay: Relay) -> None:
        self.config = config
        self.relay = relay
        self.ready: dict[str, Any] = {}
        self._stack = ExitStack()
        self.process: subprocess.Popen[bytes] | None = None

    def see_to_it(self) -> None:
        """Start it unless it runs; one that cannot start is tried again the next time."""
        if self.process is not None and self.process.poll() is None:
            return
        self.end()
        with suppress(AssertionError):
            self.process, self.ready = self._stack.enter_context(
                running("serve", "--config", self.config)
            )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self.process is not None:
            self.process.send_signal(number)

    def end(self) -> None:
        """Kill it, if it runs."""
        self._stack.close()
        self.process, self.ready = None, {}


@dataclass
class Reader:
    """Reads ``Sent`` again and again and notes which message each UID means, on any bridge."""

    bridges: list[Supervised]
    ending: threading.Event = field(default_factory=threading.Event)
    meant: dict[tuple[int, int], set[str]] = field(default_factory=dict)

    def run(self) -> None:
        chance = random.Random(20260117)
        while not self.ending.wait(0.5):
            ready = chance.choice(self.bridges).ready
            with suppress(OSError, imaplib.IMAP4.error, KeyError):
                self.read(ready["imap"]["port"])

    def read(self, port: int) -> dict[int, str]:
        """Return the subject of each UID."""
        found = {}
        client = imaplib.IMAP4("127.0.0.1", port, timeout=5)
        try:
            client.login(ADDRESS, PASSWORD)
            client.select("Sent", readonly=True)
            validity = client.untagged_responses["UIDVALIDITY"][0]
            assert isinstance(validity, bytes)
            _, lines = client.uid("fetch", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            for line in lines:
                if isinstance(line, tuple):
                    uid = int(re.search(rb"UID (\d+)", line[0])[1])  # type: ignore[index]
                    found[uid] = line[1].decode().strip()
                    self.meant.setdefault((int(validity), uid), set()).add(found[uid])
        finally:
            client.shutdown()
        return found


@pytest.fixture
def server() -> Iterator[cluster.Cluster]:
    yield from cluster.running()


@pytest.fixture
def simulator() -> Iterator[str]:
    with simulating("latency_s=0.1", "delivery_s=3600") as url:
        yield url


def bridge_on(
    folder: Path, database: str, server: cluster.Cluster, simulator: str, stack: ExitStack
) -> Supervised:
    """Make a bridge with a way to the database of its own."""
    folder.mkdir()
    relay = stack.enter_context(Relay(folder, server.folder))
    secret = folder / "store"
    secret.write_text(server.url(database).replace(str(server.folder), str(folder)))
    secret.chmod(0o600)
    bridge = Supervised(configured(folder, simulator, ON_DATABASE, timeout_s=1), relay)
    stack.callback(bridge.end)
    return bridge


def mischief(
    bridge: Supervised, server: cluster.Cluster, simulator: str, chance: random.Random
) -> dict[str, Callable[[], None]]:
    """Return what may happen, by name; each is over when it returns."""

    def pause() -> None:
        time.sleep(chance.choice(PAUSES_S))

    def stopped() -> None:
        bridge.send(signal.SIGSTOP)
        pause()
        bridge.send(signal.SIGCONT)

    def cut_off() -> None:
        bridge.relay.hold()
        pause()
        bridge.relay.let_go()

    def ended() -> None:
        bridge.send(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            assert bridge.process is None or bridge.process.wait(15) in (0, 1)

    def crashed() -> None:
        server.stop()
        time.sleep(chance.uniform(0, 4))
        server.start()

    return {
        "killed": bridge.end,
        "stopped": stopped,
        "cut off": cut_off,
        "ended": ended,
        "server crashed": crashed,
        "fault": lambda: ask(simulator, "faults", chance.choice(FAULTS)),
    }


@pytest.mark.parametrize("seed", [20260116])
def test_nothing_is_sent_twice_or_lost_and_no_uid_means_two(
    tmp_path: Path, server: cluster.Cluster, simulator: str, seed: int
) -> None:
    chance, database = random.Random(seed), server.new_database()
    with ExitStack() as stack:
        bridges = [
            bridge_on(tmp_path / name, database, server, simulator, stack)
            for name in ("first", "second")
        ]
        client, reader = Client([1]), Reader(bridges)

        def see_to_all() -> None:
            for bridge in bridges:
                bridge.see_to_it()
            client.ports = [one.ready["smtp"]["port"] for one in bridges if one.ready] or [1]

        see_to_all()
        threads = [threading.Thread(target=one.run, daemon=True) for one in (client, reader)]
        for thread in threads:
            thread.start()
            stack.callback(thread.join, 60)
        stack.callback(client.ending.set)
        stack.callback(reader.ending.set)
        happened: list[str] = []
        until_s = time.monotonic() + MISCHIEF_S
        while time.monotonic() < until_s:
            time.sleep(chance.uniform(0.5, 4))
            things = mischief(chance.choice(bridges), server, simulator, chance)
            name = chance.choice(list(things))
            happened.append(f"{name} at {time.monotonic() - until_s + MISCHIEF_S:.0f} s")
            things[name]()
            see_to_all()
        client.ending.set()
        threads[0].join()

        def settled() -> bool:
            see_to_all()
            codes = {one["subject"]: one["code"] for one in ask(simulator, "state")["sent"]}
            with suppress(subprocess.CalledProcessError):  # nobody leads yet
                return all(is_final(entry, codes) for entry in queue(bridges[0].config))
            return False

        until(settled, SETTLED_WITHIN_S)
        entries = queue(bridges[0].config)
        shown: list[dict[int, str]] = []

        def both_show() -> bool:
            see_to_all()
            with suppress(OSError, imaplib.IMAP4.error, KeyError):  # one may still begin
                shown[:] = [reader.read(one.ready["imap"]["port"]) for one in bridges]
                return True
            return False

        until(both_show, SETTLED_WITHIN_S)
    state = ask(simulator, "state")
    assert len(state["sent"]) == state["sent_count"], "more than the state page shows"
    codes = {one["subject"]: one["code"] for one in state["sent"]}
    assert set(Counter(one["subject"] for one in state["sent"]).values()) == {1}, happened
    assert {entry["subject"] for entry in entries} == client.accepted >= codes.keys(), happened
    assert all(entry["code"] == codes.get(entry["subject"]) for entry in entries), happened
    assert {len(subjects) for subjects in reader.meant.values()} == {1}, happened
    assert shown[0] == shown[1]


def is_final(entry: dict[str, str], codes: dict[str, str]) -> bool:
    """Tell whether nothing more happens to an entry by itself."""
    if entry["state"] == "uncertain":
        return entry["subject"] not in codes
    return entry["state"] == "submitted"
