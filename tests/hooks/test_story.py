"""An ERP's story: the real program, a real receiver, ``kill -9`` and a receiver that is gone.

What was told is compared in the end with the log of events, which the same program lists.
"""

from __future__ import annotations

import json
import random
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.receiver import Inbox, Request, receiving
from tests.killed import ADDRESS, PASSWORD, PROGRAM, configured, running, simulating
from tests.running import SIGNING
from tests.test_erp import verifier

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9"),
]

PATIENCE_S = 240
MESSAGES_A_ROUND = 6


@pytest.fixture
def simulator() -> Iterator[str]:
    with simulating("acceptance_s=0.2", "delivery_s=0.5") as url:
        yield url


def hooked(folder: Path, simulator: str, url: str) -> Path:
    """Write a configuration with a webhook to ``url``."""
    (folder / "webhook").write_text(SIGNING)
    (folder / "webhook").chmod(0o600)
    webhook = f"""
        [[account.webhook]]
        url = "{url}"
        secret = {{ file = "webhook" }}
        timeout_s = 2
        [web]
        listen = []
        """
    return configured(folder, simulator, webhook)


def submit(port: int, *references: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as server:
        server.login(ADDRESS, PASSWORD)
        for reference in references:
            message = EmailMessage()
            message["From"], message["To"] = ADDRESS, "cliente@altra.invalid"
            message["Subject"], message["X-PEC-Reference"] = f"Fattura {reference}", reference
            message["Message-ID"] = f"<{reference}@erp.invalid>"
            message.set_content("Salve.\n")
            server.send_message(message)


def asked(config: Path, *words: str) -> Any:
    done = subprocess.run(
        [PROGRAM, *words, "--config", config, "--json"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    return json.loads(done.stdout)


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "not so in time"
        time.sleep(0.2)


def delivered(inbox: Inbox) -> set[str]:
    with inbox.lock:
        events = [one.event for one in inbox.taken]
    return {one["reference"] for one in events if one["event"] == "delivered"}


def look_at(inbox: Inbox) -> None:
    """See that all that was taken is in order, signed, and known by one name each."""
    by_message: dict[str | None, list[int]] = {}
    names: dict[int, set[str]] = {}
    verified = verifier()
    for one in inbox.taken:
        event = one.event
        by_message.setdefault(event["id"], []).append(event["number"])
        fields = {name.lower(): value for name, value in one.fields.items()}
        names.setdefault(event["number"], set()).add(fields["webhook-id"])
        assert verified(fields, one.body, SIGNING, tolerance_s=PATIENCE_S * 10)
    for id, numbers in by_message.items():
        assert numbers == sorted(numbers), f"{id}: {numbers}"
    assert all(len(one) == 1 for one in names.values())


def test_nothing_is_missing_and_nothing_of_a_message_out_of_order(
    tmp_path: Path, simulator: str
) -> None:
    chance = random.Random(20260115)
    lock = threading.Lock()

    def moody(_request: Request) -> int:
        """Take most, refuse some, break at some, be slow at some, and be too slow at few."""
        with lock:
            mood = chance.random()
        if mood < 0.05:
            time.sleep(2.5)
        elif mood < 0.2:
            time.sleep(0.1)
        elif mood < 0.3:
            return 422
        elif mood < 0.4:
            return 503
        return 204

    inbox = Inbox(moody)
    with receiving(inbox):
        port = inbox.port
    config = hooked(tmp_path, simulator, f"http://127.0.0.1:{port}/pec")
    references: list[str] = []
    with ExitStack() as there:  # the receiver is gone at first
        for number in range(4):
            batch = [f"{number}-{each}" for each in range(MESSAGES_A_ROUND)]
            references += batch
            with running("serve", "--config", config) as (process, ready):
                submit(ready["smtp"]["port"], *batch)
                if number == 1:
                    there.enter_context(receiving(inbox, port))
                time.sleep(chance.uniform(1, 3))
                if number == 2:
                    there.close()  # and again for a round
                process.send_signal(signal.SIGKILL)
        inbox.respond = lambda _request: 204
        there.enter_context(receiving(inbox, port))
        with running("serve", "--config", config) as (process, _ready):
            until(lambda: delivered(inbox) == set(references))
            until(lambda: asked(config, "webhook", "list")[0]["waiting"] == 0)
            events = asked(config, "events")
            process.terminate()
            assert process.wait(20) == 0
    (hook,) = asked(config, "webhook", "list")
    assert (hook["waiting"], hook["dead"], hook["error"]) == (0, 0, None)
    assert set(inbox.numbers()) == {one["number"] for one in events}, "nothing is missing"
    look_at(inbox)
    assert len(inbox.heard) > len(inbox.taken) > 0
