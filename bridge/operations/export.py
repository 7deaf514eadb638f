"""``export``: what the store knows of sends, given out piece by piece.

The file is written by whoever asks (see ``operations.exporting``): each answer here is small, so
that neither the bridge nor the command holds more than a slice of a message. Bytes travel as
base64.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from bridge.clock import Clock, rfc3339
from bridge.language import say
from bridge.model import ContentId, QueueId
from bridge.operations.accounts import ApiAccounts, Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.named import find_sends
from bridge.operations.period import chosen
from bridge.operations.receipts import detail_of, send_facts
from bridge.receipts.record import standing_of
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import AttemptRow, SubmissionRow, TransitionRow
from bridge.store.receipts import ReceiptRow
from bridge.store.remote import RemoteId

SLICE_BYTES = 1024 * 1024


class ExportOperations:
    """See the module.

    Args:
        store: what was sent, and what came of it.
        clock: not used but for the month that is now.
        accounts: the accounts.
    """

    def __init__(self, store: Store, clock: Clock, accounts: ApiAccounts) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "export find": self._find,
            "export month": self._month,
            "export send": self._send,
            "export message": self._message,
            "export body": self._body,
            "export receipt": self._whole_receipt,
        }

    async def _find(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return the ids of the entries that any of a send's names names."""
        what = str(arguments["what"]).strip()
        accounts = [one.id for one in self._accounts.chosen(arguments)]

        async def work(tx: ReadTransaction) -> list[SubmissionRow]:
            return await find_sends(tx, accounts, what)

        found = [row.id for row in await self._store.read(work)]
        if not found:
            raise OperationFailed(
                say("Nothing was sent from here with the id, code or reference {what}.", what=what)
            )
        return found

    async def _month(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return the entries that count in a month: what left, or may have left."""
        period = chosen(arguments, self._clock.now())
        address = arguments.get("account")

        async def work(tx: ReadTransaction) -> tuple[QueueId, ...]:
            account = None if address is None else await tx.account(str(address))
            if address is not None and account is None:
                raise OperationFailed(say("There is no account {address}.", address=address))
            return await tx.submissions_counted(period.first, period.last, account)

        ids = await self._store.scan(work)
        if not ids:
            raise OperationFailed(say("Nothing was sent in {name}.", name=period.name))
        return list(ids)

    async def _send(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return all that is known of an entry, but for the text and the receipts' bodies."""
        id = QueueId(str(arguments["id"]))

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            row = await tx.submission(id)
            if row is None:
                raise OperationFailed(say("There is no entry {id} in the queue.", id=id))
            receipts = await tx.receipts_of(id)
            return {
                "id": row.id,
                "account": await tx.address(row.account),
                "state": row.state.value,
                "reason": row.reason,
                "created_at": rfc3339(row.created_at),
                "claim": row.claim.value if row.claim else None,
                "addressed_to": list(row.recipients),
                **send_facts(row, await standing_of(tx, row)),
                "attempts": [_attempt(one) for one in await tx.attempts(id)],
                "transitions": [_transition(one) for one in await tx.transitions(id)],
                "receipts": [await _receipt(tx, one) for one in receipts],
            }

        return await self._store.read(work)

    async def _message(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return a slice of an entry's text, "" past its end or where it is no longer there."""
        id, at = QueueId(str(arguments["id"])), int(arguments["at"])

        async def work(tx: ReadTransaction) -> bytes:
            row = await tx.submission(id)
            return b"" if row is None else await tx.raw(ContentId(row.content), at, SLICE_BYTES)

        return base64.b64encode(await self._store.scan(work)).decode()

    async def _body(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return a slice of a receipt's body, "" past its end or where there is none."""
        remote, at = RemoteId(int(arguments["remote"])), int(arguments["at"])

        async def work(tx: ReadTransaction) -> bytes:
            return await tx.remote_body_slice(remote, at, SLICE_BYTES)

        return base64.b64encode(await self._store.scan(work)).decode()

    async def _whole_receipt(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return a slice of a receipt as a message, as IMAP shows it; "" past its end.

        ``id`` is the send's, ``number`` the receipt's, as ``export send`` has it.
        """
        id, number = QueueId(str(arguments["id"])), int(arguments["number"])

        async def work(tx: ReadTransaction) -> bytes:
            content = await _content(tx, id, number)
            if content is None:
                raise OperationFailed(
                    say("{id} has no receipt {number} whose text is here.", id=id, number=number)
                )
            return await tx.raw(content, int(arguments["at"]), SLICE_BYTES)

        return base64.b64encode(await self._store.scan(work)).decode()


async def _content(tx: ReadTransaction, id: QueueId, number: int) -> ContentId | None:
    """Return the text of a send's receipt, None if it is none of the send's or no longer there."""
    if not any(one.remote == number for one in await tx.receipts_of(id)):
        return None
    row = await tx.remote_row(RemoteId(number))
    return None if row is None else row.content


def _attempt(one: AttemptRow) -> dict[str, Any]:
    return {
        "number": one.number,
        "started_at": rfc3339(one.started_at),
        "ended_at": rfc3339(one.ended_at),
        "status": one.status,
        "answer": one.answer,
        "error": one.error,
    }


def _transition(one: TransitionRow) -> dict[str, Any]:
    return {
        "at": rfc3339(one.at),
        "old": one.old.value,
        "new": one.new.value,
        "reason": one.reason,
        "attempt": one.attempt,
    }


async def _receipt(tx: ReadTransaction, one: ReceiptRow) -> dict[str, Any]:
    """Return a receipt; ``row`` is None where the archive's retention has passed.

    ``size_bytes`` is the message's as IMAP shows it, None where there is none.
    """
    row = await tx.remote_row(one.remote)
    text = None
    if row is not None and row.content is not None:
        text = await tx.archived_text(row.content)
    return {
        "remote": one.remote,
        "kind": one.kind,
        "at": rfc3339(one.at),
        "addresses": list(one.addresses),
        "detail": detail_of(one),
        "row": await tx.remote_raw(one.remote),
        "first_seen": rfc3339(row.first_seen) if row else None,
        "gone_at": rfc3339(row.gone_at) if row else None,
        "readable": row.readable if row else None,
        "size_bytes": text.size_bytes if text else None,
    }
