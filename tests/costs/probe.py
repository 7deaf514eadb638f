"""Another user, in a process of its own: ``python -m tests.costs.probe IMAP_PORT SMTP_PORT``.

He sends NOOP each 20 ms and submits a message each second. Each line on standard input is answered
with JSON: what was worst since the line before.
"""

from __future__ import annotations

import json
import smtplib
import sys
import threading
import time
from dataclasses import asdict, dataclass, field

from tests.benchmarks.imap_client import PASSWORD, USER, Client

NOOP_EVERY_S = 0.02
SUBMIT_EVERY_S = 1.0


@dataclass(slots=True)
class Worst:
    """Times in seconds, faults as texts; ``under_way_s`` is when the NOOP in hand was sent."""

    noop_s: float = 0.0
    submit_s: float = 0.0
    noops: int = 0
    submitted: int = 0
    faults: list[str] = field(default_factory=list)


class Probe:
    """See the module."""

    def __init__(self, imap_port: int, smtp_port: int) -> None:
        self._imap_port, self._smtp_port = imap_port, smtp_port
        self._worst = Worst()
        self._since: dict[str, float] = {}

    def noops(self) -> None:
        """Measure for ever; a connection that is lost is a fault, and made anew."""
        while True:
            try:
                client = Client(self._imap_port)
                client.command("SELECT INBOX")
                while True:
                    self._worst.noop_s = max(self._worst.noop_s, self._timed(client))
                    self._worst.noops += 1
                    time.sleep(NOOP_EVERY_S)
            except OSError as error:
                self._worst.faults.append(f"NOOP: {error!r}")
                time.sleep(SUBMIT_EVERY_S)

    def _timed(self, client: Client) -> float:
        began_s = self._since["noop"] = time.perf_counter()
        client.command("NOOP")
        del self._since["noop"]
        return time.perf_counter() - began_s

    def submissions(self) -> None:
        """Submit for ever."""
        number = 0
        while True:
            number += 1
            began_s = self._since["submit"] = time.perf_counter()
            try:
                submit(self._smtp_port, f"probe {time.time_ns()}")
                self._worst.submitted += 1
            except (OSError, smtplib.SMTPException) as error:
                self._worst.faults.append(f"submit: {error!r}")
            self._since.pop("submit", None)
            took_s = time.perf_counter() - began_s
            self._worst.submit_s = max(self._worst.submit_s, took_s)
            time.sleep(SUBMIT_EVERY_S)

    def report(self) -> dict[str, object]:
        """Return what was worst, what is under way included, and begin anew."""
        worst, self._worst = self._worst, Worst()
        now_s, since = time.perf_counter(), dict(self._since)
        worst.noop_s = max(worst.noop_s, now_s - since.get("noop", now_s))
        worst.submit_s = max(worst.submit_s, now_s - since.get("submit", now_s))
        return asdict(worst)


def submit(port: int, subject: str, to: str = "probe@altra.example") -> None:
    """Submit a small message."""
    text = (
        f"From: {USER}\nTo: {to}\nSubject: {subject}\nMessage-ID: <{subject.replace(' ', '.')}@x>"
    )
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.login(USER, PASSWORD)
        client.sendmail(USER, [to], f"{text}\n\nCiao.\n")


def main() -> None:
    """Measure until standard input ends."""
    probe = Probe(int(sys.argv[1]), int(sys.argv[2]))
    for work in (probe.noops, probe.submissions):
        threading.Thread(target=work, daemon=True).start()
    for _ in sys.stdin:
        sys.stdout.write(json.dumps(probe.report()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
