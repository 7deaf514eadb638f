"""Two real bridges on one database: the one that leads is stopped, then the other is killed.

Clients submit to both all the while, and submit again what got no ``250``. The simulated API is
slow and loses answers. Another leads within ``LEADS_WITHIN_S``, and in the end nothing was sent
twice and nothing is missing.
"""

from __future__ import annotations

import random
import signal
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import cluster
from tests.killed import ADDRESS, PASSWORD, ask, configured, message, queue, running, simulating
from tests.stores import DATABASES

LEADS_WITHIN_S = 30
SETTLED_WITHIN_S = 120
ON_DATABASE = '[store]\nurl = { file = "store" }'

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(cluster.missing() is not None, reason=str(cluster.missing())),
]


@dataclass
class Client:
    """Submits one message after the other, to whoever takes it, until it is told to end."""

    ports: list[int]
    accepted: set[str] = field(default_factory=set)
    ending: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        chance = random.Random(20260115)
        for number in range(10_000):
            while not self._is_taken(f"Messaggio {number}", chance.choice(self.ports)):
                pass
            if self.ending.wait(chance.uniform(0, 1)):
                return

    def _is_taken(self, subject: str, port: int) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=3) as server:
                server.login(ADDRESS, PASSWORD)
                server.send_message(message(subject))
        except (OSError, smtplib.SMTPException):
            time.sleep(0.1)
            return False
        self.accepted.add(subject)
        return True


@pytest.fixture
def simulator() -> Iterator[str]:
    with simulating("latency_s=0.2", "delivery_s=3600") as url:
        yield url


def folder_of(tmp_path: Path, name: str, simulator: str) -> Path:
    """Return the configuration of one bridge on the database of the test."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "store").write_text(DATABASES.url(tmp_path))
    (folder / "store").chmod(0o600)
    return configured(folder, simulator, ON_DATABASE, timeout_s=1)


def until(condition: Callable[[], bool], within_s: float) -> float:
    """Wait for a condition; return how long that took."""
    began_s = time.monotonic()
    while not condition():
        assert time.monotonic() - began_s < within_s, "not in time"
        time.sleep(0.2)
    return time.monotonic() - began_s


def test_whoever_leads_goes_and_nothing_is_sent_twice_or_lost(
    tmp_path: Path, simulator: str
) -> None:
    def sent() -> dict[str, str]:
        return {one["subject"]: one["code"] for one in ask(simulator, "state")["sent"]}

    def leads_after(client: Client) -> float:
        """Wait until something is sent that was taken after now."""
        before = set(client.accepted)
        return until(lambda: bool(sent().keys() - before), LEADS_WITHIN_S)

    first, second = (folder_of(tmp_path, name, simulator) for name in ("first", "second"))
    ask(
        simulator,
        "faults",
        {"operation": "POST /send", "phase": "after", "failure": "timeout", "skip": 5},
    )
    with ExitStack() as stack:
        one, at_one = stack.enter_context(running("serve", "--config", first))
        other, at_other = stack.enter_context(running("serve", "--config", second))
        client = Client([at_one["smtp"]["port"], at_other["smtp"]["port"]])
        submitting = threading.Thread(target=client.run)
        submitting.start()
        stack.callback(client.ending.set)
        until(lambda: len(sent()) > 5, 20)

        one.send_signal(signal.SIGSTOP)
        client.ports = [at_other["smtp"]["port"]]
        leads_after(client)
        one.send_signal(signal.SIGCONT)
        assert one.wait(20) == 1, "it lost the lead, and ends"

        _, at_one = stack.enter_context(running("serve", "--config", first))
        client.ports.append(at_one["smtp"]["port"])
        leads_after(client)
        other.kill()
        client.ports = [at_one["smtp"]["port"]]
        leads_after(client)
        client.ending.set()
        submitting.join()

        def settled() -> bool:
            codes = sent()
            return all(
                entry["state"] == "submitted"
                or (entry["state"] == "uncertain" and entry["subject"] not in codes)
                for entry in queue(first)
            )

        until(settled, SETTLED_WITHIN_S)
        entries = queue(first)
    state = ask(simulator, "state")
    assert len(state["sent"]) == state["sent_count"], "more than the state page shows"
    assert set(Counter(one["subject"] for one in state["sent"]).values()) == {1}
    assert Counter(entry["subject"] for entry in entries) == Counter(client.accepted)
    codes = sent()
    assert all(entry["code"] == codes.get(entry["subject"]) for entry in entries)
    assert len([entry for entry in entries if entry["state"] == "uncertain"]) <= 3
    assert "restored" not in {entry["state"] for entry in entries}
