"""What pages work with, as it is handed to the app."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from bridge.clock import Clock
from bridge.login import LoginGate
from bridge.net.listening import Listening
from bridge.operations.control import Perform
from bridge.store.base import Store
from bridge.web.people import PagePeople


@dataclass(slots=True)
class WebServices:
    """See the module.

    ``perform`` and ``listening`` are None until the bridge has opened its listeners: a request that
    comes before is told to come again. ``zone`` is what times are shown in. ``answered`` counts the
    answers to programs: ``ok``, or the name of the problem; ``requested`` counts requests to the
    API by what came of them. ``archiving`` is whose turn it is to make an archive of evidence.
    """

    store: Store
    clock: Clock
    people: PagePeople
    logins: LoginGate
    zone: ZoneInfo
    perform: Perform | None = None
    listening: Listening | None = None
    answered: Counter[str] = field(default_factory=Counter)
    requested: Counter[str] = field(default_factory=Counter)
    archiving: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def do(self, name: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Carry out an operation of the command line.

        Raises:
            OperationFailed: it was not carried out.
            NotReady: the bridge is starting.
        """
        if self.perform is None:
            raise NotReady
        return await self.perform(name, arguments or {}, _nobody)


class NotReady(Exception):
    """The bridge has not opened all its listeners yet."""


def _nobody(_done: int, _total: int) -> None:
    """Nobody follows how far an operation is."""
