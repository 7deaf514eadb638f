"""A hand-written caller of the API, so that the simulator is tested without the bridge's client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bridge.simulator import Simulator

ADDRESS = "azienda@pec.invalid"
PASSWORD = "parola-d'ordine"


class Caller:
    """Calls the seven operations of one simulator with one mailbox's credentials."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client = client
        self.bearer = {"Authorization": f"Bearer {token}"}
        self.headers = {**self.bearer, "x-username": ADDRESS, "x-password": PASSWORD}

    async def send(self, **changes: object) -> httpx.Response:
        fields = {
            "sender": ADDRESS,
            "recipient": ["cliente@altra.invalid"],
            "subject": "Prova",
            "body": "<p>Salve</p>",
            "attachments": [],
            "username": ADDRESS,
            "password": PASSWORD,
            **changes,
        }
        present = {name: value for name, value in fields.items() if value is not None}
        return await self.client.post("/send", json=present, headers=self.bearer)

    async def get(self, path: str, **params: str | int) -> httpx.Response:
        return await self.client.get(path, params=params, headers=self.headers)

    async def delete(self, path: str) -> httpx.Response:
        return await self.client.delete(path, headers=self.headers)

    async def rows(self, **params: str | int) -> list[Any]:
        answer = await self.get("/inbox", **params)
        rows = answer.json()["data"]
        assert isinstance(rows, list)
        return rows

    async def subjects(self) -> list[str]:
        return [row.get("object", row.get("subject")) for row in await self.rows()]


@asynccontextmanager
async def calling(simulator: Simulator) -> AsyncIterator[Caller]:
    """Give a caller in memory; opens the mailbox if it isn't open yet."""
    if ADDRESS not in simulator.addresses:
        simulator.add_mailbox(ADDRESS, PASSWORD)
    transport = httpx.ASGITransport(app=simulator.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.invalid") as client:
        yield Caller(client, simulator.token)


def without(mapping: Mapping[str, str], name: str) -> dict[str, str]:
    """Return a copy lacking one key."""
    return {key: value for key, value in mapping.items() if key != name}
