"""What waits to be sent: why, until when, and the alarm when it takes long.

A ``250`` promises that a message will leave or come back. Between the two it may wait for days, so
whoever asks is told why, and who does not ask is told by an alarm once it has waited for longer
than the settings say. The alarm ends by itself when what waits has left or was taken back.
What is ``held`` has an alarm of its own from the first moment, and is left to it.

An account that left the settings sends nothing and looks for nothing for ever; if anything of it
waits, or is in doubt, that is an alarm at once.

Failure: ``StoreFailed`` ends ``run``; who runs it begins again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm, update_alarm
from bridge.clock import ROME, Clock
from bridge.language import in_italian, say
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId, QueueId, SubmissionState
from bridge.outbox.backoff import due_at, probe_due_at
from bridge.outbox.notice import reference
from bridge.outbox.states import UNDECIDED
from bridge.outbox.window import ALL_DAY, Window
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import HoldRow, SubmissionRow, TransitionRow

LOOK_AGAIN_S = 60.0
LONG, REMOVED = "", "removed"
"""The keys of the two alarms."""

WAITING = frozenset({SubmissionState.QUEUED, SubmissionState.HELD})
QUEUED = frozenset({SubmissionState.QUEUED})
_ON_ITS_WAY = frozenset({SubmissionState.QUEUED, SubmissionState.DISPATCHING})


@dataclass(frozen=True, slots=True)
class AccountQueue:
    """One account's queue: its ``queued`` entry whose turn is next, and what holds it.

    ``paused_since`` is when a person paused it, None if nobody did.
    """

    head: SubmissionRow | None
    hold: HoldRow | None
    paused_since: datetime | None = None


async def account_queue(tx: ReadTransaction, account: AccountId) -> AccountQueue:
    """Return what the queue of an account waits for."""
    return AccountQueue(
        await tx.first_submission(account, QUEUED),
        await tx.hold(account),
        await tx.paused_since(account),
    )


def paused(since: datetime) -> str:
    """Return why nothing of a paused account leaves."""
    shown = f"{since.astimezone(ROME):%Y-%m-%d %H:%M}"
    return say(
        "Paused by a person since {at} (Rome); `queue resume` lets messages leave again.", at=shown
    )


def why(row: SubmissionRow, queue: AccountQueue, now: datetime, window: Window = ALL_DAY) -> str:
    """Return why an entry is where it is, and until when it waits; "" if that needs no saying.

    Args:
        row: the entry.
        queue: its account's.
        now: when.
        window: the hours in which messages leave.
    """
    if row.state in WAITING and queue.paused_since is not None and not row.forced:
        return paused(queue.paused_since)
    if row.state is SubmissionState.HELD and queue.hold is not None:
        return _until(queue.hold.reason, probe_due_at(queue.hold, now))
    if row.state is not SubmissionState.QUEUED:
        return row.reason
    if not window.is_open(now) and not row.forced:
        return _until(
            say("Messages leave within the window {window}.", window=window), window.next_open(now)
        )
    if queue.head is None or queue.head.id == row.id:
        return _until(row.reason, due_at(row, now))
    first = _until(queue.head.reason, due_at(queue.head, now))
    if not first:
        return say("Waits behind {id}.", id=queue.head.id)
    return say("Waits behind {id}: {why}", id=queue.head.id, why=first)


def removed(row: SubmissionRow, address: str) -> str:
    """Return why an entry of an account that left the settings is where it is."""
    if row.state in UNDECIDED:
        return say(
            "The account {address} is not in the configuration any more, so nothing looks for the "
            "acceptance of {id}: put it back, or end the doubt with `queue resolve` and --sent "
            "CODE or --drop.",
            address=address,
            id=row.id,
        )
    return say(
        "The account {address} is not in the configuration any more, so nothing sends {id}: put it "
        "back, or take the message back with `queue cancel`.",
        address=address,
        id=row.id,
    )


def queued_since(row: SubmissionRow, steps: tuple[TransitionRow, ...]) -> datetime:
    """Return since when an entry waits for its turn: since ``250``, or since it was let go."""
    let_go = [
        step.at
        for step in steps
        if step.new is SubmissionState.QUEUED and step.old not in _ON_ITS_WAY
    ]
    return max([row.created_at, *let_go])


class Waiting:
    """Raises and ends the alarms.

    Args:
        store: what waits.
        mailboxes: the single writer.
        clock: time.
        addresses: the accounts that can send.
        limit_s: how long a message may wait before that is an alarm.
        window: the hours in which messages leave: outside of them they wait as they are meant to.
    """

    def __init__(
        self,
        store: Store,
        mailboxes: Mailboxes,
        clock: Clock,
        addresses: Mapping[AccountId, str],
        limit_s: float,
        window: Window = ALL_DAY,
    ) -> None:
        self._store = store
        self._mailboxes = mailboxes
        self._clock = clock
        self._addresses = addresses
        self._limit_s = limit_s
        self._window = window
        self._seen: dict[AccountId, tuple[QueueId, float]] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_AGAIN_S)

    async def look(self) -> None:
        """Raise what is due and end what is over, in all accounts."""

        async def work(tx: ReadTransaction) -> dict[AccountId, dict[str, str]]:
            raised: dict[AccountId, dict[str, str]] = {id: {} for id in await tx.waiting_accounts()}
            raised |= {row.account: {} for row in await _undecided(tx)}
            for alarm in await tx.alarms():
                if alarm.kind == AlarmKind.WAITING.value:
                    raised.setdefault(alarm.account, {})[alarm.key] = alarm.text
            return raised

        for account, raised in (await self._store.read(work)).items():
            due = await self._due(account)
            for key in raised.keys() - due.keys():
                await self._clear(account, key)
            for key, words in due.items():
                if raised.get(key) != words.subject:
                    await self._tell(account, key, words, is_new=key not in raised)

    async def _due(self, account: AccountId) -> dict[str, Notice]:
        """Return what is to be said of an account, by the alarm's key."""
        now = self._clock.now()

        async def work(tx: ReadTransaction) -> tuple[AccountQueue, tuple[TransitionRow, ...], int]:
            queue = await account_queue(tx, account)
            head = queue.head or await tx.first_submission(account, WAITING)
            count = await tx.waiting_count(account)
            if account not in self._addresses:
                undecided = await _undecided(tx, account)
                head = head or next(iter(undecided), None)
                count += len(undecided)
            steps = await tx.transitions(head.id) if head else ()
            return replace(queue, head=head), steps, count

        queue, steps, count = await self._store.read(work)
        head = queue.head
        if head is None:
            return {}
        if account not in self._addresses:
            return {REMOVED: account_removed(await self._address(account), count)}
        if not self._window.is_open(now):
            self._seen.pop(account, None)
            return {}
        since = max(queued_since(head, steps), self._window.opened(now) or head.created_at)
        if head.state is not SubmissionState.QUEUED or self._waited_s(head, since) <= self._limit_s:
            return {}
        return {LONG: waits_long(head, since, count, why(head, queue, now, self._window))}

    def _waited_s(self, head: SubmissionRow, since: datetime) -> float:
        """Return how long the head waits, by the store or by what was seen of it.

        A clock that ran ahead may have written down a time that is still to come.
        """
        now_s = self._clock.monotonic()
        seen, seen_s = self._seen.get(head.account, (head.id, now_s))
        if seen != head.id:
            seen_s = now_s
        self._seen[head.account] = (head.id, seen_s)
        by_store_s = (self._clock.now() - since).total_seconds()
        return max(by_store_s, now_s - seen_s)

    async def _address(self, account: AccountId) -> str:
        async def work(tx: ReadTransaction) -> str | None:
            return await tx.address(account)

        return await self._store.read(work) or "?"

    async def _tell(self, account: AccountId, key: str, words: Notice, *, is_new: bool) -> None:
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> None:
            await (raise_alarm if is_new else update_alarm)(
                mtx, Alarm(account, AlarmKind.WAITING, key, words), now
            )

        await self._mailboxes.write(work)

    async def _clear(self, account: AccountId, key: str) -> None:
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> None:
            await clear_alarm(mtx, account, AlarmKind.WAITING, key, now)

        await self._mailboxes.write(work)


async def _undecided(tx: ReadTransaction, account: AccountId | None = None) -> list[SubmissionRow]:
    return [
        row for state in UNDECIDED for row in await tx.submissions(account=account, state=state)
    ]


def waits_long(row: SubmissionRow, since: datetime, count: int, reason: str) -> Notice:
    """Say that messages wait to be sent for longer than is usual.

    Args:
        row: the entry that waits longest.
        since: when it was queued, aware.
        count: how many wait.
        reason: why it waits, "" if nobody knows.
    """
    reason = reason or "—"
    shown = f"{since.astimezone(ROME):%d/%m/%Y %H:%M}"
    commands = (
        "    pec-bridge queue list --state queued\n"
        f"    pec-bridge queue retry {row.id}\n"
        f"    pec-bridge queue cancel {row.id}"
    )
    called_it, called_en = reference(row, "Riferimento"), reference(row, "Reference")
    return Notice(
        f"Messaggi in attesa di invio / Messages wait to be sent: {count}",
        f"{count} messaggi accettati non sono ancora partiti; il primo attende dal {shown}.\n"
        f"Oggetto: {row.subject}{called_it}\nMotivo: {in_italian(reason)}\n"
        "Nulla va perso e i tentativi continuano da soli. Ciò che non parte entro cinque giorni "
        f"torna in INBOX come respinto.\n\n{commands}",
        f"{count} accepted messages have not left yet; the first waits since {shown} (Rome).\n"
        f"Subject: {row.subject}{called_en}\nReason: {reason}\n"
        "Nothing is lost, and the tries go on by themselves. What has not left within five days "
        f"comes back to INBOX as refused.\n\n{commands}",
    )


def account_removed(address: str, count: int) -> Notice:
    """Say that messages of an account that left the settings wait or stay in doubt for ever."""
    return Notice(
        f"Messaggi fermi, account non configurato / Messages wait, account removed: {address}",
        f"{count} messaggi accettati di {address} non partono, o resta in dubbio se siano "
        "partiti, perché l'account non è più nella configurazione. Rimettere l'account, oppure "
        "riprendere i messaggi con `pec-bridge queue cancel ID`, e chiudere i dubbi con "
        "`pec-bridge queue resolve ID`; l'elenco è in `pec-bridge queue list`.",
        f"{count} accepted messages of {address} do not leave, or it stays in doubt whether they "
        "left, for the account is not in the configuration any more. Put the account back, or "
        "take the messages back with `pec-bridge queue cancel ID` and end the doubts with "
        "`pec-bridge queue resolve ID`; `pec-bridge queue list` shows them.",
    )


def _until(reason: str, at: datetime | None) -> str:
    if at is None:
        return reason
    next_try = say("Next try at {at} (Rome).", at=f"{at.astimezone(ROME):%Y-%m-%d %H:%M}")
    return say("{why} {then}", why=reason, then=next_try) if reason else next_try
