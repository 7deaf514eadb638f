"""``usage``: the figures, drawn and written, beside what the service counted."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator import AdminOperation, Simulator, SimulatorServer
from tests.cli.conftest import Command, Done
from tests.running import apart, eventually, running, simulated


@dataclass(frozen=True, slots=True)
class Used:
    """A bridge that has sent two messages to three recipients."""

    simulator: Simulator
    config: Path
    command: Command

    async def run(self, *words: object) -> Done:
        return await apart(self.command, "usage", *words, "--config", self.config)


def add_key(config: Path, simulator: Simulator, url: str) -> None:
    """Let a configuration know the token host, and the account's key there."""
    admin = simulator.administration
    (config.parent / "key").write_text(f"{admin.api_key}\n")
    keys = f'oauth_url = "{url}"\nemail = "{admin.email}"\napi_key = {{ file = "key" }}\n'
    config.write_text(config.read_text().replace("[api]\n", f"[api]\n{keys}"))


@pytest.fixture
async def used(command: Command, config: Path) -> AsyncIterator[Used]:
    simulator = simulated()
    async with SimulatorServer(simulator.app) as server:
        add_key(config, simulator, server.url)
        async with running(config.parent / "data", simulator) as bridge:
            await apart(bridge.submit, "Uno", "uno@altra.example", "fail-due@altra.example")
            await apart(bridge.submit, "Due", "tre@altra.example")
            made = Used(simulator, config, command)

            async def settled() -> bool:
                totals = (await made.run("--json")).json["totals"]
                return bool((totals["delivered"], totals["failed"]) == (2, 1))

            await eventually(settled)
            yield made


async def test_figures_cost_and_the_services_count(used: Used) -> None:
    facts: dict[str, Any] = (await used.run("--json")).json
    assert facts["totals"]["recipients"] == 3
    assert facts["cost"]["sends_eur"] == 0.15
    vendor = facts["vendor"]
    assert (vendor["requests"], vendor["failed"]) == (2, 0)
    (money,) = vendor["differences"]  # the simulator takes the price for each request
    assert "0.10 EUR" in money
    assert "0.15 EUR" in money
    text = (await used.run()).out
    for shown in ("2 messages", "22 % VAT", "3,500 a day", "service: counted 2"):
        assert shown in text


@pytest.mark.slow
async def test_a_plot_fits_eighty_columns_without_a_terminal(
    used: Used, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = await used.run("--year", "2026", "--plot")
    assert done.code == 0
    picture, _, figures = done.out.partition("recipients:")
    assert "\x1b" not in done.out
    assert "█" in picture or "No" in figures
    assert "total:" in figures


@pytest.mark.slow
async def test_lines_go_to_a_file_once(used: Used, tmp_path: Path) -> None:
    path = tmp_path / "uso.csv"
    assert (await used.run("--csv", path)).code == 0
    with path.open(newline="") as file:
        (line,) = csv.DictReader(file)
    assert (line["recipients"], line["delivered"], line["failed"]) == ("3", "2", "1")
    again = await used.run("--csv", path)
    assert again.code == 1
    assert "--force" in again.err
    assert (await used.run("--csv", path, "--force")).code == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--month", "2026-13"), 1, "is no month"),
        (("--year", "MMXX"), 1, "is no year"),
        (("--account", "nobody@pec.example"), 1, "There is no account"),
        (("--year", "2026", "--month", "2026-01"), 2, "not both"),
    ],
)
async def test_bad_input(
    command: Command, config: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    done = await apart(command, "usage", *words, "--config", config)
    assert (done.code, done.out) == (code, "")
    assert sentence in done.err


async def test_without_a_key_the_service_is_not_asked(command: Command, config: Path) -> None:
    facts = (await apart(command, "usage", "--json", "--config", config)).json
    assert facts["vendor"]["asked"] is False
    assert "api_key" in facts["vendor"]["why"]
    text = (await apart(command, "usage", "--plot", "--config", config)).out
    assert "Nothing was sent" in text


@pytest.mark.parametrize(
    ("status", "number", "words", "step"),
    [
        (422, 240, "Invalid date format", "Write the period as YYYY, YYYY-MM or YYYY-MM-DD."),
        (401, None, "Unauthorized", "The e-mail or the API key is wrong"),
        (429, None, "slowly", "Wait a minute"),
        (503, None, "later", "try again in a few minutes"),
    ],
)
async def test_a_count_that_cannot_be_had_is_a_sentence_beside_the_figures(
    command: Command, config: Path, status: int, number: int | None, words: str, step: str
) -> None:
    simulator = simulated()
    key = simulator.administration.api_key
    async with SimulatorServer(simulator.app) as server:
        add_key(config, simulator, server.url)
        faults = simulator.administration.faults
        faults.refuse(AdminOperation.STATS, status, f"{words} {key}", number)
        done = await apart(command, "usage", "--config", config)
    assert (done.code, key in done.out + done.err) == (0, False)
    assert words in done.out
    assert step in done.out
    (call,) = simulator.administration.calls
    assert call.operation is AdminOperation.STATS


@pytest.mark.slow
async def test_a_service_that_says_no_is_quoted(used: Used) -> None:
    (used.config.parent / "key").write_text("wrong\n")
    facts = (await used.run("--json")).json
    assert facts["vendor"]["asked"] is False
    assert facts["totals"]["messages"] == 2
