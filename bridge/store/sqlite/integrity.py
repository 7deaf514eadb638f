"""Whether a store's file is whole, without holding, making or changing it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

from bridge.language import say
from bridge.store.base import StoreFailed
from bridge.store.sqlite.connection import FILE_NAME, failure
from bridge.store.sqlite.migrations import STEPS


def examine(data_dir: Path) -> str | None:
    """Read all of a store's pages; return None if there is no store yet, else a sentence. Blocks.

    Raises:
        StoreFailed: it is damaged, cannot be read, or a newer version wrote it.
    """
    path = data_dir / FILE_NAME
    if not path.exists():
        return None
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=10)
        ) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(1)")]
    except UnicodeDecodeError:
        raise StoreFailed(
            say("{path} is damaged (its schema is not readable).", path=path)
        ) from None
    except sqlite3.Error as error:
        raise failure(error, path) from None
    if found != ["ok"]:
        raise StoreFailed(
            say(
                "{path} is damaged ({found}).",
                path=path,
                found=found[0] if found else say("nothing was read"),
            )
        )
    if version > len(STEPS):
        raise StoreFailed(say("{path} was written by a newer version of pec-bridge.", path=path))
    return f"{path.stat().st_size / 1024**2:,.1f} MiB, every page is readable, version {version}"
