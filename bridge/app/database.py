"""Which database holds the data: a file in ``data_dir``, or PostgreSQL by ``[store] url``.

Only here is one of them picked. PostgreSQL's part is imported when it is needed.

Failure: ``StoreFailed``, also where ``pec-bridge[postgres]`` is not installed; ``ConfigError``
where the URL cannot be had.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol

from bridge.config import Config, ConfigError, ConfigFault, ConfigFile
from bridge.credentials import Secret, SecretFault, resolve
from bridge.language import say
from bridge.model import AccountId
from bridge.operations.control import OperationFailed
from bridge.store.base import Store, StoreFailed
from bridge.store.news import Heard
from bridge.store.sqlite import SqliteStore, look
from bridge.store.sqlite.integrity import examine


@dataclass(frozen=True, slots=True)
class DataPlace:
    """Where data are.

    ``url`` is PostgreSQL's, None for the file in ``data_dir``. The folder has the lock, the mark,
    the certificate and traces, whichever it is.
    """

    data_dir: Path
    url: Secret | None = None

    @property
    def name(self) -> str:
        """What people know it by; the URL may hold a password."""
        return (
            str(self.data_dir)
            if self.url is None
            else part_for_postgres().name_of(self.url.reveal())
        )


def place_of(config: Config, url: Secret | None) -> DataPlace:
    """Return where the settings say that data are.

    Args:
        config: the settings.
        url: what ``[store] url`` points to; None where there is none.

    Raises:
        ValueError: the URL was left out.
    """
    if config.store.url is None:
        return DataPlace(config.data_dir)
    if url is None:
        raise ValueError("[store] url was not resolved")
    return DataPlace(config.data_dir, url)


def found_place(file: ConfigFile) -> DataPlace:
    """Return where a configuration says that data are. Not for the event loop.

    Raises:
        ConfigError: the URL cannot be had.
    """
    source = file.config.store.url
    if source is None:
        return DataPlace(file.config.data_dir)
    try:
        return place_of(file.config, resolve(source, folder=file.folder))
    except SecretFault as fault:
        raise ConfigError((ConfigFault(file.where("store", "url"), fault.args[0]),)) from None


def in_a_file(config: Config, what: str) -> None:
    """See that data are in SQLite's file.

    Args:
        config: the settings.
        what: what cannot be done to PostgreSQL, for the sentence.

    Raises:
        OperationFailed: they are in PostgreSQL.
    """
    if config.store.url is not None:
        raise OperationFailed(
            say(
                "The data are in PostgreSQL, which `{what}` cannot copy: use its own means, such as"
                " `pg_dump --format=custom` and `pg_restore`, or `pec-bridge store copy`.",
                what=what,
            )
        )


class SharedStore(Store, Protocol):
    """One that several bridges may be on."""

    def listen(self, heard: Heard, name: str) -> None:
        """Call ``heard`` on the loop with what other bridges change, from now on to the end.

        ``name`` is what they know this one by.
        """

    def tell_watched(self, accounts: frozenset[AccountId]) -> None:
        """Let others know whose mailboxes clients have open here, as long as it is said."""

    def has_company(self) -> bool:
        """Tell whether another bridge may be connected; one that listens knows if none is."""


async def open_store(place: DataPlace) -> Store:
    """Open a store, or make it.

    Raises:
        StoreFailed: it cannot be used.
    """
    if place.url is None:
        return await SqliteStore.open(place.data_dir)
    return await open_shared(place.url, place.data_dir)


async def open_shared(url: Secret, data_dir: Path) -> SharedStore:
    """Open a store in PostgreSQL, or make it.

    Args:
        url: the database's.
        data_dir: where the mark is.

    Raises:
        StoreFailed: it cannot be used.
    """
    store: SharedStore = await part_for_postgres().PostgresStore.open(url.reveal(), data_dir)
    return store


def is_there(place: DataPlace) -> bool:
    """Tell whether something was ever written there; blocks.

    Raises:
        StoreFailed: PostgreSQL cannot be asked.
    """
    if place.url is None:
        return look.is_there(place.data_dir)
    return bool(part_for_postgres().is_there(place.url.reveal()))


@asynccontextmanager
async def look_at(place: DataPlace | None) -> AsyncIterator[Store]:
    """Give a store to be looked at: nothing is made, migrated or written.

    Args:
        place: where it is; None stands for an empty one.

    Raises:
        StoreFailed: it cannot be read, or another version wrote it.
    """
    store: Store
    if place is None or place.url is None:
        store = look.StoreLook(None if place is None else place.data_dir)
    else:
        store = await part_for_postgres().PostgresLook.open(place.url.reveal())
    try:
        yield store
    finally:
        await store.close()


def looked_through(place: DataPlace) -> str | None:
    """Return in a sentence how a store is, None if there is none yet. Blocks.

    Raises:
        StoreFailed: it cannot be read, is damaged, or a newer version wrote it.
    """
    if place.url is None:
        return examine(place.data_dir)
    said: str | None = part_for_postgres().examine(place.url.reveal())
    return said


def part_for_postgres() -> ModuleType:
    """Return the package of PostgreSQL's store.

    Raises:
        StoreFailed: what it needs is not installed.
    """
    try:
        from bridge.store import postgres
    except ImportError as error:
        raise StoreFailed(
            say(
                "[store] url names a PostgreSQL database, for which a part is missing: run"
                " `pip install 'pec-bridge[postgres]'` ({error}).",
                error=error,
            )
        ) from None
    return postgres
