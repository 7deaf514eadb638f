"""Python's own clients, and aioimaplib for IDLE, against ``pec-bridge demo``."""

from __future__ import annotations

import imaplib
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from itertools import pairwise

import pytest

from tests.peers.demo import Demo


@pytest.fixture
def imap(demo: Demo) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", demo.imap_port, timeout=30) as client:
        client.login(demo.address, demo.password)
        yield client


def submit(demo: Demo, subject: str, *recipients: str) -> None:
    message = EmailMessage()
    message["From"] = demo.address
    message["To"] = ", ".join(recipients)
    message["Subject"] = subject
    message.set_content("Salve, però è una prova.\n")
    message.add_attachment(bytes(range(256)), "application", "pdf", filename="è.pdf")
    with smtplib.SMTP("127.0.0.1", demo.smtp_port, timeout=30) as client:
        client.login(demo.address, demo.password)
        assert client.send_message(message) == {}


async def test_imaplib_lists_and_fetches_inbox(demo: Demo, imap: imaplib.IMAP4) -> None:
    await demo.until(bool)  # a busy machine may read the inbox after the demo is ready
    status, lines = imap.list()
    assert status == "OK"
    names = {
        line.decode().rpartition(" ")[2].strip('"') for line in lines if isinstance(line, bytes)
    }
    assert names >= {"INBOX", "Sent", "Drafts", "Trash", "Archive"}
    status, counts = imap.select("INBOX")
    assert (status, int(counts[0] or b"0") > 0) == ("OK", True)
    status, found = imap.fetch("1", "(UID FLAGS BODY.PEEK[])")
    assert status == "OK"
    assert isinstance(found[0], tuple)
    assert b"\r\nSubject: " in found[0][1]


async def test_a_message_to_oneself_comes_back_with_its_receipts(demo: Demo) -> None:
    subject = "Prova con smtplib"
    submit(demo, subject, demo.address)
    expected = ["ACCETTAZIONE", "POSTA CERTIFICATA", "CONSEGNA"]

    def arrived(subjects: list[str]) -> bool:
        return all(
            any(one.startswith(f"{kind}: {subject}") for one in subjects) for kind in expected
        )

    await demo.until(arrived)
    (sent,) = demo.sent(subject)
    assert sent["recipients"] == [demo.address]
    assert "per" in sent["body"]
    assert [one["name"] for one in sent["attachments"]] == ["è.pdf"]


@pytest.mark.slow  # by the clock on the wall, to a hundredth: not beside another worker's tests
async def test_messages_leave_once_each_and_no_faster_than_one_a_second(demo: Demo) -> None:
    subjects = [f"Serie numero {number}" for number in range(3)]
    for subject in subjects:
        submit(demo, subject, "silent-a@altra.invalid")
    await demo.until(
        lambda seen: all(any(f": {subject}" in one for one in seen) for subject in subjects)
    )
    sent = [demo.sent(subject) for subject in subjects]
    assert [len(one) for one in sent] == [1, 1, 1]
    starts = sorted(one[0]["received_s"] for one in sent)
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(starts))


@pytest.mark.slow
def test_a_wrong_password_is_refused(demo: Demo) -> None:
    with (
        smtplib.SMTP("127.0.0.1", demo.smtp_port, timeout=30) as smtp,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        smtp.login(demo.address, "sbagliata")
    with (
        imaplib.IMAP4("127.0.0.1", demo.imap_port, timeout=30) as imap,
        pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"),
    ):
        imap.login(demo.address, "sbagliata")
