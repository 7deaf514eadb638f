"""A Thunderbird, headless or not, driven by Marionette: JSON over TCP, lengths in front."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

FLAGS = ("--marionette", "--remote-allow-system-access", "--no-remote")
READY_WITHIN_S = 60.0
ANSWER_WITHIN_S = 60.0

PREFERENCES: Mapping[str, object] = {
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.spotlight.firstRunDone": True,
    "mail.winsearch.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Marionette:
    """Speaks to the program on one connection; blocks."""

    wire: socket.socket
    _number: int = field(default=0)
    _read: bytes = b""

    def do(self, command: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """Carry out a command and return its result."""
        self._number += 1
        text = json.dumps([0, self._number, command, parameters or {}]).encode()
        self.wire.sendall(str(len(text)).encode() + b":" + text)
        _kind, number, error, result = self.hear()
        assert number == self._number
        assert error is None, error
        return result

    def hear(self) -> Any:
        """Return the next thing that is said."""
        while b":" not in self._read:
            self._more()
        length, _, self._read = self._read.partition(b":")
        while len(self._read) < int(length):
            self._more()
        said, self._read = self._read[: int(length)], self._read[int(length) :]
        return json.loads(said)

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script with the program's own rights; it gives its result to its last argument."""
        parameters = {"script": script, "args": list(arguments), "scriptTimeout": 50_000}
        return self.do("WebDriver:ExecuteAsyncScript", parameters)["value"]

    def _more(self) -> None:
        block = self.wire.recv(65536)
        assert block, "Thunderbird hung up"
        self._read += block


@contextlib.contextmanager
def thunderbird(
    folder: Path, preferences: Mapping[str, object], *, headless: bool = True
) -> Iterator[Marionette]:
    """Start Thunderbird on a new profile and drive it; skips where there is none."""
    program = shutil.which("thunderbird")
    if program is None:
        pytest.skip("thunderbird is not installed")
    port = free_port()
    profile = folder / "profile"
    profile.mkdir()
    chosen = {**PREFERENCES, **preferences, "marionette.port": port}
    lines = (
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in chosen.items()
    )
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    with (folder / "thunderbird.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *FLAGS, *(["--headless"] if headless else []), "--profile", profile],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(folder), "MOZ_DISABLE_CONTENT_SANDBOX": "1"},
            start_new_session=True,
        )
    try:
        with _connected(port, process) as wire:
            driven = Marionette(wire)
            driven.hear()  # its greeting
            driven.do("WebDriver:NewSession", {"capabilities": {}})
            driven.do("Marionette:SetContext", {"value": "chrome"})
            yield driven
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


@contextlib.contextmanager
def _connected(port: int, process: subprocess.Popen[bytes]) -> Iterator[socket.socket]:
    deadline_s = time.monotonic() + READY_WITHIN_S
    while True:
        assert process.poll() is None, "Thunderbird ended"
        assert time.monotonic() < deadline_s, "Thunderbird does not answer"
        try:
            wire = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_WITHIN_S)
        except OSError:
            time.sleep(0.2)
            continue
        with wire:
            yield wire
        return
