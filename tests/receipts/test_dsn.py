"""Notifications that a submitter asked for, from receipts as the network words them (RFC 3461)."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence

import pytest
from flufl.bounce import all_failures

from bridge.limits import DSN_RETURNED_BYTES
from bridge.mailbox import MailboxTransaction
from bridge.model import QueueId, SubmissionState
from bridge.receipts.filing import Filing
from bridge.receipts.record import refresh
from bridge.simulator.wording import NetworkKind
from bridge.store.base import Transaction
from bridge.store.dsn import DsnRequest, DsnWish, NotifyOn
from bridge.store.outbox import ClaimBasis
from bridge.store.remote import Worth
from tests.receipts.notified import Notified, is_notification, read_notification
from tests.receipts.rig import CODE, Rig

ANNA, BRUNO = "anna@pec.example", "bruno@pec.example"
ALL = frozenset(NotifyOn)
NEVER: frozenset[NotifyOn] = frozenset()


def asking(
    notify: frozenset[NotifyOn] | None = ALL,
    *recipients: str,
    envid: str = "",
    full: bool = False,
    original: str = "",
) -> DsnRequest:
    wishes = {one: DsnWish(notify, original) for one in recipients or (ANNA,)}
    return DsnRequest(envid, full, wishes)


async def notified(rig: Rig) -> list[Notified]:
    """Return the notifications in INBOX, oldest first."""
    return [read_notification(one) for one in await rig.messages() if is_notification(one)]


async def told(rig: Rig) -> list[dict[str, str]]:
    return [one.actions for one in await notified(rig)]


async def others(rig: Rig) -> list[str]:
    """Return the subjects of the bridge's own messages that are no notifications."""
    return [
        str(one["Subject"])
        for one in await rig.messages()
        if "pec-bridge" in str(one["From"]) and not is_notification(one)
    ]


async def again(rig: Rig, id: QueueId) -> None:
    """Work out anew where a send stands, as a start does, or a later receipt."""
    now = rig.clock.now()
    await rig.mailboxes.write(lambda mtx: refresh(mtx, id, now))


async def test_an_acceptance_is_no_delivery_and_a_delivery_is_told_once(rig: Rig) -> None:
    id = await rig.send(dsn=asking(envid="ORD 17/b", original="rfc822;Anna+x@Pec.Example"))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    assert await told(rig) == []
    arrival = await rig.listed(NetworkKind.DELIVERY, ANNA)
    await rig.filing.file(rig.account, [arrival])
    await rig.filing.file(rig.account, [arrival])
    await again(rig, id)
    (one,) = await notified(rig)
    assert one.actions == {ANNA: "delivered"}
    assert one.about["original-envelope-id"] == "ORD 17/b"
    assert one.about["x-queue-id"] == id
    assert one.recipients[ANNA]["original-recipient"] == "rfc822; Anna+x@Pec.Example"
    assert one.message["Subject"] == "Consegnato / Delivered: Diffida"
    assert one.message["In-Reply-To"] == f"<{id}@azienda.example>"
    assert one.returned.get_content_type() == "text/rfc822-headers"
    assert one.returned.get_content().startswith(f"Message-ID: <{id}@azienda.example>")


@pytest.mark.parametrize(
    ("kind", "action", "status"),
    [
        (NetworkKind.FAILURE, "failed", "5.1.1"),
        (NetworkKind.FAILURE_VIRUS, "failed", "5.0.0"),
        (NetworkKind.NON_ACCEPTANCE, "failed", "5.0.0"),
        (NetworkKind.NON_ACCEPTANCE_VIRUS, "failed", "5.0.0"),
        (NetworkKind.FIRST_NOTICE, "delayed", "4.4.7"),
        (NetworkKind.FINAL_NOTICE, "failed", "5.4.7"),
    ],
)
async def test_what_each_receipt_is_told_as(
    rig: Rig, kind: NetworkKind, action: str, status: str
) -> None:
    await rig.send(dsn=asking())
    if kind not in (NetworkKind.NON_ACCEPTANCE, NetworkKind.NON_ACCEPTANCE_VIRUS):
        await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await rig.receipt(kind, ANNA, error="" if status == "5.0.0" else "5.1.1 - gestore - ignoto")
    (one,) = await notified(rig)
    assert one.actions == {ANNA: action}
    assert one.recipients[ANNA]["status"] == status
    assert await others(rig) == []
    assert (action == "failed") is (await rig.alarm_kinds() == ["failure"])
    failed = all_failures(one.message)[1]
    assert failed == ({ANNA.encode()} if action == "failed" else set())


@pytest.mark.parametrize(
    ("notify", "actions"),
    [
        (NEVER, []),
        ({NotifyOn.SUCCESS}, ["delivered"]),
        ({NotifyOn.DELAY}, ["delayed"]),
        ({NotifyOn.FAILURE}, []),
        ({NotifyOn.SUCCESS, NotifyOn.DELAY}, ["delayed", "delivered"]),
        (None, []),
    ],
)
async def test_only_what_was_asked_for_is_told(
    rig: Rig, notify: frozenset[NotifyOn] | None, actions: list[str]
) -> None:
    await rig.send(dsn=asking(notify if notify is None else frozenset(notify)))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await rig.receipt(NetworkKind.FIRST_NOTICE, ANNA)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await told(rig) == [{ANNA: action} for action in actions]


@pytest.mark.parametrize("notify", [NEVER, frozenset({NotifyOn.SUCCESS})])
async def test_who_does_not_want_to_know_of_a_failure_has_the_alarm_without_a_message(
    rig: Rig, notify: frozenset[NotifyOn]
) -> None:
    await rig.send(dsn=asking(notify))
    await rig.receipt(NetworkKind.FAILURE, ANNA)
    assert await told(rig) == []
    assert await others(rig) == []
    assert await rig.alarm_kinds() == ["failure"]


async def test_without_notify_a_person_is_told_as_ever(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO), dsn=asking(NEVER, BRUNO, envid="E1"))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.FAILURE, BRUNO)
    assert await others(rig) == []
    await rig.receipt(NetworkKind.FAILURE, ANNA)
    assert await told(rig) == []
    assert await others(rig) == ["Mancata consegna / Not delivered: Diffida"]


async def test_an_ordinary_mailbox_is_relayed_to_and_never_delivered(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO), dsn=asking(ALL, ANNA, BRUNO))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO, ordinary=(BRUNO,))
    assert await told(rig) == [{BRUNO: "relayed"}]
    (one,) = await notified(rig)
    assert one.message["Subject"] == "Accettato, posta ordinaria / Accepted, ordinary mail: Diffida"


async def test_what_comes_in_one_commit_is_one_notification(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO), dsn=asking(ALL, ANNA, BRUNO))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    arrivals = [
        await rig.listed(NetworkKind.DELIVERY, ANNA),
        await rig.listed(NetworkKind.FAILURE, BRUNO),
    ]
    await rig.filing.file(rig.account, arrivals)
    assert await told(rig) == [{ANNA: "delivered", BRUNO: "failed"}]
    (one,) = await notified(rig)
    assert one.message["Subject"] == "Esito / Outcome: Diffida"


async def test_who_cannot_be_told_apart_is_not_told_of(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO), dsn=asking(ALL, ANNA, BRUNO))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.DELIVERY, ANNA, body="senza nomi")
    assert await told(rig) == []
    await rig.receipt(NetworkKind.DELIVERY, BRUNO, body="senza nomi")
    assert await told(rig) == [{ANNA: "delivered", BRUNO: "delivered"}]


async def test_a_failure_that_names_nobody_is_told_to_a_person(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO), dsn=asking(ALL, ANNA, BRUNO))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.FAILURE, ANNA, body="senza nomi")
    assert await told(rig) == []
    assert await others(rig) == ["Mancata consegna / Not delivered: Diffida"]


async def test_a_message_that_has_many_notifications_numbers_them(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO), dsn=asking(ALL, ANNA, BRUNO))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    await rig.receipt(NetworkKind.FIRST_NOTICE, BRUNO)
    await rig.receipt(NetworkKind.DELIVERY, BRUNO)
    ids = [str(one.message["Message-ID"]) for one in await notified(rig)]
    assert ids == [f"<Q1.dsn{number}@pec-bridge.localhost>" for number in (1, 2, 3)]


KINDS = (
    NetworkKind.ACCEPTANCE,
    NetworkKind.FIRST_NOTICE,
    NetworkKind.FINAL_NOTICE,
    NetworkKind.DELIVERY,
)


@pytest.mark.parametrize("order", list(itertools.permutations(KINDS)))
async def test_in_any_order_the_last_word_is_what_the_receipts_say(
    rig: Rig, order: Sequence[NetworkKind]
) -> None:
    await rig.send(dsn=asking())
    arrivals = {kind: await rig.listed(kind, ANNA) for kind in KINDS}
    for kind in order:
        await rig.filing.file(rig.account, [arrivals[kind]])
    actions = [one[ANNA] for one in await told(rig)]
    assert actions[-1] == "delivered"
    assert len(set(actions)) == len(actions)
    ranks = ["delayed", "failed", "delivered"]
    assert actions == sorted(actions, key=ranks.index)


# -- what rests on rows alone --------------------------------------------------------------------


async def accepted_by_row(rig: Rig, notify: frozenset[NotifyOn] = ALL) -> QueueId:
    await rig.know_issuer()
    id = await rig.send(dsn=asking(notify))
    await rig.listed(NetworkKind.ACCEPTANCE, ANNA)
    await rig.judge()
    return id


async def test_a_row_alone_notifies_nobody_and_its_text_does(rig: Rig) -> None:
    id = await accepted_by_row(rig)
    delivery = await rig.listed(NetworkKind.DELIVERY, ANNA)
    await rig.judge()
    assert await rig.states(id) == {ANNA: "delivered"}
    assert await told(rig) == []
    assert (await rig.row(delivery.remote)).worth is Worth.RECEIPT  # it is asked for
    await rig.filing.file(rig.account, [delivery])
    assert await told(rig) == [{ANNA: "delivered"}]


async def test_nobody_reads_a_text_for_who_did_not_ask_for_success(rig: Rig) -> None:
    await accepted_by_row(rig, frozenset({NotifyOn.FAILURE}))
    delivery = await rig.listed(NetworkKind.DELIVERY, ANNA)
    await rig.judge()
    assert (await rig.row(delivery.remote)).worth is Worth.CONFIRMATION


async def test_nobody_reads_an_acceptance_for_who_asked_for_success(rig: Rig) -> None:
    """Alone it is none; where no delivery comes, it is read when that is missed."""
    await rig.know_issuer()
    await rig.send(dsn=asking(ALL))
    acceptance = await rig.listed(NetworkKind.ACCEPTANCE, ANNA)
    await rig.judge()
    assert (await rig.row(acceptance.remote)).worth is Worth.CONFIRMATION


async def test_a_text_that_speaks_against_its_row_leaves_nothing_to_take_back(rig: Rig) -> None:
    id = await accepted_by_row(rig)
    delivery = await rig.listed(NetworkKind.DELIVERY, "altro@pec.example")
    await rig.judge()
    await rig.filing.file(rig.account, [delivery])
    assert await rig.states(id) == {ANNA: "pending"}
    assert await rig.alarm_kinds() == ["contradicted"]
    assert await told(rig) == []


async def test_where_texts_are_not_wanted_those_of_deliveries_asked_for_are(rig: Rig) -> None:
    await accepted_by_row(rig)
    delivery = await rig.listed(NetworkKind.DELIVERY, ANNA)
    await rig.judge()
    filing = Filing(rig.store, rig.mailboxes, rig.clock, waits_for_texts=False)
    await filing.show_rows(rig.account)
    assert (await rig.row(delivery.remote)).worth is Worth.RECEIPT


# -- what stands no longer -------------------------------------------------------------------------


async def test_a_text_that_is_asked_for_meanwhile_is_waited_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message would have been made of its row, and the text shown nowhere."""
    await accepted_by_row(rig, frozenset({NotifyOn.FAILURE}))
    (acceptance,) = await rig.store.read(lambda tx: tx.remote_to_show(rig.account, 9))
    filing = Filing(rig.store, rig.mailboxes, rig.clock, waits_for_texts=False)
    write = rig.mailboxes.write

    async def asked_for_before(work: Callable[[MailboxTransaction], Awaitable[int]]) -> int:
        await write(lambda mtx: mtx.tx.judge_remote(acceptance.id, Worth.FAILURE, CODE))
        return await write(work)

    with monkeypatch.context() as patch:
        patch.setattr(rig.mailboxes, "write", asked_for_before)
        assert await filing.show_rows(rig.account) == 0
    assert (await rig.row(acceptance.id)).content is None
    assert await rig.raws() == []


async def take_back(rig: Rig, id: QueueId) -> None:
    """Let receipts turn out to be another message's."""
    now = rig.clock.now()

    async def work(mtx: MailboxTransaction) -> None:
        await mtx.tx.release_receipts(id)
        await refresh(mtx, id, now)

    await rig.mailboxes.write(work)


async def test_what_was_told_and_stands_no_longer_is_told_whatever_was_asked(rig: Rig) -> None:
    id = await rig.send(dsn=asking(frozenset({NotifyOn.SUCCESS})))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    arrival = await rig.listed(NetworkKind.DELIVERY, ANNA)
    await rig.filing.file(rig.account, [arrival])
    await take_back(rig, id)
    await again(rig, id)
    assert await told(rig) == [{ANNA: "delivered"}, {ANNA: "delayed"}]
    last = (await notified(rig))[-1]
    assert last.message["Subject"] == "Notifica ritirata / Notification withdrawn: Diffida"
    assert last.recipients[ANNA]["status"] == "4.0.0"
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert [one[ANNA] for one in await told(rig)] == ["delivered", "delayed", "delivered"]


async def test_a_delivery_after_a_failure_that_was_told_is_told_too(rig: Rig) -> None:
    await rig.send(dsn=asking(frozenset({NotifyOn.FAILURE})))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await rig.receipt(NetworkKind.FINAL_NOTICE, ANNA)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await told(rig) == [{ANNA: "failed"}, {ANNA: "delivered"}]


async def test_a_code_that_is_a_persons_word_notifies_nobody(rig: Rig) -> None:
    id = await rig.send(dsn=asking())
    await rig.store.write(lambda tx: tx.claim_code(id, ClaimBasis.WORD))
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await told(rig) == []
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)  # which shows that the word was true
    assert await told(rig) == [{ANNA: "delivered"}]


async def test_a_message_of_which_nobody_knows_whether_it_left_is_not_told_of(rig: Rig) -> None:
    id = await rig.send(code=None, dsn=asking())
    await rig.step(id, SubmissionState.DISPATCHING, SubmissionState.UNCERTAIN)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await again(rig, id)
    assert await told(rig) == []


# -- what is returned ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "full", "returned"),
    [
        (NetworkKind.FAILURE, True, "message/rfc822"),
        (NetworkKind.FAILURE, False, "text/rfc822-headers"),
        (NetworkKind.DELIVERY, True, "text/rfc822-headers"),
        (NetworkKind.FIRST_NOTICE, True, "text/rfc822-headers"),
    ],
)
async def test_the_whole_message_comes_back_with_a_failure_only(
    rig: Rig, kind: NetworkKind, full: bool, returned: str
) -> None:
    raw = b"Message-ID: <Q1@azienda.example>\r\nSubject: Diffida\r\n\r\nIl testo.\r\n"
    await rig.send(raw=raw, dsn=asking(full=full))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await rig.receipt(kind, ANNA)
    (one,) = await notified(rig)
    assert one.returned.get_content_type() == returned
    (found,) = [each for each in await rig.raws() if b"multipart/report" in each]
    assert (raw in found) is (returned == "message/rfc822")


async def test_what_is_long_is_returned_as_its_header(rig: Rig) -> None:
    head = b"Message-ID: <Q1@azienda.example>\r\nSubject: Diffida\r\n\r\n"
    line = b"x" * 76 + b"\r\n"
    body = line * ((DSN_RETURNED_BYTES - len(head)) // len(line))
    await rig.send(raw=head + body, id="Q1", dsn=asking(full=True))
    longer = head.replace(b"Q1", b"Q2") + body + line
    await rig.send(raw=longer, id="Q2", code=f"{CODE[:-1]}3", dsn=asking(full=True))
    await rig.receipt(NetworkKind.FAILURE, ANNA)
    await rig.receipt(NetworkKind.FAILURE, ANNA, code=f"{CODE[:-1]}3")
    kinds = [one.returned.get_content_type() for one in await notified(rig)]
    assert kinds == ["message/rfc822", "text/rfc822-headers"]


async def test_a_recipient_outside_ascii_is_named_as_such(rig: Rig) -> None:
    name = "è@pec.example"
    await rig.send((name,), dsn=asking(ALL, name, original="utf-8;é@pec.example"))
    await rig.receipt(NetworkKind.ACCEPTANCE, name)
    await rig.receipt(NetworkKind.DELIVERY, name)
    (raw,) = [one for one in await rig.raws() if b"multipart/report" in one]
    assert b"Content-Type: message/global-delivery-status\r\n" in raw
    assert "Original-Recipient: utf-8; é@pec.example\r\n".encode() in raw
    assert "Final-Recipient: utf-8; è@pec.example\r\n".encode() in raw


async def test_an_account_that_goes_takes_what_was_asked_along(rig: Rig) -> None:
    id = await rig.send(dsn=asking())

    async def work(tx: Transaction) -> None:
        await tx.purge_rows(rig.account)

    await rig.store.write(work)
    assert await rig.store.read(lambda tx: tx.dsn(id)) is None
