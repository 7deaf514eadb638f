"""An ERP's story: submitted by SMTP with a reference, followed by events through ``kill -9``.

A real ``serve`` beside a real ``simulator``. The ERP keeps its cursor and nothing else; it reads on
while the bridge is killed again and again. In the end it has seen what the log holds: nothing is
missing, nothing out of order, nothing twice.
"""

from __future__ import annotations

import json
import smtplib
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.killed import ADDRESS, PASSWORD, PROGRAM, ask, configured, message, running, simulating

pytestmark = pytest.mark.slow

KILLS = 4
MESSAGES_A_ROUND = 3
SETTLED_WITHIN_S = 120


@pytest.fixture
def simulator() -> Iterator[str]:
    with simulating("latency_s=0.05", "acceptance_s=0.5", "delivery_s=1") as url:
        yield url


@pytest.fixture
def port() -> int:
    """A port that is free now: the ERP knows one address, over all restarts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def config(tmp_path: Path, simulator: str, port: int) -> Path:
    return configured(tmp_path, simulator, f'[web]\nlisten = ["127.0.0.1:{port}"]')


@dataclass
class Erp:
    """Reads on from its cursor, whatever becomes of the bridge."""

    url: str
    key: str
    seen: list[dict[str, Any]] = field(default_factory=list)
    cursor: int = 0
    lost: int = 0
    refused: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self, path: str, body: object = None, **query: object) -> Any:
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        header = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, header)
        with urllib.request.urlopen(request, timeout=30) as got:
            return json.load(got)

    def follow(self) -> None:
        while not self.over.is_set():
            try:
                page = self.ask("events", after=self.cursor, limit=3, wait=1)
            except urllib.error.HTTPError as error:
                self.refused.append(error.code)
            except (OSError, ValueError):
                self.lost += 1
                time.sleep(0.05)
                continue
            else:
                assert not page["missing"]
                self.seen += page["events"]
                self.cursor = page["next"]


def submit(port: int, reference: str) -> None:
    """Submit until there is a 250: the same message with the same Message-ID."""
    made = message(reference)
    made["X-PEC-Reference"] = reference
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
        server.login(ADDRESS, PASSWORD)
        server.send_message(made)


def test_an_erp_misses_nothing_through_kills(config: Path, port: int, simulator: str) -> None:
    words = [str(PROGRAM), "apikey", "create", "ERP", "--write", "--config", str(config), "--json"]
    made = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    erp = Erp(f"http://127.0.0.1:{port}", json.loads(made.stdout)["key"])
    following = threading.Thread(target=erp.follow)
    following.start()
    references: list[str] = []
    try:
        for number in range(KILLS + 1):
            with running("serve", "--config", config) as (process, ready):
                smtp = next(one for one in ready["listeners"] if one["protocol"] == "smtp")["port"]
                for n in range(MESSAGES_A_ROUND):
                    references.append(f"Ordine {number}/{n}")
                    submit(smtp, references[-1])
                if number < KILLS:
                    time.sleep(0.1 * number)  # at another stage each time
                    process.kill()
                    continue
                settle(erp, references, simulator)
                wait_until_seen(erp)
                whole = everything(erp)
                sends = erp.ask("sends", limit=200)["sends"]
    finally:
        erp.over.set()
        following.join(60)
    assert erp.lost > 0, "no kill was noticed"
    assert sorted(taken(simulator)) == sorted(references), "each was sent, and once"
    assert set(erp.refused) <= {503}, "but while it starts nothing is refused"
    assert [*map(told_of, erp.seen)] == [*map(told_of, whole)]
    numbers = [one["number"] for one in erp.seen]
    assert numbers == sorted(set(numbers))
    assert sorted(one["reference"] for one in sends) == sorted(references)
    stories = defaultdict(list)
    for one in erp.seen:
        stories[one["reference"]].append(one["event"])
    for reference in references:
        told = stories[reference]
        assert told[0] == "queued", told
        assert told[-2:] == ["accepted", "delivered"], told
        assert told.count("delivered") == told.count("accepted") == 1, told
        assert "submitted" in told


def told_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return what an event tells: all but the code, which is the message's of today."""
    return {name: value for name, value in event.items() if name != "code"}


def settle(erp: Erp, references: list[str], simulator: str) -> int:
    """Wait until each message is delivered, by the name that the ERP gave it.

    What was cut off before it left is sent again by a person, who looked at the service.
    Returns how often that was.
    """
    end_s, resent = time.monotonic() + SETTLED_WITHIN_S, 0
    for reference in references:
        name = urllib.parse.quote(reference, safe="")
        while (send := erp.ask(f"sends/{name}", wait=2))["outcome"] != "delivered":
            assert time.monotonic() < end_s, send
            if send["state"] == "uncertain" and reference not in taken(simulator):
                said = {"action": "resend", "version": send["version"], "force": True}
                erp.ask(f"sends/{name}/resolve", said)
                resent += 1
    return resent


def taken(simulator: str) -> list[str]:
    """Return the subjects of what the service was asked to send."""
    return [one["subject"] for one in ask(simulator, "state")["sent"]]


def wait_until_seen(erp: Erp) -> None:
    end_s = time.monotonic() + 30
    while erp.ask("events", after=erp.cursor)["events"]:
        assert time.monotonic() < end_s
        time.sleep(0.05)


def everything(erp: Erp) -> list[dict[str, Any]]:
    found, after = [], 0
    while (page := erp.ask("events", after=after, limit=1000))["events"]:
        found += page["events"]
        after = page["next"]
    return found
