"""What one bridge tells the others on a store with its commits: where something changed.

It saves time, and nothing depends on it: who may have missed some hears that anything may have
changed. On a file there are no others, and nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bridge.model import AccountId, MailboxId

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class News:
    """Whose messages changed elsewhere, and which accounts' mailboxes did.

    None stands for: nobody knows, it may be any. Other things may have changed with any commit.
    ``watched`` are the accounts of which a client has a mailbox open there; that alone is said with
    no commit.
    """

    mailboxes: frozenset[MailboxId] | None
    accounts: frozenset[AccountId] | None
    watched: frozenset[AccountId] = frozenset()
    of_commit: bool = True

    def with_more(self, more: News) -> News:
        """Return both together."""
        return News(
            _both(self.mailboxes, more.mailboxes),
            _both(self.accounts, more.accounts),
            self.watched | more.watched,
            self.of_commit or more.of_commit,
        )


NOTHING = News(frozenset(), frozenset())
ANYTHING = News(None, None)

Heard = Callable[[News], None]
"""Is called on the loop, in the order of the commits."""


class NewsWrites(Protocol):
    """What can be told."""

    async def announce(
        self, mailboxes: Collection[MailboxId], accounts: Collection[AccountId]
    ) -> None:
        """Tell other bridges, once this is committed.

        Args:
            mailboxes: whose messages changed.
            accounts: that have others, or other names of them.
        """


def _both(one: frozenset[T] | None, other: frozenset[T] | None) -> frozenset[T] | None:
    return None if one is None or other is None else one | other
