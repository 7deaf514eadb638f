"""``receipts``: where each sent message and each of its recipients stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge.api.errors import NotFound
from bridge.api.schema import CODE
from bridge.clock import Clock, rfc3339
from bridge.language import say
from bridge.mime.row.address import one_line
from bridge.model import SubmissionState
from bridge.operations.accounts import ApiAccount, ApiAccounts, Methods, on_word
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.status import search
from bridge.receipts.filed import read_row
from bridge.receipts.owner import send_of
from bridge.receipts.proof import belongs
from bridge.receipts.receipt import read_receipt
from bridge.receipts.record import standing_of
from bridge.receipts.states import DeliveryStatus
from bridge.store.base import ReadTransaction, Store
from bridge.store.clearing import ClearedRow
from bridge.store.outbox import ClaimBasis, SubmissionRow
from bridge.store.receipts import ReceiptBasis, ReceiptRow
from bridge.store.remote import RemoteId
from bridge.sync.service import Sync

LISTED = timedelta(days=30)
SEARCHED = 1_000
CLEARED_DAYS = 30
CLEARED_ROWS = 100_000
"""Rows of the log that are listed, the last ones."""

SHOWN_CHARS = 200
ON_WORD = "the code is a person's word, not confirmed"
BY_ROW = "from the listing, text not read yet"


class ReceiptOperations:
    """See the module.

    Args:
        store: what was sent, and the receipts of it.
        clock: for what is recent.
        accounts: the accounts.
        sync: fetches texts; it need not be running.
    """

    def __init__(self, store: Store, clock: Clock, accounts: ApiAccounts, sync: Sync) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._sync = sync

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "receipts list": self._list,
            "receipts show": self._show,
            "receipts delete": self._delete,
            "receipts cleared": self._cleared,
        }

    async def _cleared(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return what the settings cleared at the API in so many ``days``, the last first."""
        since = self._clock.now() - timedelta(days=int(arguments.get("days") or CLEARED_DAYS))
        named = arguments.get("account") is not None
        chosen = self._accounts.chosen(arguments)

        async def work(tx: ReadTransaction) -> list[ClearedRow]:
            if not named:
                return await tx.cleared(None, since, CLEARED_ROWS)
            return await tx.cleared(chosen[0].id, since, CLEARED_ROWS)

        return [
            {
                "account": self._accounts.address(row.account),
                "code": row.code,
                "submission": row.submission,
                "kind": row.kind,
                "date": row.date_text,
                "subject": row.subject,
                "state": row.state.value,
                "at": rfc3339(row.settled_at),
                "reason": row.reason,
            }
            for row in await self._store.scan(work)
        ]

    async def _list(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        since = self._clock.now() - LISTED
        named = arguments.get("account") is not None
        chosen = {one.id for one in self._accounts.chosen(arguments)}

        async def work(tx: ReadTransaction) -> list[dict[str, Any]]:
            rows = await tx.submissions(state=SubmissionState.SUBMITTED, since=since)
            # An account that left the settings may still have sent: that is not to vanish.
            return [
                send_facts(row, await standing_of(tx, row))
                for row in rows
                if not named or row.account in chosen
            ]

        return await self._store.scan(work)

    async def _show(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        code = str(arguments["code"]).strip()
        accounts = self._accounts.chosen(arguments)
        if arguments.get("fetch"):
            await self._fetch(accounts, code)

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            row = await _find(tx, accounts, code)
            if row is None:
                raise OperationFailed(
                    say("No message was sent from here with the code {code}.", code=code)
                )
            receipts = [
                {
                    "number": receipt.remote,
                    "kind": receipt.kind,
                    "at": rfc3339(receipt.at),
                    "recipients": ", ".join(receipt.addresses),
                    "detail": detail_of(receipt),
                }
                for receipt in await tx.receipts_of(row.id)
            ]
            facts = send_facts(row, await standing_of(tx, row))
            return {"id": row.id, "account": self._address(row), **facts, "receipts": receipts}

        return await self._store.read(work)

    async def _fetch(self, accounts: tuple[ApiAccount, ...], code: str) -> None:
        """Fetch the texts of what the inbox lists with a code and that are not here."""

        async def work(tx: ReadTransaction) -> tuple[SubmissionRow | None, list[RemoteId]]:
            row = await _find(tx, accounts, code)
            if row is None:
                return None, []
            return row, [one.id for one in await tx.listed_with_code(row.account, code)]

        row, remotes = await self._store.read(work)
        if row is not None and remotes:
            next(one for one in accounts if one.id == row.account).api()
            await self._sync.fetch_texts(row.account, remotes)

    def _address(self, row: SubmissionRow) -> str | None:
        return self._accounts.address(row.account)

    async def _delete(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        code = str(arguments["code"]).strip()
        if not CODE.fullmatch(code):
            raise OperationFailed(
                say(
                    "{code} is no whole code, and a part of one would delete other messages too.",
                    code=repr(code),
                )
            )
        accounts = self._accounts.chosen(arguments)

        async def work(tx: ReadTransaction) -> SubmissionRow | None:
            return await _find(tx, accounts, code)

        row = await self._store.read(work)
        if row is None:
            raise OperationFailed(
                say("No message was sent from here with the code {code}.", code=code)
            )
        owner = next(one for one in accounts if one.id == row.account)
        strangers = await self._strangers(owner, row, code)
        if strangers:
            listed = "; ".join(one_line(subject)[:SHOWN_CHARS] for subject in strangers)
            raise OperationFailed(
                say(
                    "Nothing was deleted: the API would delete what is not a receipt of {id} "
                    "as well: {listed}",
                    id=row.id,
                    listed=listed,
                )
            )
        try:
            await owner.api().delete_send(code)
        except NotFound:
            raise OperationFailed(
                say("The API has no message with the code {code}.", code=code)
            ) from None
        return {"code": code, "account": owner.address, "deleted": True}

    async def _strangers(self, owner: ApiAccount, row: SubmissionRow, code: str) -> list[str]:
        """Return the subjects of what a deletion by code might take along and is no receipt.

        The API finds by subject (Q13): what it shows for the code is looked at, and what it or
        sync finds with the code anywhere in the subject.
        """
        api = owner.api()
        try:
            status = await api.send_status(code)
        except NotFound:
            raise OperationFailed(
                say("The API has no message with the code {code}.", code=code)
            ) from None
        shown: list[tuple[str, str, datetime | None, str | None]]
        shown = [(one.subject, one.sender, one.date, one.body) for one in status]
        found = await search(api, code, SEARCHED)
        shown += [(one.subject, one.sender, one.date, None) for one in found]
        now = self._clock.now()

        async def work(tx: ReadTransaction) -> list[str]:
            send, issuers = await send_of(tx, row), await tx.issuers(row.account)
            receipts = [
                (subject, read_receipt(RemoteId(0), subject, sender, body, date or now))
                for subject, sender, date, body in shown
            ]
            for one in await tx.remote_rows(row.account):
                if code in one.subject:
                    receipts.append((one.subject, await read_row(tx, one)))
            return [
                subject
                for subject, receipt in receipts
                if receipt.code != code or not belongs(receipt, send, issuers)
            ]

        return list(dict.fromkeys(await self._store.scan(work)))


async def _find(
    tx: ReadTransaction, accounts: tuple[ApiAccount, ...], code: str
) -> SubmissionRow | None:
    found = [await tx.submissions_by_code(one.id, code) for one in accounts]
    rows = [row for each in found for row in each]
    if len({row.account for row in rows}) > 1:
        raise OperationFailed(
            say("Several accounts have the code {code}: say which with --account.", code=code)
        )
    if len(rows) > 1:
        ids = " and ".join(row.id for row in rows)
        raise OperationFailed(
            say("The service gave the code {code} to several messages: {ids}.", code=code, ids=ids)
        )
    return rows[0] if rows else None


def send_facts(row: SubmissionRow, where: DeliveryStatus) -> dict[str, Any]:
    """Return one sent message and its recipients as JSON can say them."""
    marked = ON_WORD if row.claim is ClaimBasis.WORD else ""
    return {
        "code": row.code,
        "message_id": row.message_id,
        "reference": row.reference,
        "envid": row.envid,
        "subject": row.subject,
        "sent_at": rfc3339(row.sent_at),
        "accepted_at": rfc3339(where.accepted_at),
        "recipients": [
            {
                "address": one.address,
                "state": one.state.value,
                "at": rfc3339(one.at),
                "detail": _words(one.detail, one.by_row and BY_ROW, marked),
                "conflict": one.conflict,
            }
            for one in where.recipients
        ],
        **({"by_listing": True} if where.is_by_row else {}),
        **on_word(row),
    }


def detail_of(receipt: ReceiptRow) -> str:
    """Return what there is to say of a receipt, and that its text was not read if it was not."""
    return _words(receipt.detail, receipt.basis is ReceiptBasis.ROW and BY_ROW)


def _words(*words: str | bool) -> str:
    return "; ".join(str(one) for one in words if one)
