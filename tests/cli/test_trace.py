"""``trace``: begun, listed and ended at a running bridge; refused with a sentence otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command, Done
from tests.running import ADDRESS, apart, running, simulated


async def test_a_trace_from_its_beginning_to_its_end(command: Command, config: Path) -> None:
    async def run(*words: object) -> Done:
        return await apart(command, "trace", *words, "--config", config)

    async with running(config.parent / "data", simulated()) as bridge:
        assert (await run("list")).out == "No trace is on.\n"
        began = await run("start", ADDRESS.upper(), "--protocol", "imap", "--minutes", "2")
        assert (began.code, "ends by itself" in began.err) == (0, True)
        client = await apart(bridge.imap)
        await apart(client.logout)
        (trace,) = (await run("list", "--json")).json
        assert (trace["account"], trace["protocols"]) == (ADDRESS, ["imap"])
        assert 60 < trace["left_s"] <= 120
        (ended,) = (await run("stop", trace["id"], "--json")).json
        text = await apart(Path(ended["file"]).read_text)
        assert "C: LOGIN (not shown" in text
        assert (await run("stop")).code == 1
        for words in (
            ("start", "nobody@pec.example"),
            ("start", "--peer", "example.it"),
            ("stop", "x"),
        ):
            assert (await run(*words)).code == 1


@pytest.mark.parametrize("words", [("start",), ("start", ADDRESS, "--peer", "::1")])
def test_whom_to_trace_has_to_be_said(
    command: Command, config: Path, words: tuple[str, ...]
) -> None:
    assert command("trace", *words, "--config", config).code == 2


@pytest.mark.parametrize("words", [("start", ADDRESS), ("stop",), ("list",)])
def test_without_a_bridge_nothing_can_be_traced(
    command: Command, config: Path, words: tuple[str, ...]
) -> None:
    done = command("trace", *words, "--config", config)
    assert (done.code, "No bridge is running" in done.err) == (1, True)
