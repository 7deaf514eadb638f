"""What the command line can ask for: each operation by its name, on whatever bridge there is.

The same code answers a command through the control socket of a running bridge and, when none
runs, in the command's own process. Results are what JSON can say, in the shapes that the command
line promises; times are RFC 3339 in UTC. Nothing here waits for the API unless its name says so.

Failure: ``OperationFailed`` with a sentence, also for errors of the API and of the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.api.errors import ApiError
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.subject import Methods
from bridge.store.base import StoreFailed


class Operations:
    """Carries out operations by name; ``areas`` bring the methods."""

    def __init__(self, areas: Iterable[Methods]) -> None:
        self._methods = {name: method for area in areas for name, method in area.items()}

    async def perform(self, name: str, arguments: Mapping[str, Any], progress: Progress) -> Any:
        """Carry out the operation ``name`` and return what came of it.

        Raises:
            OperationFailed: it was not carried out.
        """
        method = self._methods.get(name)
        if method is None:
            raise OperationFailed("The running bridge is of another version; restart it.")
        try:
            return await method(arguments, progress)
        except ApiError as error:
            raise OperationFailed(error.reason) from None
        except StoreFailed as error:
            raise OperationFailed(f"The store failed: {error}") from None
