"""The store in one SQLite file. Only the composition root and the store's tests name it."""

from bridge.store.sqlite.database import SqliteStore

__all__ = ["SqliteStore"]
