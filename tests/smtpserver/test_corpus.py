"""Real messages through a real session: queued as they are, or a clear 5xx; the session lives."""

from __future__ import annotations

import re
from importlib.resources.abc import Traversable

from bridge.mime.strict.attachment import File
from bridge.mime.strict.content import convert
from bridge.outbox.queue import QueueSettings
from tests.mime.strict.independent import attachments
from tests.mime.strict.test_corpus import REFUSED, corpus, wire
from tests.smtpserver.conftest import ADDRESS, TO, Client, Reply, Serve

_ADDRESSING = re.compile(rb"(?im)^(from|to|cc|bcc|message-id):.*(\r\n[ \t].*)*\r\n")


def addressed(raw: bytes) -> bytes:
    """Return a message from the account to the test's recipient, else as it was."""
    raw = re.sub(rb"\AFrom .*\r\n", b"", raw)
    head, blank, body = raw.partition(b"\r\n\r\n")
    if not re.match(rb"[!-9;-~]+:", raw):  # no header at all
        return f"From: {ADDRESS}\r\nTo: {TO}\r\n\r\n".encode() + raw
    head = _ADDRESSING.sub(b"", head + b"\r\n")
    return f"From: {ADDRESS}\r\nTo: {TO}\r\n".encode() + head + blank[2:] + body


def stuffed(raw: bytes) -> bytes:
    raw = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", raw)


async def submit(client: Client, raw: bytes) -> Reply:
    reply = await client.submit(stuffed(raw))
    assert reply.code == 250 or (500 <= reply.code < 600 and len(reply.text) > 40), reply
    await client.do("RSET")
    return reply


async def test_as_they_are_from_a_trusted_application(serve: Serve) -> None:
    served = await serve(trusted=True)
    client = await served.connect()
    await client.do("EHLO corpus")
    for one in corpus():
        await submit(client, wire(one))


async def test_addressed_as_pec_wants_it(serve: Serve) -> None:
    settings = QueueSettings(dedup_window_s=0, same_message_id="send")  # it repeats itself
    served = await serve(queue=settings)
    client = await served.user()
    taken: list[Traversable] = []
    for one in corpus():
        reply = await submit(client, addressed(wire(one)))
        assert (reply.code != 250) is (one.name in REFUSED), (one.name, reply)
        if reply.code == 250:
            taken.append(one)
    for one, raw in zip(taken, await served.texts(), strict=True):
        sent = [_comparable(file) for file in convert(raw).files]
        for content in attachments(wire(one)):
            inside = content.startswith((b"\x89PNG", b"\x78\x9f\x3e\x22"))  # image, winmail.dat
            assert content in sent or inside or one.name == "msg_42.txt", one.name


def _comparable(file: File) -> bytes:
    return file.content.rstrip(b"\r\n") if file.media_type == "message/rfc822" else file.content
