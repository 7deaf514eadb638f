"""Traces: whose words they take, where, and how they end."""

from __future__ import annotations

import asyncio
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.limits import TRACE_FILES, TRACES_AT_ONCE
from bridge.trace.tracing import (
    EARLY_LINES,
    FLUSH_S,
    KEPT_DAYS,
    PROTOCOLS,
    ApiTap,
    TraceFault,
    TraceWish,
    Tracing,
    network_of,
    nothing_traced,
    tidy,
)
from tests.fakes import FakeClock

ANNA, BRUNO = "anna@pec.example", "bruno@pec.example"
HERE, THERE = "192.0.2.1", "198.51.100.9"
MINUTE = timedelta(minutes=1)


def wish(
    account: str | None = ANNA,
    peer: str | None = None,
    protocols: tuple[str, ...] = PROTOCOLS,
    most_bytes: int = 10_000,
) -> TraceWish:
    network = None if peer is None else network_of(peer)
    return TraceWish(account, network, frozenset(protocols), MINUTE, most_bytes)


@pytest.fixture
def tracing(clock: FakeClock, tmp_path: Path) -> Tracing:
    return Tracing(tmp_path / "traces", clock)


def words(path: Path) -> list[str]:
    """Return what was said, without times."""
    return [line.partition(" ")[2] for line in path.read_text().splitlines()[1:-1]]


async def test_an_accounts_words_from_its_first_and_nobody_elses(tracing: Tracing) -> None:
    trace = await tracing.start(wish())
    mine, others = tracing.tap("imap", HERE), tracing.tap("smtp", THERE)
    for tap, account in ((mine, ANNA.upper()), (others, BRUNO)):
        tap.note("connected")
        tap.client("LOGIN")
        tap.belongs_to(account)
        tap.server("OK")
    ApiTap(tracing, ANNA).say("GET /inbox\r\n: 200")
    ApiTap(tracing, BRUNO).say("GET /inbox: 200")
    await tracing.stop(trace.id)
    assert words(trace.path) == [
        f"imap #1 {HERE} -: connected",
        f"imap #1 {HERE} C: LOGIN",
        f"imap #1 {HERE} S: OK",
        "api -: GET /inbox  : 200",
    ]
    assert trace.path.read_text().endswith("-- ended: it was stopped\n")


async def test_a_networks_words_by_the_protocols_asked_for(tracing: Tracing) -> None:
    trace = await tracing.start(wish(None, "192.0.2.0/24", ("smtp",)))
    for protocol in ("smtp", "imap"):
        for peer in (HERE, THERE, "::ffff:192.0.2.7", "not an address", ""):
            tracing.tap(protocol, peer).client("EHLO")
    await tracing.stop()
    assert [line.split()[2] for line in words(trace.path)] == [HERE, "::ffff:192.0.2.7"]


async def test_what_was_said_long_before_the_login_is_forgotten(tracing: Tracing) -> None:
    trace = await tracing.start(wish())
    tap = tracing.tap("imap", HERE)
    for number in range(EARLY_LINES + 10):
        tap.client(f"NOOP {number}")
    tap.belongs_to(ANNA)
    tap.belongs_to(ANNA)
    await tracing.stop()
    assert len(words(trace.path)) == EARLY_LINES
    assert words(trace.path)[0].endswith("NOOP 10")


async def test_the_file_is_its_owners_only(tracing: Tracing) -> None:
    old = os.umask(0)
    try:
        trace = await tracing.start(wish("../../etc/passwd\n@x"))
    finally:
        os.umask(old)
    assert trace.path.parent.name == "traces"
    assert trace.path.parent.parent == trace.path.parents[1]
    if os.name == "posix":
        assert stat.S_IMODE(trace.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(trace.path.parent.stat().st_mode) == 0o700
    await tracing.close()


async def test_it_ends_by_its_time(tracing: Tracing, clock: FakeClock) -> None:
    trace = await tracing.start(wish())
    running = asyncio.ensure_future(tracing.run())
    for _ in range(100):  # 50 s
        await step(clock)
    assert tracing.active
    assert await has_ended(trace.path, clock, "its time is over")
    assert tracing.standing() == []
    running.cancel()


async def step(clock: FakeClock) -> None:
    """Let half a second pass, and what is due be done, on threads too."""
    await clock.advance(FLUSH_S)
    await asyncio.sleep(0)


async def has_ended(path: Path, clock: FakeClock, why: str) -> bool:
    """Let time pass until a trace's file says why it ended, for so long as that can take."""
    for _ in range(2_000):
        await step(clock)
        if (await asyncio.to_thread(path.read_text)).endswith(f"-- ended: {why}\n"):
            return True
    return False


async def test_it_ends_when_the_file_is_full(tracing: Tracing, clock: FakeClock) -> None:
    trace = await tracing.start(wish(None, HERE, most_bytes=1_000))
    running = asyncio.ensure_future(tracing.run())
    tap = tracing.tap("imap", HERE)
    for _ in range(100):
        tap.client("x" * 50)
    assert await has_ended(trace.path, clock, "the file is full")
    running.cancel()
    text = trace.path.read_text()
    assert 900 < len(text) <= 1_000 + len("-- ended: the file is full\n")
    assert not tracing.active


async def test_it_ends_with_the_bridge(tracing: Tracing) -> None:
    trace = await tracing.start(wish())
    await tracing.close()
    assert trace.path.read_text().endswith("-- ended: the bridge ended\n")
    assert not tracing.active


async def test_so_many_are_on_at_once(tracing: Tracing) -> None:
    for _ in range(TRACES_AT_ONCE):
        await tracing.start(wish())
    with pytest.raises(TraceFault, match="traces are on"):
        await tracing.start(wish())
    assert len(await tracing.stop()) == TRACES_AT_ONCE
    with pytest.raises(TraceFault, match="No trace is on"):
        await tracing.stop()
    with pytest.raises(TraceFault, match="No trace x is on"):
        await tracing.stop("x")


def test_old_files_go_and_the_oldest_of_many(tmp_path: Path) -> None:
    paths = [tmp_path / f"20260101T{number:06}-1-a.log" for number in range(TRACE_FILES + 3)]
    for path in paths:
        path.touch()
    other = tmp_path / "notes.txt"
    other.touch()
    os.utime(paths[-1], (0, 0))
    tidy(tmp_path, frozenset({paths[0]}))
    left = sorted(path for path in paths if path.exists())
    assert paths[0] in left
    assert paths[-1] not in left
    assert len(left) < TRACE_FILES
    assert other.exists()
    assert KEPT_DAYS < 31


async def test_a_slow_disk_costs_lines_and_nothing_else(
    tracing: Tracing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.trace.tracing.TRACE_PENDING_BYTES", 500)
    trace = await tracing.start(wish(None, HERE))
    tap = tracing.tap("imap", HERE)
    for _ in range(20):
        tap.client("x" * 50)
    await tracing.stop()
    assert " lines left out: the disk is too slow" in trace.path.read_text()


async def test_a_disk_that_is_full_ends_it(
    tracing: Tracing, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = await tracing.start(wish(None, HERE))

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bridge.trace.tracing.os.write", full)
    tracing.tap("imap", HERE).client("NOOP")
    await tracing._flush()
    await tracing._flush()
    assert (trace.over, tracing.active) == ("it could not be written", False)


async def test_a_folder_that_cannot_be_made_is_a_sentence(clock: FakeClock, tmp_path: Path) -> None:
    (tmp_path / "traces").write_text("a file")
    with pytest.raises(TraceFault, match="cannot be written"):
        await Tracing(tmp_path / "traces", clock).start(wish())
    with pytest.raises(TraceFault, match="Nothing can be traced"):
        await nothing_traced().start(wish())
    with pytest.raises(TraceFault, match="no address"):
        network_of("example.it")
