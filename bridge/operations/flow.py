"""``queue pause``, ``resume`` and ``flush``: what a person decides about whole queues."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from bridge.clock import rfc3339
from bridge.model import AccountId
from bridge.operations.accounts import ApiAccounts, Method, Methods
from bridge.operations.control import Progress
from bridge.outbox.valve import Flow, Valve

Decide = Callable[[Collection[AccountId]], Awaitable[Mapping[AccountId, Flow]]]


class FlowOperations:
    """See the module; each operation is for the account that it is told, or for all.

    Args:
        accounts: the accounts.
        valve: carries the decisions out.
    """

    def __init__(self, accounts: ApiAccounts, valve: Valve) -> None:
        self._accounts = accounts
        self._valve = valve

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "queue pause": self._deciding(self._valve.pause),
            "queue resume": self._deciding(self._valve.resume),
            "queue flush": self._deciding(self._valve.flush),
        }

    def _deciding(self, decide: Decide) -> Method:
        async def method(arguments: Mapping[str, Any], _progress: Progress) -> Any:
            chosen = {one.id: one.address for one in self._accounts.chosen(arguments)}
            return [
                {
                    "account": chosen[id],
                    "waiting": flow.waiting,
                    "flushed": flow.flushed,
                    "paused_since": rfc3339(flow.paused_since),
                }
                for id, flow in (await decide(tuple(chosen))).items()
            ]

        return method
