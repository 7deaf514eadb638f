"""The store in a PostgreSQL database. Only the composition root and the store's tests name it.

Needs ``pec-bridge[postgres]``, which is imported here and nowhere else.
"""

from bridge.store.postgres.database import PostgresStore

__all__ = ["PostgresStore"]
