"""The embedded database: what the world said, what we found, what was delivered and what people decided.

SQLite by default, PostgreSQL by URL. Every write is one transaction and can be repeated, so that a run killed at any
moment is mended by the next.
"""

from meddojo.store.database import Store

__all__ = ["Store"]
