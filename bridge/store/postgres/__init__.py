"""The store in a PostgreSQL database. Only the composition root and the store's tests name it.

Needs ``pec-bridge[postgres]``, which is imported here and nowhere else.
"""

from bridge.store.postgres import tables
from bridge.store.postgres.connection import name_of
from bridge.store.postgres.database import PostgresStore
from bridge.store.postgres.look import PostgresLook, examine, is_there

__all__ = ["PostgresLook", "PostgresStore", "examine", "is_there", "name_of", "tables"]
