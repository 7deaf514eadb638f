"""Looking for a string in body texts: an index of trigrams, and a look at what it does not hold.

The index (FTS5) says which texts have all runs of three letters of the needle; those are looked
into. Contents get into it in batches, some time after they came, so that no delivery waits for
it: whatever has an id above ``up_to`` in ``body_indexed`` is looked through, as is everything for a
needle of fewer than three letters. The answer is the same either way. RFC 3501 §6.4.4 (BODY).
"""

from __future__ import annotations

import sqlite3

from bridge.model import ContentId, MailboxId

TRIGRAM = 3
MOST_TRIGRAMS = 64
"""Asked of the index for one needle: more narrow no further, and a query has room for so many."""

# CROSS JOIN keeps the order of the tables: the one that narrows most comes first.
_LOOK_THROUGH = """
    SELECT message.content FROM message
    CROSS JOIN content_body_text ON content_body_text.content = message.content
    WHERE message.mailbox = :mailbox AND message.content > :above AND instr(body, :needle) > 0
"""
_LOOK_UP = """
    SELECT message.content FROM body_index
    CROSS JOIN message ON message.content = body_index.rowid AND message.mailbox = :mailbox
    CROSS JOIN content_body_text ON content_body_text.content = message.content
    WHERE body_index MATCH :trigrams AND instr(content_body_text.body, :needle) > 0
"""
_CUT = """
    SELECT message.content FROM content_body_text INDEXED BY content_body_cut
    CROSS JOIN message ON message.content = content_body_text.content
    WHERE NOT content_body_text.is_whole AND message.mailbox = :mailbox
"""


class SqliteBodies:
    """Of ``sql.engine.Engine``, what is about bodies."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def matching_bodies(
        self, mailbox: MailboxId, needle: str
    ) -> tuple[list[ContentId], list[ContentId]]:
        trigrams = _trigrams(needle)
        values = {"mailbox": mailbox, "needle": needle, "trigrams": trigrams, "above": 0}
        found: set[int] = set()
        if trigrams:
            (values["above"],) = self._connection.execute(
                "SELECT up_to FROM body_indexed"
            ).fetchone()
            found.update(content for (content,) in self._connection.execute(_LOOK_UP, values))
        found.update(content for (content,) in self._connection.execute(_LOOK_THROUGH, values))
        cut = {content for (content,) in self._connection.execute(_CUT, values)}
        return list(map(ContentId, sorted(found))), list(map(ContentId, sorted(cut - found)))

    def index_bodies(self, limit: int) -> int:
        rows = self._connection.execute(
            "SELECT content FROM content_body_text"
            " WHERE content > (SELECT up_to FROM body_indexed) ORDER BY content LIMIT ?",
            (limit,),
        ).fetchall()
        for row in rows:
            self._connection.execute(
                "INSERT INTO body_index (rowid, body)"
                " SELECT content, body FROM content_body_text WHERE content = ?",
                row,
            )
        if rows:
            self._connection.execute("UPDATE body_indexed SET up_to = ?", rows[-1])
        return len(rows)

    def forget_body(self, content: int) -> None:
        self._connection.execute(
            "INSERT INTO body_index (body_index, rowid, body)"
            " SELECT 'delete', content, body FROM content_body_text"
            " WHERE content = ? AND content <= (SELECT up_to FROM body_indexed)",
            (content,),
        )

    def remember_body(self, content: int) -> None:
        self._connection.execute(
            "INSERT INTO body_index (rowid, body) SELECT content, body FROM content_body_text"
            " WHERE content = ? AND content <= (SELECT up_to FROM body_indexed)",
            (content,),
        )


def _trigrams(needle: str) -> str:
    """Return the query for texts that have trigrams of ``needle``, "" if there are none."""
    if "\0" in needle:  # ends a query
        return ""
    runs = {needle[at : at + TRIGRAM] for at in range(len(needle) - TRIGRAM + 1)}
    asked = sorted(runs)[:MOST_TRIGRAMS]
    return " AND ".join('"' + run.replace('"', '""') + '"' for run in asked)
