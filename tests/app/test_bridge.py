"""The whole bridge: what it needs to start, what a restart keeps, how it ends."""

from __future__ import annotations

import asyncio
import dataclasses
import imaplib
import os
import re
import smtplib
import ssl
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bridge.app.bridge import STOP_GRACE_S
from bridge.app.lock import Locked
from bridge.config import Config, Imap, Listen, Smtp
from bridge.net.listening import CannotListen
from bridge.operations.control import NotRunning, OperationFailed, ask
from bridge.simulator import FaultRule, Hold, Operation, Phase
from tests.fakes import FakeClock
from tests.running import ADDRESS, PASSWORD, Running, apart, eventually, running, simulated, until
from tests.streams import hang_up


class Down(httpx.AsyncBaseTransport):
    """An API that nobody reaches."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to host", request=request)


def everything(bridge: Running) -> dict[str, tuple[bytes, list[bytes]]]:
    """Return UIDVALIDITY and each message's UID, flags and size, of every mailbox."""
    client = bridge.imap()
    try:
        found = {}
        for name in ("INBOX", "Unsent", "Drafts", "Trash", "Archive"):
            assert client.select(name, readonly=True)[0] == "OK"
            validity = client.untagged_responses["UIDVALIDITY"][0]
            _, lines = client.uid("fetch", "1:*", "(UID FLAGS RFC822.SIZE)")
            assert isinstance(validity, bytes)
            found[name] = (validity, [line for line in lines if isinstance(line, bytes)])
        return found
    finally:
        client.logout()


def count(bridge: Running, mailbox: str = "INBOX") -> int:
    client = bridge.imap()
    try:
        return int(client.select(mailbox, readonly=True)[1][0] or b"0")
    finally:
        client.logout()


async def until_count(bridge: Running, wanted: int) -> None:
    async def reached() -> bool:
        return await apart(count, bridge) >= wanted

    await eventually(reached)


def mark_first(bridge: Running) -> None:
    client = bridge.imap()
    client.select("INBOX")
    client.store("1", "+FLAGS", "(\\Flagged Importante)")
    client.copy("2", "Archive")
    client.logout()


async def test_a_restart_keeps_uids_flags_and_the_queue(tmp_path: Path) -> None:
    simulator = simulated(messages=5)
    async with running(tmp_path, simulator) as bridge:
        await until_count(bridge, 5)
        await apart(mark_first, bridge)
        simulator.faults.answer(Operation.SEND, 401, {"success": False}, times=None)
        await apart(bridge.submit, "In attesa", "silent-x@altra.example")
        await until(lambda: simulator.calls(Operation.SEND))
        await until_count(bridge, 6)  # the alarm that sending is held
        before = await apart(everything, bridge)
        queue = await ask(tmp_path, "queue list", {})
    async with running(tmp_path, simulator) as bridge:
        assert await apart(everything, bridge) == before
        again = await ask(tmp_path, "queue list", {})
    assert [one["state"] for one in queue] == ["held"]
    assert [(one["id"], one["state"]) for one in again] == [(queue[0]["id"], "held")]
    assert b"Importante" in before["INBOX"][1][0]
    assert len(before["Unsent"][1]) == len(before["Archive"][1]) == 1


async def test_it_starts_and_is_usable_with_the_api_down(tmp_path: Path) -> None:
    async with running(tmp_path, Down()) as bridge:
        await apart(bridge.submit, "Senza rete", "silent-x@altra.example")
        assert await apart(count, bridge, "Sent") == 1

        async def tried() -> str | None:
            (entry,) = await ask(tmp_path, "queue list", {})
            return entry["id"] if (entry["state"], entry["attempts"]) == ("queued", 1) else None

        id = await eventually(tried)
    simulator = simulated()
    async with running(tmp_path, simulator):
        with suppress(OperationFailed):  # its next try may have come already
            await ask(tmp_path, "queue retry", {"id": id})
        await until(lambda: simulator.sent)
    assert [sent.subject for sent in simulator.sent] == ["Senza rete"]


async def test_a_second_bridge_on_the_same_data_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, simulated()) as bridge:
        with pytest.raises(Locked, match="stop that one first"):
            async with running(tmp_path, simulated()):
                pass
        assert await apart(count, bridge) == 0
    async with running(tmp_path, simulated()):
        pass


async def test_a_port_that_is_taken_leaves_nothing_up(tmp_path: Path) -> None:
    async with running(tmp_path / "one", simulated()) as first:
        taken = Smtp(listen=(Listen("127.0.0.1", first.port("smtp")),))
        with pytest.raises(CannotListen, match=r"\[smtp\] listen: .* another program uses it"):
            async with running(
                tmp_path / "two",
                simulated(),
                change=lambda config: dataclasses.replace(config, smtp=taken),
            ):
                pass
    with pytest.raises(NotRunning):
        await ask(tmp_path / "two", "status", {})
    async with running(tmp_path / "two", simulated()):
        pass


async def test_stopping_lets_a_request_under_way_finish(tmp_path: Path) -> None:
    simulator = simulated()
    hold = Hold()
    simulator.faults.add(
        FaultRule(operation=Operation.SEND, phase=Phase.AFTER, result=None, hold=hold)
    )
    async with running(tmp_path, simulator) as bridge:
        await apart(bridge.submit, "All'ultimo", "silent-x@altra.example")
        await hold.reached.wait()
        stopping = asyncio.create_task(bridge.bridge.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        hold.release.set()
        await stopping
    async with running(tmp_path, simulator):
        (entry,) = await ask(tmp_path, "queue list", {})
    assert (entry["state"], entry["attempts"]) == ("submitted", 1)
    assert len(simulator.sent) == 1


async def test_a_request_that_takes_too_long_is_cut_off_and_uncertain(
    tmp_path: Path, clock: FakeClock
) -> None:
    simulator = simulated()
    hold = Hold()
    simulator.faults.add(
        FaultRule(operation=Operation.SEND, phase=Phase.AFTER, result=None, hold=hold, times=None)
    )
    async with running(tmp_path, simulator, clock=clock) as bridge:
        await apart(bridge.submit, "Troppo lento", "silent-x@altra.example")
        await hold.reached.wait()
        stopping = asyncio.create_task(bridge.bridge.stop())
        for _ in range(3):
            await clock.advance(STOP_GRACE_S / 2)
        await stopping
    hold.release.set()
    async with running(tmp_path, simulator, clock=clock):
        (entry,) = await ask(tmp_path, "queue list", {})
    assert entry["state"] in ("uncertain", "submitted")  # the acceptance may be in already
    assert len(simulator.sent) == 1


async def test_stopping_says_goodbye_to_clients(tmp_path: Path) -> None:
    async with running(tmp_path, simulated()) as bridge:
        client = await apart(bridge.imap)
        began_s = time.monotonic()
        await bridge.bridge.stop()
        assert time.monotonic() - began_s < 5
        with pytest.raises(imaplib.IMAP4.abort):
            await apart(client.noop)
        client.shutdown()
    await bridge.bridge.stop()


async def test_a_wrong_password_is_refused_and_the_right_one_needs_no_api(tmp_path: Path) -> None:
    async with running(tmp_path, Down()) as bridge:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            await apart(bridge.imap, "sbagliata")
        client = await apart(bridge.imap)
        assert (await apart(client.logout))[0] == "BYE"


def both_kinds(config: Config) -> Config:
    return dataclasses.replace(
        config,
        imap=Imap(listen=(Listen("127.0.0.1", 0), Listen("127.0.0.1", 0, implicit_tls=True))),
        smtp=Smtp(listen=(Listen("127.0.0.1", 0, implicit_tls=True), Listen("::1", 0))),
    )


async def test_listeners_are_named_in_the_order_of_the_settings(tmp_path: Path) -> None:
    async with running(tmp_path, simulated(), change=both_kinds) as bridge:
        shown = bridge.listening.as_json()
        assert [(one["protocol"], one["tls"]) for one in shown["listeners"]] == [
            ("imap", "starttls"),
            ("imap", "implicit"),
            ("smtp", "implicit"),
            ("smtp", "starttls"),
        ]
        assert shown["imap"] == {
            "host": "127.0.0.1",
            "port": bridge.listening.listeners[0].port,
            "tls": "starttls",
        }
        assert shown["accounts"] == [{"address": ADDRESS}]
        await apart(log_in_over_tls, bridge)
        assert re.fullmatch(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", bridge.listening.fingerprint)


def log_in_over_tls(bridge: Running) -> None:
    context = ssl.create_default_context(cafile=str(bridge.config.data_dir / "tls.pem"))
    _, imaps, smtps, _ = bridge.listening.listeners
    with imaplib.IMAP4_SSL("localhost", imaps.port, ssl_context=context, timeout=10) as imap:
        imap.login(ADDRESS, PASSWORD)
    with smtplib.SMTP_SSL("localhost", smtps.port, context=context, timeout=10) as smtp:
        smtp.login(ADDRESS, PASSWORD)


def opened() -> set[str]:
    """Return what this process has open that a bridge opens: connections and files."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the folder's own
            found.add(os.readlink(f"/proc/self/fd/{name}"))
    return {one for one in found if one.startswith(("socket:", "/")) and "/fd" not in one}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not say")
async def test_nothing_is_open_at_the_end(tmp_path: Path) -> None:
    before = opened()
    async with running(tmp_path, simulated(messages=2)) as bridge:
        await apart(bridge.submit, "Addio", "anna@altra.example")
        writers = []
        for protocol in ("imap", "smtp"):
            reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port(protocol))
            await reader.readline()
            writers.append(writer)
        assert len(opened() - before) > 4
    await hang_up(*writers)
    assert opened() - before == set()
