"""Whom to follow and how, and where it stands: the values that sync takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bridge.api.budget import Use
from bridge.api.purpose import Purpose
from bridge.model import AccountId
from bridge.sync.pages import InboxClient


class Budget(Protocol):
    """The requests an account may make today; see ``api.budget.RequestBudget``."""

    async def has_room(self, purpose: Purpose, requests: int) -> bool:
        """Tell whether so many requests of a purpose may be made now."""

    async def look_interval_s(self, wanted_s: float) -> float:
        """Stretch the interval between looks so that they last until midnight."""

    def expects(self, needs: Sequence[float], coming: float | None = None) -> None:
        """Take note of the requests that each hour of a day is expected to need, looks apart."""

    async def use(self) -> Use:
        """Return what became of today's requests so far."""


@dataclass(frozen=True, slots=True)
class SyncAccount:
    """An account to be followed: its way to the API, and how often that may be used."""

    id: AccountId
    address: str
    client: InboxClient
    budget: Budget


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """What the settings say about following the inbox."""

    interval_s: float = 60.0
    delete: Literal["expunge", "never"] = "expunge"
    retention_days: int = 900
    text: Literal["when-affordable", "always", "never"] = "when-affordable"
    clear_at_api: str = "never"


@dataclass(frozen=True, slots=True)
class NextLook:
    """When an inbox is looked at again (aware), and ``why`` not sooner: a piece of a sentence."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands: ``total`` rows at the API, ``fetched`` of them here.

    ``error`` is what the last look met with, None if it went well; ``refused`` says that only a
    person can end it: the token, the password or the credit.
    """

    last_sync: datetime | None = None
    error: str | None = None
    refused: bool = False
    total: int | None = None
    fetched: int = 0
