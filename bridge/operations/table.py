"""The table of operations: each by its name, and its failures as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.api.errors import ApiError
from bridge.language import say
from bridge.operations.accounts import Methods
from bridge.operations.control import OperationFailed, Progress
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
            raise OperationFailed(say("The running bridge is of another version; restart it."))
        try:
            return await method(arguments, progress)
        except ApiError as error:
            raise OperationFailed(error.reason, "service") from None
        except StoreFailed as error:
            raise OperationFailed(say("The store failed: {error}", error=error), "store") from None
