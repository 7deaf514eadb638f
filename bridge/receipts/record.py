"""Receipts written down, and what follows: keywords, alarms and notifications, in one commit.

``record`` ties a receipt to its sent message; ``refresh`` works out where that message stands and
makes its copies' keywords and the alarms say so, and notifies whoever asked for that (``dsn``).
Both may be done again without harm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm
from bridge.mailbox import MailboxTransaction
from bridge.model import (
    PEC_ACCEPTED,
    PEC_DELIVERED,
    PEC_FAILED,
    Flag,
    QueueId,
    SubmissionState,
)
from bridge.receipts import notice
from bridge.receipts.dsn import is_for_itself, tell_dsn
from bridge.receipts.kind import FAILURES, Kind
from bridge.receipts.owner import WEAK, Owner
from bridge.receipts.receipt import Receipt
from bridge.receipts.states import (
    FAILED_STATES,
    DeliveryStatus,
    ReceiptEvidence,
    RecipientState,
    standing,
)
from bridge.store.base import ReadTransaction
from bridge.store.events import EventKind, NewEvent
from bridge.store.figures import ReceiptSummary
from bridge.store.outbox import ClaimBasis, SubmissionRow
from bridge.store.receipts import ReceiptBasis, ReceiptRow

log = structlog.get_logger()

NEWS = timedelta(days=7)
"""An alarm about something older is not raised: it was, or it came with an old mailbox."""

_OF_WHOLE_MESSAGE = frozenset({Kind.NON_ACCEPTANCE, Kind.NON_ACCEPTANCE_VIRUS})
_DEAD = frozenset({SubmissionState.CANCELLED, SubmissionState.DROPPED, SubmissionState.REFUSED})


async def record(
    mtx: MailboxTransaction,
    owner: Owner,
    receipt: Receipt,
    basis: ReceiptBasis = ReceiptBasis.TEXT,
    remark: str = "",
) -> None:
    """Tie a receipt to its sent message; harmless if it is tied already.

    Args:
        mtx: the commit to join.
        owner: the sent message.
        receipt: what it says.
        basis: what it was read from.
        remark: is added to the reason that its text gives.
    """
    row = owner.submission
    details = (receipt.reason, WEAK if owner.weak else "", remark)
    is_learnt = basis is not ReceiptBasis.ROW and not owner.weak
    if is_learnt and receipt.classified.kind is Kind.ACCEPTANCE:
        await _learn(mtx, row, receipt)
    kind = receipt.kind_for(row).value
    mtx.told.append(
        partial(
            log.info,
            "receipt",
            id=row.id,
            account=row.account,
            kind=kind,
            code=row.code,
            basis=basis.value,
        )
    )
    await mtx.tx.claim_remote(receipt.remote, row.id)
    await mtx.tx.add_receipt(
        ReceiptRow(
            receipt.remote,
            row.id,
            kind,
            receipt.at,
            receipt.addresses,
            "; ".join(filter(None, details)),
            receipt.ordinary,
            basis,
        )
    )


async def _learn(mtx: MailboxTransaction, row: SubmissionRow, receipt: Receipt) -> None:
    """Take from an acceptance who the account's provider is, or that a person's word was true."""
    if row.claim is None and row.code is not None:
        await mtx.tx.add_issuer(row.account, receipt.issuer)
    if row.claim is ClaimBasis.WORD:
        await mtx.tx.claim_code(row.id, ClaimBasis.EVIDENCE)


async def tell_shared_code(
    mtx: MailboxTransaction, code: str, owners: Sequence[Owner], now: datetime
) -> None:
    """Raise the alarm about a code that several sends got and that does not tell them apart.

    Args:
        mtx: the commit to join.
        code: which.
        owners: the sends, one at least.
        now: when.
    """
    sends = [one.submission for one in owners]
    words = notice.shared_code(code, sends)
    await raise_alarm(mtx, Alarm(sends[0].account, AlarmKind.CODE_TWICE, code, words), now)


async def standing_of(tx: ReadTransaction, submission: SubmissionRow) -> DeliveryStatus:
    """Return where a sent message stands by the receipts that are tied to it."""
    receipts = await tx.receipts_of(submission.id)
    return standing(submission.recipients, map(evidence_of, receipts))


def outcome_of(submission: SubmissionRow, where: DeliveryStatus) -> ReceiptSummary:
    """Return where a sent message stands as counts of recipients.

    A receipt that names nobody counts as well: somebody has it, or has not.
    """
    states = Counter(one.state for one in where.recipients)
    failed = sum(states[state] + where.unnamed.get(state, 0) for state in FAILED_STATES)
    ordinary = states[RecipientState.ACCEPTED_UNCERTIFIABLE]
    delivered = states[RecipientState.DELIVERED] + where.unnamed.get(RecipientState.DELIVERED, 0)
    certified = len(where.recipients) - ordinary
    return ReceiptSummary(
        accepted=len(submission.recipients) if where.accepted_at is not None else 0,
        delivered=delivered,
        failed=min(failed, certified - delivered),
        ordinary=ordinary,
    )


def evidence_of(row: ReceiptRow) -> ReceiptEvidence:
    """Return a stored receipt as evidence."""
    return ReceiptEvidence(
        int(row.remote), Kind(row.kind), row.at, row.addresses, row.ordinary, row.detail, row.basis
    )


async def refresh(mtx: MailboxTransaction, id: QueueId, now: datetime) -> None:
    """Make keywords and alarms say what the receipts of a sent message say."""
    submission = await mtx.tx.submission(id)
    if submission is None:
        return
    where = await standing_of(mtx.tx, submission)
    await mtx.tx.keep_outcome(id, outcome_of(submission, where))
    await _tell_events(mtx, submission, where, now)
    await tell_dsn(mtx, submission, where, now)
    await _set_keywords(mtx, submission)
    if where.is_answered:
        await clear_alarm(mtx, submission.account, AlarmKind.NOT_ACCEPTED, id, now)
    if where.is_final:
        for kind in (AlarmKind.OPEN_12H, AlarmKind.OPEN_26H):
            await clear_alarm(mtx, submission.account, kind, id, now)
    if where.is_final and not any(one.by_row for one in where.recipients):
        await clear_alarm(mtx, submission.account, AlarmKind.CONTRADICTED, id, now)
    await _tell_failures(mtx, submission, where, now)


_EVENTS = {
    RecipientState.ACCEPTED: EventKind.ACCEPTED,
    RecipientState.ACCEPTED_UNCERTIFIABLE: EventKind.ACCEPTED,
    RecipientState.LATE_12H: EventKind.LATE,
    RecipientState.FAILED_24H: EventKind.FAILED,
    RecipientState.FAILED: EventKind.FAILED,
    RecipientState.DELIVERED: EventKind.DELIVERED,
}


async def _tell_events(
    mtx: MailboxTransaction, submission: SubmissionRow, where: DeliveryStatus, now: datetime
) -> None:
    """Write down what is news of each recipient, also that what was told before is not so."""
    told = await mtx.tx.last_events(submission.id)
    for one in where.recipients:
        before = told.get(one.address)
        kind = _EVENTS.get(one.state, EventKind.WITHDRAWN if before else None)
        if kind is None or before is kind:
            continue
        kinds = [(kind, one.detail)]
        if before is None and where.accepted_at is not None and kind is not EventKind.ACCEPTED:
            kinds.insert(0, (EventKind.ACCEPTED, ""))  # both came in one commit
        for each, detail in kinds:
            await mtx.tx.add_event(
                NewEvent(now, submission.account, each, submission.id, one.address, detail)
            )


async def _set_keywords(mtx: MailboxTransaction, submission: SubmissionRow) -> None:
    """Set the keywords of a text that one entry sends, or several (``bcc = "separate"``)."""
    entries = await mtx.tx.submissions_of_content(submission.account, submission.content)
    live = [one for one in entries if one.state not in _DEAD]
    stands = [await standing_of(mtx.tx, one) for one in live]
    add: set[Flag] = set()
    if all(one.accepted_at is not None for one in stands):
        add.add(PEC_ACCEPTED)
    delivered = [one.is_delivered or _is_ordinary(one) for one in stands]
    if all(delivered) and any(one.is_delivered for one in stands):
        add.add(PEC_DELIVERED)
    if any(one.is_failed for one in stands) or _refused(entries, live):
        add.add(PEC_FAILED)
    remove = {PEC_ACCEPTED, PEC_DELIVERED, PEC_FAILED} - add
    await mtx.flag_sent(
        submission.account,
        submission.content,
        submission.message_id,
        frozenset(add),
        frozenset(remove),
    )


def _is_ordinary(where: DeliveryStatus) -> bool:
    """Tell whether a message has ordinary recipients only, who give no delivery receipts."""
    return where.is_final and not where.is_failed and not where.unnamed


def _refused(entries: tuple[SubmissionRow, ...], live: list[SubmissionRow]) -> bool:
    """Tell whether an entry was refused and no other took its place."""
    replaced = {one.recipients for one in live}
    return any(
        one.state is SubmissionState.REFUSED and one.recipients not in replaced for one in entries
    )


async def _tell_failures(
    mtx: MailboxTransaction, submission: SubmissionRow, where: DeliveryStatus, now: datetime
) -> None:
    """Raise an alarm for each recipient who will not get it, or one if that is everybody."""
    account = submission.account
    receipts = await mtx.tx.receipts_of(submission.id)
    news = [one for one in receipts if Kind(one.kind) in FAILURES and now - one.at < NEWS]
    if not news and where.is_failed:
        return  # it was told when it was news
    told = _failures(submission, where, news) if news else {}
    asked = await mtx.tx.dsn(submission.id)
    quiet = {one for one, wish in (asked.wishes if asked else {}).items() if is_for_itself(wish)}
    for key in await mtx.tx.alarm_keys(account, AlarmKind.FAILURE.value, f"{submission.id}:"):
        if key not in told:
            await clear_alarm(mtx, account, AlarmKind.FAILURE, key, now)
    for key, (words, addresses) in told.items():
        alarm = Alarm(
            account,
            AlarmKind.FAILURE,
            key,
            words,
            answers=submission.message_id,
            is_quiet=quiet.issuperset(addresses),
        )
        await raise_alarm(mtx, alarm, now)


_NOBODY = ("",)
"""A failure that names nobody makes no notification, whoever asked for one."""


def _failures(
    submission: SubmissionRow, where: DeliveryStatus, news: Sequence[ReceiptRow]
) -> dict[str, tuple[Notice, tuple[str, ...]]]:
    """Return what there is to say about failures, and of whom, by the alarm's key."""
    failed = [one for one in where.recipients if one.state in FAILED_STATES]
    whole = [one for one in news if Kind(one.kind) in _OF_WHOLE_MESSAGE]
    if whole and len(failed) == len(where.recipients):
        return {
            _key(submission, "*"): (
                notice.not_taken(submission, whole[0].detail),
                submission.recipients,
            )
        }
    told: dict[str, tuple[Notice, tuple[str, ...]]] = {
        _key(submission, one.address): (
            notice.failed(submission, (one.address,), one.detail),
            (one.address,),
        )
        for one in failed
    }
    if where.unnamed.keys() & FAILED_STATES:
        told[_key(submission, "")] = (notice.failed(submission, (), news[-1].detail), _NOBODY)
    return told


def _key(submission: SubmissionRow, address: str) -> str:
    return f"{submission.id}:{address.casefold()}"
