"""A message of 30 MB, submitted and posted: memory, and what others notice; prints JSON.

    python -m tests.benchmarks.intake_size [--size-mb N]

Runs ``simulator`` and ``serve`` as processes of their own, submits one large message by SMTP and
waits until the API has it. Meanwhile an SMTP and an IMAP session send NOOP without a pause. Asked
for: a peak of at most 250 MB, and no NOOP longer than 50 ms.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import imaplib
import json
import os
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.intake_speed import ended

ADDRESS, PASSWORD = "bench@pec.example", "bench"
POSTED_WITHIN_S = 120

CONFIG = """
data_dir = "{folder}/data"
[api]
base_url = "{url}"
token = {{ env = "BENCH_TOKEN" }}
[send]
max_message_bytes = 104857600
[imap]
listen = ["127.0.0.1:0"]
[smtp]
listen = ["127.0.0.1:0"]
[[account]]
address = "{address}"
password = {{ env = "BENCH_PASSWORD" }}
"""


def start(*arguments: str, log: Path, **environment: str) -> tuple[subprocess.Popen[bytes], Any]:
    """Start a command and return it with its ready line."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("pec-bridge"), *arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=log.open("wb"),
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def large_message(size_bytes: int) -> bytes:
    """Return a message of about that size: a PDF in base64."""
    header = (
        f"From: {ADDRESS}\r\nTo: {ADDRESS}\r\nSubject: large\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n'
        "Content-Type: application/pdf; name=large.pdf\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    content = os.urandom(size_bytes * 57 // 78)
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return header.encode() + encoded + b"--b--\r\n"


def probe(noop: Callable[[], object], stop: threading.Event, found_ms: list[float]) -> None:
    """Time one NOOP after the other."""
    while not stop.is_set():
        begin_s = time.monotonic()
        noop()
        found_ms.append((time.monotonic() - begin_s) * 1000)
        stop.wait(0.002)


def peak_mb(pid: int) -> float:
    """Return the largest resident size that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def posted(url: str) -> bool:
    """Tell whether the API has the message."""
    with urllib.request.urlopen(f"{url}/_simulator/state", timeout=30) as answer:
        return any(sent["subject"] == "large" for sent in json.load(answer)["sent"])


def measure(folder: Path, size_bytes: int) -> dict[str, Any]:
    """Submit, watch, and return the figures."""
    with contextlib.ExitStack() as stack:
        simulator, api = start(
            *("simulator", "--port", "0", "--mailbox", f"{ADDRESS}:{PASSWORD}"), log=folder / "api"
        )
        stack.enter_context(ended(simulator))
        url = api["api"]["url"]
        config = folder / "config.toml"
        config.write_text(CONFIG.format(folder=folder, url=url, address=ADDRESS))
        secrets = {"BENCH_TOKEN": api["token"], "BENCH_PASSWORD": PASSWORD}
        bridge, ready = start("serve", "--config", str(config), log=folder / "log", **secrets)
        stack.enter_context(ended(bridge))
        smtp, smtp_idle = (smtplib.SMTP("127.0.0.1", ready["smtp"]["port"]) for _ in range(2))
        imap = imaplib.IMAP4("127.0.0.1", ready["imap"]["port"])
        imap.login(ADDRESS, PASSWORD)
        imap.select("INBOX")
        smtp.login(ADDRESS, PASSWORD)
        raw = large_message(size_bytes)
        base_mb = peak_mb(bridge.pid)
        stop = threading.Event()
        found: dict[str, list[float]] = {"smtp": [], "imap": []}
        probes = [
            threading.Thread(target=probe, args=(smtp_idle.noop, stop, found["smtp"])),
            threading.Thread(target=probe, args=(imap.noop, stop, found["imap"])),
        ]
        for one in probes:
            one.start()
        begin_s = time.monotonic()
        smtp.sendmail(ADDRESS, [ADDRESS], raw)
        accepted_s = time.monotonic() - begin_s
        while not posted(url):
            if time.monotonic() - begin_s > POSTED_WITHIN_S:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.05)
        posted_s = time.monotonic() - begin_s
        stop.set()
        for one in probes:
            one.join()
        return {
            "size_bytes": len(raw),
            "accepted_s": round(accepted_s, 2),
            "posted_s": round(posted_s, 2),
            "idle_peak_mb": round(base_mb),
            "peak_mb": round(peak_mb(bridge.pid)),
            "noop_ms": {
                name: {
                    "count": len(times),
                    "median": round(sorted(times)[len(times) // 2], 2),
                    "p99": round(sorted(times)[len(times) * 99 // 100], 1),
                    "max": round(max(times), 1),
                }
                for name, times in found.items()
            },
            "load_average": os.getloadavg()[0],
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--size-mb", type=float, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), int(options.size_mb * 1024**2))))


if __name__ == "__main__":
    main()
