"""Uncertain sends: looking for their acceptances, and telling a person when there are none.

Looks when called (after a sync) and regularly; first at what sync brought, and now and then asks
the API itself for the subject, which also finds what sync has not come to. Found: ``submitted``
with its code. Not found within ``PATIENCE``: an alarm and a message in INBOX that name the
commands which end the doubt. Nothing is ever sent from here.

Failure: an API that does not answer costs time, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bridge.alarms import AlarmKind, raise_alarm
from bridge.api.errors import ApiError
from bridge.api.schema import InboxPage, InboxRow
from bridge.clock import Clock
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId, QueueId, SubmissionState
from bridge.outbox import notice
from bridge.outbox.decision import end_uncertainty
from bridge.outbox.evidence import AFTER, BEFORE, Evidence, Sending, weigh
from bridge.outbox.states import Event, following
from bridge.outbox.step import take_step
from bridge.outbox.wake import Wake, rest
from bridge.receipts import claim
from bridge.store.base import ReadTransaction, Store, StoreFailed
from bridge.store.outbox import Step, SubmissionRow
from bridge.store.remote import Acceptance, RemoteId

log = structlog.get_logger()

PATIENCE = timedelta(minutes=30)
"""How long an acceptance may take before a person is asked."""

LOOK_AGAIN_S = 30.0
ASK_AGAIN = timedelta(minutes=5)
"""How often the API is asked for a subject: reads are counted."""

ASK_RARELY = timedelta(hours=6)
DROPPED_COUNTS = timedelta(days=1)
"""How long a dropped send is still thought of when acceptances are shared out."""

QUERY_LIMIT_CHARS = 60
MIN_QUERY_CHARS = 4

_SPOILT = re.compile('[^\x20-\x7e]+|[?%&#+"\\\\]+')
_ACCEPTANCE = re.compile(
    r"(?i)ACCETTAZIONE: ?(?P<subject>.*?) ?(?P<code>20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"(?:[01]\d|2[0-3])[0-5]\d[0-5]\d\d{1,6})"
)
"""The prefix of RFC 6109 and the code at the end, as long as the API makes it (Q2)."""


class Searcher(Protocol):
    """One account's search of its inbox at the API."""

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        """``GET /inbox``; see ``api.client.PecClient.inbox_page``."""


class Reconciler:
    """Looks for what became of uncertain sends.

    Args:
        store: reads.
        mailboxes: the single writer.
        clock: time.
        searchers: each account's way to the API.
    """

    def __init__(
        self,
        store: Store,
        mailboxes: Mailboxes,
        clock: Clock,
        searchers: Mapping[AccountId, Searcher],
    ) -> None:
        self._store = store
        self._mailboxes = mailboxes
        self._clock = clock
        self._searchers = searchers
        self._wake = Wake()
        self._asked_at: dict[QueueId, datetime] = {}
        self._told: set[QueueId] = set()

    def look(self) -> None:
        """Look soon; a call too many or too few does no harm."""
        self._wake.call()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                for account in self._searchers:
                    await self.reconcile(account)
            except StoreFailed as error:
                log.error("reconciliation cannot use the store", reason=str(error))
            await rest(self._wake, self._clock, LOOK_AGAIN_S)

    async def reconcile(self, account: AccountId) -> None:
        """Look once at one account's uncertain sends."""
        now = self._clock.now()
        sendings, rows = await self._open_sends(account, now)
        if not rows:
            return
        known = await self._known(account, sendings)
        evidence = weigh(sendings, known)
        for id in await self._to_ask(rows, evidence, now):
            found = await self._ask(account, rows[id])
            known = [*known, *(one for one in found if _is_new(one, known))]
            evidence = weigh(sendings, known)
        for id, acceptance in evidence.matched.items():
            if id in rows:
                await self._found(rows[id], acceptance, now)
        for id, row in rows.items():
            if id not in evidence.matched and now - row.updated_at >= PATIENCE:
                await self._tell(row, evidence.doubtful.get(id, ()), now)

    async def _open_sends(
        self, account: AccountId, now: datetime
    ) -> tuple[list[Sending], dict[QueueId, SubmissionRow]]:
        """Return what an acceptance may belong to, and the uncertain entries among it."""

        async def work(
            tx: ReadTransaction,
        ) -> tuple[list[Sending], dict[QueueId, SubmissionRow]]:
            uncertain = await tx.uncertain_submissions(account)
            if not uncertain:
                return [], {}
            under_way = await tx.submissions(account=account, state=SubmissionState.DISPATCHING)
            dropped = [
                row
                for row in await tx.submissions(account=account, state=SubmissionState.DROPPED)
                if now - row.updated_at < DROPPED_COUNTS
            ]
            sendings = []
            for row in (*uncertain, *under_way, *dropped):
                attempts = await tx.attempts(row.id)
                started_at = attempts[-1].started_at if attempts else row.created_at
                sendings.append(
                    Sending(
                        row.id,
                        row.subject,
                        row.recipients,
                        started_at,
                        row.named_code,
                        row.state is SubmissionState.DISPATCHING,
                    )
                )
            return sendings, {row.id: row for row in uncertain}

        return await self._store.read(work)

    async def _known(self, account: AccountId, sendings: list[Sending]) -> list[Acceptance]:
        """Return the acceptances that sync brought."""
        since = min(one.started_at for one in sendings) - BEFORE
        until = max(one.started_at for one in sendings) + AFTER

        async def work(tx: ReadTransaction) -> list[Acceptance]:
            found = await tx.unclaimed_acceptances(account, since, until)
            return [one for one in found if not await _is_taken(tx, account, one.code)]

        return await self._store.read(work)

    async def _to_ask(
        self, rows: Mapping[QueueId, SubmissionRow], evidence: Evidence, now: datetime
    ) -> list[QueueId]:
        """Return the entries to ask the API about now; always before a person is asked."""
        self._asked_at = {id: at for id, at in self._asked_at.items() if id in rows}
        due = []
        for id, row in rows.items():
            asked_at = self._asked_at.get(id)
            told = id in self._told
            last_look = not told and now - row.updated_at >= PATIENCE
            pause = ASK_RARELY if told else ASK_AGAIN
            ask = last_look or asked_at is None or now - asked_at >= pause
            if id not in evidence.matched and ask:
                self._asked_at[id] = now
                due.append(id)
        return due

    async def _ask(self, account: AccountId, row: SubmissionRow) -> list[Acceptance]:
        """Search the API's inbox for an entry's subject."""
        query = search_words(row.subject)
        if not query:
            return []
        try:
            page = await self._searchers[account].inbox_page(query=query)
        except ApiError as error:
            log.info("no search for an uncertain send", id=row.id, reason=error.reason)
            return []
        rows = [one for one in page.rows if isinstance(one, InboxRow)]
        numbered = enumerate(rows, start=1)
        found = [one for number, each in numbered if (one := read_acceptance(each, number))]

        async def work(tx: ReadTransaction) -> list[Acceptance]:
            return [one for one in found if not await _is_taken(tx, account, one.code)]

        return await self._store.read(work)

    async def _found(self, row: SubmissionRow, acceptance: Acceptance, now: datetime) -> None:
        step = Step(
            row.state,
            following(row.state, Event.EVIDENCE),
            now,
            reason="its acceptance was found in the inbox",
            code=acceptance.code,
            sent_at=acceptance.at,
        )

        async def work(mtx: MailboxTransaction) -> bool:
            if await _is_taken(mtx.tx, row.account, acceptance.code):
                return False
            if not await take_step(mtx, row, step):
                return False
            await end_uncertainty(mtx, row, now)
            known = (acceptance.remote,) if acceptance.remote > 0 else ()
            await claim(mtx, row.account, row.id, acceptance.code or "", remotes=known)
            return True

        if await self._mailboxes.write(work):
            log.info("uncertain send was sent", id=row.id, code=acceptance.code)

    async def _tell(self, row: SubmissionRow, codes: tuple[str, ...], now: datetime) -> None:
        """Raise the alarm about an entry, once."""
        if row.id in self._told:
            return

        async def work(mtx: MailboxTransaction) -> bool:
            attempts = await mtx.tx.attempts(row.id)
            words = notice.uncertain(row, attempts[-1] if attempts else None, codes)
            return await raise_alarm(
                mtx,
                row.account,
                AlarmKind.UNCERTAIN,
                row.id,
                words.subject,
                words.italian,
                words.english,
                now,
            )

        if await self._mailboxes.write(work):
            log.error("uncertain send needs a decision", id=row.id, codes=codes)
        self._told.add(row.id)


async def _is_taken(tx: ReadTransaction, account: AccountId, code: str | None) -> bool:
    return code is not None and await tx.submission_by_code(account, code) is not None


def _is_new(found: Acceptance, known: list[Acceptance]) -> bool:
    return found.code not in {one.code for one in known}


def search_words(subject: str) -> str:
    """Return the longest run of a subject that no listing can have spoilt; "" if none is useful."""
    runs = [run.strip() for run in _SPOILT.split(subject)]
    best = max(runs, key=len, default="")
    return best[:QUERY_LIMIT_CHARS].strip() if len(best) >= MIN_QUERY_CHARS else ""


def read_acceptance(row: InboxRow, number: int) -> Acceptance | None:
    """Return what a row of the inbox says as an acceptance; None if it is none with a code.

    It gets ``-number`` for its id: it may be one sync has not brought yet.
    """
    match = _ACCEPTANCE.fullmatch(" ".join(row.subject.split()))
    if match is None or row.date is None or "per conto di" in row.sender.casefold():
        return None
    return Acceptance(RemoteId(-number), match["code"], match["subject"], row.date, ())
