from __future__ import annotations

import pytest

from bridge.cli.sendmail_call import Exit, SendmailArguments
from bridge.cli.sendmail_message import MessageFault, Prepared, prepare, read_message

MAILBOX = "azienda@pec.example"
TO = "uno@altra.example"


def prepared(raw: str, call: SendmailArguments) -> Prepared:
    return prepare(read_message(raw.encode()), call, MAILBOX)


def test_a_whole_message_is_submitted_as_it_is() -> None:
    raw = f"From: {MAILBOX}\r\nTo: {TO}\r\nX-a:  b\r\n\tc\r\n\r\n.x\r\n"
    assert prepared(raw, SendmailArguments(recipients=(TO,))) == Prepared(
        MAILBOX, (TO,), raw.encode()
    )


@pytest.mark.parametrize(
    ("raw", "call", "header"),
    [
        pytest.param(
            "Subject: x\n\ny\n",
            SendmailArguments(recipients=(TO, "due@b")),
            f"From: <{MAILBOX}>\r\nTo: <{TO}>,\r\n <due@b>\r\nSubject: x",
            id="nobody named",
        ),
        pytest.param(
            f"From: root (Cron Daemon)\nTo: {TO}\nSubject: Cron <root@host> x\n\ny\n",
            SendmailArguments(full_name="CronDaemon", sender="root", read_recipients=True),
            f"From: CronDaemon <{MAILBOX}>\r\nTo: {TO}\r\nSubject: Cron <root@host> x",
            id="cron",
        ),
        pytest.param(
            f"From: Società <www-data>\nTo: {TO}\n\ny\n",
            SendmailArguments(read_recipients=True),
            f"From: =?utf-8?q?Societ=C3=A0?= <{MAILBOX}>\r\nTo: {TO}",
            id="a name without an address",
        ),
        pytest.param(
            f"To: {TO}\n\ny\n",
            SendmailArguments(full_name="Rossi, Ugo", read_recipients=True),
            f'From: "Rossi, Ugo" <{MAILBOX}>\r\nTo: {TO}',
            id="a name with a comma",
        ),
        pytest.param(
            f"From: altro@web.example\nTo: {TO}\n\ny\n",
            SendmailArguments(read_recipients=True),
            f"From: altro@web.example\r\nTo: {TO}",
            id="an address of somebody else stays, for the bridge to refuse",
        ),
        pytest.param(
            f"To: {TO}\nBcc: due@b,\n tre@c\nSubject: x\n\ny\n",
            SendmailArguments(read_recipients=True),
            f"From: <{MAILBOX}>\r\nTo: {TO}\r\nSubject: x",
            id="Bcc names recipients and goes",
        ),
        pytest.param(
            f"From ugo Mon Jan 1\nTo: {TO}\n\ny\n",
            SendmailArguments(read_recipients=True),
            f"From: <{MAILBOX}>\r\nTo: {TO}",
            id="an mbox line",
        ),
    ],
)
def test_header(raw: str, call: SendmailArguments, header: str) -> None:
    assert prepared(raw, call).raw.partition(b"\r\n\r\n")[0].decode() == header


def test_recipients_are_of_arguments_and_header() -> None:
    call = SendmailArguments(recipients=("due@b", TO), read_recipients=True)
    raw = f"To: Uno <{TO}>\nCc: tre@c\nBcc: quattro@d\n\nx\n"
    assert prepared(raw, call).recipients == ("due@b", TO, "tre@c", "quattro@d")


@pytest.mark.parametrize(
    ("sender", "expected"), [(None, MAILBOX), ("", MAILBOX), ("root", MAILBOX), ("a@b", "a@b")]
)
def test_sender(sender: str | None, expected: str) -> None:
    assert prepared("x\n", SendmailArguments(sender=sender, recipients=(TO,))).sender == expected


def test_text_without_a_header_is_a_body() -> None:
    raw = prepared("disk full\n", SendmailArguments(recipients=(TO,))).raw
    assert raw.endswith(b"\r\n\r\ndisk full\r\n")


@pytest.mark.parametrize(
    ("raw", "call", "code", "sentence"),
    [
        ("x\n", SendmailArguments(), Exit.USAGE, "names no address"),
        (
            "To: root\n\nx\n",
            SendmailArguments(read_recipients=True),
            Exit.USAGE,
            "names no address",
        ),
        ("x\n", SendmailArguments(recipients=("root",)), Exit.NO_USER, "root is no mail address"),
        ("A: b\nbroken\n\nx\n", SendmailArguments(recipients=(TO,)), Exit.DATA, "no header field"),
    ],
)
def test_faults(raw: str, call: SendmailArguments, code: Exit, sentence: str) -> None:
    with pytest.raises(MessageFault, match=sentence) as fault:
        prepared(raw, call)
    assert fault.value.code is code


@pytest.mark.parametrize("raw", ["", "\n", "Subject: x\n\n \n", f"From: {MAILBOX}\nTo: {TO}\n"])
def test_what_says_nothing_is_not_submitted(raw: str) -> None:
    with pytest.raises(MessageFault, match="empty") as fault:
        prepared(raw, SendmailArguments(recipients=(TO,)))
    assert fault.value.code is Exit.DATA
