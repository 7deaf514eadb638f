"""``receipts``: where each sent message stands, and deleting at the API only when told so."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator import Operation, Simulator
from tests.cli.conftest import Command
from tests.running import apart, eventually, running, simulated

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was sent and whose receipts are in."""

    simulator: Simulator
    facts: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.facts["code"])


@pytest.fixture
async def sent(command: Command, config: Path) -> AsyncIterator[Sent]:
    """Give a send to two recipients, one of whom could not be reached; a bridge is running."""
    simulator = simulated()

    async def settled() -> dict[str, Any] | None:
        sends = (await apart(command, "receipts", "list", "--json", "--config", config)).json
        states = [one["state"] for send in sends for one in send["recipients"]]
        return sends[0] if sorted(states) == ["delivered", "failed"] else None

    async with running(config.parent / "data", simulator) as bridge:
        await apart(bridge.submit, "Contratto", "uno@altra.example", "fail-due@altra.example")
        facts = await eventually(settled)
        assert facts is not None
        yield Sent(simulator, facts)


@pytest.mark.slow
async def test_list_has_its_shape(sent: Sent, command: Command, config: Path) -> None:
    facts = sent.facts
    assert set(facts) == {
        "code",
        "message_id",
        "reference",
        "envid",
        "subject",
        "sent_at",
        "accepted_at",
        "recipients",
    }
    assert facts["message_id"] == "<Contratto@client.example>"
    assert INSTANT.fullmatch(facts["sent_at"])
    assert INSTANT.fullmatch(facts["accepted_at"])
    for one in facts["recipients"]:
        assert set(one) == {"address", "state", "at", "detail", "conflict"}
        assert INSTANT.fullmatch(one["at"])
    assert [one["state"] for one in facts["recipients"]] == ["delivered", "failed"]
    text = await apart(command, "receipts", "list", "--config", config)
    for shown in (sent.code, "uno@altra.example", "delivered", "failed"):
        assert shown in text.out


async def test_show_has_every_receipt(sent: Sent, command: Command, config: Path) -> None:
    arguments = ("receipts", "show", sent.code, "--config", config)
    shown = (await apart(command, *arguments, "--json")).json
    assert shown["code"] == sent.code
    assert len(shown["receipts"]) == 3
    text = await apart(command, *arguments)
    assert f"code: {sent.code}" in text.out
    assert text.out.count("altra.example") >= 4


@pytest.mark.slow
async def test_each_receipt_is_written_as_a_message(
    sent: Sent, command: Command, config: Path
) -> None:
    folder = config.parent / "out"
    folder.mkdir()
    arguments = ("receipts", "export", sent.code, "-o", folder, "--config", config)
    written = (await apart(command, *arguments, "--json")).json
    assert {one["kind"] for one in written} == {"acceptance", "delivery", "failure"}
    for one in written:
        raw = await apart(Path(one["file"]).read_bytes)
        assert len(raw) == one["size_bytes"]
        message = message_from_bytes(raw)
        assert sent.code in str(message["Subject"])
        assert message["X-Ricevuta"]
    again = await apart(command, *arguments)
    assert (again.code, "--force" in again.err) == (1, True)
    number = written[0]["number"]
    (only,) = (await apart(command, *arguments, "--number", number, "--force", "--json")).json
    assert only == written[0]
    none = await apart(command, *arguments, "--number", "99999", "--force")
    assert (none.code, "no receipt 99999" in none.err) == (1, True)


@pytest.mark.slow
async def test_delete_asks_first(
    sent: Sent, command: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO())
    done = await apart(command, "receipts", "delete", sent.code, "--config", config)
    assert (done.code, done.out.strip()) == (1, "")
    assert "Replies may be among them" in done.err
    assert sent.simulator.calls(Operation.SEND_DELETE) == []


async def test_delete(sent: Sent, command: Command, config: Path) -> None:
    arguments = ("receipts", "delete", "--yes", "--json", "--config", config)
    done = await apart(command, *arguments, sent.code)
    assert done.json["code"] == sent.code
    assert len(sent.simulator.calls(Operation.SEND_DELETE)) == 1
    again = await apart(command, *arguments, "2020")
    assert (again.code, again.out) == (1, "")
    assert again.err.count("\n") == 1
