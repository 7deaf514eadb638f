"""``demo``: what it prints, and that it goes on where it was on the same folder."""

from __future__ import annotations

import asyncio
import imaplib
import json
import re
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.peers.demo import Demo, running_demo
from tests.running import apart

CONFIG = "config.toml"


def state(demo: Demo) -> tuple[object, object, object]:
    with imaplib.IMAP4("127.0.0.1", demo.imap_port, timeout=30) as client:
        client.login(demo.address, demo.password)
        client.select("INBOX", readonly=True)
        validity = client.untagged_responses["UIDVALIDITY"]
        _, lines = client.uid("fetch", "1:*", "(UID RFC822.SIZE)")
        return validity, lines, demo.state()["mailboxes"][0]["messages"]


@pytest.mark.slow
async def test_the_demo_goes_on_in_its_folder(tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        total = demo.state()["mailboxes"][0]["messages"]
        assert total > 0
        await demo.until(lambda subjects: len(subjects) == total)
        before = state(demo)
    with running_demo(tmp_path) as demo:
        assert state(demo) == before


async def test_every_command_works_on_it(command: Command, tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        status = await apart(command, "status", "--json", "--config", tmp_path / CONFIG)
        check = await apart(command, "check", "--config", tmp_path / CONFIG)
    assert (status.code, status.err) == (0, "")
    assert [one["address"] for one in json.loads(status.out)["accounts"]] == [demo.address]
    assert check.code == 0, check.out  # the page answers too, on uvloop


@pytest.mark.slow
async def test_the_tour_ends_in_every_state(command: Command, tmp_path: Path) -> None:
    wanted = {"submitted", "refused", "uncertain", "dropped", "held", "queued", "cancelled"}
    with running_demo(tmp_path, "--tour"):
        for _ in range(60):
            told = await apart(command, "queue", "list", "--json", "--config", tmp_path / CONFIG)
            states = {one["state"] for one in json.loads(told.out)}
            if wanted <= states:
                break
            await asyncio.sleep(0.5)
    assert states - {"dispatching"} == wanted


async def test_the_messages_are_there_as_soon_as_the_demo_is_ready(tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        _, lines, total = state(demo)
    assert isinstance(lines, list)
    assert len(lines) == total


def test_a_folder_of_something_else_is_a_fault_of_usage(command: Command, tmp_path: Path) -> None:
    (tmp_path / "simulator.json").write_text("{}")
    done = command("demo", "--data-dir", tmp_path, "--imap-port", 0)
    assert (done.code, done.out) == (2, "")
    assert "is not a simulator's state; remove it" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--imap-port", "--smtp-port", "--web-port"])
def test_a_port_that_is_taken_is_one_sentence(
    command: Command, tmp_path: Path, option: str
) -> None:
    ports = dict.fromkeys(("--imap-port", "--smtp-port", "--web-port"), 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports[option] = taken.getsockname()[1]
        words = [word for pair in ports.items() for word in pair]
        done = command("demo", "--data-dir", tmp_path, *words)
    assert (done.code, done.out) == (1, "")
    assert re.search("another program uses it|already in use", done.err)
    assert done.err.count("\n") == 1
