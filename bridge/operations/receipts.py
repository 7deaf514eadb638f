"""``receipts``: where each sent message and each of its recipients stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bridge.api.errors import NotFound
from bridge.clock import Clock
from bridge.control import OperationFailed, Progress
from bridge.model import SubmissionState
from bridge.operations.subject import Methods, Subject, Subjects, moment
from bridge.receipts.record import standing_of
from bridge.receipts.states import Standing
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import SubmissionRow

LISTED = timedelta(days=30)


class Receipts:
    """See the module.

    Args:
        store: what was sent, and the receipts of it.
        clock: for what is recent.
        subjects: the accounts.
    """

    def __init__(self, store: Store, clock: Clock, subjects: Subjects) -> None:
        self._store = store
        self._clock = clock
        self._subjects = subjects

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "receipts list": self._list,
            "receipts show": self._show,
            "receipts delete": self._delete,
        }

    async def _list(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        since = self._clock.now() - LISTED
        named = arguments.get("account") is not None
        chosen = {subject.id for subject in self._subjects.chosen(arguments)}

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
        subjects = self._subjects.chosen(arguments)

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            row = await _find(tx, subjects, code)
            if row is None:
                raise OperationFailed(f"No message was sent from here with the code {code}.")
            receipts = [
                {
                    "kind": receipt.kind,
                    "at": moment(receipt.at),
                    "recipients": ", ".join(receipt.addresses),
                    "detail": receipt.detail,
                }
                for receipt in await tx.receipts_of(row.id)
            ]
            facts = send_facts(row, await standing_of(tx, row))
            return {"id": row.id, "account": self._address(row), **facts, "receipts": receipts}

        return await self._store.read(work)

    def _address(self, row: SubmissionRow) -> str | None:
        return self._subjects.address(row.account)

    async def _delete(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        code = str(arguments["code"]).strip()
        subjects = self._subjects.chosen(arguments)

        async def work(tx: ReadTransaction) -> SubmissionRow | None:
            return await _find(tx, subjects, code)

        row = await self._store.read(work)
        owner = _owner(subjects, row)
        try:
            await owner.api().delete_send(code)
        except NotFound:
            raise OperationFailed(f"The API has no message with the code {code}.") from None
        return {"code": code, "account": owner.address, "deleted": True}


def _owner(subjects: tuple[Subject, ...], row: SubmissionRow | None) -> Subject:
    """Return the account whose send it is; one that is not ours must be named."""
    for subject in subjects:
        if row is not None and subject.id == row.account:
            return subject
    if len(subjects) == 1:
        return subjects[0]
    raise OperationFailed("This code was not sent from here: say the account with --account.")


async def _find(
    tx: ReadTransaction, subjects: tuple[Subject, ...], code: str
) -> SubmissionRow | None:
    found = [await tx.submission_by_code(subject.id, code) for subject in subjects]
    rows = [row for row in found if row is not None]
    if len(rows) > 1:
        raise OperationFailed(f"Several accounts have the code {code}: say which with --account.")
    return rows[0] if rows else None


def send_facts(row: SubmissionRow, where: Standing) -> dict[str, Any]:
    """Return one sent message and its recipients as JSON can say them."""
    return {
        "code": row.code,
        "message_id": row.message_id,
        "subject": row.subject,
        "sent_at": moment(row.sent_at),
        "accepted_at": moment(where.accepted_at),
        "recipients": [
            {
                "address": one.address,
                "state": one.state.value,
                "at": moment(one.at),
                "detail": one.detail,
                "conflict": one.conflict,
            }
            for one in where.recipients
        ],
    }
