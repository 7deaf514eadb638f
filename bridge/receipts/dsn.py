"""Delivery status notifications from receipts, for whoever asked for them (RFC 3461).

Submitters that give NOTIFY for a recipient are told what they named, by a message in INBOX, and
nothing else about what becomes of that recipient; of recipients without it a person is told as ever
(``record``). What a receipt proves is told in the commit that proves it, so each once:

- a delivery receipt is SUCCESS, ``delivered``; an acceptance alone is no success, unless it says
  that the recipient is an ordinary mailbox: then nothing else comes, and it is ``relayed``;
- a refusal, a failure and the notice after 24 hours are FAILURE, ``failed``; the notice after 12
  hours is DELAY, ``delayed``.

A notification cannot be taken back like a state. So it is made of texts only, never of rows alone
nor of a code that is a person's word, and who asked for SUCCESS has the texts of deliveries read.
What stands no longer after it was told all the same is told, whatever was asked for: by what took
its place, or as ``delayed`` where nothing did.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bridge.alarms.notices import mark_of, page_of, show, with_link
from bridge.clock import ROME
from bridge.limits import DSN_RETURNED_BYTES
from bridge.mailbox import MailboxTransaction
from bridge.mime.write.dsn import Notification, RecipientReport, compose_report
from bridge.model import Flag
from bridge.receipts.kind import Kind
from bridge.receipts.states import DeliveryStatus, RecipientStanding, RecipientState
from bridge.store.base import ReadTransaction
from bridge.store.dsn import NO_WISH, DsnAction, DsnState, DsnWish, NotifyOn
from bridge.store.messages import Part
from bridge.store.outbox import ClaimBasis, SubmissionRow

REPORTING_MTA = "pec-bridge.localhost"

_ACTIONS: Mapping[RecipientState, DsnAction] = MappingProxyType(
    {
        RecipientState.DELIVERED: DsnAction.DELIVERED,
        RecipientState.ACCEPTED_UNCERTIFIABLE: DsnAction.RELAYED,
        RecipientState.LATE_12H: DsnAction.DELAYED,
        RecipientState.FAILED_24H: DsnAction.FAILED,
        RecipientState.FAILED: DsnAction.FAILED,
    }
)
_ASKED_BY: Mapping[DsnAction, NotifyOn] = MappingProxyType(
    {
        DsnAction.DELIVERED: NotifyOn.SUCCESS,
        DsnAction.RELAYED: NotifyOn.SUCCESS,
        DsnAction.DELAYED: NotifyOn.DELAY,
        DsnAction.FAILED: NotifyOn.FAILURE,
    }
)
_STATUS: Mapping[RecipientState, str] = MappingProxyType(
    {
        RecipientState.DELIVERED: "2.0.0",
        RecipientState.ACCEPTED_UNCERTIFIABLE: "2.0.0",
        RecipientState.LATE_12H: "4.4.7",
        RecipientState.FAILED_24H: "5.4.7",
        RecipientState.FAILED: "5.0.0",
    }
)
_UNKNOWN_AGAIN = "4.0.0"
_SAID_STATUS = re.compile(r"5\.\d{1,3}\.\d{1,3}(?![\d.])")
"""What a provider says of a failure begins with a status, mostly (RFC 6109, ``errore-esteso``)."""


@dataclass(frozen=True, slots=True)
class _News:
    """What is to be told of one recipient; ``corrects`` if it takes back what was told before."""

    one: RecipientStanding
    action: DsnAction
    corrects: bool


async def tell_dsn(
    mtx: MailboxTransaction, submission: SubmissionRow, where: DeliveryStatus, now: datetime
) -> None:
    """Notify of what is news about a sent message, as far as that was asked for.

    Args:
        mtx: the commit to join.
        submission: the entry.
        where: where its receipts say that it stands.
        now: the time, aware.
    """
    asked = await mtx.tx.dsn(submission.id)
    if asked is None:
        return
    is_on_word = submission.claim is ClaimBasis.WORD
    news = [
        found
        for one in where.recipients
        if (found := _news(one, asked, is_waiting=one.by_row or is_on_word))
    ]
    if not news:
        return
    corrects = any(one.corrects for one in news)
    heading, italian, english = _words(news, corrects=corrects)
    reports = [_report(one, asked.wishes[one.one.address], now) for one in news]
    is_failure = any(one.action is DsnAction.FAILED for one in news)
    raw = await report_of(
        mtx,
        submission,
        asked,
        reports,
        (heading, italian, english),
        now,
        whole=is_failure,
    )
    flags = mark_of(mtx.voice) if is_failure or corrects else frozenset[Flag]()
    await show(mtx, submission.account, raw, now, flags=flags)
    await mtx.tx.tell_dsn(submission.id, {one.one.address: one.action for one in news})


def _news(one: RecipientStanding, asked: DsnState, *, is_waiting: bool) -> _News | None:
    """Return what is to be told of a recipient now; None if nothing is.

    ``is_waiting`` if where they stand is not proven enough to be told.
    """
    wish = asked.wishes.get(one.address, NO_WISH)
    if wish.notify is None:
        return None
    action, told = _ACTIONS.get(one.state), asked.told.get(one.address)
    corrects = told is not None and told is not DsnAction.DELAYED
    if action is told:
        return None
    if action is None:
        return _News(one, DsnAction.DELAYED, corrects) if corrects else None
    if is_waiting or not (corrects or _ASKED_BY[action] in wish.notify):
        return None
    return _News(one, action, corrects)


def _report(news: _News, wish: DsnWish, now: datetime) -> RecipientReport:
    one = news.one
    status = _STATUS.get(one.state, _UNKNOWN_AGAIN)
    if news.action is DsnAction.FAILED and (said := _SAID_STATUS.match(one.detail)):
        status = said[0]
    return RecipientReport(
        one.address,
        news.action.value,
        status,
        one.at or now,
        diagnostic=one.detail,
        original=wish.original,
    )


async def report_of(
    mtx: MailboxTransaction,
    submission: SubmissionRow,
    asked: DsnState | None,
    recipients: Sequence[RecipientReport],
    words: tuple[str, str, str],
    now: datetime,
    *,
    whole: bool,
) -> bytes:
    """Return a notification about an entry as a message.

    Args:
        mtx: the commit that it is filed in.
        submission: the entry.
        asked: what was asked for it, None for nothing.
        recipients: what became of it for each.
        words: what stands before its subject; what to say in Italian and in English.
        now: the time, aware.
        whole: whether the whole message is returned, if it was asked for and is not long: only
            with failures (RFC 3461 §4.3).
    """
    heading, *texts = words
    italian, english = with_link(texts[0], texts[1], mtx.voice, page_of(submission.id))
    text = b""
    if whole and asked is not None and asked.full:
        text = await mtx.tx.raw(submission.content, 0, DSN_RETURNED_BYTES + 1)
    is_whole = 0 < len(text) <= DSN_RETURNED_BYTES
    count = 0 if asked is None else asked.count
    return compose_report(
        Notification(
            name=f"{submission.id}.dsn{count + 1}",
            heading=heading,
            queue_id=submission.id,
            reporting_mta=REPORTING_MTA,
            to=await mtx.tx.address(submission.account) or "",
            subject=submission.subject,
            message_id=submission.message_id,
            recipients=tuple(recipients),
            italian=italian,
            english=english,
            arrived_at=submission.created_at,
            at=now,
            returned=text if is_whole else await _header(mtx.tx, submission),
            is_whole=is_whole,
            reference=submission.reference,
            envid=submission.envid,
            language=mtx.voice.language,
            mark=mtx.voice.marked(""),
        )
    )


async def _header(tx: ReadTransaction, submission: SubmissionRow) -> bytes:
    pieces = await tx.pieces([submission.content], [Part.HEADER])
    header = pieces[0][1] if pieces else b""
    return header if isinstance(header, bytes) else b""


# -- who wants what ----------------------------------------------------------------------------


def is_for_itself(wish: DsnWish | None) -> bool:
    """Tell whether a recipient's submitter said of what to be notified: that, and nothing else."""
    return wish is not None and wish.notify is not None


def wants_failure(wish: DsnWish | None) -> bool:
    """Tell whether somebody is to be told that a recipient will not get the message."""
    return wish is None or wish.notify is None or NotifyOn.FAILURE in wish.notify


async def waits_for_text(tx: ReadTransaction, submission: SubmissionRow, kind: Kind) -> bool:
    """Tell whether somebody is to be notified of what a receipt's text confirms."""
    if kind is not Kind.DELIVERY:
        return False
    asked = await tx.dsn(submission.id)
    wishes = asked.wishes.values() if asked else ()
    return any(NotifyOn.SUCCESS in (wish.notify or ()) for wish in wishes)


# -- words ---------------------------------------------------------------------------------------

_HEADINGS: Mapping[DsnAction, str] = MappingProxyType(
    {
        DsnAction.DELIVERED: "Consegnato / Delivered",
        DsnAction.RELAYED: "Accettato, posta ordinaria / Accepted, ordinary mail",
        DsnAction.DELAYED: "Non ancora consegnato / Not delivered yet",
        DsnAction.FAILED: "Mancata consegna / Not delivered",
    }
)
_SAYINGS: Mapping[DsnAction, tuple[str, str]] = MappingProxyType(
    {
        DsnAction.DELIVERED: (
            "Consegnato, secondo la ricevuta di avvenuta consegna, a: {names}.",
            "Delivered, by the delivery receipt, to: {names}.",
        ),
        DsnAction.RELAYED: (
            "Accettato per caselle di posta ordinaria, che non danno ricevuta di consegna: {names}."
            " La consegna non è provata.",
            "Accepted for ordinary mailboxes, which give no delivery receipt: {names}. Delivery is "
            "not proven.",
        ),
        DsnAction.DELAYED: (
            "Non ancora consegnato a: {names}. Può ancora esserlo.",
            "Not delivered yet to: {names}. It still may be.",
        ),
        DsnAction.FAILED: (
            "Non consegnato, e non più da attendere, a: {names}. Tocca al mittente provvedere.",
            "Not delivered, and not to be waited for any more, to: {names}. It is for the sender "
            "to act.",
        ),
    }
)
_WITHDRAWN = (
    "Quanto notificato prima non vale più per: {names}. La ricevuta su cui si fondava è di un "
    "altro messaggio o non basta; l'esito non è noto.",
    "What was notified before holds no longer for: {names}. The receipt it rested on is another "
    "message's or does not suffice; the outcome is not known.",
)
_CORRECTS = ("Questa notifica sostituisce una precedente.", "This takes an earlier one's place.")
_UNSIGNED = (
    "La notifica è fatta dal bridge con le ricevute lette presso il servizio: non è la ricevuta "
    "firmata dal gestore.",
    "The bridge made this notification from receipts read at the service: it is not the receipt "
    "that the provider signed.",
)
_SHOWN = 20


def _words(news: Sequence[_News], *, corrects: bool) -> tuple[str, str, str]:
    """Return heading, Italian and English of a notification."""
    groups: dict[DsnAction | None, list[RecipientStanding]] = {}
    for each in news:
        is_withdrawn = each.one.state not in _ACTIONS
        groups.setdefault(None if is_withdrawn else each.action, []).append(each.one)
    texts: list[list[str]] = []
    for language in (0, 1):
        lines = [
            (_WITHDRAWN if action is None else _SAYINGS[action])[language].format(names=_names(who))
            for action, who in groups.items()
        ]
        if corrects and None not in groups:
            lines.append(_CORRECTS[language])
        texts.append([*lines, _UNSIGNED[language]])
    return _heading(list(groups)), "\n".join(texts[0]), "\n".join(texts[1])


def _heading(actions: Sequence[DsnAction | None]) -> str:
    if None in actions:
        return "Notifica ritirata / Notification withdrawn"
    if len(actions) == 1 and actions[0] is not None:
        return _HEADINGS[actions[0]]
    return "Esito / Outcome"


def _names(who: Sequence[RecipientStanding]) -> str:
    shown = ", ".join(_dated(one) for one in who[:_SHOWN])
    return f"{shown}, … (+{len(who) - _SHOWN})" if len(who) > _SHOWN else shown


def _dated(one: RecipientStanding) -> str:
    at = f" ({one.at.astimezone(ROME):%d/%m/%Y %H:%M:%S})" if one.at else ""
    return f"{one.address}{at}"
