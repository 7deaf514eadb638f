"""Looking before a person's decision is carried out: is the code this send's, did it leave already?

The same evidence as the reconciler's, asked for one entry at once: what sync brought, then
``GET /send/{code}`` and a search of the inbox, as far as the API can be asked.

Failure: an API that does not answer leaves the question open, with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bridge.api.errors import ApiError
from bridge.language import say
from bridge.mailbox import Mailboxes
from bridge.model import AccountId
from bridge.outbox.candidates import known, open_sends, without_taken
from bridge.outbox.evidence import PossibleSend, codes_of, fits, proves, weigh
from bridge.outbox.lookup import Lookup, Searcher, search_words
from bridge.outbox.review import contradiction
from bridge.receipts.address import names_only
from bridge.receipts.filed import read_row
from bridge.receipts.issuer import issuer_of
from bridge.receipts.owner import send_of
from bridge.receipts.proof import Issuers, ProvenSend, belongs
from bridge.receipts.subject import same_subject
from bridge.store.base import ReadTransaction
from bridge.store.outbox import SubmissionRow
from bridge.store.receipts import Acceptance

NO_CLIENT = say("The API was not asked.")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about a code: ``proven``, or what speaks ``against`` it, or why neither.

    ``unasked`` is a sentence if the API could not be asked.
    """

    proven: bool = False
    against: str = ""
    unasked: str = ""


@dataclass(frozen=True, slots=True)
class Traces:
    """The ``codes`` of acceptances that may be an entry's; see ``Finding`` for ``unasked``."""

    codes: tuple[str, ...]
    unasked: str = ""


class Inquiry:
    """See the module.

    Args:
        mailboxes: reads within the writer's turn, so that nothing is overlooked.
        clients: each account's way to the API; none where there are no secrets.
    """

    def __init__(self, mailboxes: Mailboxes, clients: Mapping[AccountId, Searcher]) -> None:
        self._mailboxes = mailboxes
        self._lookups = {account: Lookup(client) for account, client in clients.items()}

    def can_ask(self, account: AccountId) -> bool:
        """Tell whether there is a way to the API."""
        return account in self._lookups

    async def code(self, row: SubmissionRow, code: str) -> Finding:
        """Find out whether ``code`` is an entry's."""
        here, send, issuers = await self._mailboxes.write(lambda mtx: _here(mtx.tx, row, code))
        if here.proven or here.against:
            return here
        lookup = self._lookups.get(row.account)
        if lookup is None:
            return Finding(unasked=NO_CLIENT)
        shown: list[Acceptance] = []
        try:
            shown += await lookup.status(code)
            shown += await lookup.search(code, lambda listed: listed.code == code)
        except ApiError as error:
            if not shown:
                return Finding(unasked=error.reason)
        return _judged(row, code, send, issuers, shown)

    async def traces(self, row: SubmissionRow, now: datetime) -> Traces:
        """Find the acceptances that may be an entry's, whether they can be believed or not."""

        async def here(tx: ReadTransaction) -> tuple[list[PossibleSend], list[Acceptance]]:
            found = await open_sends(tx, row.account, now)
            ours = [one for one in found.sendings if one.id == row.id and not one.under_way]
            return ours, await known(tx, row.account, found)

        ours, pool = await self._mailboxes.write(lambda mtx: here(mtx.tx))

        def matters(one: Acceptance) -> bool:
            named = one.code is not None and one.code == row.named_code
            return issuer_of(one.sender) != "" and (named or any(fits(s, one) for s in ours))

        shown: list[Acceptance] = []
        unasked: str = NO_CLIENT
        lookup = self._lookups.get(row.account)
        if lookup is not None:
            unasked = ""
            try:
                shown += await lookup.status(row.named_code) if row.named_code else []
                query = search_words(row.subject)
                shown += await lookup.search(query, matters) if query else []
            except ApiError as error:
                unasked = error.reason
        free = await self._mailboxes.write(lambda mtx: without_taken(mtx.tx, row.account, shown))
        return Traces(codes_of(one for one in (*pool, *free) if matters(one)), unasked)


async def _here(
    tx: ReadTransaction, row: SubmissionRow, code: str
) -> tuple[Finding, ProvenSend, Issuers]:
    """Judge a code by what sync brought."""
    send, issuers = await send_of(tx, row, code), await tx.issuers(row.account)
    against = await contradiction(tx, row, code)
    receipts = [await read_row(tx, one) for one in await tx.remote_with_code(row.account, code)]
    proven = any(
        belongs(one, send, issuers) and (one.issuer in issuers or one.addresses) for one in receipts
    )
    return Finding(proven and not against, against), send, issuers


def _judged(
    row: SubmissionRow, code: str, send: ProvenSend, issuers: Issuers, shown: list[Acceptance]
) -> Finding:
    """Judge a code by what the API shows."""
    for one in shown:
        is_ours = same_subject(row.subject, one.subject)
        if issuer_of(one.sender) and is_ours and not names_only(one.recipients, row.recipients):
            named = ", ".join(one.recipients)
            return Finding(
                against=say(
                    "A receipt with the code {code} is of another message: {named}.",
                    code=code,
                    named=named,
                )
            )
    sending = PossibleSend(row.id, row.subject, row.recipients, send.begun_at, code)
    believed = [one for one in shown if proves(one, issuers)]
    return Finding(proven=row.id in weigh([sending], believed).matched)
