"""FETCH: every item, sections and partials, batches, and what it does to \\Seen."""

from __future__ import annotations

from itertools import product

import pytest

from bridge.imapserver.dataitems.batch import BATCH_MESSAGES
from bridge.store.base import StoreFailed
from tests.imapserver.client import Client, Rig, message

MULTIPART = (
    b"From: Anna <anna@pec.example>\r\n"
    b"Subject: Allegati\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n'
    b"\r\n"
    b"preambolo\r\n"
    b"--b\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n"
    b"\r\n"
    b"Perch=C3=A9\r\n"
    b"--b\r\n"
    b"Content-Type: message/rfc822\r\n"
    b"\r\n"
    b"Subject: Dentro\r\n"
    b"\r\n"
    b"testo dentro\r\n"
    b"--b\r\n"
    b"Content-Type: application/octet-stream\r\n"
    b"Content-Transfer-Encoding: base64\r\n"
    b"\r\n"
    b"AAEC\r\n"
    b"--b--\r\n"
)


@pytest.fixture
async def client(rig: Rig) -> Client:
    await rig.add(MULTIPART)
    return await rig.client("INBOX")


SECTIONS = {
    "whole": ("BODY.PEEK[]", "BODY[]", MULTIPART),
    "header": ("BODY.PEEK[HEADER]", "BODY[HEADER]", MULTIPART.split(b"preambolo")[0]),
    "text": ("BODY.PEEK[TEXT]", "BODY[TEXT]", b"preambolo" + MULTIPART.split(b"preambolo")[1]),
    "part": ("BODY.PEEK[1]", "BODY[1]", b"Perch=C3=A9"),
    "part's header": (
        "BODY.PEEK[1.MIME]",
        "BODY[1.MIME]",
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
    ),
    "message inside": ("BODY.PEEK[2]", "BODY[2]", b"Subject: Dentro\r\n\r\ntesto dentro"),
    "its header": ("BODY.PEEK[2.HEADER]", "BODY[2.HEADER]", b"Subject: Dentro\r\n\r\n"),
    "its text": ("BODY.PEEK[2.TEXT]", "BODY[2.TEXT]", b"testo dentro"),
    "its part": ("BODY.PEEK[2.1]", "BODY[2.1]", b"testo dentro"),
    "fields": (
        "BODY.PEEK[HEADER.FIELDS (subject FROM)]",
        "BODY[HEADER.FIELDS (SUBJECT FROM)]",
        b"From: Anna <anna@pec.example>\r\nSubject: Allegati\r\n\r\n",
    ),
    "other fields": (
        "BODY.PEEK[HEADER.FIELDS.NOT (From Content-Type)]",
        "BODY[HEADER.FIELDS.NOT (FROM CONTENT-TYPE)]",
        b"Subject: Allegati\r\nMIME-Version: 1.0\r\n\r\n",
    ),
    "fields inside": (
        "BODY.PEEK[2.HEADER.FIELDS (Subject)]",
        "BODY[2.HEADER.FIELDS (SUBJECT)]",
        b"Subject: Dentro\r\n\r\n",
    ),
    "no such part": ("BODY.PEEK[7]", "BODY[7]", b""),
    "partial": ("BODY.PEEK[1]<5.3>", "BODY[1]<5>", b"=C3"),
    "partial past the end": ("BODY.PEEK[1]<50.3>", "BODY[1]<50>", b""),
    "partial fields": (
        "BODY.PEEK[HEADER.FIELDS (Subject)]<0.7>",
        "BODY[HEADER.FIELDS (SUBJECT)]<0>",
        b"Subject",
    ),
    "decoded": ("BINARY.PEEK[1]", "BINARY[1]", "Perché".encode()),
    "decoded partial": ("BINARY.PEEK[1]<5.2>", "BINARY[1]<5>", "é".encode()),
    "RFC822.HEADER": ("RFC822.HEADER", "RFC822.HEADER", MULTIPART.split(b"preambolo")[0]),
}


@pytest.mark.parametrize(("asked", "shown", "text"), SECTIONS.values(), ids=SECTIONS.keys())
async def test_section(client: Client, asked: str, shown: str, text: bytes) -> None:
    (line,) = await client.ok(f"FETCH 1 ({asked})")
    assert line.encode() == b"* 1 FETCH (%b {%d}\r\n%b)" % (shown.encode(), len(text), text)


async def test_binary_with_a_nul_is_a_literal8(client: Client) -> None:
    (line,) = await client.ok("FETCH 1 (BINARY.PEEK[3] BINARY.SIZE[3] BINARY.SIZE[1])")
    assert line == "* 1 FETCH (BINARY[3] ~{3}\r\n\0\1\2 BINARY.SIZE[3] 3 BINARY.SIZE[1] 7)"


async def test_binary_of_an_unknown_encoding(rig: Rig) -> None:
    await rig.add(b"Content-Transfer-Encoding: x-own\r\n\r\nabc\r\n")
    client = await rig.client("INBOX")
    assert (await client.tagged("FETCH 1 BINARY[1]")).startswith("NO [UNKNOWN-CTE]")


async def test_items_come_in_the_order_asked_for(client: Client) -> None:
    (line,) = await client.ok("FETCH 1 (RFC822.SIZE UID INTERNALDATE FLAGS)")
    assert line == (
        f"* 1 FETCH (RFC822.SIZE {len(MULTIPART)} UID 1"
        ' INTERNALDATE "15-Jan-2026 09:00:00 +0000" FLAGS (\\Recent))'
    )


async def test_envelope_and_structure(client: Client) -> None:
    (line,) = await client.ok("FETCH 1 (ENVELOPE BODYSTRUCTURE BODY)")
    assert line.startswith(
        '* 1 FETCH (ENVELOPE (NIL "Allegati" (("Anna" NIL "anna" "pec.example"))'
    )
    assert 'BODYSTRUCTURE (("text" "plain" ("charset" "utf-8")' in line
    assert ' BODY (("text" "plain" ("charset" "utf-8")' in line


async def test_a_text_fetched_is_seen(client: Client) -> None:
    (line,) = await client.ok("FETCH 1 BODY[1]")
    assert line.endswith("Perch=C3=A9 FLAGS (\\Recent \\Seen))")
    (line,) = await client.ok("FETCH 1 (FLAGS BODY[1])")
    assert line.startswith("* 1 FETCH (FLAGS (\\Recent \\Seen) BODY[1]")


@pytest.mark.parametrize("item", ["BODY.PEEK[]", "RFC822.HEADER", "BINARY.PEEK[1]", "PREVIEW"])
async def test_peeking_leaves_it_unseen(client: Client, item: str) -> None:
    await client.ok(f"FETCH 1 {item}")
    assert await client.ok("SEARCH UNSEEN") == ["* SEARCH 1"]


async def test_an_examined_mailbox_stays_as_it_is(rig: Rig) -> None:
    await rig.add("m")
    client = await rig.client()
    await client.ok("EXAMINE INBOX")
    await client.ok("FETCH 1 BODY[]")
    assert await client.ok("SEARCH UNSEEN") == ["* SEARCH 1"]
    assert (await client.tagged("STORE 1 +FLAGS (\\Seen)")).startswith("NO")
    assert (await client.tagged("MOVE 1 Archive")).startswith("NO")


async def test_what_was_fetched_once_is_the_same_again(rig: Rig) -> None:
    for number in range(3):
        await rig.add(f"m{number}")
    client = await rig.client("INBOX")
    asked = "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject Date X-None)])"
    first = await client.ok(asked)
    assert await client.ok(asked) == first
    await rig.add("m3")
    await client.ok("NOOP")
    lines = await client.ok(asked)
    assert lines[:3] == first
    assert "Subject: m3\r\n" in lines[3]


async def test_more_messages_than_a_batch_holds(rig: Rig) -> None:
    mailboxes = rig.services.mailboxes
    box = await mailboxes.find(rig.account, "INBOX")
    assert box is not None
    ready = await mailboxes.prepare(message("uguale"))
    count = BATCH_MESSAGES + 3
    await mailboxes.append_many(box.id, [(ready, frozenset(), rig.clock.now())] * count)
    client = await rig.client("INBOX")
    lines = await client.ok("UID FETCH 1:* (RFC822.SIZE BODY[TEXT])")
    assert len(lines) == count
    assert lines[-1].startswith(f"* {count} FETCH (UID {count} RFC822.SIZE ")
    assert await client.ok("SEARCH RETURN (COUNT) SEEN") == [
        f'* ESEARCH (TAG "t{client.tags}") COUNT {count}'
    ]


async def test_the_expunged_are_left_out_and_said_to_be(rig: Rig) -> None:
    for number in range(3):
        await rig.add(f"m{number}")
    client, other = await rig.client("INBOX"), await rig.client("INBOX")
    await other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    await client.ok("NOOP")
    await other.ok("EXPUNGE")
    *lines, tagged = await client.ask("FETCH 1:3 UID")
    assert lines == ["* 1 FETCH (UID 1)", "* 3 FETCH (UID 3)"]
    assert tagged.startswith("OK [EXPUNGEISSUED]")


async def test_the_expunged_are_still_found_until_they_are_told(rig: Rig) -> None:
    for number in range(3):
        await rig.add(f"m{number}", flags=("\\Flagged",) if number == 1 else ())
    client, other = await rig.client("INBOX"), await rig.client("INBOX")
    await other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    await client.ok("NOOP")
    await other.ok("EXPUNGE")
    assert await client.ok("SEARCH ALL") == ["* SEARCH 1 2 3"]
    assert await client.ok("SEARCH FLAGGED") == ["* SEARCH 2"]
    assert await client.ok("SORT (REVERSE ARRIVAL) UTF-8 NOT FLAGGED") == ["* SORT 1 3"]
    assert await client.ok("SORT (REVERSE SUBJECT) UTF-8 ALL") == ["* SORT 3 2 1"]
    assert await client.ok("THREAD REFERENCES UTF-8 ALL") == ["* THREAD (1)(2)(3)"]


def large() -> bytes:
    """Return a message over the size that is sent in pieces, with two parts."""
    lines = b"".join(b"riga %d\r\n" % number for number in range(150_000))
    return (
        b"Subject: Grande\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\n" + lines + b"\r\n"
        b"--b\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n"
    )


async def test_a_large_message_in_pieces(rig: Rig) -> None:
    raw = large()
    await rig.add(raw)
    client = await rig.client("INBOX")
    (line,) = await client.ok("FETCH 1 (UID BODY[])")
    assert line.encode() == (
        b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%b FLAGS (\\Recent \\Seen))" % (len(raw), raw)
    )
    text = raw[raw.index(b"riga 0") : raw.index(b"\r\n--b\r\nContent-Type: application")]
    (line,) = await client.ok("FETCH 1 BODY.PEEK[1]")
    assert line.encode() == b"* 1 FETCH (BODY[1] {%d}\r\n%b)" % (len(text), text)
    (line,) = await client.ok("FETCH 1 (BODY.PEEK[1]<1000000.6> BODY.PEEK[1]<9999999.6>)")
    piece = text[1_000_000:1_000_006]
    assert line.encode() == (
        b"* 1 FETCH (BODY[1]<1000000> {6}\r\n%b BODY[1]<9999999> {0}\r\n)" % piece
    )


async def test_parts_of_a_large_message(rig: Rig) -> None:
    await rig.add(large())
    client = await rig.client("INBOX")
    (line,) = await client.ok(
        "FETCH 1 (BINARY.SIZE[2] BINARY.PEEK[2] BODY.PEEK[HEADER.FIELDS (Subject)]<0.7>"
        " BODY.PEEK[2.MIME] BODY.PEEK[7] BODY.PEEK[HEADER])"
    )
    assert line.startswith(
        "* 1 FETCH (BINARY.SIZE[2] 3 BINARY[2] ~{3}\r\n\0\1\2"
        " BODY[HEADER.FIELDS (SUBJECT)]<0> {7}\r\nSubject BODY[2.MIME] {77}\r\nContent-Type: appl"
    )
    assert " BODY[7] {0}\r\n BODY[HEADER] {" in line
    assert (await client.tagged("FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject)]")).startswith("OK")


async def test_a_store_that_fails_inside_a_literal_ends_the_connection(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(work: object) -> bytes:
        raise StoreFailed("the medium is gone")

    await rig.add(large())
    client = await rig.client("INBOX")
    monkeypatch.setattr(rig.services.store, "scan", failing)
    await client.send(b"a FETCH 1 BODY.PEEK[]\r\n")
    assert (await client.eof()).endswith(b"* BYE the store failed\r\n")


MARKING = [
    "BODY[]",
    "BODY[TEXT]",
    "BODY[1]<0.2>",
    "BINARY[1]",
    "BINARY[1]<0.2>",
    "RFC822",
    "RFC822.TEXT",
]
ENABLING = ["ENABLE CONDSTORE", "ENABLE QRESYNC", "STATUS INBOX (HIGHESTMODSEQ)"]


@pytest.mark.parametrize("enable", ENABLING)
@pytest.mark.parametrize("others", ["", "FLAGS", "MODSEQ", "FLAGS MODSEQ UID", "UID", "ENVELOPE"])
async def test_what_is_marked_as_seen_is_told_whole(rig: Rig, enable: str, others: str) -> None:
    await rig.add("m0", flags=("\\Seen",))
    await rig.add("m1")
    client = await rig.client("INBOX")
    await client.ok(enable)
    for item, (command, uid) in product(MARKING, (("FETCH 1:2", 0), ("UID FETCH 1:2", 1))):
        await client.ok("STORE 2 -FLAGS.SILENT (\\Seen)")
        seen, marked = [
            line for line in await client.ok(f"{command} ({others} {item})".replace("( ", "("))
        ]
        for name in ("UID", "FLAGS", "MODSEQ"):
            assert marked.count(f"{name} ") == 1, marked
            asked = name in others or (name == "UID" and uid)
            assert seen.count(f"{name} ") == int(asked), seen
        assert "\\Seen" in marked


async def test_a_large_message_marked_as_seen_is_told_whole(rig: Rig) -> None:
    await rig.add(large())
    client = await rig.client("INBOX")
    await client.ok("ENABLE CONDSTORE")
    (line,) = await client.ok("FETCH 1 (FLAGS BODY[1])")
    assert line.endswith(" UID 1 MODSEQ (3))")
    assert line.startswith("* 1 FETCH (FLAGS (\\Recent \\Seen) BODY[1] {")


async def test_flags_that_another_changed_are_told_with_uid_and_modseq(rig: Rig) -> None:
    await rig.add()
    client, other = await rig.client("INBOX"), await rig.client("INBOX")
    await client.ok("ENABLE CONDSTORE")
    await other.ok("STORE 1 +FLAGS (\\Flagged)")
    told = "* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent) MODSEQ (3))"
    assert told in await client.ok("NOOP")
    await client.ok("FETCH 1 (FLAGS)")
    assert await client.ok("STORE 1 -FLAGS (\\Flagged)") == [
        "* 1 FETCH (UID 1 FLAGS (\\Recent) MODSEQ (4))"
    ]
    assert await client.ok("STORE 1 +FLAGS.SILENT (\\Flagged)") == ["* 1 FETCH (UID 1 MODSEQ (5))"]


@pytest.mark.parametrize(
    ("returns", "of"),
    [("MIN", 1), ("MAX", 3), ("MIN MAX", 3), ("COUNT", 2), ("MIN COUNT", 2), ("MAX ALL", 2)],
)
async def test_the_modseq_told_is_that_of_the_ends_where_only_they_are(
    rig: Rig, returns: str, of: int
) -> None:
    """RFC 7162 §3.1.5."""
    for number in range(3):
        await rig.add(f"m{number}")
    client = await rig.client("INBOX")
    await client.ok("ENABLE CONDSTORE")
    modseqs = {}
    for number in (1, 3, 2):
        (line,) = await client.ok(f"STORE {number} +FLAGS (\\Flagged)")
        modseqs[number] = line.partition(" MODSEQ (")[2].rstrip(")")
    (line,) = await client.ok(f"SEARCH RETURN ({returns}) MODSEQ 1")
    assert line.endswith(f" MODSEQ {modseqs[of]}")
