"""RowTexts that a person asked for: each fetched now, whatever it is worth otherwise.

A text counts under the same rules as any other: its row must agree with the listed one, and rows
that share a fingerprint are left to ``Twins``, which tells them apart.

Failure: errors of the API and of the store pass; what was fetched before them is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.api.errors import Refused
from bridge.model import RowText
from bridge.receipts.arrival import Arrival
from bridge.store.remote import RemoteId, RemoteRow
from bridge.sync.agreement import agrees
from bridge.sync.filer import Filer
from bridge.sync.locating import Way
from bridge.sync.memory import AccountMemory
from bridge.sync.rows import Rows


class Wanted:
    """See the module.

    Args:
        way: asks the API, and finds rows that moved.
        rows: what is known.
        filer: files what comes.
        memory: which texts are under way already.
    """

    def __init__(
        self,
        way: Way,
        rows: Rows,
        filer: Filer,
        memory: AccountMemory,
    ) -> None:
        self._way = way
        self._rows = rows
        self._filer = filer
        self._memory = memory

    async def fetch(self, remotes: Sequence[RemoteId]) -> int:
        """Fetch what can be had; returns how many texts came."""
        came = 0
        for remote in remotes:
            row = await self._rows.row(remote)
            if row is None or not await self._is_to_be_had(row):
                continue
            body = await self._body(row)
            if body is None:
                await self._way.locator.page_with(row)
                moved = await self._rows.row(remote)
                if moved is not None and moved.api_id != row.api_id:
                    body = await self._body(moved)
            if body is not None:
                came += await self._filer.file([Arrival.of(row, body)])
        return came

    async def _is_to_be_had(self, row: RemoteRow) -> bool:
        if row.body_sha256 is not None or row.gone_at is not None or not row.api_id:
            return False
        is_alone = len(await self._rows.places([row.fingerprint])) == 1
        return is_alone and not self._memory.is_under_way(row.id)

    async def _body(self, row: RemoteRow) -> RowText | None:
        """Return what the API shows behind a row's id, None if that is not the row's."""
        try:
            message = await self._way.client.inbox_message(row.api_id)
        except Refused:
            return None
        return message.body if agrees(row, message) else None
