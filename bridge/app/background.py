"""The background work of a bridge, by who does it.

What is done for all accounts, whoever of several bridges a client is connected to, only the one
that leads does; what watches the process itself, each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bridge.alarms.collector import Collector
from bridge.app.disk import DiskSpace
from bridge.app.domains import Domains
from bridge.app.housekeeping import Housekeeping
from bridge.app.memory import Memory, give_back, resident_bytes
from bridge.app.resources import Resources
from bridge.app.room import Descriptors, allowed_descriptors
from bridge.app.running_out import RunningOut
from bridge.app.timeofday import TimeOfDay
from bridge.app.worker import Work
from bridge.credentials import Secrets
from bridge.operations.accounts import Methods
from bridge.operations.control import Progress

if TYPE_CHECKING:
    import httpx


class BackgroundWork:
    """See the module; nothing runs by itself.

    Args:
        resources: what works on the data.
        secrets: what the settings point to.
        http_transport: where API requests go instead of the network.
    """

    def __init__(
        self,
        resources: Resources,
        secrets: Secrets,
        http_transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._resources = resources
        self._domains = Domains(resources, secrets, http_transport)
        self._running_out = RunningOut(resources, secrets, http_transport)

    def of_each(self) -> dict[str, Work]:
        """Return by name what every bridge does."""
        clock = self._resources.clock
        return {
            "memory": Memory(clock, resident_bytes, give_back()).run,
            "descriptors": Descriptors(clock, allowed_descriptors()).run,
            "traces": self._resources.tracing.run,
        }

    def of_the_leader(self) -> dict[str, Work]:
        """Return by name what one bridge does for all."""
        mailboxes, clock = self._resources.mailboxes, self._resources.clock
        return {
            "housekeeping": Housekeeping(mailboxes, clock).run,
            "notices": Collector(self._resources.store, mailboxes, clock).run,
            "running out": self._running_out.run,
            "clock": TimeOfDay(mailboxes, clock).run,
            "disk": DiskSpace(mailboxes, clock, self._resources.config.data_dir).run,
            **self._domains.works(),
        }

    def methods(self) -> Methods:
        """Return by name what can be asked of it."""
        return {"expiry list": self._expiries}

    async def _expiries(self, _arguments: Mapping[str, Any], _progress: Progress) -> Any:
        return self._running_out.seen()

    async def aclose(self) -> None:
        """Let go of every connection."""
        await self._domains.aclose()
