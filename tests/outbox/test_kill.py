"""``kill -9`` of a real ``serve`` beside a real ``simulator``, twenty times over.

Clients submit by SMTP all the while, and submit again what got no ``250``. The simulated API is
slow, loses answers and fails, so that every kill meets requests at every stage. In the end the
bridge is left alone until nothing is open any more, and the queue is compared with what the API
took.
"""

from __future__ import annotations

import random
import signal
import smtplib
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.killed import ADDRESS, PASSWORD, ask, configured, message, queue, running, simulating

ROUNDS = 20
MESSAGES_A_ROUND = 8
SETTLED_WITHIN_S = 120

FAULTS: tuple[dict[str, object], ...] = (
    {"phase": "after", "failure": "timeout"},
    {"phase": "after", "failure": "reset"},
    {"phase": "after", "failure": "truncated"},
    {"phase": "after", "status": 500},
    {"phase": "before", "failure": "disconnect"},
    {"phase": "before", "status": 503},
    {"phase": "instead", "status": 429, "headers": {"Retry-After": "1"}},
)


@dataclass
class Client:
    """Submits messages and remembers which of them got a ``250``."""

    waiting: list[str] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)

    def submit_all(self, port: int) -> None:
        """Submit what waits, until the server is gone."""
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
                server.login(ADDRESS, PASSWORD)
                while self.waiting:
                    server.send_message(message(self.waiting[0]))
                    self.accepted.add(self.waiting.pop(0))
        except (OSError, smtplib.SMTPException):
            pass


@pytest.fixture
def simulator() -> Iterator[str]:
    """The simulated API's address."""
    with simulating("latency_s=0.03", "delivery_s=3600") as url:
        yield url


@pytest.fixture
def config(tmp_path: Path, simulator: str) -> Path:
    return configured(tmp_path, simulator, timeout_s=1)


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + SETTLED_WITHIN_S
    while not condition():
        assert time.monotonic() < deadline_s, "not settled in time"
        time.sleep(0.5)


@pytest.mark.slow
def test_kill_9_loses_nothing_and_sends_nothing_twice(simulator: str, config: Path) -> None:
    chance = random.Random(20260115)
    client = Client()
    for number in range(ROUNDS):
        client.waiting += [f"Giro {number} messaggio {each}" for each in range(MESSAGES_A_ROUND)]
        ask(simulator, "faults", {"operation": "POST /send", **chance.choice(FAULTS), "skip": 1})
        with running("serve", "--config", config) as (process, ready):
            submitting = threading.Thread(target=client.submit_all, args=(ready["smtp"]["port"],))
            submitting.start()
            time.sleep(chance.uniform(0, 0.8))
            process.send_signal(signal.SIGKILL)
            submitting.join()
    urllib.request.urlopen(
        urllib.request.Request(f"{simulator}/_simulator/faults", method="DELETE"), timeout=10
    ).close()

    with running("serve", "--config", config) as (process, ready):
        client.submit_all(ready["smtp"]["port"])
        assert client.waiting == []

        def taken() -> dict[str, str]:
            return {one["subject"]: one["code"] for one in ask(simulator, "state")["sent"]}

        def settled() -> bool:
            codes = taken()
            return all(
                entry["state"] == "submitted"
                or (entry["state"] == "uncertain" and entry["subject"] not in codes)
                for entry in queue(config)
            )

        until(settled)
        process.terminate()
        assert process.wait(15) == 0

    state = ask(simulator, "state")
    assert len(state["sent"]) == state["sent_count"], "more than the state page shows"
    assert set(Counter(one["subject"] for one in state["sent"]).values()) == {1}
    entries = queue(config)  # and nobody need be running for that
    assert Counter(entry["subject"] for entry in entries) == Counter(client.accepted)
    codes = taken()
    for entry in entries:
        assert entry["code"] == codes.get(entry["subject"]), entry
    uncertain = [entry for entry in entries if entry["state"] == "uncertain"]
    assert len(uncertain) < len(entries) / 2, "the kills came too early to prove much"
