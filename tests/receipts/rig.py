"""A store, its mailboxes and the filing on it: rows go in as sync would put them."""

from __future__ import annotations

import email
import email.policy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.mime.ingest import ingest
from bridge.model import SENT, AccountId, Flags, QueueId, SubmissionState, Uid
from bridge.receipts import claim
from bridge.receipts.arrival import Arrival
from bridge.receipts.destination import Destination
from bridge.receipts.filing import Filing
from bridge.receipts.record import standing_of
from bridge.receipts.states import DeliveryStatus
from bridge.simulator.wording import NetworkKind, ReceiptFacts, Recipient, text_of
from bridge.store.alarms import AlarmRow
from bridge.store.base import ReadTransaction, Store
from bridge.store.dsn import NOTHING_ASKED, DsnRequest
from bridge.store.outbox import NewSubmission, Step
from bridge.store.receipts import ReceiptRow
from bridge.store.remote import NewRemote, RemoteId, RemoteRow
from tests.fakes import FakeClock

ADDRESS = "azienda@pec.example"
SERVICE = "posta-certificata@pec.example"
CODE = "2026011510000092"


@dataclass
class Rig:
    """One account with its filing, and what a test needs to look at."""

    store: Store
    mailboxes: Mailboxes
    clock: FakeClock
    account: AccountId
    destination: Destination = field(default_factory=Destination)
    sent: dict[QueueId, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def filing(self) -> Filing:
        return Filing(self.store, self.mailboxes, self.clock, destination=self.destination)

    # -- what happens ------------------------------------------------------------------------

    async def send(
        self,
        recipients: Sequence[str] = ("anna@pec.example",),
        *,
        code: str | None = CODE,
        subject: str = "Diffida",
        id: str = "Q1",
        raw: bytes | None = None,
        reference: str = "",
        dsn: DsnRequest = NOTHING_ASKED,
    ) -> QueueId:
        """Put an entry into the outbox and its text into Sent; submitted if ``code`` is given."""
        queue_id = QueueId(id)
        now = self.clock.now()
        message_id = f"<{id}@azienda.example>"
        raw = raw or f"Message-ID: {message_id}\r\nSubject: {subject}\r\n\r\nTesto.\r\n".encode()

        async def work(mtx: MailboxTransaction) -> None:
            box = next(one for one in await mtx.tx.mailboxes(self.account) if one.name == SENT)
            row = await mtx.append(box.id, ingest(raw), frozenset(), now)
            await mtx.tx.add_submission(
                NewSubmission(
                    queue_id,
                    self.account,
                    message_id,
                    subject,
                    tuple(recipients),
                    row.content,
                    b"",
                    now,
                    reference=reference,
                    dsn=dsn,
                )
            )

        await self.mailboxes.write(work)
        self.sent[queue_id] = (subject, tuple(recipients))
        await self.step(queue_id, SubmissionState.QUEUED, SubmissionState.DISPATCHING)
        if code is not None:
            await self.answer(queue_id, code)
        return queue_id

    async def step(self, id: QueueId, old: SubmissionState, new: SubmissionState) -> None:
        step = Step(old, new, self.clock.now())
        await self.store.write(lambda tx: tx.step_submission(id, step))

    async def answer(self, id: QueueId, code: str) -> None:
        """Let the API's answer come: the code, and the claim that goes with it."""
        now = self.clock.now()

        async def work(mtx: MailboxTransaction) -> None:
            step = Step(
                SubmissionState.DISPATCHING, SubmissionState.SUBMITTED, now, code=code, sent_at=now
            )
            assert await mtx.tx.step_submission(id, step)
            await claim(mtx, self.account, id, code)

        await self.mailboxes.write(work)

    async def add(
        self,
        subject: str,
        body: str,
        sender: str = SERVICE,
        *,
        recipient: str = ADDRESS,
        at: datetime | None = None,
        unreadable: str = "",
        is_dated: bool = True,
    ) -> Arrival:
        """Let a row be listed, without filing it."""
        now = self.clock.now()
        received_at = at or now
        name = f"{sender}\0{received_at.isoformat()}\0{subject}"
        new = NewRemote(
            account=self.account,
            fingerprint=hashlib.sha256(name.encode()).digest(),
            api_id="1",
            raw="{}",
            sender=sender,
            recipient=recipient,
            date_text=received_at.isoformat(),
            subject=subject,
            received_at=received_at if is_dated else None,
            first_seen=now,
        )
        remote = await self.store.write(lambda tx: tx.add_remote(new))
        return Arrival(
            remote,
            sender=sender,
            recipient=recipient,
            date_text=new.date_text,
            subject=subject,
            received_at=received_at,
            first_seen=now,
            body=body,
            unreadable=unreadable,
        )

    async def arrive(
        self, subject: str, body: str, sender: str = SERVICE, *, at: datetime | None = None
    ) -> RemoteId:
        """Let a row be listed and filed."""
        arrival = await self.add(subject, body, sender, at=at)
        await self.filing.file(self.account, [arrival])
        return arrival.remote

    async def listed(
        self,
        kind: NetworkKind,
        *recipients: str,
        code: str = CODE,
        subject: str = "Diffida",
        template_b: bool = False,
        ordinary: Sequence[str] = (),
        body: str | None = None,
        later: timedelta = timedelta(),
        error: str = "5.1.1 indirizzo non valido",
    ) -> Arrival:
        """Let a receipt be listed, as the simulator words it, without filing it."""
        at = self.clock.now() + later
        named = tuple(Recipient(one, one not in ordinary) for one in recipients)
        facts = ReceiptFacts(at, f"{subject} {code}", ADDRESS, named, "opec1@pec.example", error)
        text = text_of(kind, facts, template_b=template_b) if body is None else body
        return await self.add(f"{_PREFIXES[kind]}: {subject} {code}", text, at=at)

    async def judge(self) -> None:
        """Let the rows that are listed be judged by themselves."""
        while await self.filing.judge(self.account):
            pass

    async def know_issuer(self, address: str = SERVICE) -> None:
        """Let a service have accepted for the account before."""
        await self.store.write(lambda tx: tx.add_issuer(self.account, address))

    async def receipt(self, kind: NetworkKind, *recipients: str, **details: Any) -> RemoteId:
        """Let a receipt come and be filed; see ``listed``."""
        arrival = await self.listed(kind, *recipients, **details)
        await self.filing.file(self.account, [arrival])
        return arrival.remote

    # -- what is seen ------------------------------------------------------------------------

    async def messages(self, mailbox: str = "INBOX") -> list[EmailMessage]:
        """Return what a mailbox holds, re-read by the standard library."""
        return [
            email.message_from_bytes(raw, policy=email.policy.default)
            for raw in await self.raws(mailbox)
        ]

    async def raws(self, mailbox: str = "INBOX") -> list[bytes]:
        box = await self.mailboxes.find(self.account, mailbox)
        if box is None:
            return []
        index = await self.mailboxes.index(box.id)
        contents = [index.row(place).content for place in range(len(index))]

        async def work(tx: ReadTransaction) -> list[bytes]:
            return [await tx.raw(content, 0, 100_000_000) for content in contents]

        return await self.store.read(work)

    async def subjects(self, mailbox: str = "INBOX") -> list[str]:
        return [str(one["Subject"]) for one in await self.messages(mailbox)]

    async def keywords(self, mailbox: str = SENT, uid: int = 1) -> Flags:
        box = await self.mailboxes.find(self.account, mailbox)
        assert box is not None
        index = await self.mailboxes.index(box.id)
        place = index.position(Uid(uid))
        assert place is not None
        return index.flags[place]

    async def standing(self, id: QueueId) -> DeliveryStatus:
        async def work(tx: ReadTransaction) -> DeliveryStatus:
            submission = await tx.submission(id)
            assert submission is not None
            return await standing_of(tx, submission)

        return await self.store.read(work)

    async def states(self, id: QueueId) -> dict[str, str]:
        return {one.address: one.state.value for one in (await self.standing(id)).recipients}

    async def receipts(self, id: QueueId) -> list[ReceiptRow]:
        return await self.store.read(lambda tx: tx.receipts_of(id))

    async def row(self, remote: RemoteId) -> RemoteRow:
        row = await self.store.read(lambda tx: tx.remote_row(remote))
        assert row is not None
        return row

    async def alarms(self) -> list[AlarmRow]:
        return await self.store.read(lambda tx: tx.alarms(self.account))

    async def alarm_kinds(self) -> list[str]:
        return [one.kind for one in await self.alarms()]


_PREFIXES = {
    NetworkKind.ACCEPTANCE: "ACCETTAZIONE",
    NetworkKind.NON_ACCEPTANCE: "AVVISO DI NON ACCETTAZIONE",
    NetworkKind.NON_ACCEPTANCE_VIRUS: "AVVISO DI NON ACCETTAZIONE PER VIRUS",
    NetworkKind.DELIVERY: "CONSEGNA",
    NetworkKind.FAILURE: "AVVISO DI MANCATA CONSEGNA",
    NetworkKind.FAILURE_VIRUS: "AVVISO DI MANCATA CONSEGNA PER VIRUS",
    NetworkKind.FIRST_NOTICE: "AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO",
    NetworkKind.FINAL_NOTICE: "AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO",
}
