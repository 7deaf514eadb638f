"""FETCH and CATENATE of much, of many parts, of long headers: nothing is built whole in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.imap.sections import Section
from bridge.imapserver.dataitems.fields import PIECE_BYTES, fields_of
from bridge.imapserver.pace import CommandShare
from bridge.limits import IMAP_FETCH_ITEMS, IMAP_FIELD_NAMES, IMAP_PARTS
from bridge.mime.grammar.header import header_fields
from bridge.mime.lenient import part
from tests.costs.measure import others, peak
from tests.imapserver.client import Client, Rig

TOO_MUCH: dict[str, bytes] = {
    "items": b"FETCH 1 (" + b"BODY.PEEK[1] " * IMAP_FETCH_ITEMS + b"UID)",
    "different items": b"UID FETCH 1 ("
    + b"".join(b"BODY.PEEK[%d] " % at for at in range(1, IMAP_FETCH_ITEMS + 1))
    + b"UID)",
    "names": b"FETCH 1 BODY.PEEK[HEADER.FIELDS (" + b"a " * IMAP_FIELD_NAMES + b"a)]",
    "long names": b"FETCH 1 BODY.PEEK[HEADER.FIELDS (" + b"a" * 60_000 + b")]",
    "items in NOTIFY": b"NOTIFY SET (SELECTED (MessageNew ("
    + b"BODY.PEEK[1] " * IMAP_FETCH_ITEMS
    + b"UID) MessageExpunge))",
    "parts": b"APPEND INBOX CATENATE (" + b'URL "/INBOX/;UID=1" ' * IMAP_PARTS + b'URL "x")',
}


@pytest.mark.parametrize("command", TOO_MUCH.values(), ids=TOO_MUCH.keys())
async def test_what_is_too_much_is_refused(rig: Rig, command: bytes) -> None:
    client = await rig.client("INBOX")
    assert (await client.tagged(command)).startswith("NO [LIMIT]")
    await client.ok("NOOP")


def of_parts(count: int, size_bytes: int = 10) -> bytes:
    """Return a message of so many parts."""
    body = b"".join(b"--b\r\n\r\n" + b"x" * size_bytes + b"\r\n" for _ in range(count))
    return b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + body + b"--b--\r\n"


async def taken(client: Client, command: bytes) -> tuple[int, bytes]:
    """Send a command; return how many bytes were answered and the tagged line."""
    await client.send(b"big " + command + b"\r\n")
    size_bytes, end = 0, b""
    while b"\r\nbig " not in end[-200:]:
        block = await client.reader.read(1 << 20)
        assert block
        size_bytes += len(block)
        end = (end + block)[-400:]
    return size_bytes, end.rpartition(b"\r\nbig ")[2]


ASKED: dict[str, Callable[[int], bytes]] = {
    "sections": lambda at: b"BODY.PEEK[%d]" % at,
    "headers of parts": lambda at: b"BODY.PEEK[%d.MIME]" % at,
    "partials": lambda at: b"BODY.PEEK[]<%d.9000>" % at,
    "whole parts decoded": lambda at: b"BINARY.PEEK[%d]" % at,
    "sizes": lambda at: b"BINARY.SIZE[%d]" % at,
    "sets of fields": lambda at: b"BODY.PEEK[HEADER.FIELDS (X-%d)]" % at,
    "headers within": lambda at: b"BODY.PEEK[%d.HEADER.FIELDS (A)]" % at,
}


@pytest.mark.parametrize("item", ASKED.values(), ids=ASKED.keys())
async def test_structures_are_read_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, item: Callable[[int], bytes]
) -> None:
    read = 0
    unpacked = part._unpacked

    def counted(rows: object) -> object:
        nonlocal read
        read += 1
        return unpacked(rows)  # type: ignore[arg-type]

    await rig.add(of_parts(2000))
    client = await rig.client("INBOX")
    monkeypatch.setattr(part, "_unpacked", counted)
    items = b" ".join(item(at) for at in range(1, IMAP_FETCH_ITEMS + 1))
    async with others() as turns:
        size_bytes, tagged = await taken(client, b"FETCH 1 (" + items + b")")
    assert tagged.startswith(b"OK")
    assert size_bytes > 10 * IMAP_FETCH_ITEMS
    assert read <= 2001
    assert turns.count >= 4


@pytest.mark.parametrize(
    ("wanted", "count", "least_bytes"),
    [
        (b" ".join(b"BODY.PEEK[]<0.%d>" % (900_000 - at) for at in range(100)), 1, 80_000_000),
        (b" ".join(b"BODY.PEEK[1]<0.%d>" % (900_000 - at) for at in range(100)), 1, 19_000_000),
        (b"BODY.PEEK[HEADER]", 60, 40_000_000),
        (b"ENVELOPE", 60, 40_000_000),
        (b"BODY.PEEK[HEADER.FIELDS (SUBJECT)]", 60, 40_000_000),
        (b"BODY.PEEK[HEADER.FIELDS.NOT (TO)]", 60, 40_000_000),
        (b"(UID ENVELOPE BODY.PEEK[HEADER.FIELDS (SUBJECT)])", 60, 80_000_000),
    ],
    ids=["partials", "of a part", "headers", "envelopes", "fields", "other fields", "both"],
)
async def test_answers_are_built_in_pieces(
    rig: Rig, wanted: bytes, count: int, least_bytes: int
) -> None:
    subject = b"\r\n ".join(b"x" * 900 for _ in range(800))
    await rig.add(b"Subject: " + subject + b"\r\n\r\n" + b"y" * 200_000 + b"\r\n")
    client = await rig.client("INBOX")
    for _ in range(count - 1):
        await client.ok("COPY 1 INBOX")
    await client.ok("SELECT INBOX")
    with peak() as held:
        wanted = wanted if wanted.startswith(b"(") else b"(" + wanted + b")"
        size_bytes, tagged = await taken(client, b"FETCH 1:* " + wanted)
    assert tagged.startswith(b"OK")
    assert size_bytes > least_bytes
    assert held.size_bytes < 24_000_000


async def test_many_pieces_of_some_length_are_not_many_bytes(rig: Rig) -> None:
    """Each is just short enough not to be added up with the others."""
    subject = b"\r\n ".join(b"x" * 900 for _ in range(19))
    for number in range(200):
        await rig.add(b"Subject: %d " % number + subject + b"\r\n\r\ny\r\n")
    client = await rig.client("INBOX")
    with peak() as held:
        size_bytes, _ = await taken(client, b"FETCH 1:* (UID ENVELOPE)")
    assert size_bytes > 3_400_000
    assert held.size_bytes < 24_000_000


async def test_pieces_tell_what_the_whole_tells(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(12):
        await rig.add(f"m{at}")
    client = await rig.client("INBOX")
    await client.ok("COPY 3,1,2 INBOX")  # the texts' order is no more that of the messages
    await client.ok("NOOP")
    asked = (
        "FETCH 1:* (UID ENVELOPE FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)] PREVIEW)",
        "FETCH 1:* (BODY.PEEK[HEADER] INTERNALDATE)",
        "FETCH 1:* (BODY.PEEK[HEADER.FIELDS.NOT (TO)] RFC822.SIZE)",
        "FETCH 1:* (BODY[] BINARY.SIZE[1])",
    )
    whole = [sorted(await client.ok(command)) for command in asked[:3]]
    monkeypatch.setattr("bridge.imapserver.dataitems.body.MOST_BYTES", 1)
    monkeypatch.setattr("bridge.imapserver.commands.fetch.MOST_BYTES", 1)
    assert [sorted(await client.ok(command)) for command in asked[:3]] == whole
    monkeypatch.setattr("bridge.imapserver.commands.fetch.LARGE_BYTES", 1)
    monkeypatch.setattr("bridge.imapserver.dataitems.batch.BATCH_BYTES", 1)
    told = await client.ok(asked[3])
    assert len(told) == 15
    assert all("FLAGS (\\Recent \\Seen)" in line for line in told)


@pytest.mark.parametrize("negate", ["HEADER.FIELDS", "HEADER.FIELDS.NOT"])
@pytest.mark.parametrize(
    "header",
    [
        b"Subject: a\r\n\r\n",
        b"".join(b"X-%d: a\r\n b\r\nSubject: %d\r\n" % (at, at) for at in range(9000)) + b"\r\n",
        b"Subject: " + b"x\r\n " * PIECE_BYTES + b"\r\nTo: y\r\n\r\n",
        b"Subject: a\n" * 9000,
        b"",
    ],
)
async def test_fields_are_the_same_in_pieces(rig: Rig, header: bytes, negate: str) -> None:
    section = Section(text=negate, names=("SUBJECT", "X-7"))
    await rig.client()
    (output,) = rig.server._connections
    found = await fields_of(header, section, CommandShare(output))
    assert found == header_fields(header, frozenset({b"SUBJECT", b"X-7"}), "NOT" in negate)


async def test_pieces_of_messages_are_read_alone(rig: Rig) -> None:
    await rig.add(b"Subject: a\r\n\r\n" + b"0123456789" * 100_000)
    client = await rig.client("INBOX")
    url = 'URL "/INBOX/;UID=1/;SECTION=TEXT/;PARTIAL={}.1"'
    parts = " ".join(url.format(at) for at in range(IMAP_PARTS - 1))
    command = b"APPEND INBOX CATENATE (TEXT {8+}\r\nA: b\r\n\r\n " + parts.encode() + b")"
    with peak() as held:
        answer = await client.tagged(command)
    assert answer.startswith("OK [APPENDUID")
    assert held.size_bytes < 8_000_000
    digits = "".join(str(at % 10) for at in range(IMAP_PARTS - 1))
    (line,) = await client.ok("FETCH 2 BODY.PEEK[TEXT]")
    assert digits in line
