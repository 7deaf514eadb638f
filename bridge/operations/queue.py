"""``queue``: the outbox's entries, and what a person decides about one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from bridge.clock import Clock, rfc3339
from bridge.language import say
from bridge.model import QueueId, SubmissionState
from bridge.operations.accounts import ApiAccounts, Method, Methods, on_word
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.expected import expectations
from bridge.operations.reason import Reasons
from bridge.outbox.decision import DecisionRefused, Decisions
from bridge.outbox.states import UNFINISHED
from bridge.outbox.waiting import removed
from bridge.outbox.window import SendingPace
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import SubmissionRow

LISTED = timedelta(days=30)
"""What ended before that is not listed; what has not ended always is."""


class Decide(Protocol):
    """A decision about an entry, made on its ``version`` (see ``outbox.decision``)."""

    async def __call__(self, id: QueueId, /, *, version: int | None = None) -> SubmissionRow:
        """Carry it out."""


class QueueOperations:
    """See the module.

    Args:
        store: what is in the outbox.
        clock: for what is recent.
        accounts: the accounts.
        decisions: carries out what a person decided.
        pace: how messages leave.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        accounts: ApiAccounts,
        decisions: Decisions,
        pace: SendingPace,
    ) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._decisions = decisions
        self._pace = pace

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "queue list": self._list,
            "queue show": self._show,
            "queue retry": self._sending(self._deciding(self._decisions.retry)),
            "queue cancel": self._deciding(self._decisions.cancel),
            "queue resolve --resend": self._sending(self._resolve_resend),
            "queue resolve --drop": self._deciding(self._decisions.resolve_drop),
            "queue resolve --reopen": self._deciding(self._decisions.resolve_reopen),
            "queue resolve --sent": self._resolve_sent,
        }

    def _deciding(self, decide: Decide) -> Method:
        async def method(arguments: Mapping[str, Any], _progress: Progress) -> Any:
            version = arguments.get("version")
            try:
                row = await decide(
                    QueueId(str(arguments["id"])), version=None if version is None else int(version)
                )
                return self._facts(row)
            except DecisionRefused as refusal:
                raise OperationFailed(refusal.args[0]) from None

        return method

    def _sending(self, deciding: Method) -> Method:
        """Return the method of a decision that asks for sending, which takes an account."""

        async def method(arguments: Mapping[str, Any], progress: Progress) -> Any:
            id = QueueId(str(arguments["id"]))

            async def work(tx: ReadTransaction) -> str | None:
                row = await tx.submission(id)
                if row is None or self._accounts.address(row.account) is not None:
                    return None
                return removed(row, await tx.address(row.account) or "?")

            obstacle = await self._store.read(work)
            if obstacle is not None:
                raise OperationFailed(obstacle)
            return await deciding(arguments, progress)

        return method

    async def _resolve_sent(self, arguments: Mapping[str, Any], progress: Progress) -> Any:
        code, force = str(arguments["code"]), bool(arguments.get("force"))
        method = self._deciding(partial(self._decisions.resolve_sent, code=code, force=force))
        return await method(arguments, progress)

    async def _resolve_resend(self, arguments: Mapping[str, Any], progress: Progress) -> Any:
        force = bool(arguments.get("force"))
        method = self._deciding(partial(self._decisions.resolve_resend, force=force))
        return await method(arguments, progress)

    async def _list(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return entries: the last ``limit`` of those since ``since``, in ``state``.

        Without ``since`` (RFC 3339) those of 30 days, and older ones that have not ended.
        """
        state, limit = arguments.get("state"), int(arguments.get("limit") or 0)
        since = None
        if arguments.get("since") is not None:
            since = datetime.fromisoformat(str(arguments["since"]))
        named = arguments.get("account") is not None
        chosen = {one.id for one in self._accounts.chosen(arguments)}

        now = self._clock.now()

        async def work(tx: ReadTransaction) -> list[dict[str, Any]]:
            wanted = SubmissionState(state) if state else None
            if since is None:
                rows = await _listed(tx, wanted, now - LISTED)
            else:
                rows = list(await tx.submissions(state=wanted, since=since))
            # An account that left the settings may still have entries: they are not to vanish.
            rows = [row for row in rows if not named or row.account in chosen][-limit:]
            reasons = await Reasons.read(tx, rows, self._accounts, now, self._pace.window)
            leaving = await expectations(tx, self._pace, now)
            return [
                {
                    **self._facts(row),
                    "reason": reasons.of(row),
                    "expected_at": rfc3339(leaving.get(row.id)),
                }
                for row in rows
            ]

        return await self._store.scan(work)

    async def _show(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        id = QueueId(str(arguments["id"]))
        now = self._clock.now()

        async def work(tx: ReadTransaction) -> dict[str, Any]:
            row = await tx.submission(id)
            if row is None:
                raise OperationFailed(say("There is no entry {id} in the queue.", id=id))
            tries = [
                {
                    "number": attempt.number,
                    "started_at": rfc3339(attempt.started_at),
                    "ended_at": rfc3339(attempt.ended_at),
                    "status": attempt.status,
                    "answer": attempt.answer,
                    "error": attempt.error,
                }
                for attempt in await tx.attempts(id)
            ]
            steps = [
                {
                    "at": rfc3339(step.at),
                    "old": step.old.value,
                    "new": step.new.value,
                    "reason": step.reason,
                }
                for step in await tx.transitions(id)
            ]
            reasons = await Reasons.read(tx, [row], self._accounts, now, self._pace.window)
            leaving = await expectations(tx, self._pace, now)
            return {
                **self._facts(row),
                "reason": reasons.of(row),
                "expected_at": rfc3339(leaving.get(row.id)),
                "tries": tries,
                "steps": steps,
            }

        return await self._store.read(work)

    def _facts(self, row: SubmissionRow) -> dict[str, Any]:
        return {
            "id": row.id,
            "account": self._accounts.address(row.account),
            "state": row.state.value,
            "message_id": row.message_id,
            "reference": row.reference,
            "envid": row.envid,
            "subject": row.subject,
            "recipients": list(row.recipients),
            "code": row.code,
            "reason": row.reason,
            "attempts": row.attempts,
            "urgent": row.urgent,
            "created_at": rfc3339(row.created_at),
            "updated_at": rfc3339(row.updated_at),
            **on_word(row),
        }


async def _listed(
    tx: ReadTransaction, state: SubmissionState | None, since: datetime
) -> list[SubmissionRow]:
    """Return the entries since then, and those before it of which something is to become."""
    states = UNFINISHED if state is None else UNFINISHED & {state}
    rows = {row.id: row for row in await tx.submissions(state=state, since=since)}
    for one in states:
        rows |= {row.id: row for row in await tx.submissions(state=one)}
    return sorted(rows.values(), key=lambda row: row.sequence)
