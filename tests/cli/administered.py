"""The administration hosts on a port, a configuration pointing there, and what a person types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator import Administration, Simulator, SimulatorServer
from tests.cli.conftest import Command, Done
from tests.registration.test_whole import GOOD
from tests.running import apart, simulated

FLAGS = [
    part for name, value in GOOD.items() for part in (f"--{name.replace('_', '-')}", str(value))
]


@dataclass(frozen=True, slots=True)
class Administered:
    """The command line against a simulated service."""

    command: Command
    simulator: Simulator
    config: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def admin(self) -> Administration:
        return self.simulator.administration

    async def run(self, *words: object, typed: str = "") -> Done:
        """Run a command; ``typed`` is its standard input, which is no terminal."""
        self.monkeypatch.setattr("sys.stdin", StringIO(typed))
        return await apart(self.command, *words, "--config", self.config)

    async def account(self, *words: object, typed: str = "") -> Done:
        """Run a command that wants e-mail and key."""
        keys = f"{self.admin.email}\n{self.admin.api_key}\n"
        return await self.run(*words, typed=keys + typed)

    async def registered(self, **changes: str) -> str:
        """Register a mailbox, and return its id."""
        flags = [part for name, value in changes.items() for part in (f"--{name}", value)]
        done = await self.run("mailbox", "register", *FLAGS, *flags, "--yes", "--json")
        return str(done.json["id"])

    def calls(self) -> list[Any]:
        """Return the operations that were asked for."""
        return [call.operation for call in self.admin.calls]


@asynccontextmanager
async def administered(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Administered]:
    """Serve the simulated hosts, with a configuration that has no account yet."""
    simulator = simulated()
    config = tmp_path / "config.toml"
    (tmp_path / "token").write_text(f"{simulator.token}\n")
    async with SimulatorServer(simulator.app) as server:
        urls = "".join(
            f'{name} = "{server.url}"\n' for name in ("base_url", "admin_url", "oauth_url")
        )
        text = f'data_dir = "data"\n[api]\n{urls}token = {{ file = "token" }}\n'
        config.write_text(text)
        yield Administered(command, simulator, config, monkeypatch)
