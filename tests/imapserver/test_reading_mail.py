"""Mail that breaks rules, as a client sees and finds it."""

from __future__ import annotations

import pytest

from tests.imapserver.client import Client, Rig

HEAD = b"From: x@y.it\r\nSubject: s\r\nMIME-Version: 1.0\r\n"


async def with_mail(rig: Rig, *raws: bytes) -> Client:
    client = await rig.client("INBOX")
    for raw in raws:
        await client.append("INBOX", raw)
    return client


async def found(client: Client, field: str, text: str) -> bool:
    needle = text.encode()
    literal = b"{%d+}\r\n%b" % (len(needle), needle)
    (line,) = await client.ok(b"SEARCH CHARSET UTF-8 %b %b" % (field.encode(), literal))
    return line == "* SEARCH 1"


@pytest.mark.parametrize(
    ("raw", "field", "text"),
    [
        (
            HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa9 \xe1",
            "BODY",
            "é \ufffd",
        ),
        (HEAD + b"Content-Type: text/plain; charset=euc-kr\r\n\r\n\x8cc", "BODY", "똠"),
        (HEAD + b"Content-Type: text/html charset=utf-8\r\n\r\n<p>\xc3\xa8", "BODY", "è"),
        (HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nc2FsZG8gNzU", "BODY", "saldo 75"),
        (HEAD + b"Content-Type: text/html\r\n\r\nn. 1<!-- -->2", "BODY", "n. 12"),
        (b"Subject: =?iso-8859-1?Q?Fr\xf6sche??=\r\n\r\nx", "SUBJECT", "frösche?"),
        (b"From: =?utf-8?B?w6hp?= =?utf-8?B?YQ?= <a@b>\r\n\r\nx", "FROM", "èia"),
        (b"Date: Wed, 15 Dec 2010    59:10 -0500\r\n\r\nx", "SENTON 15-Dec-2010 BODY", "x"),
        (
            HEAD + b"Content-Disposition: attachment; filename*=utf-8''citt%C3%A0.pdf\r\n\r\nx",
            "TEXT",
            "città.pdf",
        ),
        (
            HEAD + b"Content-Disposition: attachment; filename*=utf-8''citt%C3%A0.pdf\r\n\r\nx",
            "BODY",
            "città.pdf",
        ),
    ],
)
async def test_what_is_found(rig: Rig, raw: bytes, field: str, text: str) -> None:
    client = await with_mail(rig, raw)
    assert await found(client, field, text)


async def test_fields_of_parts_are_found_by_text_alone(rig: Rig) -> None:
    raw = (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-Foo: bar\r\n"
        b"Content-Type: text/plain\r\n\r\nx\r\n--b--\r\n"
    )
    client = await with_mail(rig, raw)
    assert not await found(client, "BODY", "content-type")
    assert not await found(client, "BODY", "x-foo")
    assert await found(client, "TEXT", "x-foo:bar")
    assert not await found(client, "HEADER X-Foo", "bar")


async def test_a_field_of_a_part_is_found_however_long_it_is(rig: Rig) -> None:
    raw = (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-Foo: %b ago\r\n\r\nx\r\n"
        b"--b--\r\n"
    ) % (b"paglia " * 10_000)
    client = await with_mail(rig, raw)
    assert await found(client, "TEXT", "ago")
    assert not await found(client, "BODY", "ago")


async def test_subjects_are_sorted_and_threaded_with_their_accents(rig: Rig) -> None:
    subjects = [b"=?utf-8?q?caff=C3=A8?=", b"caffe latte", b"CAFFE"]
    client = await with_mail(rig, *(b"Subject: %b\r\n\r\nx" % one for one in subjects))
    assert await client.ok("SORT (SUBJECT) UTF-8 ALL") == ["* SORT 3 2 1"]
    assert await client.ok("THREAD ORDEREDSUBJECT UTF-8 ALL") == ["* THREAD (1)(2)(3)"]
    assert await client.ok("SEARCH SUBJECT caffe") == ["* SEARCH 1 2 3"]


async def test_the_address_is_the_one_in_brackets(rig: Rig) -> None:
    client = await with_mail(rig, b"From: m@casa.it <m@x.it>\r\nTo: [l] A <a@b>\r\n\r\nx")
    (line,) = await client.ok("FETCH 1 (ENVELOPE)")
    assert '(("m@casa.it" NIL "m" "x.it"))' in line
    assert '(("[l] A" NIL "a" "b"))' in line


async def test_a_decoded_message_says_that_it_is(rig: Rig) -> None:
    raw = b"Content-Transfer-Encoding: quoted-printable\r\nSubject: s\r\n\r\na=3Db"
    client = await with_mail(rig, raw)
    shown = "".join(await client.ok("FETCH 1 (BINARY.PEEK[])"))
    assert "Content-Transfer-Encoding: binary\r\n\r\na=b" in shown
    assert "quoted-printable" not in shown
