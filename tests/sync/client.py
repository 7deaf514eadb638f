"""A client between the sync and the API, of which a test changes one call or notes it."""

from __future__ import annotations

import copy
from typing import Self

from bridge.api.client import PecClient
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxMessage, InboxPage, StatusRow
from bridge.model import Quota


class Passing:
    """Passes every call on. What is charged for a purpose is a copy that shares all but that."""

    def __init__(self, client: PecClient) -> None:
        self.client = client
        self.purpose = Purpose.COMMAND

    def charged(self, purpose: Purpose) -> Self:
        made = copy.copy(self)
        made.client, made.purpose = self.client.charged(purpose), purpose
        return made

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        return await self.client.inbox_page(page, query)

    async def inbox_message(self, api_id: str) -> InboxMessage:
        return await self.client.inbox_message(api_id)

    async def delete_inbox(self, api_id: str) -> None:
        await self.client.delete_inbox(api_id)

    async def quota(self, mailbox: str = "INBOX") -> Quota:
        return await self.client.quota(mailbox)

    async def send_status(self, code: str) -> tuple[StatusRow, ...]:
        return await self.client.send_status(code)
