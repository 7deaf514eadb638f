from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from structlog.testing import capture_logs

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId
from bridge.store.base import ReadTransaction, Store
from tests.fakes import FakeClock


async def raised(
    mailboxes: Mailboxes,
    account: AccountId,
    key: str = "",
    subject: str = "Titolo / Title",
    answers: str = "",
) -> bool:
    async def work(mtx: MailboxTransaction) -> bool:
        notice = Notice(subject, "È pieno.", "It is full.")
        alarm = Alarm(account, AlarmKind.QUOTA, key, notice, answers)
        return await raise_alarm(mtx, alarm, FakeClock().now())

    return await mailboxes.write(work)


async def messages(store: Store, mailboxes: Mailboxes, account: AccountId) -> list[EmailMessage]:
    box = await mailboxes.find(account, "INBOX")
    assert box is not None
    index = await mailboxes.index(box.id)

    async def work(tx: ReadTransaction) -> list[bytes]:
        return [await tx.raw(index.row(n).content, 0, 1_000_000) for n in range(len(index))]

    return [
        email.message_from_bytes(raw, policy=email.policy.default) for raw in await store.read(work)
    ]


async def test_an_alarm_is_a_row_a_message_and_a_line_in_the_log(
    store: Store, mailboxes: Mailboxes, account: AccountId
) -> None:
    with capture_logs() as log:
        assert await raised(mailboxes, account, "80", "Riservato / Confidential")
    (row,) = await store.read(lambda tx: tx.alarms(account))
    assert (row.kind, row.key, row.text) == ("quota", "80", "Riservato / Confidential")
    (message,) = await messages(store, mailboxes, account)
    assert message["Subject"] == "Riservato / Confidential"
    assert message["Auto-Submitted"] == "auto-generated"
    words = message.get_content()
    assert "È pieno." in words
    assert "It is full." in words
    (line,) = log
    assert (line["event"], line["kind"], line["key"]) == ("alarm", "quota", "80")
    assert "Riservato" not in str(line)


async def test_an_alarm_is_raised_once_until_it_ends(
    store: Store, mailboxes: Mailboxes, account: AccountId, clock: FakeClock
) -> None:
    assert await raised(mailboxes, account)
    assert not await raised(mailboxes, account)
    assert await raised(mailboxes, account, "other")
    end = await mailboxes.write(
        lambda mtx: clear_alarm(mtx, account, AlarmKind.QUOTA, "", clock.now())
    )
    assert end
    assert await raised(mailboxes, account)
    assert len(await messages(store, mailboxes, account)) == 3


async def test_an_alarm_about_a_sent_message_stands_under_it(
    store: Store, mailboxes: Mailboxes, account: AccountId
) -> None:
    await raised(mailboxes, account, answers="<1@azienda.example>")
    (message,) = await messages(store, mailboxes, account)
    assert message["In-Reply-To"] == message["References"] == "<1@azienda.example>"


async def test_a_hostile_subject_or_key_makes_no_field(
    store: Store, mailboxes: Mailboxes, account: AccountId
) -> None:
    await raised(mailboxes, account, "x@y>\r\nBcc: z", "Titolo\r\nBcc: vittima@pec.example")
    (message,) = await messages(store, mailboxes, account)
    assert message["Bcc"] is None
    assert message["Subject"] == "Titolo Bcc: vittima@pec.example"
    assert message["Message-ID"].startswith("<alarm.quota.")
    (row,) = await store.read(lambda tx: tx.alarms(account))
    assert row.text == "Titolo Bcc: vittima@pec.example"
