"""``alarm list`` and ``alarm ack``: what is raised, and what somebody has seen of it.

An acknowledged alarm stays raised until its cause ends; raised again it is a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from bridge.clock import Clock, rfc3339
from bridge.language import Title, say
from bridge.operations.accounts import ApiAccounts, Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.store.alarms import AlarmRow
from bridge.store.base import ReadTransaction, Store, Transaction

ID_CHARS = 8


class AlarmOperations:
    """See the module.

    Args:
        store: where they are.
        clock: for when they were seen.
        accounts: the accounts.
    """

    def __init__(self, store: Store, clock: Clock, accounts: ApiAccounts) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {"alarm list": self._list, "alarm ack": self._acknowledge}

    async def _list(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        self._check(arguments)

        async def work(tx: ReadTransaction) -> list[dict[str, Any]]:
            found = await raised(tx, self._accounts)
            return [facts for facts in found if _is_meant(facts, arguments)]

        return await self._store.scan(work)

    async def _acknowledge(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Acknowledge the alarms with these ``ids``, or all that ``account`` and ``kind`` mean."""
        self._check(arguments)
        ids = frozenset(arguments.get("ids") or ())
        now = self._clock.now()

        async def work(tx: Transaction) -> list[dict[str, Any]]:
            meant = [
                (alarm, facts)
                for alarm in await tx.alarms()
                if _is_meant(facts := await _facts(tx, alarm, self._accounts), arguments)
                and (not ids or facts["id"] in ids)
            ]
            missing = ids - {facts["id"] for _, facts in meant}
            if missing or not meant:
                raise OperationFailed(_none(sorted(missing)))
            return [
                {**facts, "acknowledged_at": rfc3339(now)}
                for alarm, facts in meant
                if await tx.acknowledge_alarm(alarm.account, alarm.kind, alarm.key, now)
            ]

        return await self._store.write(work)

    def _check(self, arguments: Mapping[str, Any]) -> None:
        """See that the account is one of the settings'.

        Raises:
            OperationFailed: it is not.
        """
        if arguments.get("account"):
            self._accounts.chosen(arguments)


async def raised(tx: ReadTransaction, accounts: ApiAccounts) -> list[dict[str, Any]]:
    """Return the alarms that are raised, oldest first."""
    return [await _facts(tx, alarm, accounts) for alarm in await tx.alarms()]


async def _facts(tx: ReadTransaction, alarm: AlarmRow, accounts: ApiAccounts) -> dict[str, Any]:
    address = accounts.address(alarm.account) or await tx.address(alarm.account) or "?"
    name = "\0".join((address.casefold(), alarm.kind, alarm.key))
    return {
        "id": hashlib.sha256(name.encode()).hexdigest()[:ID_CHARS],
        "account": address,
        "kind": alarm.kind,
        "key": alarm.key,
        "text": Title(alarm.text),
        "at": rfc3339(alarm.raised_at),
        "acknowledged_at": rfc3339(alarm.acknowledged_at),
    }


def _is_meant(facts: Mapping[str, Any], arguments: Mapping[str, Any]) -> bool:
    account, kind = arguments.get("account"), arguments.get("kind")
    is_of_account = account is None or facts["account"].casefold() == str(account).casefold()
    return is_of_account and kind in (None, facts["kind"])


def _none(missing: list[str]) -> str:
    if not missing:
        return say(
            "No alarm like that is raised; `pec-bridge alarm list` shows those that are raised."
        )
    return say(
        "No alarm has the id {ids}; `pec-bridge alarm list` shows those that are raised.",
        ids=", ".join(missing),
    )
