"""``trace``: begun, listed and ended at a running bridge; refused with a sentence otherwise."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

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
        await is_told_of(command, config, trace)
        (ended,) = (await run("stop", trace["id"], "--json")).json
        assert (await apart(command, "status", "--json", "--config", config)).json["traces"] == []
        text = await apart(Path(ended["file"]).read_text)
        assert "C: LOGIN (not shown" in text
        assert (await run("stop")).code == 1
        for words in (
            ("start", "nobody@pec.example"),
            ("start", "--peer", "example.it"),
            ("stop", "x"),
        ):
            assert (await run(*words)).code == 1


async def is_told_of(command: Command, config: Path, trace: dict[str, Any]) -> None:
    """Check that whoever asks how things stand learns that a trace is on."""
    status = await apart(command, "status", "--json", "--config", config)
    (told,) = status.json["traces"]
    assert told | {"left_s": 0} == trace | {"left_s": 0}
    on = f"{ADDRESS} (imap) since "
    where = f" of 10 MiB in {trace['file']}; 2 minutes more"
    shown = " ".join((await apart(command, "status", "--config", config)).out.split())
    assert f"trace on {on}" in shown
    assert "".join(where.split()) in "".join(shown.split())
    line = await apart(command, "status", "--check", "--config", config)
    assert (line.code, "; 1 trace on | " in line.out) == (0, True)
    found = json.loads((await apart(command, "check", "--json", "--config", config)).out)
    (finding,) = (one for one in found if one["check"] == "trace")
    assert finding["verdict"] == "warning"
    assert finding["evidence"].endswith(f"{on}{trace['since']}, 0.0{where}")
    assert finding["mend"].startswith(f"`pec-bridge trace stop {trace['id']}`")


PASSPHRASE = "cavallo segreta graffetta"


def _typed(port: int) -> bytes:
    """Send a passphrase where a command is expected; return what was answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        said = client.makefile("rb")
        for line in (
            PASSPHRASE,
            "a " + PASSPHRASE,
            "a UID segreta",
            "a SEARCH CHARSET segreta ALL",
        ):
            client.sendall(line.encode() + b"\r\n")
        client.sendall(b"z LOGOUT\r\n")
        return said.read()


async def test_a_passphrase_where_a_command_is_expected_is_not_in_it(
    command: Command, config: Path
) -> None:
    async with running(config.parent / "data", simulated()) as bridge:
        words = ("trace", "start", "--peer", "127.0.0.1", "--config", config)
        assert (await apart(command, *words)).code == 0
        answered = await apart(_typed, bridge.port("imap"))
        assert answered.lower().count(b"segreta") == 3, "the client is told which word"
        (ended,) = (await apart(command, "trace", "stop", "--json", "--config", config)).json
        text = await apart(Path(ended["file"]).read_text)
        assert text.count("S: (tag) BAD (not shown) is not a command of this server") == 3
        assert not any(word in text.lower() for word in PASSPHRASE.split())


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
