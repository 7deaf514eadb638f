"""What a look at a store is, whichever database it is in: nothing is made, migrated or written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from bridge.language import Sentence, say
from bridge.store.base import ReadWork, StoreFailed, Work

T = TypeVar("T")


class ReadOnlyStore(ABC):
    """Satisfies ``store.base.Store``, but for writing."""

    @property
    def failing(self) -> str | None:
        """See ``store.base.Store.failing``: nothing was tried."""
        return None

    async def write(self, _work: Work[T], _committed: Callable[[T], None] | None = None) -> T:
        """Refuse: this is a look.

        Raises:
            StoreFailed: always.
        """
        raise StoreFailed(say("the store was opened to be read only"))

    @abstractmethod
    async def read(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.read``."""

    async def scan(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.scan``."""
        return await self.read(work)


def other_version(seen: int, known: int) -> Sentence:
    """Say that the schema is another than this version's.

    Args:
        seen: how many steps the data have seen.
        known: how many this version knows.
    """
    if seen < known:
        return say(
            "another version of pec-bridge wrote the data (schema {seen}, this one is {steps});"
            " they are brought up to date when the bridge starts",
            seen=seen,
            steps=known,
        )
    return say(
        "a newer pec-bridge wrote the data (schema {seen}, this one knows {steps}); install that"
        " version",
        seen=seen,
        steps=known,
    )
