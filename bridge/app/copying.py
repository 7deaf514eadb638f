"""``store copy``: all data from the database that the settings name into another, and compared.

No bridge runs meanwhile: the lock is held. The mark stays where it is, with the folder: so the copy
goes on where the original ended, and the original, were it ever started again, is known for old.

Failure: ``Locked``, ``StoreFailed``, ``OperationFailed``; the target is as it was then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from bridge.app.database import DataPlace, is_there, part_for_postgres
from bridge.app.lock import DataLock
from bridge.language import say
from bridge.operations.control import OperationFailed
from bridge.store.sql.copying import Tables, copy_rows
from bridge.store.sqlite import tables as sqlite_tables
from bridge.store.sqlite.connection import FILE_NAME

Opening = AbstractContextManager[Tables]

_URL = re.compile(r"postgres(ql)?://")


def copy_store(place: DataPlace, target: str, told: Callable[[int, int], None]) -> dict[str, int]:
    """Copy a store; return how many rows each table has. Blocks.

    Args:
        place: where it is.
        target: a URL of PostgreSQL, or a folder.
        told: how far it has come.

    Raises:
        Locked: a bridge runs.
        OperationFailed: there is nothing to copy.
        StoreFailed: it was not copied.
    """
    if not is_there(place):
        raise OperationFailed(say("There is no data in {name}.", name=place.name))
    lock = DataLock(place.data_dir)
    try:
        with _source(place) as source, _target(target) as made:
            return copy_rows(source, made, told)
    finally:
        lock.release()


def _source(place: DataPlace) -> Opening:
    if place.url is None:
        return sqlite_tables.opened(place.data_dir / FILE_NAME)
    opened: Opening = part_for_postgres().tables.opened(place.url.reveal())
    return opened


def _target(target: str) -> Opening:
    if _URL.match(target) is None:
        return sqlite_tables.made(Path(target) / FILE_NAME)
    made: Opening = part_for_postgres().tables.made(target)
    return made
