"""Whether a listing shows the subject that was sent, whole, spoilt or cut short. Pure.

The API may lose letters outside ASCII (Q7): each may be shown as it is, without its accent, as
U+FFFD or ``?`` once for each of its octets, read in the wrong charset, or not at all. Everything
in ASCII stands as it was sent, but for case and blanks; nothing may stand before or behind. So
``I: Diffida`` is not ``Diffida``, and two messages in other scripts are not one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from unicodedata import combining

from bridge.charset.normalise import normalised
from bridge.limits import SUBJECT_COMPARED_CHARS
from bridge.mime.row.address import one_line

MIN_CUT_CHARS = 20
"""A shorter subject is not taken for the beginning of a longer one."""

MOST_MARKS = 4
"""A letter has at most four octets in UTF-8, each of which may have become a mark."""


def same_subject(sent: str, shown: str) -> bool:
    """Tell whether ``shown`` is all of the subject ``sent``, but for letters lost."""
    if _folded(sent) == _folded(shown):
        return True
    *_, reached = _reached(sent, shown)
    return bool(reached & 1 << len(_folded(shown)))


def is_cut(shown: str, sent: str) -> bool:
    """Tell whether ``shown`` may be the subject ``sent`` cut short, or all of it."""
    if sum(char.isalnum() for char in shown) < MIN_CUT_CHARS:
        return False
    end = 1 << len(_folded(shown))
    return any(reached & end for reached in _reached(sent, shown))


def is_legible(shown: str) -> bool:
    """Tell whether enough of a subject is left to know it again by."""
    return any(char.isalnum() for char in shown)


def _reached(sent: str, shown: str) -> Iterator[int]:
    """Give, before and after each letter of ``sent``, how far it can have brought ``shown``.

    Bit n is set if ``shown`` up to place n can be what the letters so far became; it ends where
    that is no place. What is shown at such length that this would cost much never can.
    """
    text = _folded(shown)
    if len(text) > SUBJECT_COMPARED_CHARS:
        yield 0
        return
    places: dict[str, int] = {}
    for place, char in enumerate(text):
        places[char] = places.get(char, 0) | 1 << place
    marks = places.get("\ufffd", 0) | places.get("?", 0)
    line = one_line(normalised("NFC", sent))
    reached = 1
    yield reached
    for place, char in enumerate(line):
        after = _after(reached, _spellings(char), places)
        if not char.isascii():
            for _ in range(MOST_MARKS):
                after |= reached
                reached = (reached & marks) << 1
            after |= reached
        elif char == " " and not (line[place - 1] + line[place + 1]).isascii():
            after |= reached  # a word of one letter is gone, and its blanks became one
        reached = after
        yield reached
        if not reached:
            return


def _after(reached: int, spellings: frozenset[str], places: dict[str, int]) -> int:
    after = 0
    for spelling in spellings:
        here = reached
        for char in spelling:
            here = (here & places.get(char, 0)) << 1
        after |= here if spelling else 0
    return after


@lru_cache(maxsize=1024)
def _spellings(char: str) -> frozenset[str]:
    """Return what a letter may have become, but for marks and nothing."""
    if char.isascii():
        return frozenset({char.casefold()})
    decomposed = normalised("NFKD", char)
    bare = "".join(one for one in decomposed if not combining(one))
    octets = char.encode("utf-8", "replace")
    misread = {octets.decode("latin-1"), octets.decode("cp1252", "replace")}
    return frozenset(normalised("NFKC", one).casefold() for one in {char, bare, *misread})


def _folded(text: str) -> str:
    return one_line(normalised("NFKC", text)).casefold()
