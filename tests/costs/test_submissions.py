"""Many messages, and large ones, submitted at once: the disk has them until their turn comes."""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
from functools import partial
from typing import Any

import pytest

from bridge.apart.process import ApartFailed, TooCostly
from bridge.limits import KIB, MIB, SUBMISSION_SPOOLED_FROM_BYTES
from bridge.mime.strict.rules import SubmissionRules
from bridge.smtpserver import checking
from bridge.smtpserver.budget import ByteBudget
from bridge.smtpserver.data import DataReader
from bridge.smtpserver.delivery import Incoming, SmtpReply
from tests.costs.measure import peak
from tests.running import until
from tests.smtpserver.conftest import ADDRESS, TO, Client, Serve, Served, message

LINE = b"x" * 998 + b"\r\n"


def large(number: int, size_bytes: int) -> bytes:
    return message(Message_ID=f"<{number}@erp.example>") + LINE * (size_bytes // len(LINE))


async def begun(served: Served) -> Client:
    client = await served.user()
    for command in (f"MAIL FROM:<{ADDRESS}>", f"RCPT TO:<{TO}>"):
        assert (await client.do(command)).code == 250
    assert (await client.do("DATA")).code == 354
    return client


async def test_large_messages_wait_on_the_disk(serve: Serve) -> None:
    served = await serve()
    count, size_bytes = 12, 6 * MIB
    clients = [await begun(served) for _ in range(count)]
    budgets = served.server._budgets
    with peak() as held:
        for number, client in enumerate(clients):
            await client.send(large(number, size_bytes))
        await until(lambda: budgets.disk.used_bytes > count * (size_bytes - 2 * MIB))
        assert budgets.memory.used_bytes < count * SUBMISSION_SPOOLED_FROM_BYTES
    assert held.size_bytes < count * 3 * MIB
    for client in clients[:2]:
        await client.send(b".\r\n")
    for client in clients[2:]:
        client.writer.close()
    assert {(await client.reply()).code for client in clients[:2]} == {250}
    assert len(await served.queued()) == 2
    await until(lambda: not budgets.memory.used_bytes + budgets.disk.used_bytes)


async def test_a_large_message_is_what_was_sent(serve: Serve) -> None:
    served = await serve()
    client = await served.user()
    text = b"".join(b"..line %d\r\n" % number for number in range(600_000))
    assert (await client.submit(message() + text)).code == 250
    (row,) = await served.queued()
    raw = await served.store.read(lambda tx: tx.raw(row.content, 0, 20 * MIB))
    assert hashlib.sha256(raw[-6 * MIB :]).digest() == (
        hashlib.sha256(text.replace(b"..line", b".line")[-6 * MIB :]).digest()
    )


async def test_messages_beyond_the_memory_go_to_the_disk(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.smtpserver.server.SUBMISSIONS_BYTES", 100 * KIB)
    served = await serve()
    clients = [await begun(served) for _ in range(4)]
    for number, client in enumerate(clients):
        await client.send(large(number, 60 * KIB))
    await until(lambda: served.server._budgets.disk.used_bytes > 60 * KIB)
    for client in reversed(clients):
        await client.send(b".\r\n")
        assert (await client.reply()).code == 250
    assert served.server._budgets.memory.used_bytes == 0


async def test_messages_beyond_the_disks_budget_are_put_off(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.smtpserver.server.SUBMISSIONS_BYTES", 1)
    monkeypatch.setattr("bridge.smtpserver.server.SUBMISSIONS_SPOOLED_BYTES", 100_000)
    served = await serve(rules=SubmissionRules(max_message_bytes=60_000))

    def has_more_than(size_bytes: int) -> bool:
        return served.server._budgets.disk.used_bytes > size_bytes

    clients = [await begun(served) for _ in range(3)]
    for number, client in enumerate(clients):
        before_bytes = served.server._budgets.disk.used_bytes
        await client.send(large(number, 50_000))
        if before_bytes < 60_000:
            await until(partial(has_more_than, before_bytes))
    codes = []
    for client in reversed(clients):
        await client.send(b".\r\n")
        codes.append((await client.reply()).code)
    assert sorted(codes) == [250, 250, 452]
    assert (await clients[0].submit(large(9, 50_000))).code == 250  # all was given back


async def test_a_disk_that_takes_nothing_puts_off_the_large_ones_alone(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    served = await serve()
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    client = await served.user()
    reply = await client.submit(large(1, 6 * MIB))
    assert (reply.code, reply.status) == (452, "4.3.1")
    assert (await client.submit(message())).code == 250
    assert served.server._budgets.disk.used_bytes == 0


async def test_one_that_is_too_large_leaves_the_disk(serve: Serve) -> None:
    served = await serve(rules=SubmissionRules(max_message_bytes=5 * MIB))
    client = await begun(served)
    await client.send(large(1, 7 * MIB))
    await until(lambda: served.server._budgets.memory.used_bytes == 0)
    await client.send(b".\r\n")
    assert (await client.reply()).code == 552
    assert served.server._budgets.disk.used_bytes == 0


async def test_who_hangs_up_gives_back_what_he_took(serve: Serve) -> None:
    served = await serve()
    budgets = served.server._budgets
    small, spilled = await begun(served), await begun(served)
    await small.send(b"x" * 10_000)
    await spilled.send(large(1, 6 * MIB))
    await until(lambda: budgets.memory.used_bytes and budgets.disk.used_bytes)
    small.writer.transport.abort()
    spilled.writer.transport.abort()
    await until(lambda: not budgets.memory.used_bytes and not budgets.disk.used_bytes)


async def test_small_ones_do_not_wait_for_large_ones(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    served = await serve()
    delivery = served.server._delivery
    deliver = delivery.deliver

    async def slow(incoming: object) -> object:
        if len(incoming.raw) > 4 * MIB:  # type: ignore[attr-defined]
            await gate.wait()
        return await deliver(incoming)  # type: ignore[arg-type]

    monkeypatch.setattr(delivery, "deliver", slow)
    clients = [await begun(served) for _ in range(2)]
    for number, client in enumerate(clients):
        await client.send(large(number, 6 * MIB) + b".\r\n")
    await until(lambda: served.server._budgets.disk.used_bytes > 10 * MIB)
    user = await served.user()
    assert (await user.submit(message(Message_ID="<9@erp.example>"))).code == 250
    gate.set()
    assert {(await client.reply()).code for client in clients} == {250}


@pytest.mark.parametrize("pieces", [1, 2, 4])
def test_a_budget_counts_each_byte_once(pieces: int) -> None:
    budget = ByteBudget(1000)
    reader = DataReader(10_000, budget)
    for _ in range(pieces):
        reader.feed(b"y" * 100)
    assert budget.used_bytes == pieces * 100
    reader.release()
    reader.release()
    assert budget.used_bytes == 0


def test_a_message_over_the_memory_spills_and_over_the_disk_keeps_nothing() -> None:
    memory, disk = ByteBudget(1000), ByteBudget(1000)
    first, second = (DataReader(10_000, memory, disk) for _ in range(2))
    first.feed(b"x" * 800)
    second.feed(b"x" * 800)
    assert (first.must_spill, second.must_spill) == (False, True)
    assert len(second.spill()) == 800
    assert (memory.used_bytes, disk.used_bytes) == (800, 800)
    second.feed(b"x" * 800)
    assert second.spill() == b""
    assert second.is_over_budget
    assert (memory.used_bytes, disk.used_bytes) == (800, 0)
    assert second.feed(b"\r\n.\r\n") == b""
    assert second.message() == b""


async def test_a_large_message_is_never_in_memory(serve: Serve) -> None:
    served = await serve()
    client = await begun(served)
    text = large(1, 20 * MIB)
    with peak() as held:
        for at in range(0, len(text), MIB):
            await client.send(text[at : at + MIB])
        await client.send(b".\r\n")
        assert (await client.reply()).code == 250
    assert held.size_bytes < SUBMISSION_SPOOLED_FROM_BYTES * 3
    (row,) = await served.queued()
    raw = await served.store.read(lambda tx: tx.raw(row.content, 0, 30 * MIB))
    assert raw.endswith(text[-10 * MIB :])


async def test_a_large_message_is_checked_like_any_other(serve: Serve) -> None:
    served = await serve()
    client = await served.user()
    text = LINE * (5 * MIB // len(LINE))
    reply = await client.submit(message(From="altri@pec.example") + text)
    assert (reply.code, reply.status) == (550, "5.7.1")
    reply = await client.submit(message(Message_ID=None) + text)
    assert reply.code == 250
    (row,) = await served.queued()
    raw = await served.store.read(lambda tx: tx.raw(row.content, 0, 20 * MIB))
    assert raw.startswith(f"Message-ID: {row.message_id}\r\n".encode())
    assert raw.endswith(text)
    assert raw.lower().count(b"message-id:") == 1


@pytest.mark.parametrize(
    ("fault", "code"), [(TooCostly("x"), 554), (ApartFailed("x"), 451), (OSError(28, "x"), 451)]
)
async def test_a_large_message_that_cannot_be_checked_is_not_queued(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, fault: Exception, code: int
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise fault

    served = await serve()
    monkeypatch.setattr("bridge.apart.process.Apart.run", fails)
    client = await served.user()
    assert (await client.submit(large(1, 5 * MIB))).code == code
    assert not await served.queued()
    assert (await client.submit(message())).code == 250


async def test_much_text_is_worked_on_elsewhere(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step of what reads text holds the interpreter for as long as it takes."""
    lengths: list[int] = []
    whole = checking.check_apart

    async def check_apart(*arguments: Any) -> Any:
        lengths.append(len(arguments[1]))
        return await whole(*arguments)

    monkeypatch.setattr("bridge.smtpserver.delivery.check_apart", check_apart)
    served = await serve()
    client = await served.user()
    deed = base64.encodebytes(bytes(600 * KIB))
    file = {"Content_Type": "application/pdf", "Content_Transfer_Encoding": "base64"}
    scanned = message(Message_ID="<1@erp.example>", **file) + deed.replace(b"\n", b"\r\n")
    assert (await client.submit(scanned)).code == 250
    assert lengths == []
    assert (await client.submit(large(2, 300 * KIB))).code == 250
    assert [one // KIB for one in lengths] == [299]
    first, second = await served.queued()
    kept = await served.store.read(lambda tx: tx.raw(second.content, 0, MIB))
    assert kept.endswith(LINE * 300)
    assert first.message_id != second.message_id


async def test_so_much_is_checked_at_once(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.smtpserver.delivery.CHECKED_BYTES", 2 * MIB)
    served = await serve()
    delivery = served.server._delivery
    gate = asyncio.Event()
    begun_bytes: list[int] = []
    deliver = delivery.deliver

    async def slow(incoming: Incoming) -> SmtpReply:
        if len(incoming.raw) > 64 * KIB:
            begun_bytes.append(len(incoming.raw))
            await gate.wait()
        return await deliver(incoming)

    monkeypatch.setattr(delivery, "deliver", slow)
    clients = [await begun(served) for _ in range(4)]
    for number, client in enumerate(clients):
        await client.send(large(number, MIB // 2 + MIB // 4) + b".\r\n")
    await until(lambda: len(begun_bytes) == 2)
    assert (await (await served.user()).submit(message(Message_ID="<9@erp.example>"))).code == 250
    assert len(begun_bytes) == 2
    gate.set()
    assert {(await client.reply()).code for client in clients} == {250}
