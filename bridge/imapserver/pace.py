"""Long work in pieces: others get their turn by the work done, not by what it was done on."""

from __future__ import annotations

from bridge.imapserver.output import Output

WORK = 20_000
"""Units of work, each a fraction of a microsecond, that are done before others get their turn."""


class CommandShare:
    """Counts the work of one command."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._left = WORK

    async def spend(self, work: int) -> None:
        """Note work that was done; let others run when there was enough of it.

        Raises:
            ConnectionError: the client is gone.
        """
        self._left -= work
        if self._left <= 0:
            self._left = WORK
            await self._output.give_way()
