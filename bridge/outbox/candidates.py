"""Who may own an acceptance, and which acceptances nobody owns: reads of the store, no more.

In the running is every request whose outcome was not known when it ended, whatever became of its
entry since, and what is under way. An entry that waits because a person sent it again is open
too: its first try may have left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.model import AccountId, QueueId, SubmissionState
from bridge.outbox.evidence import PossibleSend, may_fit, proves, window
from bridge.outbox.lookup import acceptance_of
from bridge.outbox.states import UNDECIDED
from bridge.receipts.filed import read_row
from bridge.receipts.issuer import issuer_of
from bridge.receipts.kind import RECEIPTS
from bridge.receipts.proof import Issuers
from bridge.receipts.subject import same_subject
from bridge.store.base import ReadTransaction
from bridge.store.outbox import LostTry, SubmissionRow
from bridge.store.receipts import Acceptance
from bridge.store.remote import RemoteRow

State = SubmissionState

RESENT = frozenset({State.QUEUED, State.HELD})
"""Where an entry waits that was sent again."""

MEMORY = timedelta(days=40)
"""How long an acceptance that never came may be somebody's whose entry is closed or waits."""


@dataclass(frozen=True, slots=True)
class OpenSends:
    """``sendings`` compete for acceptances; ``rows`` are the entries to be settled."""

    sendings: list[PossibleSend]
    rows: Mapping[QueueId, SubmissionRow]
    issuers: Issuers


async def open_sends(tx: ReadTransaction, account: AccountId, now: datetime) -> OpenSends:
    """Return what an acceptance may belong to, and the entries among it that are open."""
    open_rows = [
        row for state in UNDECIDED for row in await tx.submissions(account=account, state=state)
    ]
    since = min((row.created_at for row in open_rows), default=now)
    tries = await tx.lost_tries(account, min(since, now - MEMORY))
    rows = {row.id: row for row in sorted(open_rows, key=lambda one: one.sequence)}
    rows |= {one.submission.id: one.submission for one in tries if one.submission.state in RESENT}
    if not rows:
        return OpenSends([], {}, frozenset())
    sendings = list(_sendings(tries))
    for row in await tx.submissions(account=account, state=State.DISPATCHING):
        attempts = await tx.attempts(row.id)
        began_at = attempts[-1].started_at if attempts else row.updated_at
        sendings.append(
            PossibleSend(
                row.id, row.subject, row.recipients, began_at, under_way=True, wanted=False
            )
        )
    return OpenSends(sendings, rows, await tx.issuers(account))


def _sendings(tries: Iterable[LostTry]) -> Iterable[PossibleSend]:
    settled: set[QueueId] = set()
    for one in tries:
        row = one.submission
        sending = PossibleSend(
            row.id,
            row.subject,
            row.recipients,
            one.begun_at,
            row.named_code,
            ended_by=one.ended_by,
            wanted=row.state in UNDECIDED | RESENT,
        )
        since, until = window(sending)
        is_claim = row.claim is not None and row.sent_at is not None and row.id not in settled
        if is_claim and row.sent_at is not None and since <= row.sent_at <= until:
            settled.add(row.id)  # this try's acceptance is known: only further ones compete
            continue
        yield sending


async def known(tx: ReadTransaction, account: AccountId, found: OpenSends) -> list[Acceptance]:
    """Return the acceptances that sync brought, that nobody owns and that may prove something."""
    windows = [window(one) for one in found.sendings if one.wanted]
    if not windows:
        return []
    since, until = min(one for one, _ in windows), max(one for _, one in windows)
    acceptances = await tx.unclaimed_acceptances(account, since, until)
    for row in found.rows.values():
        if row.named_code is not None:
            acceptances += await _named(tx, account, row.named_code)
    distinct = {
        one.remote: one
        for one in acceptances
        if any(may_fit(each, one) for each in found.sendings) and not await _is_elsewhere(tx, one)
    }
    return admissible(await without_taken(tx, account, distinct.values()), found)


async def _is_elsewhere(tx: ReadTransaction, acceptance: Acceptance) -> bool:
    """Tell whether an acceptance without a code shows by its text that it never had one."""
    row = await tx.remote_row(acceptance.remote) if acceptance.code is None else None
    return row is not None and acceptance_of(await read_row(tx, row), row.sender) is None


async def _named(tx: ReadTransaction, account: AccountId, code: str) -> list[Acceptance]:
    found = []
    for row in await tx.remote_with_code(account, code):
        if row.submission is None:
            acceptance = acceptance_of(await read_row(tx, row), row.sender)
            found += [acceptance] if acceptance is not None else []
    return found


async def without_taken(
    tx: ReadTransaction, account: AccountId, acceptances: Iterable[Acceptance]
) -> list[Acceptance]:
    """Return those whose code is no send's yet, with all that other receipts of it name."""
    free = []
    for one in acceptances:
        if one.code is None:
            free.append(one)
        elif not await tx.submissions_by_code(account, one.code):
            free.append(await _with_names(tx, account, one.code, one))
    return free


async def _with_names(
    tx: ReadTransaction, account: AccountId, code: str, acceptance: Acceptance
) -> Acceptance:
    """Add the recipients that deliveries and failures of the same message name."""
    names = dict.fromkeys(acceptance.recipients)
    for row in await tx.remote_with_code(account, code):
        names |= dict.fromkeys(await _names_in(tx, row, acceptance.subject))
    return replace(acceptance, recipients=tuple(names))


async def _names_in(tx: ReadTransaction, row: RemoteRow, subject: str) -> tuple[str, ...]:
    receipt = await read_row(tx, row)
    is_one = receipt.classified.kind in RECEIPTS
    return receipt.addresses if is_one and same_subject(receipt.subject, subject) else ()


def admissible(acceptances: Iterable[Acceptance], found: OpenSends) -> list[Acceptance]:
    """Return the acceptances that may be believed.

    For a code that an answer named, the service that issued it need not be known yet.
    """
    named = {row.named_code for row in found.rows.values() if row.named_code is not None}

    def is_admissible(one: Acceptance) -> bool:
        if one.code in named and one.readable:
            issuer = issuer_of(one.sender)
            return issuer != "" and (not found.issuers or proves(one, found.issuers))
        return proves(one, found.issuers)

    return [one for one in acceptances if is_admissible(one)]
