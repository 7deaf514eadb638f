"""What 250 means, and what is said and kept when it cannot be given."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog

from bridge.mime.strict.rules import SubmissionRules
from bridge.mime.strict.submission import Submission, check_submission
from bridge.outbox.plan import Plan
from bridge.outbox.queue import QueueSettings
from bridge.spool import SpoolFile
from bridge.store.base import ReadWork, Store, StoreFailed, StoreFull, Work
from tests.fakes import FakeClock
from tests.smtpserver.conftest import TO, Serve, Served, message

T = TypeVar("T")
ONE_PEC = QueueSettings(plan=Plan("standard", 1, "day"), over_plan="refuse")


class Obstructed:
    """A store whose writes can be made to fail, or to wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fault: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()

    @property
    def failing(self) -> str | None:
        return self._store.failing

    async def write(self, work: Work[T], committed: Callable[[T], None] | None = None) -> T:
        self.asked.set()
        await self.open.wait()
        if self.fault is not None:
            raise self.fault
        return await self._store.write(work, committed)

    async def read(self, work: ReadWork[T]) -> T:
        return await self._store.read(work)

    async def scan(self, work: ReadWork[T]) -> T:
        return await self._store.scan(work)

    async def close(self) -> None:
        await self._store.close()


@pytest.fixture
def obstructed() -> list[Obstructed]:
    return []


@pytest.fixture
async def hindered(serve: Serve, obstructed: list[Obstructed]) -> Served:
    def wrap(store: Store) -> Store:
        obstructed.append(Obstructed(store))
        return obstructed[0]

    return await serve(wrap=wrap)


# -- 250 ------------------------------------------------------------------------------------------


async def test_250_names_the_queue_id_and_the_message_is_in_sent(served: Served) -> None:
    client = await served.user()
    reply = await client.submit(message())
    (row,) = await served.queued()
    assert (reply.code, reply.status, reply.text) == (250, "2.0.0", f"Ok: queued as {row.id}")
    assert row.message_id == "<1@erp.example>"
    assert (await served.texts())[0].endswith(message())
    assert await served.sent_copies() == 1


async def test_250_is_not_said_before_the_commit(
    hindered: Served, obstructed: list[Obstructed]
) -> None:
    store = obstructed[0]
    client = await hindered.user()
    store.asked.clear()
    store.open.clear()
    answer = asyncio.ensure_future(client.submit(message()))
    await store.asked.wait()
    other = await hindered.connect()
    assert (await other.do("NOOP")).code == 250, "others are served meanwhile"
    assert not answer.done()
    store.open.set()
    assert (await answer).code == 250


async def test_what_250_was_said_for_is_there_after_a_crash(served: Served, tmp_path: Path) -> None:
    """Another process that opens the files at this moment finds the message."""
    client = await served.user()
    reply = await client.submit(message())
    program = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("
    program += "'SELECT id, state FROM submission').fetchall())"
    (database,) = (tmp_path / "data").glob("*.sqlite")
    command = ["python3", "-c", program, str(database)]
    found = await asyncio.to_thread(subprocess.check_output, command, text=True)
    assert found.strip() == f"[('{reply.text.split()[-1]}', 'queued')]"


# -- the same message again -----------------------------------------------------------------------


async def test_the_same_message_again_is_answered_with_the_first_id(served: Served) -> None:
    client = await served.user()
    first = await client.submit(message())
    with structlog.testing.capture_logs() as logs:
        again = await (await served.user()).submit(message())
    id = first.text.split()[-1]
    assert again.code == 250
    assert again.text == (
        f"Ok: queued as {id} (X-Resubmission: yes; queued before, not sent again)"
    )
    (line,) = [line for line in logs if line["event"] == "submission_repeated"]
    assert (line["id"], line["message_id"]) == (id, "<1@erp.example>")
    assert len(await served.queued()) == 1
    assert await served.sent_copies() == 1


@pytest.mark.parametrize(
    ("fields", "entries"),
    [
        pytest.param(
            {"Message_ID": None, "Date": "Thu, 15 Jan 2026 10:00:00 +0100"},
            1,
            id="a Date says that it is the same",
        ),
        pytest.param({"Message_ID": None}, 2, id="nothing says so"),
    ],
)
async def test_the_same_message_again_without_a_message_id(
    served: Served, fields: dict[str, str | None], entries: int
) -> None:
    for _ in range(2):
        assert (await (await served.user()).submit(message("Ciao.\r\n", **fields))).code == 250
    assert len(await served.queued()) == entries
    assert await served.sent_copies() == entries


@pytest.mark.parametrize(
    ("raw", "recipient"),
    [
        pytest.param(message(Message_ID="<2@erp.example>"), TO, id="another Message-ID"),
        pytest.param(message(To="due@altra.example"), "due@altra.example", id="another recipient"),
        pytest.param(message(Subject="Altro"), TO, id="another subject"),
    ],
)
async def test_another_message_is_another_message(
    served: Served, raw: bytes, recipient: str
) -> None:
    client = await served.user()
    await client.submit(message())
    reply = await client.submit(raw, recipient)
    assert "X-Resubmission" not in reply.text
    assert len(await served.queued()) == 2


async def test_without_a_message_id_nothing_is_taken_for_a_repetition(served: Served) -> None:
    client = await served.user()
    for _ in range(2):
        assert (await client.submit(message(Message_ID=None))).code == 250
    assert len({row.message_id for row in await served.queued()}) == 2


async def test_the_window_outlasts_a_message_that_waits(served: Served, clock: FakeClock) -> None:
    client = await served.user()
    first = await client.submit(message())
    await clock.advance(3 * 24 * 3600)
    again = await client.submit(message())
    assert again.text.startswith(first.text)
    assert len(await served.queued()) == 1


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(message("Altro.\r\n"), id="other content"),
        pytest.param(message().replace(b"Ciao", b"Ciao\n"), id="a bare line feed more"),
        pytest.param(message(X_Try="2"), id="another field"),
        pytest.param(message(Date="Thu, 15 Jan 2026 10:05:00 +0100"), id="another date"),
    ],
)
async def test_a_message_built_anew_is_told_of_the_first(
    served: Served, clock: FakeClock, raw: bytes
) -> None:
    client = await served.user()
    await client.submit(message())
    (first,) = await served.queued()
    reply = await client.submit(raw)
    assert (reply.code, reply.status) == (451, "4.7.0")
    assert f"queued as {first.id} and is queued" in reply.text
    assert reply.text.isascii()
    assert len(await served.queued()) == await served.sent_copies() == 1
    await clock.advance(3601)
    assert (await client.submit(raw)).code == 250
    assert len(await served.queued()) == 2


async def test_a_malformed_message_id_is_one_too(served: Served) -> None:
    client = await served.user()
    assert (await client.submit(message(Message_ID="ordine 7"))).code == 250
    assert (await client.submit(message("Altro.\r\n", Message_ID="ordine 7"))).code == 451


async def test_a_date_alone_makes_no_message_built_anew(served: Served) -> None:
    client = await served.user()
    for text in ("Uno.\r\n", "Due.\r\n"):
        assert (
            await client.submit(
                message(text, Message_ID=None, Date="Thu, 15 Jan 2026 10:00:00 +0100")
            )
        ).code == 250
    assert len(await served.queued()) == 2


async def test_without_a_window_every_submission_counts(serve: Serve) -> None:
    served = await serve(queue=QueueSettings(dedup_window_s=0))
    client = await served.user()
    for _ in range(2):
        await client.submit(message())
    assert len(await served.queued()) == 2


async def test_hidden_recipients_get_entries_of_their_own(serve: Serve) -> None:
    served = await serve(rules=SubmissionRules(bcc="separate"))
    client = await served.user()
    reply = await client.submit(message(), "h@altra.example", TO)
    shown, hidden = await served.queued()
    assert reply.text == f"Ok: queued as {shown.id}"
    assert (shown.recipients, hidden.recipients) == ((TO,), ("h@altra.example",))


# -- refused for now ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (StoreFull("disk full"), 452, "4.3.1"),
        (StoreFailed("disk I/O error"), 451, "4.3.0"),
        (RuntimeError("a bug"), 451, "4.3.0"),
    ],
    ids=["full", "failing", "unforeseen"],
)
async def test_a_store_that_fails_costs_one_reply(
    hindered: Served, obstructed: list[Obstructed], fault: Exception, code: int, status: str
) -> None:
    client = await hindered.user()
    obstructed[0].fault = fault
    reply = await client.submit(message())
    assert (reply.code, reply.status) == (code, status)
    assert await hindered.queued() == ()
    obstructed[0].fault = None
    assert (await client.submit(message())).code == 250
    assert len(await hindered.queued()) == await hindered.sent_copies() == 1


async def test_a_message_that_cannot_be_put_aside_to_be_checked_costs_one_reply(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.smtpserver.delivery.TEXT_APART_FROM_BYTES", 10)
    client = await served.user()
    with monkeypatch.context() as patch:

        def no_file(*_: object) -> None:
            raise OSError("no file can be made")

        patch.setattr("bridge.smtpserver.delivery.SpoolFile.holding", no_file)
        reply = await client.submit(message())
    assert (reply.code, reply.status) == (451, "4.3.0")
    assert "cannot check" in reply.text
    assert await served.queued() == ()
    assert (await client.submit(message())).code == 250


@pytest.mark.parametrize("written", [0, 1])
async def test_of_a_message_that_the_disk_does_not_take_whole_nothing_is_queued(
    served: Served, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """Else its beginning would be sent, or the end of it."""
    append, asked = SpoolFile.append, iter(range(written))
    is_full = False

    def fills_up(file: SpoolFile, data: bytes) -> None:
        nonlocal is_full
        is_full = is_full or next(asked, None) is None
        if is_full:
            raise OSError(errno.ENOSPC, "disk full")
        append(file, data)

    raw = message(("x" * 70 + "\r\n") * 120_000)
    client = await served.user()
    with monkeypatch.context() as patch:
        patch.setattr(SpoolFile, "append", fills_up)
        reply = await client.submit(raw)
    assert (reply.code, reply.status) == (452, "4.3.1")
    assert is_full
    assert await served.queued() == ()
    assert (await client.submit(message())).code == 250


async def test_a_used_up_plan_may_refuse(serve: Serve) -> None:
    served = await serve(queue=ONE_PEC)
    client = await served.user()
    assert (await client.submit(message())).code == 250
    reply = await client.submit(message(Message_ID="<2@erp>"))
    assert reply.code == 452
    assert all("2026-01-16" in line for line in reply.lines)
    assert [("esaurite" in one, "used up" in one) for one in reply.lines] == [
        (True, False),
        (False, True),
    ]
    assert len(await served.queued()) == 1


async def test_a_file_that_may_not_grow_refuses_what_does_not_fit(serve: Serve) -> None:
    served = await serve(page_limit=150)
    client = await served.user()
    reply = await client.submit(message("x" * 1_000_000 + "\r\n"))
    assert (reply.code, reply.status) == (452, "4.3.1")
    assert await served.queued() == ()
    assert (await client.submit(message())).code == 250
    assert len(await served.queued()) == await served.sent_copies() == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB; skips where none can be mounted."""
    folder = tmp_path / "data"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
async def test_a_full_disk_refuses_and_recovers_without_a_restart(
    small_disk: Path, serve: Serve
) -> None:
    served = await serve()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - 2 * 1024**2))
    client = await served.user()
    codes: list[int] = []
    while codes.count(452) < 5:
        raw = message("x" * 500_000 + "\r\n", Message_ID=f"<{len(codes)}@erp>")
        codes.append((await client.submit(raw)).code)
        assert len(codes) < 200
    assert set(codes) == {250, 452}
    assert len(await served.queued()) == await served.sent_copies() == codes.count(250)
    ballast.unlink()
    assert (await client.submit(message(Message_ID="<last@erp>"))).code == 250
    assert len(await served.queued()) == codes.count(250) + 1


# -- what is written down -------------------------------------------------------------------------


async def test_a_message_is_parsed_off_the_loop_only_when_it_is_large(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def check(*arguments: Any) -> Submission:
        threads.append(threading.current_thread())
        return check_submission(*arguments)

    monkeypatch.setattr("bridge.smtpserver.delivery.check_submission", check)
    client = await served.user()
    await client.submit(message())
    await client.submit(message("x\r\n" * 50_000, Message_ID="<2@erp>"))
    assert [thread is threading.main_thread() for thread in threads] == [True, False]
