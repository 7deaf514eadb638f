"""``webhook list|redeliver|test`` and ``alarm test``: who is told of events, and how that goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.clock import Clock, rfc3339
from bridge.hooks.schedule import TryReport, resumes_at, revived
from bridge.hooks.states import TryOutcome
from bridge.language import say
from bridge.model import AccountId, EventKind
from bridge.operations.accounts import Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.hooks import DeliveryState, HookBacklog, HookId, HookRow

LISTED = 1_000
"""Dead deliveries that are listed or redelivered at once."""

NOTHING = HookBacklog(0, 0, None)


@dataclass(frozen=True, slots=True)
class HookSetting:
    """A hook as the settings have it; ``account`` is None for everybody's events.

    ``id`` is the account's in the store, None if no store knows it yet.
    """

    account: str | None
    id: AccountId | None
    name: str
    place: str
    events: tuple[EventKind, ...]


@dataclass(frozen=True, slots=True)
class OutsideSettings:
    """All who are told: hooks, and the ways of alarms by name with where they lead."""

    hooks: tuple[HookSetting, ...] = ()
    alarms: tuple[tuple[str, str], ...] = ()


NOBODY = OutsideSettings()


@dataclass(frozen=True, slots=True)
class Trying:
    """Tries a way out once, with a sample."""

    hook: Callable[[HookSetting], Awaitable[TryReport]]
    alarms: Callable[[str], Awaitable[TryReport]]


class HookOperations:
    """See the module.

    Args:
        store: what is to be told.
        clock: time.
        settings: who is told.
        trying: tries a way.
        wake: is called when there is more to tell.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        settings: OutsideSettings,
        trying: Trying,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._trying = trying
        self._wake = wake

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "webhook list": self._list,
            "webhook dead": self._dead,
            "webhook redeliver": self._redeliver,
            "webhook test": self._test,
            "alarm test": self._alarm_test,
        }

    async def _list(self, _arguments: Mapping[str, Any], _progress: Progress) -> Any:
        now = self._clock.now()

        async def work(tx: ReadTransaction) -> list[dict[str, Any]]:
            return await hook_facts(tx, self._settings, now)

        return await self._store.scan(work)

    async def _dead(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Return the dead deliveries of the hook ``name``, or of all."""

        async def work(tx: ReadTransaction) -> list[dict[str, Any]]:
            rows = {row.id: row for row in await _named(tx, arguments)}
            found = []
            for delivery, event in await tx.dead_deliveries(None, LISTED):
                if delivery.hook in rows:
                    found.append(
                        {
                            "id": delivery.id,
                            "hook": rows[delivery.hook].name,
                            "account": await tx.address(event.event.account),
                            "number": event.number,
                            "event": event.event.kind.value,
                            "message": event.event.submission,
                            "reference": event.reference,
                            "tries": delivery.tries,
                            "since": rfc3339(delivery.since),
                            "died_at": rfc3339(delivery.died_at),
                            "error": delivery.error,
                        }
                    )
            return found

        return await self._store.scan(work)

    async def _redeliver(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Have dead deliveries told after all: those with these ``ids``, or all of ``name``."""
        ids = frozenset(int(one) for one in arguments.get("ids") or ())
        now = self._clock.now()

        async def work(tx: Transaction) -> int:
            hooks = {row.id: row for row in await _named(tx, arguments)}
            meant = [
                one
                for one in [await tx.delivery(id) for id in sorted(ids)]
                if one is not None and one.state is DeliveryState.DEAD and one.hook in hooks
            ]
            if missing := ids - {one.id for one in meant}:
                raise OperationFailed(
                    say(
                        "No dead delivery has the id {ids}; `pec-bridge webhook list --dead` "
                        "shows those that there are.",
                        ids=", ".join(map(str, sorted(missing))),
                    )
                )
            if not ids:
                for hook in hooks:
                    meant += [one for one, _ in await tx.dead_deliveries(hook, LISTED)]
            for one in meant:
                await tx.keep_delivery(revived(one, hooks[one.hook], now))
            return len(meant)

        count = await self._store.write(work)
        self._wake()
        return {"redelivered": count, "at_most": LISTED}

    async def _test(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        meant = [one for one in self._settings.hooks if _is_meant(one, arguments)]
        if not meant:
            raise OperationFailed(_no_such(arguments))
        return [
            {
                "hook": one.name,
                "account": one.account,
                "place": one.place,
                **await self._reported(self._trying.hook(one)),
            }
            for one in meant
        ]

    async def _alarm_test(self, _arguments: Mapping[str, Any], _progress: Progress) -> Any:
        if not self._settings.alarms:
            raise OperationFailed(
                say(
                    "Nobody outside is told of alarms: set to in [alarms], or an "
                    "[[alarms.webhook]]."
                )
            )
        return [
            {"way": way, "place": place, **await self._reported(self._trying.alarms(way))}
            for way, place in self._settings.alarms
        ]

    async def _reported(self, trying: Awaitable[TryReport]) -> dict[str, Any]:
        report = await trying
        is_taken = report.outcome is TryOutcome.TAKEN
        if is_taken:
            self._wake()
        return {"taken": is_taken, "reason": report.reason or None}


async def _named(tx: ReadTransaction, arguments: Mapping[str, Any]) -> list[HookRow]:
    """Return the hooks that the arguments mean.

    Raises:
        OperationFailed: there is none.
    """
    name = arguments.get("name")
    rows = [row for row in await tx.hooks() if name in (None, row.name)]
    if name is not None and not rows:
        raise OperationFailed(_no_such(arguments))
    return rows


def _is_meant(one: HookSetting, arguments: Mapping[str, Any]) -> bool:
    return arguments.get("name") in (None, one.name)


def _no_such(arguments: Mapping[str, Any]) -> str:
    if not arguments.get("name"):
        return say("There is no webhook; `pec-bridge webhook list` shows those that there are.")
    return say(
        "There is no webhook called {name}; `pec-bridge webhook list` shows those that there are.",
        name=arguments["name"],
    )


async def hook_facts(
    tx: ReadTransaction, settings: OutsideSettings, now: datetime
) -> list[dict[str, Any]]:
    """Return each hook of the settings, and each that left them with something still to tell."""
    rows = {(row.account, row.name): row for row in await tx.hooks()}
    found = []
    for one in settings.hooks:
        row = rows.pop((one.id, one.name), None)
        found.append(
            {
                "name": one.name,
                "account": one.account,
                "place": one.place,
                "events": [kind.value for kind in one.events],
                "in_settings": True,
                **await _standing(tx, row, now),
            }
        )
    for row in rows.values():
        backlog = await tx.hook_backlog(row.id)
        if backlog.waiting or backlog.dead:
            found.append(
                {
                    "name": row.name,
                    "account": await tx.address(row.account) if row.account else None,
                    "place": None,
                    "events": [],
                    "in_settings": False,
                    **await _standing(tx, row, now),
                }
            )
    return found


async def _standing(tx: ReadTransaction, row: HookRow | None, now: datetime) -> dict[str, Any]:
    """Return how a hook stands."""
    row = row or HookRow(HookId(0), None, "", 0)
    backlog = await tx.hook_backlog(row.id) if row.id else NOTHING
    return {
        "waiting": backlog.waiting,
        "oldest_at": rfc3339(backlog.oldest),
        "dead": backlog.dead,
        "is_down": row.failures > 0,
        "error": row.error or None,
        "next_try_at": rfc3339(resumes_at(row, now, fresh=False)) if row.failures else None,
        "succeeded_at": rfc3339(row.succeeded_at),
        "delivered": row.delivered,
        "failed": row.failed,
        "died": row.died,
    }


async def alarm_way_facts(
    tx: ReadTransaction, ways: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Return how each way of alarms stands."""
    rows = {row.way: row for row in await tx.alarms_out()}
    return [
        {
            "way": name,
            "place": place,
            "sent_at": rfc3339(row.sent_at) if row else None,
            "error": (row.error or None) if row else None,
            "failures": row.failures if row else 0,
        }
        for name, place in ways
        for row in (rows.get(name),)
    ]
