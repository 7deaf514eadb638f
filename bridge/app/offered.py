"""What can be asked of a bridge that runs: each reload, and each change of its role, offers anew.

A bridge that follows refuses what asks the API, or knows only what is read there: the day's
requests and the pace of sends are one for all, and the one that leads has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from bridge.app.operations import operations
from bridge.app.reading import InboxReading
from bridge.app.resources import Resources
from bridge.app.standalone import ASKS_API, LOOKS_FIRST
from bridge.language import say
from bridge.net.listening import Running
from bridge.operations.accounts import Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.table import Operations
from bridge.wake import Wake

FOR_THE_LEADER = ASKS_API | LOOKS_FIRST | {"expiry list"}


class Offered:
    """See the module; ``renew`` comes first.

    Args:
        resources: what works on the data.
        random: for ids.
    """

    def __init__(self, resources: Resources, random: Random) -> None:
        self._resources = resources
        self._random = random
        self._operations = Operations([])

    def renew(
        self,
        wake: Wake,
        reading: InboxReading,
        running: Running | None,
        more: Iterable[Methods],
    ) -> None:
        """Offer what goes by these from here on.

        Args:
            wake: wakes what sends.
            reading: what reads.
            running: the bridge.
            more: what only a bridge that runs offers.
        """
        reads = reading if self._resources.held.leads else None
        self._operations = operations(self._resources, self._random, wake, reads, running, more)

    async def perform(self, name: str, arguments: Mapping[str, Any], progress: Progress) -> Any:
        """See ``operations.control.Perform``.

        Raises:
            OperationFailed: it was not carried out.
        """
        if name in FOR_THE_LEADER and not self._resources.held.leads:
            lead = await self._resources.store.read(lambda tx: tx.lead())
            raise OperationFailed(
                say(
                    "Another bridge ({bridge}) leads and asks the API for all: ask there.",
                    bridge=lead.bridge or "?",
                )
            )
        return await self._operations.perform(name, arguments, progress)
