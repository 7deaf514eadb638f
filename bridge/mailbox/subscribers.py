"""Who is told of committed changes: callbacks, called in commit order on the event loop.

A callback must not wait and must not fail; one that does is logged and keeps its place, so that
no session misses what another's fault interrupted.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bridge.model import AccountId, Change, MailboxId, SubscriptionChanged

log = structlog.get_logger()

Callback = Callable[[Change], None]


class Subscribers:
    """Callbacks for everything, and callbacks for one mailbox."""

    def __init__(self) -> None:
        self._all: dict[int, Callback] = {}
        self._of_mailbox: dict[MailboxId, dict[int, Callback]] = {}
        self._watching: dict[int, AccountId] = {}
        self._of_commits: dict[int, Callable[[], None]] = {}
        self._next = 0

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call ``callback`` with every change; returns what ends that."""
        number = self._number()
        self._all[number] = callback
        return lambda: self._drop(self._all, number)

    def subscribe_commits(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` after every commit, also one without a change; returns what ends it."""
        number = self._number()
        self._of_commits[number] = callback

        def end() -> None:
            self._of_commits.pop(number, None)

        return end

    def subscribe_mailbox(
        self, account: AccountId, mailbox: MailboxId, callback: Callback
    ) -> Callable[[], None]:
        """Call ``callback`` with every change of one mailbox; returns what ends that."""
        number = self._number()
        callbacks = self._of_mailbox.setdefault(mailbox, {})
        callbacks[number] = callback
        self._watching[number] = account

        def end() -> None:
            self._drop(callbacks, number)
            self._watching.pop(number, None)
            if not callbacks and self._of_mailbox.get(mailbox) is callbacks:
                del self._of_mailbox[mailbox]

        return end

    def watched(self) -> frozenset[AccountId]:
        """Return the accounts of which a session watches a mailbox."""
        return frozenset(self._watching.values())

    def watchers(self, account: AccountId) -> int:
        """Return how many sessions watch a mailbox of the account."""
        return sum(watched == account for watched in self._watching.values())

    def publish(self, change: Change) -> None:
        """Tell everybody concerned."""
        for callback in [*self._all.values(), *self._concerned(change)]:
            try:
                callback(change)
            except Exception:
                log.exception("subscriber_failed", change=type(change).__name__)

    def publish_commit(self) -> None:
        """Tell whoever waits for any commit."""
        for callback in tuple(self._of_commits.values()):
            callback()

    def _concerned(self, change: Change) -> tuple[Callback, ...]:
        if isinstance(change, SubscriptionChanged):
            return ()
        mailbox = change.mailbox if isinstance(change.mailbox, int) else change.mailbox.id
        return tuple(self._of_mailbox.get(mailbox, {}).values())

    def _number(self) -> int:
        self._next += 1
        return self._next

    @staticmethod
    def _drop(callbacks: dict[int, Callback], number: int) -> None:
        callbacks.pop(number, None)
