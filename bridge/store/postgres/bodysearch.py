"""Looking for a string in body texts: an index of trigrams, where PostgreSQL has one.

``pg_trgm`` says which texts may hold the needle; LIKE looks into those. Contents get into the index
in batches (``is_indexed``), some time after they came, so that no delivery waits for it; the others
are looked through, and so are all where there is no such index. The answer is the same either way.
RFC 3501 §6.4.4 (BODY).
"""

from __future__ import annotations

from typing import Any

from psycopg import Cursor

from bridge.model import ContentId, MailboxId
from bridge.store.sql.engine import literal

_HOLDING = """
    SELECT DISTINCT message.content FROM message
    JOIN content_body_text AS text ON text.content = message.content
    WHERE message.mailbox = $1 AND (text.is_indexed AND text.body LIKE $2 ESCAPE '~'
        OR NOT text.is_indexed AND strpos(text.body, $3) > 0) ORDER BY 1
"""
_CUT = """
    SELECT DISTINCT message.content FROM content_body_text AS text
    JOIN message ON message.content = text.content
    WHERE NOT text.is_whole AND message.mailbox = $1 ORDER BY 1
"""
_INDEX = """
    UPDATE content_body_text SET is_indexed = true WHERE content IN
        (SELECT content FROM content_body_text WHERE NOT is_indexed ORDER BY content LIMIT $1)
"""


class PostgresBodies:
    """Of ``sql.engine.Engine``, what is about bodies."""

    _cursor: Cursor[tuple[Any, ...]]

    def matching_bodies(
        self, mailbox: MailboxId, needle: str
    ) -> tuple[list[ContentId], list[ContentId]]:
        pattern = f"%{literal(needle)}%"
        held = self._numbers(_HOLDING, (mailbox, pattern, needle))
        known = frozenset(held)
        cut = self._numbers(_CUT, (mailbox,))
        return held, [content for content in cut if content not in known]

    def index_bodies(self, limit: int) -> int:
        return self._cursor.execute(_INDEX, (limit,)).rowcount

    def forget_body(self, content: int) -> None:
        """See ``Engine``: the index follows its rows by itself."""

    def remember_body(self, content: int) -> None:
        """See ``Engine``: the index follows its rows by itself."""

    def _numbers(self, statement: str, values: tuple[object, ...]) -> list[ContentId]:
        rows = self._cursor.execute(statement, values).fetchall()
        return [ContentId(content) for (content,) in rows]
