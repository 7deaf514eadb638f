"""How PostgreSQL spells what the areas say in SQLite's words.

``?`` and ``?1`` become ``$1``. SQLite's LIKE does not tell the case of ASCII letters, and neither
does ILIKE where texts are compared by bytes. ``INDEXED BY`` and ``CROSS JOIN … ON`` tell SQLite's
planner what this one finds out.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SPELLINGS = (
    (re.compile(r"\bLIKE\b"), "ILIKE"),
    (re.compile(r" INDEXED BY \w+"), ""),
    (re.compile(r"\bCROSS JOIN\b"), "JOIN"),
    (re.compile(r"\binstr\("), "strpos("),
    (re.compile(r"\bx''"), "''"),
)
_PARAMETER = re.compile(r"\?(\d*)")


@lru_cache(maxsize=2048)
def translated(statement: str) -> str:
    """Return a statement as PostgreSQL takes it."""
    for word, other in _SPELLINGS:
        statement = word.sub(other, statement)
    highest = 0

    def place(parameter: re.Match[str]) -> str:
        nonlocal highest
        number = int(parameter[1] or highest + 1)
        highest = max(highest, number)
        return f"${number}"

    return _PARAMETER.sub(place, statement)
