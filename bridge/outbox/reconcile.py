"""Uncertain sends: looking for their acceptances, and telling a person when there are none.

Looks when called (after a sync) and regularly; first at what sync brought, and now and then asks
the API itself for the subject, which also finds what sync has not come to, and for the code if a
failed answer named one. Found: ``submitted`` with its code. Not found within ``PATIENCE``: an alarm
and a message in INBOX that name the commands which end the doubt. Nothing is ever sent from here.

Looked for are uncertain and restored entries, and those that a person sent again and that wait:
what shows that the first try left cancels the second. What was claimed by evidence, or by a
person's word, is looked at again when more comes with its code: what contradicts the claim revokes
it, with an alarm.

Failure: an API that does not answer costs time, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from bridge.alarms import Alarm, AlarmKind, raise_alarm
from bridge.api.errors import ApiError
from bridge.api.schema import InboxRow
from bridge.clock import Clock
from bridge.language import say
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId, QueueId, SubmissionState
from bridge.outbox import notice
from bridge.outbox.candidates import (
    RESENT,
    OpenSends,
    admissible,
    known,
    open_sends,
    without_taken,
)
from bridge.outbox.decision import count_once, end_uncertainty
from bridge.outbox.evidence import MatchedAcceptances, fits, weigh
from bridge.outbox.lookup import Lookup, Searcher, read_listed, search_words
from bridge.outbox.review import Reviewer
from bridge.outbox.states import Event, following
from bridge.outbox.step import take_step
from bridge.receipts import claim
from bridge.store.base import ReadTransaction, Store, StoreFailed
from bridge.store.outbox import ClaimBasis, Step, SubmissionRow
from bridge.store.receipts import Acceptance
from bridge.wake import Wake, rest

__all__ = ["Reconciler", "Searcher", "read_acceptance", "search_words"]

log = structlog.get_logger()

PATIENCE = timedelta(minutes=30)
"""How long an acceptance may take before a person is asked."""

LOOK_AGAIN_S = 30.0
ASK_AGAIN = timedelta(minutes=5)
"""How often the API is asked for a subject: reads are counted."""

ASK_RARELY = timedelta(hours=6)
ASK_LIMIT = 20
"""Entries asked about in one look: a backup that was put back may leave thousands."""


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
        self._lookups = {account: Lookup(client) for account, client in searchers.items()}
        self._reviewer = Reviewer(store, mailboxes)
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
                for account in self._lookups:
                    await self.reconcile(account)
            except StoreFailed as error:
                log.error("reconciler_store_failed", reason=str(error))
            await rest(self._wake, self._clock, LOOK_AGAIN_S)

    async def look_before_sending(self) -> None:
        """Look once where something waits that was sent again while nobody could look.

        Raises:
            StoreFailed: to be tried again before anything is sent.
        """
        for account in self._lookups:
            found = await self._open_sends(account, self._clock.now())
            if any(row.state in RESENT for row in found.rows.values()):
                await self.reconcile(account)

    async def reconcile(self, account: AccountId) -> None:
        """Look once at one account's uncertain sends, and at what was claimed for others."""
        now = self._clock.now()
        self._told -= await self._reviewer.review(account, now)
        found = await self._open_sends(account, now)
        if not found.rows:
            return
        pool = await self._store.read(lambda tx: known(tx, account, found))
        evidence = weigh(found.sendings, pool)
        for id in self._to_ask(found.rows, evidence, now):
            pool = [*pool, *await self._ask(account, found.rows[id], found, pool)]
            evidence = weigh(found.sendings, pool)
        for id, acceptance in evidence.matched.items():
            if id in found.rows:
                await self._found(found.rows[id], acceptance, now)
        for id, row in found.rows.items():
            is_asked = self._asked_at.get(id) == now  # a person comes after the API
            if id not in evidence.matched and is_asked and _is_to_be_told(row, now):
                await self._tell(row, evidence.doubtful.get(id, ()), now)

    async def _open_sends(self, account: AccountId, now: datetime) -> OpenSends:
        return await self._store.read(lambda tx: open_sends(tx, account, now))

    def _to_ask(
        self, rows: Mapping[QueueId, SubmissionRow], evidence: MatchedAcceptances, now: datetime
    ) -> list[QueueId]:
        """Return the entries to ask the API about now; always before a person is asked."""
        self._asked_at = {id: at for id, at in self._asked_at.items() if id in rows}
        due: list[QueueId] = []
        for id, row in rows.items():
            asked_at = self._asked_at.get(id)
            told = id in self._told
            last_look = not told and _is_to_be_told(row, now)
            is_old = row.state is SubmissionState.RESTORED and now - row.updated_at >= PATIENCE
            pause = ASK_RARELY if told or is_old else ASK_AGAIN
            ask = last_look or asked_at is None or now - asked_at >= pause
            if id not in evidence.matched and ask and len(due) < ASK_LIMIT:
                self._asked_at[id] = now
                due.append(id)
        return due

    async def _ask(
        self, account: AccountId, row: SubmissionRow, found: OpenSends, pool: list[Acceptance]
    ) -> list[Acceptance]:
        """Ask the API for an entry's subject, and for the code that it may have."""
        lookup = self._lookups[account]
        ours = [one for one in found.sendings if one.id == row.id]
        codes = {one.code for one in pool}

        def matters(listed: Acceptance) -> bool:
            is_new = listed.code is None or listed.code not in codes
            is_named = listed.code is not None and listed.code == row.named_code
            return is_new and (is_named or any(fits(one, listed) for one in ours))

        shown: list[Acceptance] = []
        try:
            if row.named_code is not None:
                shown += await lookup.status(row.named_code)
            query = search_words(row.subject)
            shown += await lookup.search(query, matters) if query else []
        except ApiError as error:
            log.info(
                "uncertain_send_search_failed",
                id=row.id,
                account=row.account,
                reason=error.reason,
            )
        return await self._new(account, found, [one for one in shown if one.code not in codes])

    async def _new(
        self, account: AccountId, found: OpenSends, shown: list[Acceptance]
    ) -> list[Acceptance]:
        if not shown:
            return []

        async def work(tx: ReadTransaction) -> list[Acceptance]:
            return await without_taken(tx, account, shown)

        return admissible(await self._store.read(work), found)

    async def _found(self, row: SubmissionRow, acceptance: Acceptance, now: datetime) -> None:
        step = Step(
            row.state,
            following(row.state, Event.EVIDENCE),
            now,
            reason=say("its acceptance was found in the inbox"),
            code=acceptance.code,
            sent_at=acceptance.at,
        )
        known_rows = (acceptance.remote,) if acceptance.remote > 0 else ()

        async def work(mtx: MailboxTransaction) -> bool:
            code = acceptance.code
            if code is not None and await mtx.tx.submissions_by_code(row.account, code):
                return False  # taken meanwhile, by an answer or a person
            if not await take_step(mtx, row, step):
                return False
            await mtx.tx.claim_code(row.id, ClaimBasis.EVIDENCE)
            await count_once(mtx, row, acceptance.at)
            await end_uncertainty(mtx, row, now)
            await claim(mtx, row.account, row.id, code or "", remotes=known_rows)
            return True

        if await self._mailboxes.write(work):
            self._told.discard(row.id)
            log.info("uncertain_send_found", id=row.id, account=row.account, code=acceptance.code)

    async def _tell(self, row: SubmissionRow, codes: tuple[str, ...], now: datetime) -> None:
        """Raise the alarm about an entry, once."""
        if row.id in self._told:
            return

        async def work(mtx: MailboxTransaction) -> bool:
            attempts = await mtx.tx.attempts(row.id)
            words = notice.uncertain(row, attempts[-1] if attempts else None, codes)
            return await raise_alarm(
                mtx, Alarm(row.account, AlarmKind.UNCERTAIN, row.id, words), now
            )

        if await self._mailboxes.write(work):
            log.error("uncertain_send_undecided", id=row.id, account=row.account, codes=codes)
        self._told.add(row.id)


def _is_to_be_told(row: SubmissionRow, now: datetime) -> bool:
    """Tell whether a person is to be asked about an entry; of a restored store they know."""
    return row.state is SubmissionState.UNCERTAIN and now - row.updated_at >= PATIENCE


def read_acceptance(row: InboxRow, number: int) -> Acceptance | None:
    """Return what a row of the inbox says as an acceptance; None if it is none with a code."""
    listed = read_listed(row, number)
    return listed if listed is not None and listed.code is not None else None
